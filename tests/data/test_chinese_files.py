"""The Chinese files are what their READMEs say, and lessons read them by character."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from distill_helpers.classroom.doctor import data as examined
from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.reviews import load_reviews
from distill_helpers.places import DATA
from distill_helpers.students import baseline_logits, tokenizers
from distill_helpers.students.ngrams import words

REVIEWS = DATA / "sample_reviews_zh" / "reviews.csv"
MESSAGES = DATA / "practice" / "support_messages_zh.csv"
FILES = pytest.mark.parametrize(
    "path", [REVIEWS, MESSAGES], ids=lambda p: p.parent.name
)
LABELLED = ["train", "validation", "test"]


def rows(path):
    return pd.read_csv(path, keep_default_na=False)


@FILES
def test_every_text_is_chinese_and_nearly_like_no_other(path):
    texts = list(rows(path)["text"])
    chinese = [len(re.findall("[\u4e00-\u9fff]", text)) for text in texts]
    assert min(chinese) >= 5
    assert len(np.unique(duplicate_groups(texts))) == len(texts)
    assert not any(re.search(r"@|https?:|\d{9}", text) for text in texts)


def test_the_reviews_are_balanced_and_counted_in_their_readme():
    table, told = rows(REVIEWS), REVIEWS.with_name("README.md").read_text("utf-8")
    assert list(table.columns) == ["text", "label", "kind", "split"]
    assert Counter(table["label"]) == {"正面": 100, "负面": 100}
    kinds = pd.crosstab(table["label"], table["kind"])
    assert kinds["hard"].tolist() == [34, 34] and kinds["plain"].tolist() == [66, 66]
    assert "agrees with the verdict (132)" in told and "in one\nclause (68)" not in told
    for part, count in Counter(table["split"]).items():
        assert f"`{part}` ({count})" in told
    lengths = table["text"].str.len()
    assert f"| {lengths.min()} to {lengths.max()} characters" in told


def test_the_messages_are_unequal_and_counted_in_their_readme():
    table, told = rows(MESSAGES), MESSAGES.with_name("README.md").read_text("utf-8")
    counted = pd.crosstab(table["label"], table["split"])[LABELLED].drop(index="")
    listed = re.findall(
        r"^\| (\S+) \| [\w-]+ \| (\d+) \| (\d+) \| (\d+) \|$", told, re.M
    )
    found = {name: [int(n) for n in numbers] for name, *numbers in listed}
    assert found == counted.T.to_dict("list") and len(found) == 8
    assert f"holds {len(table)} messages" in told
    transfer = (table["split"] == "transfer").sum()
    assert f"Another {transfer} messages have no label (`transfer`).\n" in told
    assert max(counted["train"]) > 2 * min(counted["train"])


@FILES
def test_a_word_student_reads_characters(path):
    texts = list(load_reviews(path, seed=0)["train"]["text"])
    tokenizer = tokenizers.train_tokenizer(texts, "bigram")
    assert tokenizer.tokenize("快递很慢，app 闪退") == [
        token if token in tokenizer.get_vocab() else "[UNK]"
        for token in ["快", "递", "很", "慢", "，", "app", "闪", "退"]
    ]
    known = [t for t in tokenizer.get_vocab() if re.search("[\u4e00-\u9fff]", t)]
    assert {len(token) for token in known} == {1}
    assert words("快递很慢") == ["快", "递", "很", "慢"]


@FILES
def test_the_doctor_knows_the_file(path):
    name = path.relative_to(DATA).as_posix()
    assert name in (DATA / examined.CHECKSUMS).read_text("utf-8")
    assert any(path.match(pattern) for pattern in examined.DATA_FILES)


def test_a_student_of_characters_beats_chance():
    reviews = load_reviews(MESSAGES, seed=0)
    scores = baseline_logits(
        list(reviews["train"]["text"]),
        reviews["train"]["label"],
        list(reviews["test"]["text"]),
        len(reviews.label_names),
    )
    truth = np.array(reviews["test"]["label"])
    right = (scores.argmax(1) == truth).mean()
    assert right > np.bincount(truth).max() / len(truth) + 0.2
