"""The page on peers says what was measured, and the libraries do the same work."""

import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "tests" / "benchmarks"


@pytest.fixture(scope="module")
def peers():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield runpy.run_path(str(BENCHMARKS / "peers.py"))
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def found(peers):
    return json.loads(peers["RESULTS"].read_text("utf-8"))


def test_the_page_is_made_of_the_results(peers, found):
    assert peers["PAGE"].read_text("utf-8") == peers["page"](found)


def test_every_library_was_measured_on_the_same_work(peers, found):
    for mode in peers["MODES"]:
        rows = [row for row in found["rows"] if row["mode"] == mode]
        wanted = {n for n in peers["CONTENDERS"] if mode == "live" or "cache" not in n}
        assert {row["library"] for row in rows} == wanted
        assert len({(row["source"], row["reviews"]) for row in rows}) == 1
        passes = {row["passes"] for row in rows}
        assert len(passes) >= 3 and len(rows) == len(passes) * len(wanted)
        longest = [row["divergence"] for row in rows if row["passes"] == max(passes)]
        assert max(longest) <= 1.5 * min(longest) + 0.01, longest


def test_asking_once_costs_less_the_more_passes(peers, found):
    cost = {
        (row["library"], row["passes"]): peers["each"](row)
        for row in found["rows"]
        if row["mode"] == "live"
    }
    most = max(passes for _, passes in cost)
    for every_pass in ("TextBrewer", "torchdistill", "the tutorials' loop"):
        assert cost[every_pass, most] > 2 * cost["this kit", most]


def test_kit_and_tutorial_learn_the_same_from_stored_answers(peers, monkeypatch):
    monkeypatch.delenv("DISTILL_IMDB", raising=False)
    names = ("this kit", "the tutorials' loop")
    rows = [peers["measure"](name, "stored", 64, [2])[0] for name in names]
    for row in rows:
        assert row["cpu_seconds"] > 0 and row["reviews"] == 64
    ours, theirs = (row["divergence"] for row in rows)
    assert ours == pytest.approx(theirs, rel=0.1)
