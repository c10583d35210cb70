"""Names, dates and numbers are found, replaced, and what is missed is counted."""

import math

import pandas as pd
import pytest

from distill_helpers.data import (
    Mark,
    deidentify,
    find_personal,
    read_placed,
    replace_marks,
)
from distill_helpers.evaluation import judge_finder
from distill_helpers.places import CLINICAL_NOTES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. Émile Óduya.", "Seen by Dr. [name]."),
        ("With her brother Marek today.", "With her brother [name] today."),
        ("Spoke to Noor O'Neill-Bell.", "Spoke to [name]."),
        ("Born 03/04/1961, seen 2024-01-31.", "Born [date], seen [date]."),
        ("On 3rd of March, again in May 2020.", "On [date], again in [date]."),
        (
            "MRN: A12-3345 and record no. 4471902",
            "MRN: [record] and record no. [record]",
        ),
        ("Ring 020 7946 0958 or a@b.example.", "Ring [phone] or [email]."),
        ("See http://x.example/ann@b.example/1.", "See [link]."),
        ("Took 1/2 tablet; pressure 142/88, TSH 4.12.", None),
        (
            "The Patient was well. Crohn's disease, 12 May be.",
            "The Patient was well. Crohn's disease, [date] be.",
        ),
        ("", None),
    ],
)
def test_forms_are_told_from_what_only_looks_like_them(text, expected):
    assert deidentify(text)[0] == (text if expected is None else expected)


def test_names_that_are_given_are_found_anywhere_with_a_capital():
    text = "Will will come. Rose water and rosewater, Ann-Marie."
    assert deidentify(text)[1] == {}
    known = deidentify(text, ["Will", "Rose", "Ann"])
    assert known[0] == "[name] will come. [name] water and rosewater, [name]-Marie."
    assert known[1] == {"name": 3}
    with pytest.raises(TypeError, match="names must be a list of names, got str"):
        deidentify(text, "Will")
    with pytest.raises(ValueError, match="names .* not empty, got ' '"):
        deidentify(text, [" "])


def test_marks_come_in_order_and_never_overlap():
    notes = pd.read_csv(CLINICAL_NOTES, keep_default_na=False)
    for text in notes["text"]:
        marks = find_personal(text, ["Orla", "Orla Stell"])
        for before, behind in zip(marks, marks[1:]):
            assert before.end <= behind.start
        assert (
            replace_marks(text, marks)[0] == deidentify(text, ["Orla", "Orla Stell"])[0]
        )


def test_misses_and_false_alarms_are_counted_on_the_notes():
    notes = pd.read_csv(CLINICAL_NOTES, keep_default_na=False)
    texts, placed = list(notes["text"]), [read_placed(c) for c in notes["placed"]]
    assert all(
        texts[n][m.start : m.end].strip() for n, of in enumerate(placed) for m in of
    )
    plain = judge_finder(find_personal, texts, placed)
    total = plain.total
    assert total.placed == sum(map(len, placed)) > 400
    assert 0 < total.missed == len(plain.missed)
    assert 0 < total.false_alarms == len(plain.false_alarms)
    for number, mark in plain.missed:
        assert mark in placed[number] and mark not in find_personal(texts[number])
    low, high = plain.kinds["name"].recall_interval()
    assert low < plain.kinds["name"].recall < high
    knowing = judge_finder(
        lambda text: find_personal(text, ["Orla", "Will"]), texts, placed
    )
    assert knowing.total.missed < total.missed


def test_a_name_counts_as_gone_only_if_all_of_it_is():
    text = "Seen: Ann Lee, Bo."
    placed = [[Mark("name", 6, 13), Mark("name", 15, 17)]]
    found = [Mark("name", 6, 9), Mark("date", 15, 17), Mark("phone", 0, 4)]
    report = judge_finder(lambda _: found, [text], placed)
    assert report.kinds["name"].placed == 2 and report.kinds["name"].missed == 1
    assert report.missed == [(0, placed[0][0])]
    assert report.false_alarms == [(0, found[2])]
    assert math.isnan(report.kinds["phone"].recall)


def test_marks_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="one behind the other.*where 4 is free"):
        replace_marks("Ann Lee", [Mark("name", 0, 4), Mark("name", 3, 7)])
    with pytest.raises(ValueError, match=r"placed\[0\] must lie within the 3"):
        judge_finder(find_personal, ["Ann"], [[Mark("name", 0, 4)]])
    with pytest.raises(ValueError, match="each of the 1 texts, got 0"):
        judge_finder(find_personal, ["Ann"], [])
    for cell in ("name", "name:5:5", "name:a:3", "Name:1:2"):
        with pytest.raises(ValueError, match="cell must hold kind:start:end"):
            read_placed(cell)
