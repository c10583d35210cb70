"""Texts in two parts are found where they stand, and test stays whole."""

import pytest

from distill_helpers.data.leaks import Leak, find_leaks, without_leaks


@pytest.fixture
def leaky(reviews):
    """The sample, a text of test in each other part: exact, near, and typed anew."""
    texts = {name: list(reviews[name]["text"])[:40] for name in reviews}
    test = texts["test"]
    nearly = test[1].split()
    texts["train"].insert(3, test[0])
    texts["train"].append(" ".join([*nearly[:-3], "and", "so", "on"]))
    texts["validation"].insert(0, test[2].upper() + " !")
    texts["transfer"].append(texts["train"][0])
    return texts


LEAKS = {
    Leak("train", 3, "test", 0, True),
    Leak("train", 41, "test", 1, False),
    Leak("validation", 0, "test", 2, True),
    Leak("transfer", 40, "train", 0, True),
}


def test_each_leak_is_found_where_it_stands(leaky):
    found = find_leaks(leaky)
    assert set(found.found) == LEAKS and len(found.found) == len(LEAKS)
    assert found.counts()["train", "test"] == {"exact": 1, "near": 1}
    assert "train: 2 of 42 texts stand in test too (1 exact, 1 near)" in str(found)
    exact = {leak for leak in LEAKS if leak.exact}
    assert set(find_leaks(leaky, threshold=1.0).found) == exact


def test_what_leaked_goes_and_test_stays_whole(leaky):
    before = {name: list(texts) for name, texts in leaky.items()}
    kept = without_leaks(leaky, find_leaks(leaky))
    assert leaky == before
    assert kept["test"] == before["test"]
    assert [len(kept[n]) for n in ("train", "validation", "transfer")] == [40] * 3
    again = find_leaks(kept)
    assert not again.found and str(again).startswith("no text stands in two of")


def test_the_loaders_parts_share_nothing_and_stay_what_they_are(reviews):
    few = type(reviews)({n: p.select(range(60)) for n, p in reviews.items()})
    few.label_names = reviews.label_names
    assert not find_leaks(few).found
    few["transfer"] = few["test"].remove_columns("label")
    leaks = find_leaks(few)
    kept = without_leaks(few, leaks)
    assert kept["transfer"].num_rows == 0 and kept["test"].num_rows == 60
    assert kept["train"].column_names == few["train"].column_names
    assert type(kept) is type(few) and kept.label_names == few.label_names
    assert len(few["transfer"]) == 60


def test_a_copy_within_a_part_leaks_if_its_text_stands_elsewhere():
    parts = {"train": ["A fine film", "a fine film!", "dull"], "test": ["A fine film."]}
    assert find_leaks(parts).rows("train").tolist() == [0, 1]
    assert find_leaks({**parts, "test": ["other"]}).rows("train").tolist() == []


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: find_leaks({"train": ["a"]}), "at least two of"),
        (lambda: find_leaks({"train": ["a"], "dev": ["a"]}), "at least two of"),
        (lambda: find_leaks(["a"]), "parts must be a mapping"),
        (lambda: find_leaks({"train": "ab", "test": ["a"]}), "train must be a list"),
        (lambda: find_leaks({"train": ["a"], "test": [None]}), "test must hold texts"),
        (lambda: find_leaks({"train": ["a"], "test": ["b"]}, threshold=0), "threshold"),
        (
            lambda: without_leaks(
                {"train": ["a", "c"], "test": ["b"]},
                find_leaks({"train": ["a"], "test": ["b"]}),
            ),
            "must be those that leaks were found in",
        ),
        (
            lambda: find_leaks({"train": ["a"], "test": ["b"]}).rows("pool"),
            "part must be one of",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(call, says):
    with pytest.raises((ValueError, TypeError)) as refused:
        call()
    assert says in str(refused.value)
