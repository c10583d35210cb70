"""A file of a stranger's, and a teacher that has answered all of it."""

import numpy as np
import pandas as pd
import pytest

CLASSES = {
    "billing": "invoice charge payment card bill amount receipt tax".split(),
    "delivery": "parcel courier tracking address late lost driver depot".split(),
    "login": "password account sign reset code locked mail phone".split(),
}
FILLING = "hello please the my was it can you for with this not when have".split()


def tickets(rows=120, seed=0):
    """Make short texts of three classes, two thirds of them labelled."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(rows):
        name = rng.choice(list(CLASSES), p=[0.5, 0.3, 0.2])
        words = rng.choice(FILLING, 9).tolist()
        words += rng.choice(CLASSES[name], 3).tolist() + [f"no{number}"]
        rng.shuffle(words)
        part = ("train", "transfer", "validation", "test")[number % 4]
        label = "" if part == "transfer" else name
        found.append((" ".join(words), label, part, name))
    return pd.DataFrame(found, columns=["text", "label", "split", "true"])


@pytest.fixture(scope="session")
def frame():
    return tickets()


@pytest.fixture(scope="session")
def file(frame, tmp_path_factory):
    """The file, as somebody would bring it."""
    path = tmp_path_factory.mktemp("own") / "tickets.csv"
    frame[["text", "label", "split"]].to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def answers(frame, tmp_path_factory):
    """A table of a teacher's probabilities, its columns in another order."""
    names = sorted(CLASSES, reverse=True)
    columns = {"text": frame["text"]}
    for name in names:
        columns[name] = np.where(frame["true"] == name, 0.8, 0.1)
    path = tmp_path_factory.mktemp("teacher") / "answers.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path
