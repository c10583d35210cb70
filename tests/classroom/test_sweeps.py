"""A sweep resumes, shares its folder, keeps its failures, loses nothing."""

import json
import signal
import subprocess

import nbformat
import pandas as pd
import psutil
import pytest
from toy_sweep import (
    SLOW,
    command,
    finished,
    settings,
    start,
    table_of,
    wait_for,
    write_notebook,
)

from distill_helpers.classroom import collecting, sweeps
from distill_helpers.classroom.collecting import collect
from distill_helpers.classroom.settings import (
    Setting,
    grid,
    parse_axis,
    read_settings,
)
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
    assert "/" not in Setting({"a": "x/../y"}).key


@pytest.mark.parametrize("axes", [{"T": []}, {"T": [1, 1]}])
def test_an_axis_without_values_or_with_one_twice_is_refused(axes):
    with pytest.raises(ParameterError, match="'T' needs at least one"):
        grid(axes)


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
    run_sweep(toy, tmp_path / "sweep", settings(1))
    (first,) = (tmp_path / "sweep" / "runs").glob("*/results.json")
    before = first.stat().st_mtime_ns
    run_sweep(toy, tmp_path / "sweep", settings(1, 2))
    assert first.stat().st_mtime_ns == before
    assert len(list((tmp_path / "sweep" / "runs").iterdir())) == 2


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
    again = run_sweep(toy, tmp_path / "sweep", settings(200, 60, 1))
    assert list(again.values()) == [FAILED, FAILED, FINISHED]
    retried = run_sweep(toy, tmp_path / "sweep", settings(200), retry_failed=True)
    assert list(retried.values()) == [FAILED]
    problems = collect(tmp_path / "sweep").problems
    assert [p.kind for p in problems] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("settings", "fixed", "message"),
    [
        ([Setting({"temprature": 1})], {}, "'temprature' is no parameter"),
        ([Setting({"output_dir": "x"})], {}, "'output_dir' is no parameter"),
        ([Setting({"alpha": 1})], {"alpha": 2}, "both fixed and swept"),
        ([Setting({"alpha": 1})] * 2, {}, "none twice"),
        ([], {}, "at least one"),
    ],
)
def test_a_sweep_that_cannot_be_right_is_refused_before_anything_runs(
    toy, tmp_path, settings, fixed, message
):
    with pytest.raises(ParameterError, match=message):
        run_sweep(toy, tmp_path / "sweep", settings, fixed)
    assert not (tmp_path / "sweep").exists()


def test_a_folder_with_another_sweep_is_left_alone(toy, tmp_path):
    run_sweep(toy, tmp_path / "sweep", settings(1))
    with pytest.raises(ParameterError, match="fixed="):
        run_sweep(toy, tmp_path / "sweep", settings(1), {"pause": 0.1})
    notebook = nbformat.read(toy, as_version=4)
    notebook.cells[1].source += "\nprint('changed')"
    nbformat.write(notebook, toy)
    with pytest.raises(ParameterError, match="code="):
        run_sweep(toy, tmp_path / "sweep", settings(2))
    assert len(read_plan(tmp_path / "sweep")["settings"]) == 1


def test_prose_may_change_between_two_parts_of_a_sweep(toy, tmp_path):
    run_sweep(toy, tmp_path / "sweep", settings(1))
    notebook = nbformat.read(toy, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("More words."))
    nbformat.write(notebook, toy)
    assert set(run_sweep(toy, tmp_path / "sweep", settings(2)).values()) == {FINISHED}


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
    assert 1 <= left < 4
    missing = [p for p in collect(killed).problems if p.kind == "missing"]
    assert len(missing) == 4 - left
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
    assert f"stopped: 0 of 4 settings have finished in {folder}; the same" in said
    assert "Traceback" not in said
    assert psutil.wait_procs(below, timeout=30)[1] == []
    assert not list(folder.glob("runs/*")) + list(folder.glob("failed/*"))
    with pytest.raises(FileNotFoundError, match="planned, but not run yet"):
        collect(folder)


def test_two_processes_share_a_folder_and_run_each_setting_once(toy, tmp_path):
    both = [start(toy, tmp_path / "sweep") for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert {process.returncode for process in both} <= {0, 1}
    assert len(list((tmp_path / "sweep" / "runs").iterdir())) == 4
    assert "failed" not in "".join(said)
    assert len(collect(tmp_path / "sweep").table) == 8


# ------------------------------------------------------------ command line
def test_a_learner_runs_one_cell_of_the_grid(toy, tmp_path, capsys):
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
        (["--grid", "alpha=1", "--grid", "alpha=2"], "each axis once"),
        (["--list", "nowhere.json"], "must hold a list of objects: [Errno 2]"),
        (["--grid", "alpha=1", "--fixed", "pause=1,2"], "--fixed takes one value"),
        (["--grid", "alpha=[1"], "cannot be read"),
        (["--grid", "alpha=1", "--processes", "0"], "processes must be above 0"),
        (["--processes", "2", "--dask", "x:1"], "not allowed with"),
    ],
)
def test_a_command_that_makes_no_sense_is_told_so(
    toy, tmp_path, capsys, options, message
):
    with pytest.raises(SystemExit):
        main([str(toy), str(tmp_path / "s"), *options])
    assert message in capsys.readouterr().err


def test_settings_may_come_as_a_list(tmp_path):
    path = tmp_path / "list.json"
    path.write_text('[{"temperature": 1}, {"alpha": 0.9}]')
    assert [s.parameters for s in read_settings(path)] == [
        {"temperature": 1},
        {"alpha": 0.9},
    ]
    path.write_text('{"temperature": 1}')
    with pytest.raises(ParameterError, match="list of objects"):
        read_settings(path)


def test_values_have_their_types():
    assert parse_axis("a=1,2.5,true,null,word") == ("a", [1, 2.5, True, None, "word"])


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
