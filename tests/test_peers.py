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
    assert not peers["still_missing"](peers["PLAN"], found["rows"])
    assert len({row["source"] for row in found["rows"]}) == 1
    for mode, sizes in peers["PLAN"].items():
        for count, passes in sizes.items():
            longest = [
                row["divergence"]
                for row in found["rows"]
                if (row["mode"], row["reviews"]) == (mode, count)
                and row["passes"] == max(passes)
                and row["repeat"] == 0
            ]
            assert len(longest) == len(peers["libraries"](mode))
            assert max(longest) <= 1.5 * min(longest) + 0.01, longest


def test_asking_once_costs_less_the_more_passes(peers, found):
    for count, passes in peers["PLAN"]["live"].items():
        cost = {
            (row["library"], row["passes"]): peers["each"](row)
            for row in found["rows"]
            if row["mode"] == "live" and row["reviews"] == count
        }
        for every_pass in ("TextBrewer", "torchdistill", "the tutorials' loop"):
            gain = {n: cost[every_pass, n] / cost["this kit", n] for n in passes}
            assert gain[max(passes)] > 0.5 * max(passes), gain
            assert [*gain.values()] == sorted(gain.values())


def rows(**changed):
    """Rows of a small plan; each library takes a second more than the one before."""
    same = {"mode": "stored", "source": "sample", "reviews": 100, "divergence": 0.1}
    return [
        same
        | {"library": name, "passes": 1, "repeat": n, "cpu_seconds": 1.0 + at + n / 100}
        | changed
        for at, name in enumerate(
            ("this kit", "TextBrewer", "torchdistill", "the tutorials' loop")
        )
        for n in range(3)
    ]


def test_a_table_says_what_was_not_run_and_what_is_noise(peers):
    some = rows() + rows(passes=3, repeat=0, cpu_seconds=6.0)[::3]
    other = rows(reviews=200, repeat=0, cpu_seconds=2.0)[::3]
    said = "\n".join(peers["tables"](some + other, "stored"))
    assert "| this kit | 10.10 ± 0.25 | 20.00 | 0.100 |" in said
    assert "| this kit | 10.00 | not run | 0.100 |" in said
    assert "* 1 pass: TextBrewer +10.00 ± 0.00; " in said and "noise" not in said
    alike = rows()
    for row in alike:
        row["cpu_seconds"] = 1 + (hash_of(row["library"]) * row["repeat"]) % 7 / 100
    assert "not told from noise" in "\n".join(peers["tables"](alike, "stored"))


def hash_of(name):
    return sum(map(ord, name))


def test_a_run_goes_on_where_it_stopped(peers, monkeypatch, tmp_path):
    plan, asked = {"stored": {100: (1, 3)}}, []

    def measured(piece, runs):
        asked.append((piece, runs))
        if len(asked) == 3:
            raise KeyboardInterrupt
        name, mode, repeat = piece
        for count, number in runs:
            yield (
                rows()[0]
                | {"library": name, "mode": mode, "repeat": repeat}
                | {
                    "reviews": count,
                    "passes": number,
                }
            )

    run_all = peers["run_all"]
    monkeypatch.setitem(run_all.__globals__, "rows_of", measured)
    monkeypatch.setitem(run_all.__globals__, "versions", dict)
    monkeypatch.setitem(run_all.__globals__, "machine", dict)
    with pytest.raises(KeyboardInterrupt):
        run_all(plan, tmp_path / "peers.json")
    whole = run_all(plan, tmp_path / "peers.json")
    assert [piece for piece, _ in asked[3:]] == [*peers["all_runs"](plan)][2:]
    assert not peers["still_missing"](plan, whole["rows"])
    monkeypatch.setitem(run_all.__globals__, "versions", lambda: {"torch": "other"})
    with pytest.raises(SystemExit, match="other versions"):
        run_all(plan, tmp_path / "peers.json")


@pytest.mark.parametrize("words", ["32", "0:1", "32:0", "x:1", "32:1,,3"])
def test_a_size_that_is_none_is_refused(peers, capsys, words):
    with pytest.raises(SystemExit):
        peers["main"](["--live", words])
    assert "must be reviews and passes, such as 32:1,3,10" in capsys.readouterr().err


def test_kit_and_tutorial_learn_the_same_from_stored_answers(peers, monkeypatch):
    monkeypatch.delenv("DISTILL_IMDB", raising=False)
    names = ("this kit", "the tutorials' loop")
    found = [next(peers["measure"](name, "stored", 64, [2])) for name in names]
    for row in found:
        assert row["cpu_seconds"] > 0 and row["reviews"] == 64
    ours, theirs = (row["divergence"] for row in found)
    assert ours == pytest.approx(theirs, rel=0.1)
