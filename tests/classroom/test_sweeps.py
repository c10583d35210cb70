"""A sweep resumes, shares its folder, keeps its failures, loses nothing."""

import json
import signal
import subprocess

import nbformat
import pandas as pd
import psutil
import pytest
from filelock import FileLock
from toy_sweep import (
    SLOW,
    Instant,
    command,
    finished,
    settings,
    start,
    table_of,
    wait_for,
    write_notebook,
)

from distill_helpers import files
from distill_helpers.classroom import collecting, sweeps
from distill_helpers.classroom.collecting import collect
from distill_helpers.classroom.settings import PLAN, Setting, grid
from distill_helpers.classroom.sweeps import (
    FAILED,
    FINISHED,
    main,
    read_plan,
    run_sweep,
)
from distill_helpers.lessons.parameters import ParameterError, parameters_of


@pytest.fixture
def toy(tmp_path):
    return write_notebook(tmp_path / "toy.ipynb")


def test_a_grid_has_every_pair_and_every_setting_its_own_key():
    made = grid({"temperature": [1, 2.0, 4], "alpha": [0.5, 1]})
    assert len(made) == len({s.key for s in made}) == 6
    assert made[1].parameters == {"temperature": 1, "alpha": 1}
    assert Setting({"a": 1}).key != Setting({"a": 1.5}).key
    assert Setting({"a": "x/../y"}).key.startswith("a-x-..-y") is True


def test_every_run_keeps_its_notebook_and_its_results(toy, tmp_path):
    states = run_sweep(toy, tmp_path / "sweep", settings(1, 2), {"pause": 0.0})
    assert set(states.values()) == {FINISHED}
    for key in states:
        run = tmp_path / "sweep" / "runs" / key
        assert sorted(p.name for p in run.iterdir()) == [
            "results.json",
            "setting.json",
            "toy.ipynb",
        ]
        executed = nbformat.read(run / "toy.ipynb", as_version=4)
        assert executed.cells[-1].execution_count
    assert len(read_plan(tmp_path / "sweep")["settings"]) == 2


def test_what_is_finished_is_skipped_and_new_settings_are_added(toy, tmp_path):
    runs = Instant()
    for temperatures in [(1,), (1, 2), (1.0, 2.0), (2, 1e0)]:
        states = run_sweep(
            toy, tmp_path / "sweep", settings(*temperatures), executor=runs
        )
        assert set(states.values()) == {FINISHED}
    assert [one["temperature"] for one in runs.asked] == [1, 2]
    assert len(list((tmp_path / "sweep" / "runs").iterdir())) == 2
    assert len(read_plan(tmp_path / "sweep")["settings"]) == 2


def test_a_failed_run_is_kept_with_its_error_and_stops_nobody(toy, tmp_path):
    states = run_sweep(toy, tmp_path / "sweep", settings(200, 60, 1))
    assert list(states.values()) == [FAILED, FAILED, FINISHED]
    notes = [
        json.loads(path.read_text())["error"]
        for path in sorted((tmp_path / "sweep" / "failed").glob("*/setting.json"))
    ]
    assert "ValueError: too hot" in notes
    assert "the notebook ran through but wrote no results.json" in notes
    assert list((tmp_path / "sweep" / "failed").glob("*/toy.ipynb"))
    runs = Instant("still")
    again = run_sweep(toy, tmp_path / "sweep", settings(200, 60, 1), executor=runs)
    assert again == states and not runs.asked
    retried = run_sweep(
        toy, tmp_path / "sweep", settings(200), retry_failed=True, executor=runs
    )
    assert list(retried.values()) == [FAILED]
    problems = collect(tmp_path / "sweep").problems
    assert [p.kind for p in problems] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("settings", "fixed", "message"),
    [
        ([{"temprature": 1}], {}, "'temprature' is no parameter"),
        ([{"output_dir": "x"}], {}, "'output_dir' is no parameter"),
        ([{"alpha": 1}], {"output_dir": "x"}, "'output_dir' is no parameter"),
        ([{"alpha": 1}], {"alpha": 2}, "both fixed and swept"),
        ([{"alpha": 1}] * 2, {}, "none twice"),
        ([{"alpha": 1}, {"alpha": 1.0}], {}, "none twice"),
        ([{"alpha": 0.0}, {"alpha": -0.0}], {}, "none twice"),
        ([{"alpha": 1, "pause": 0}, {"pause": 0, "alpha": 1}], {}, "none twice"),
        ([], {}, "at least one"),
        ([{"alpha": n} for n in range(10_001)], {}, "at most 10,000.*got 10,001"),
        ([{"alpha": "0123"}], {}, "'alpha' must be of type float, got str: '0123'"),
        ([{"alpha": "1:30"}], {}, "'alpha' must be of type float, got str"),
        ([{"alpha": ".5"}], {}, "'alpha' must be of type float, got str"),
        ([{"alpha": True}], {}, "'alpha' must be of type float, got bool"),
        ([{"alpha": None}], {}, "'alpha' must be of type float, got NoneType"),
        ([{"alpha": [0.5]}], {}, "'alpha' must be of type float, got list"),
        ([{"alpha": 0.5}], {"pause": "long"}, "'pause' must be of type float"),
        ([{"alpha": 0.5}], {"pause": float("inf")}, "'pause' must be a finite"),
        ([{"source": "gone.csv"}], {}, "source='gone.csv': there is no .*gone.csv"),
        ([{"source": 7}], {}, "'source' must be of type str"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_sweep_that_cannot_be_right_is_refused_before_anything_runs(
    toy, tmp_path, settings, fixed, message
):
    runs = Instant()
    with pytest.raises(ParameterError, match=message):
        asked = [Setting(parameters) for parameters in settings]
        run_sweep(toy, tmp_path / "sweep", asked, fixed, executor=runs)
    assert not runs.asked
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("given", ["fixed", "swept"])
def test_a_relative_path_begins_where_the_sweep_is_called(
    toy, tmp_path, monkeypatch, given
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("text,label")
    path, runs = {"source": "mine.csv"}, Instant()
    swept = {"alpha": 1} | (path if given == "swept" else {})
    fixed = path if given == "fixed" else {}
    for _ in range(2):
        run_sweep(toy, "sweep", [Setting(swept)], fixed, executor=runs)
    assert runs.asked == [{"alpha": 1, "source": str(tmp_path / "mine.csv")}]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.csv").write_text("text,label")
    monkeypatch.chdir(tmp_path / "elsewhere")
    if given == "fixed":  # another file, so another sweep
        with pytest.raises(ParameterError, match="elsewhere"):
            run_sweep(toy, tmp_path / "sweep", [Setting(swept)], fixed, executor=runs)
    else:
        run_sweep(toy, tmp_path / "sweep", [Setting(swept)], fixed, executor=runs)
        assert runs.asked[1]["source"] == str(tmp_path / "elsewhere" / "mine.csv")


def changed_code(toy):
    notebook = nbformat.read(toy, as_version=4)
    notebook.cells[1].source += "\nprint('changed')"
    nbformat.write(notebook, toy)


def changed_prose(toy):
    notebook = nbformat.read(toy, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("More words."))
    nbformat.write(notebook, toy)


@pytest.mark.parametrize(
    ("change", "fixed", "name", "message"),
    [
        (None, {"pause": 0.1}, "toy.ipynb", "fixed="),
        (None, {}, "toy.ipynb", "fixed="),
        (changed_code, {"pause": 0.2}, "toy.ipynb", "code="),
        (None, {"pause": 0.2}, "other.ipynb", "notebook="),
    ],
)
def test_a_folder_with_another_sweep_is_left_alone(
    toy, tmp_path, change, fixed, name, message
):
    folder = tmp_path / "sweep"
    run_sweep(toy, folder, settings(1), {"pause": 0.2}, executor=Instant())
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    if change:
        change(toy)
    with pytest.raises(ParameterError, match=message):
        run_sweep(toy.rename(toy.parent / name), folder, settings(2), fixed)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_prose_may_change_between_two_parts_of_a_sweep(toy, tmp_path):
    run_sweep(toy, tmp_path / "sweep", settings(1), executor=Instant())
    changed_prose(toy)
    states = run_sweep(toy, tmp_path / "sweep", settings(1, 2), executor=Instant())
    assert list(states.values()) == [FINISHED] * 2


# ------------------------------------------------------- folders that are odd
def empty_run(folder, run):
    (run / "results.json").unlink()


def torn_plan(folder, run):
    (folder / PLAN).write_bytes((folder / PLAN).read_bytes()[:-9])


def plan_of_another_format(folder, run):
    plan = json.loads((folder / PLAN).read_text())
    (folder / PLAN).write_text(json.dumps(plan | {"format": 2}))


def plan_that_is_a_folder(folder, run):
    (folder / PLAN).unlink()
    (folder / PLAN).mkdir()


def file_for_a_folder(name):
    def spoil(folder, run):
        for path in sorted((folder / name).rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (folder / name).rmdir()
        (folder / name).write_text("mine")

    spoil.__name__ = name
    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (torn_plan, "no plan of a sweep.*take it away"),
        (plan_of_another_format, "format=2"),
        (plan_that_is_a_folder, "plan.json' must be a file"),
        (file_for_a_folder("runs"), "runs' must be a folder"),
        (file_for_a_folder("failed"), "failed' must be a folder"),
        (file_for_a_folder("locks"), "locks' must be a folder"),
        (file_for_a_folder("scratch"), "scratch' must be a folder"),
    ],
)
def test_a_damaged_folder_is_named_and_mended_by_taking_it_away(
    toy, tmp_path, spoil, message
):
    folder = tmp_path / "sweep"
    (key,) = run_sweep(toy, folder, settings(1), executor=Instant())
    spoil(folder, folder / "runs" / key)
    runs = Instant()
    with pytest.raises(ParameterError, match=message):
        run_sweep(toy, folder, settings(1, 2), executor=runs)
    assert not runs.asked
    odd = folder / (PLAN if "plan" in spoil.__name__ else spoil.__name__)
    odd.rename(tmp_path / "away")
    states = run_sweep(toy, folder, settings(1, 2), executor=runs)
    assert list(states.values()) == [FINISHED] * 2
    assert len(runs.asked) == (2 if spoil.__name__ == "runs" else 1)


def test_a_run_without_results_is_done_again(toy, tmp_path):
    folder = tmp_path / "sweep"
    (key,) = run_sweep(toy, folder, settings(1), executor=Instant())
    before = (folder / "runs" / key / "results.json").read_bytes()
    empty_run(folder, folder / "runs" / key)
    assert run_sweep(toy, folder, settings(1), executor=Instant("no"))[key] == FAILED
    states = run_sweep(toy, folder, settings(1), retry_failed=True, executor=Instant())
    assert states == {key: FINISHED}
    assert (folder / "runs" / key / "results.json").read_bytes() == before
    assert not list((folder / "failed").iterdir())


@pytest.mark.parametrize("name", ["file", "file/sweep", "x" * 300, "a\0b"], ids=ascii)
def test_a_folder_that_cannot_be_written_is_refused(toy, tmp_path, name, capsys):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ParameterError, match="folder .* cannot be written"):
        run_sweep(toy, tmp_path / name, settings(1), executor=Instant())
    with pytest.raises(SystemExit):
        main([str(toy), str(tmp_path / name), "--grid", "alpha=1"])
    assert "cannot be written" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_who_waits_for_the_plan_says_so_and_not_for_ever(
    toy, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(files, "WORD_AFTER", 0.05)
    monkeypatch.setattr(files, "GIVE_UP_AFTER", 0.1)
    (tmp_path / "s").mkdir()
    with FileLock(tmp_path / "s" / "plan.json.lock"):
        with pytest.raises(TimeoutError, match="has held the plan of .*s' for 0.1 s"):
            run_sweep(toy, tmp_path / "s", settings(1), executor=Instant())
    assert "another process holds the plan" in caplog.text


@pytest.mark.parametrize("stops", [1, 2, 5, 6])
def test_stopped_between_two_runs_it_ends_as_if_it_had_not_been(toy, tmp_path, stops):
    """A run is whole or not there, so six of them may be done in any parts."""
    asked = grid({"temperature": [1, 2, 3], "alpha": [0.5, 1]})
    run_sweep(toy, tmp_path / "whole", asked, executor=Instant())

    class Stopped(Instant):
        def submit(self, *args, **kwargs):
            if len(self.asked) == stops:
                raise KeyboardInterrupt
            return super().submit(*args, **kwargs)

    at_once, sweeps.AT_ONCE = sweeps.AT_ONCE, 1
    try:
        for _ in range(6):
            try:
                run_sweep(toy, tmp_path / "parts", asked, executor=Stopped())
                break
            except KeyboardInterrupt:
                continue
    finally:
        sweeps.AT_ONCE = at_once
    contents = [
        {p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()}
        for f in (tmp_path / "whole", tmp_path / "parts")
    ]
    assert contents[0] == contents[1]


def test_killed_in_the_middle_it_resumes_to_the_same_table(toy, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(toy, whole), check=True, timeout=300)
    with start(toy, killed, *SLOW) as process:
        wait_for(lambda: finished(killed) >= 1)
        wait_for(lambda: list(killed.glob("scratch/*")))
        wait_for(lambda: psutil.Process(process.pid).children())
        below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert psutil.wait_procs(below, timeout=30)[1] == []
    left = finished(killed)
    assert 1 <= left < 3
    missing = [p for p in collect(killed).problems if p.kind == "missing"]
    assert len(missing) == 3 - left
    subprocess.run(command(toy, killed, *SLOW), check=True)
    pd.testing.assert_frame_equal(table_of(killed), table_of(whole))
    assert collect(killed).problems == []
    assert list((killed / "scratch").iterdir()) == []


def test_ctrl_c_ends_what_runs_and_says_where_it_goes_on(toy, tmp_path):
    folder = tmp_path / "sweep"
    with start(toy, folder, "--fixed", "pause=600", "--processes", "2") as process:
        me = psutil.Process(process.pid)
        wait_for(lambda: len(me.children(recursive=True)) == 4)  # two with kernels
        below = me.children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"stopped: 0 of 3 settings have finished in {folder}; the same" in said
    assert "Traceback" not in said
    assert psutil.wait_procs(below, timeout=30)[1] == []
    assert not list(folder.glob("runs/*")) + list(folder.glob("failed/*"))
    with pytest.raises(FileNotFoundError, match="planned, but not run yet"):
        collect(folder)


def test_two_processes_share_a_folder_and_run_each_setting_once(toy, tmp_path):
    both = [start(toy, tmp_path / "sweep") for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert {process.returncode for process in both} <= {0, 1}
    assert len(list((tmp_path / "sweep" / "runs").iterdir())) == 3
    assert "failed" not in "".join(said)
    assert len(collect(tmp_path / "sweep").table) == 6


# ------------------------------------------------------------ command line
@pytest.fixture
def instant(monkeypatch):
    """What the command runs, it runs at once."""
    runs = Instant()
    run = sweeps.run_sweep
    monkeypatch.setattr(
        sweeps,
        "run_sweep",
        lambda *args, **options: run(*args, **options | {"executor": runs}),
    )
    return runs


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1E3", 1000.0), ("-2", -2), ("0.50", 0.5), ("1e0", 1.0)],
)
@pytest.mark.parametrize("option", ["--grid", "--fixed"])
def test_a_number_arrives_as_one(toy, tmp_path, instant, option, text, value):
    other = "--fixed" if option == "--grid" else "--grid"
    words = [option, f"alpha={text}", other, "temperature=3"]
    assert main([str(toy), str(tmp_path / "s"), *words]) == 0
    assert instant.asked == [{"alpha": value, "temperature": 3}]
    assert type(instant.asked[0]["alpha"]) is type(value)


@pytest.mark.parametrize(
    "text", ["0123", "1:30", "yes", "2024-01-01", "~", "1_000", "word", "nan"]
)
def test_a_text_arrives_as_it_stands(toy, tmp_path, instant, text):
    words = ["--grid", f"student={text}", "--fixed", "alpha=1"]
    assert main([str(toy), str(tmp_path / "s"), *words]) == 0
    assert instant.asked == [{"student": text, "alpha": 1}]


def test_a_word_is_said_of_many_settings(toy, tmp_path, instant, monkeypatch, capsys):
    monkeypatch.setattr(sweeps, "MANY", 3)
    words = [str(toy), str(tmp_path / "s"), "--grid"]
    assert main([*words, "alpha=1,2,3"]) == 0
    assert "each is a process of its own" not in capsys.readouterr().err
    assert main([*words, "alpha=1,2,3,4"]) == 0
    assert "4 settings: each is a process of its own" in capsys.readouterr().err


def test_a_learner_runs_one_cell_of_the_grid(toy, tmp_path, capsys, instant):
    arguments = [str(toy), str(tmp_path / "s"), "--grid", "temperature=1,2,4"]
    assert main([*arguments, "--only", "3"]) == 0
    assert "temperature-4" in capsys.readouterr().out
    assert len(list((tmp_path / "s" / "runs").iterdir())) == 1
    with pytest.raises(SystemExit):
        main([*arguments, "--only", "4"])
    assert "between 1 and 3, got 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "either --grid"),
        (["--grid", "temperature"], "write name=value,value"),
        (["--grid", "alpha=1", "--grid", "alpha=2"], "--grid takes each name once"),
        (["--grid", "alpha=1", "--grid", " alpha =2"], "--grid takes each name once"),
        (
            ["--grid", "alpha=1", "--fixed", "pause=0", "--fixed", "pause=1"],
            "--fixed takes each name once",
        ),
        (["--grid", "alpha=1,1.0"], "none twice"),
        (["--grid", "alpha="], "write name=value"),
        (["--grid", "alpha=1,,2"], "one value is empty"),
        (["--grid", "alpha=0123"], "must be of type float, got str: '0123'"),
        (["--grid", "alpha=1:30"], "must be of type float, got str: '1:30'"),
        (["--grid", "alpha=2024-01-01"], "must be of type float, got str"),
        (["--grid", "alpha=yes"], "must be of type float, got str: 'yes'"),
        (["--grid", "alpha=null"], "must be of type float, got NoneType"),
        (["--grid", "alpha=1e999"], "beyond all bounds"),
        (["--grid", "alpha=nan"], "must be of type float, got str: 'nan'"),
        (["--fixed", "student=7", "--grid", "alpha=1"], "must be of type str, got int"),
        (["--grid", "source=gone.csv"], "there is no"),
        (["--grid", "temprature=1"], "'temprature' is no parameter"),
        (["--list", "nowhere.json"], "must hold a list of objects: [Errno 2]"),
        (["--grid", "alpha=1", "--fixed", "pause=1,2"], "--fixed takes one value"),
        (["--grid", "alpha=[1"], "cannot be read"),
        (["--grid", "alpha=1", "--processes", "0"], "processes must be at least 1"),
        (["--processes", "2", "--dask", "x:1"], "not allowed with"),
    ],
)
def test_a_command_that_makes_no_sense_is_told_so(
    toy, tmp_path, capsys, options, message
):
    with pytest.raises(SystemExit):
        main([str(toy), str(tmp_path / "s"), *options])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{", "[]", "a,b\n1,2\n", "[" * 100_000])
def test_what_is_no_notebook_is_no_traceback(tmp_path, capsys, content):
    (tmp_path / "a.ipynb").write_text(content)
    for name in ("a.ipynb", "gone.ipynb"):
        with pytest.raises(SystemExit):
            main([str(tmp_path / name), str(tmp_path / "s"), "--grid", "alpha=1"])
        said = capsys.readouterr().err
        assert "is no notebook" in said or "there is no notebook" in said
    assert not (tmp_path / "s").exists()


def test_the_stored_sweep_can_be_run_again(toy, tmp_path, monkeypatch):
    """The shipped list fits the notebook that it is for, and `run` obeys it."""
    plan = json.loads(sweeps.STORED_PLAN.read_text())
    known = parameters_of(sweeps.NOTEBOOKS / plan["notebook"])
    asked = [Setting(s) for s in plan["settings"]]
    assert len({s.key for s in asked}) == len(asked)
    for setting in asked:
        assert set(setting.parameters) | set(plan["fixed"]) <= set(known)
    stored = collecting.read_sweep("stored").table
    assert stored["file"].nunique() == len(asked)
    assert sorted(stored["seed"].unique()) == plan["fixed"]["seeds"]
    short = {"notebook": toy.name, "fixed": {}, "settings": [{"temperature": 2.0}]}
    (tmp_path / "plan.json").write_text(json.dumps(short))
    monkeypatch.setattr(sweeps, "STORED_PLAN", tmp_path / "plan.json")
    monkeypatch.setattr(sweeps, "NOTEBOOKS", toy.parent)
    again = collecting.read_sweep("run", tmp_path / "again").table
    assert again["temperature"].tolist() == [2.0, 2.0]
