"""Every planted fault is handled, or refused with words that help."""

import importlib
import pkgutil
import time
from collections import Counter
from pathlib import Path

import pytest
from fault_shop import FAILURES
from judging import Case, Place, gives, judge, refused, says

FOLDER = Path(__file__).parent


def every_case() -> list[Case]:
    names = sorted(m.name for m in pkgutil.iter_modules([str(FOLDER)]))
    found = [importlib.import_module(n).CASES for n in names if n.startswith("cases_")]
    return [case for cases in found for case in cases]


CASES = every_case()


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind:02}-{c.name}")
def test_a_planted_fault(case, shop, tmp_path, record_property):
    verdict = judge(case, Place(tmp_path, shop))
    record_property("fault", (case.kind, verdict.failure))
    if verdict.failure:
        pytest.fail(f"{verdict.failure}: {verdict.told}", pytrace=False)


def test_there_are_cases_of_every_kind_and_none_twice():
    kinds = Counter(case.kind for case in CASES)
    assert sorted(kinds) == list(range(1, 15)) and min(kinds.values()) >= 10
    assert len({(case.kind, case.name) for case in CASES}) == len(CASES) >= 300


# ------------------------------------------------------------ the judge is judged
def clear_error(place):
    from distill_helpers.arguments import check_whole

    check_whole("steps", 0, least=1)


def foreign_error(place):
    return {}["steps must be at least 1"]


def library_error(place):
    return int("steps must be at least 1")


def spoilt(place):
    place.write("mine.txt", "a").write_text("b")
    clear_error(place)


def leaving(place):
    place.out("torn.part").write_text("half")
    clear_error(place)


def endless(place):
    while True:
        try:
            time.sleep(0.01)
        except Exception:  # noqa: BLE001, S110 -- what a careless loop would do
            continue


def exits(place):
    import sys

    print("usage: steps must be at least 1")
    sys.exit(2)


WORD = "steps must be at least 1"


@pytest.mark.parametrize(
    ("act", "expected", "failure"),
    [
        (clear_error, refused(WORD, "got 0"), ""),
        (exits, refused(WORD), ""),
        (lambda place: print(WORD), says(WORD), ""),
        (lambda place: 3, gives(3), ""),
        (lambda place: 3, gives(lambda x: x > 2), ""),
        (leaving, refused(WORD, leaves=True), ""),
        (lambda place: 3, gives(4), "silent"),
        (lambda place: 3, says(WORD), "silent"),
        (lambda place: 3, refused(WORD), "silent"),
        (clear_error, gives(3), "traceback"),
        (clear_error, refused("another word"), "traceback"),
        (foreign_error, refused(WORD), "traceback"),
        (library_error, refused(WORD), "traceback"),
        (endless, gives(3), "hang"),
        (spoilt, refused(WORD), "lost"),
        (leaving, refused(WORD), "lost"),
    ],
)
def test_the_judge_notices_each_of_the_four(tmp_path, act, expected, failure):
    verdict = judge(Case(0, "planted", act, expected, 0.2), Place(tmp_path))
    assert verdict.failure == failure, verdict.told
    assert failure in ("", *FAILURES) and bool(verdict.told) == bool(failure)
