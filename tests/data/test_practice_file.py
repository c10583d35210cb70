"""The practice file is what its README says, and a fair exercise."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.reviews import load_reviews
from distill_helpers.places import PRACTICE_FILE

LABELLED = ["train", "validation", "test"]


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(PRACTICE_FILE, keep_default_na=False)


def test_its_readme_counts_what_is_in_it(rows):
    told = PRACTICE_FILE.with_name("README.md").read_text("utf-8")
    table = re.findall(r"^\| ([\w-]+) \| (\d+) \| (\d+) \| (\d+) \|$", told, re.M)
    counted = pd.crosstab(rows["label"], rows["split"])[LABELLED]
    expected = {name: [int(n) for n in numbers] for name, *numbers in table}
    assert expected.pop("all") == counted.drop(index="").sum().tolist()
    assert expected == counted.drop(index="").T.to_dict("list")
    transfer = int((rows["split"] == "transfer").sum())
    assert f"{len(rows)} short messages" in told
    assert f"Another {transfer} messages have no label" in told


def test_it_is_unequal_with_a_tiny_class_and_much_text_without_a_label(rows):
    assert list(rows.columns) == ["text", "label", "split"]
    assert set(rows["split"]) == {*LABELLED, "transfer"}
    assert ((rows["label"] == "") == (rows["split"] == "transfer")).all()
    classes = Counter(rows["label"][rows["label"] != ""])
    assert len(classes) == 8 and max(classes.values()) > 5 * min(classes.values())
    assert (rows["split"] == "transfer").sum() > (rows["split"] == "train").sum()
    words = rows["text"].str.split().str.len()
    assert words.min() == 1 and words.max() > 30


def test_no_two_messages_are_nearly_the_same_and_nobody_is_named(rows):
    assert len(np.unique(duplicate_groups(list(rows["text"])))) == len(rows)
    assert not rows["text"].str.contains(r"@|https?:|www\.|\d{9}").any()


def test_the_parts_that_a_file_names_are_taken_whole(rows):
    reviews = load_reviews(PRACTICE_FILE, seed=3)
    assert len(reviews.label_names) == 8
    for part in (*LABELLED, "transfer"):
        assert sorted(reviews[part]["text"]) == sorted(
            rows["text"][rows["split"] == part]
        )
    fewer = load_reviews(PRACTICE_FILE, test=50)
    assert len(fewer["test"]) == 50 and len(fewer["validation"]) == 64
