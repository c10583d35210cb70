"""Files that come from others: each bad one is named, none is fatal, none waits."""

import json
import os

import pandas as pd
import pytest

from distill_helpers import foreign
from distill_helpers.classroom.bundle.installing import BundleError, read_manifest
from distill_helpers.classroom.collecting import collect
from distill_helpers.classroom.handed_in import write_table
from distill_helpers.classroom.progress import collect_progress
from distill_helpers.data import imdb
from distill_helpers.lessons.exercises.notebook_api import all_entries

KEY = all_entries()[0].key
DEEP = "[" * 100_000 + "]" * 100_000


def result(temperature=1.0, score=0.8, **row):
    row = {"name": "student", "seeds": [0], "accuracy": {"per_seed": [score]}} | row
    head = {"format": 1, "kit": "1", "data": "a", "lesson": "03"}
    return head | {"settings": {"temperature": temperature}, "rows": [row]}


def spelt(content, old="", new=""):
    return json.dumps(content).replace(old, new)


BROKEN = {
    "nested": DEEP,
    "nested objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "nested in an unknown field": spelt(result() | {"x": "DEEP"}, '"DEEP"', DEEP),
    "truncated": spelt(result())[:-9],
    "half a character": spelt(result(name="\ud800")),
    "digits": spelt(result(), "0.8", "9" * 5_000),
    "a key twice": spelt(result(), '"name"', '"name": "other", "name"'),
    "no bytes of text": b"\xff\xfe\x00",
    "large": b" " * (foreign.LARGEST + 1),
}
NO_RESULT = BROKEN | {
    f"score {score}": spelt(result(), "0.8", score)
    for score in "80 1e300 1e999 -5 -0.1 true null NaN Infinity [] {}".split()
}
NO_RESULT |= {
    "score in quotes": spelt(result(score="0.8")),
    "NaN F1": spelt(result(f1={"per_seed": [0.5]}), "0.5", "NaN"),
    "F1 in percent": spelt(result(f1={"per_seed": [70]})),
    "null seeds": spelt(result(seeds=None)),
    "list seeds": spelt(result(seeds=[[0]])),
    "seeds of another length": spelt(result(seeds=[0, 1])),
    "a seed twice": spelt(result(seeds=[0, 0], accuracy={"per_seed": [0.1, 0.2]})),
    "a seed that is true": spelt(result(seeds=[True])),
    "f1 of another length": spelt(result(f1={"per_seed": []})),
    "no score": spelt(result() | {"rows": [{"name": "a", "seeds": [0]}]}),
    "rows as object": spelt(result() | {"rows": {"name": "a"}}),
    "row as text": spelt(result() | {"rows": ["a"]}),
    "settings as list": spelt(result() | {"settings": []}),
    "kit as list": spelt(result() | {"kit": ["1"]}),
    "formula": spelt(result(name="=cmd|' /C calc'!A0")),
    "formula in a setting": spelt(result(temperature="@SUM(A1)")),
    "terminal": spelt(result(name="\x1b[2Jgone")),
    "zero width": spelt(result(name="stu\u200bdent")),
    "a setting as a score": spelt(result() | {"settings": {"f1": 1.0}}),
    "cost as text": spelt(result(cost={"parameters": "few"})),
    "endless cost": spelt(result(cost={"parameters": 0}), ": 0}", ": 1e999}"),
}


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def endless(folder):
    """What would be read for ever, or not at all."""
    os.mkfifo(folder / "pipe.json")
    (folder / "zero.json").symlink_to("/dev/zero")
    (folder / "broken.json").symlink_to("nowhere")
    return {"pipe.json", "zero.json", "broken.json"}


@pytest.mark.parametrize("what", NO_RESULT)
def test_a_bad_result_is_named_and_the_class_lives(tmp_path, what):
    put(tmp_path / "ada.json", spelt(result()))
    put(tmp_path / "bad.json", NO_RESULT[what])
    found = collect(tmp_path)
    (problem,) = found.problems
    assert (problem.file, problem.kind) == ("bad.json", "damaged")
    assert str(problem).isprintable() and len(str(problem)) < 800
    assert found.table["accuracy"].tolist() == [0.8]
    if what in ("nested", "large"):
        assert any(word in problem.reason for word in ("deep", "bytes"))


NO_PROGRESS = BROKEN | {
    name: spelt({"version": 1, "exercises": {KEY: {"status": "correct"} | facts}})
    for name, facts in {
        "huge attempts": {"attempts": 10**9},
        "attempts in fractions": {"attempts": 1e300},
        "attempts true": {"attempts": True},
        "no time": {"attempts": 1, "when": "zzz"},
        "status as list": {"attempts": 1, "status": ["correct"]},
    }.items()
}


@pytest.mark.parametrize("what", NO_PROGRESS)
def test_bad_progress_is_named_and_the_class_lives(tmp_path, what):
    facts = {"status": "correct", "attempts": 1, "when": "2026-01-01T10:00:00+00:00"}
    put(tmp_path / "ada.json", spelt({"version": 1, "exercises": {KEY: facts}}))
    put(tmp_path / "bad.json", NO_PROGRESS[what])
    found = collect_progress(tmp_path)
    assert found.problems["file"].tolist() == ["bad.json"]
    assert found.problems["kind"].tolist() == ["damaged"]
    assert found.table.index.tolist() == ["ada"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
@pytest.mark.parametrize("read", [collect, collect_progress])
def test_pipes_devices_and_broken_links_are_named_unopened(tmp_path, read):
    facts = {"status": "correct", "attempts": 1}
    sound = result() | {"version": 1, "exercises": {KEY: facts}}
    put(tmp_path / "ada.json", spelt(sound))
    wanted = endless(tmp_path)
    problems = read(tmp_path).problems
    named = problems["file"] if read is collect_progress else [p.file for p in problems]
    assert set(named) == wanted


def test_twins_and_formulas_among_learners(tmp_path):
    for day, name in enumerate(("ada", "a\u200bda", "=cmd", "\x1b[31mred"), start=1):
        facts = {"status": "correct", "attempts": 1, "when": f"2026-01-0{day}"}
        put(tmp_path / f"{name}.json", spelt({"version": 1, "exercises": {KEY: facts}}))
    found = collect_progress(tmp_path)
    assert sorted(found.table.index) == ["=cmd", "[31mred", "ada"]
    assert found.problems["kind"].tolist() == ["duplicate"]
    assert all(line.isprintable() for line in str(found).splitlines())
    kept = write_table(found.table, tmp_path / "class.csv").read_text("utf-8")
    assert "\n'=cmd," in kept and "\n=cmd" not in kept


def test_numbers_stay_numbers_and_every_text_of_a_table_is_guarded(tmp_path):
    table = pd.DataFrame({"+a": [-1.5], "b": ["@x"], "c": [" =1"]})
    kept = pd.read_csv(write_table(table, tmp_path / "t.csv"), index_col=0)
    assert kept.columns.tolist() == ["'+a", "b", "c"]
    assert kept.iloc[0].tolist() == [-1.5, "'@x", "' =1"]


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        (DEEP, "damaged"),
        ('{"settings": 3}', "damaged"),
        ('{"settings": []}', "damaged"),
        (
            '{"format": 1, "notebook": "a", "code": "b", "fixed": {}, "settings": []}',
            "foreign",
        ),
    ],
)
def test_a_stray_plan_hides_no_result(tmp_path, plan, kind):
    put(tmp_path / "ada.json", spelt(result()))
    put(tmp_path / "plan.json", plan)
    found = collect(tmp_path)
    assert [(p.file, p.kind) for p in found.problems] == [("plan.json", kind)]
    assert len(found.table) == 1


@pytest.mark.parametrize("note", ['{"error": "Val', "[]", DEEP, '{"error": 3}'])
def test_a_truncated_note_of_a_failed_run_is_named(tmp_path, note):
    from distill_helpers.classroom.settings import Setting

    plan = {"format": 1, "notebook": "a", "code": "b", "fixed": {}}
    put(tmp_path / "plan.json", spelt(plan | {"settings": [{"temperature": 9}]}))
    key = Setting({"temperature": 9}).key
    put(tmp_path / "failed" / key / "setting.json", note)
    put(tmp_path / "runs" / "other" / "results.json", spelt(result()))
    (problem,) = collect(tmp_path).problems
    assert (problem.file, problem.kind) == (key, "failed")
    assert "setting.json" in problem.reason


# -------------------------------------------------------------------- bundles
SHA = "0" * 64
TARGET = {"platform": "linux", "python": "3.11", "least": "3.11.2"}
TARGET |= {"wheels": ["a-1.0-py3-none-any.whl"]}


def manifest(name="project/a.txt", listed=None, target=None, **change):
    files = {name: {"bytes": 1, "sha256": SHA} if listed is None else listed}
    head = {"format": "distill-classroom-1", "kit": "0.1.0", "files": files}
    return head | {"targets": [TARGET | (target or {})]} | change


ELSEWHERE = [
    "project//abs/path",
    "/etc/passwd",
    "project/../../x",
    "project/./x",
    "project\\..\\x",
    "..\\x",
    "C:/x",
    "project/C:x",
    "project/x:stream",
    "project/nul.txt",
    "project/x.",
    "project/x ",
    "project/",
    "project",
    "project/a\nb",
    "",
]
ODD_MANIFESTS = [manifest(name) for name in ELSEWHERE]
ODD_MANIFESTS += [
    manifest(listed={"bytes": size, "sha256": SHA})
    for size in (-1, True, "1", 1.0, None, 10**30)
]
ODD_MANIFESTS += [manifest(listed={"bytes": 1, "sha256": s}) for s in ("", "x", None)]
ODD_MANIFESTS += [
    manifest(target={"wheels": [wheel]})
    for wheel in ("../a-1-py3-none-any.whl", "a\n--index-url x-1-a-b-c.whl", "a", 3)
]
ODD_MANIFESTS += [
    manifest(target={"wheels": "abc"}),
    manifest(target={"python": "3.11; x"}),
    manifest(kit=None),
    manifest(targets=["linux"]),
    manifest(format=["distill-classroom-1"]),
    manifest(files=[]),
]


@pytest.mark.parametrize("content", [*map(json.dumps, ODD_MANIFESTS), DEEP, "null"])
def test_a_manifest_that_names_another_place_is_refused(tmp_path, content):
    put(tmp_path / "manifest.json", content)
    with pytest.raises(BundleError, match=r"damaged"):
        read_manifest(tmp_path)


def test_a_plain_manifest_passes(tmp_path):
    put(tmp_path / "manifest.json", spelt(manifest("project/\u00fc/a b.txt")))
    assert read_manifest(tmp_path)["kit"] == "0.1.0"


@pytest.mark.parametrize("content", ["[]", "{", '{"imdb": 3}', '{"imdb": []}', DEEP])
def test_a_classroom_file_of_another_shape_says_what_to_do(
    tmp_path, monkeypatch, content
):
    monkeypatch.setattr(imdb, "PROJECT", tmp_path)
    monkeypatch.delenv(imdb.IMDB_VARIABLE, raising=False)
    put(tmp_path / "classroom.json", content)
    with pytest.raises(FileNotFoundError, match="classroom.json .*take it away"):
        imdb.imdb_named()
