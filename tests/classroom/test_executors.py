"""Runs are lost with nobody: processes and Dask workers may die or be stopped."""

import json
import os
import signal
import socket
import subprocess
import sys

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

from distill_helpers.classroom import executors
from distill_helpers.classroom.collecting import collect
from distill_helpers.classroom.executors import (
    ClusterError,
    DaskCluster,
    end_runs,
    fair_threads,
    run_notebook,
)
from distill_helpers.classroom.sweeps import FINISHED, main, run_sweep

SAY = """
import json, os, pathlib
found = {"cwd": os.getcwd(), "wait": os.environ.get("OMP_WAIT_POLICY"),
         "threads": os.environ.get("OMP_NUM_THREADS")}
os.makedirs(output_dir)
pathlib.Path(output_dir, "results.json").write_text(json.dumps(found))
"""
KILL = """
import os, pathlib, signal
if not pathlib.Path(mark).exists() or always:
    pathlib.Path(mark).touch()
    os.kill(os.getppid(), signal.SIGKILL)
    import time; time.sleep(600)
"""


def notebook(tmp_path, body, parameters='output_dir: str = "auto"'):
    return write_notebook(tmp_path / "own.ipynb", body, parameters).read_bytes()


# ---------------------------------------------------------------- one run
def test_a_run_has_its_variables_before_anything_is_loaded(tmp_path, monkeypatch):
    content = notebook(tmp_path, SAY)
    for name in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name)
    outcome = run_notebook(content, {}, "one", cwd=str(tmp_path), threads=3)
    assert outcome.error == ""
    assert json.loads(outcome.results) == {
        "cwd": str(tmp_path.resolve()),
        "wait": "PASSIVE",
        "threads": "3",
    }
    executed = nbformat.reads(outcome.notebook.decode(), as_version=4)
    assert executed.cells[-1].execution_count


def test_variables_of_ones_own_count_more(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    outcome = run_notebook(notebook(tmp_path, SAY), {}, "two", threads=3)
    found = json.loads(outcome.results)
    assert (found["wait"], found["threads"]) == ("ACTIVE", "1")
    assert not os.path.exists(found["cwd"])  # its own folder, gone with it


def test_processes_share_the_threads_fairly(monkeypatch):
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda pid: set(range(8)), raising=False
    )
    assert [fair_threads(n) for n in (1, 2, 3, 100)] == [None, 4, 2, 1]
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert fair_threads(2) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("always", [False, True])
def test_a_run_whose_process_is_killed_begins_again(tmp_path, always):
    names = 'output_dir: str = "auto"\nmark: str = ""\nalways: bool = False'
    content = notebook(tmp_path, KILL + SAY, names)
    parameters = {"mark": str(tmp_path / "mark"), "always": always}
    outcome = run_notebook(content, parameters, "killed", scratch=str(tmp_path))
    if always:
        assert outcome.results == b""
        assert outcome.error.startswith("its process ended 3 times, at last with")
    else:
        assert outcome.error == "" and json.loads(outcome.results)
    assert not list(tmp_path.glob("run-*"))


def test_nothing_begins_in_a_sweep_that_was_ended(tmp_path):
    end_runs("over")
    outcome = run_notebook(notebook(tmp_path, SAY), {}, "over")
    assert outcome == executors.Outcome(error="the sweep was stopped")


# ------------------------------------------------------------ a Dask cluster
class Cluster:
    """A scheduler and its workers on loopback, each a process."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--no-show")
        wait_for(self.file.exists)
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, kind, *options):
        where = ["--host", "127.0.0.1", "--scheduler-file", str(self.file)]
        with open(self.folder / "log.txt", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", kind, *where, *options],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def add_worker(self):
        # No nanny, so that a worker that is killed stays away.
        options = ["--no-nanny", "--no-dashboard", "--nthreads", "1"]
        return self._start("worker", *options)

    def wait_for_workers(self, number):
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(number, timeout=60)

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait(30)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.fixture
def workers(cluster):
    """Two that are there anew for each test."""
    both = [cluster.add_worker() for _ in range(2)]
    cluster.wait_for_workers(2)
    yield both
    for process in both:
        process.kill()
        process.wait(30)


@pytest.fixture
def toy(tmp_path):
    return write_notebook(tmp_path / "toy.ipynb")


def below(process):
    return psutil.Process(process.pid).children(recursive=True)


def is_busy(worker):
    return len(below(worker)) >= 2  # a run and its kernel


def test_a_worker_is_killed_in_the_middle_and_the_table_is_the_same(
    toy, tmp_path, cluster, workers
):
    here, there = tmp_path / "here", tmp_path / "there"
    subprocess.run(command(toy, here, "--processes", "2"), check=True, timeout=120)
    with start(toy, there, *SLOW, "--dask", cluster.address) as sweep:
        wait_for(lambda: finished(there) >= 1)
        busy = wait_for(lambda: next(filter(is_busy, workers), None))
        lost = below(busy)
        busy.kill()
        said, notes = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, said + notes
    assert said.count("finished") == 3
    assert f"Dask workers at {cluster.address}: 2\n" in notes
    pd.testing.assert_frame_equal(table_of(there), table_of(here))
    assert collect(there).problems == []
    assert list((there / "scratch").iterdir()) == []
    assert psutil.wait_procs(lost, timeout=30)[1] == []
    for path in there.glob("runs/*/toy.ipynb"):  # nothing lay in this folder
        assert str(tmp_path) not in path.read_text("utf-8")


def test_a_failed_run_comes_back_from_the_cluster_with_its_error(
    toy, tmp_path, cluster, workers
):
    with DaskCluster(cluster.address) as executor:
        states = run_sweep(toy, tmp_path / "sweep", settings(200, 1), executor=executor)
    assert list(states.values()) == ["failed", FINISHED]
    (note,) = (tmp_path / "sweep").glob("failed/*/setting.json")
    assert json.loads(note.read_text("utf-8"))["error"] == "ValueError: too hot"
    assert (note.parent / "toy.ipynb").exists()


def test_ctrl_c_ends_the_runs_on_the_cluster(toy, tmp_path, cluster, workers):
    folder = tmp_path / "sweep"
    options = ["--fixed", "pause=600", "--dask", cluster.address]
    with start(toy, folder, *options) as sweep:
        wait_for(lambda: all(len(below(w)) >= 2 for w in workers))
        runs = below(workers[0]) + below(workers[1])
        sweep.send_signal(signal.SIGINT)
        said, notes = sweep.communicate(timeout=30)
    assert sweep.returncode == 130
    assert "stopped: 0 of 3 settings have finished" in notes
    assert psutil.wait_procs(runs, timeout=30)[1] == []
    with DaskCluster(cluster.address) as executor:  # which takes other work
        states = run_sweep(toy, tmp_path / "next", settings(1), executor=executor)
    assert set(states.values()) == {FINISHED}


@pytest.mark.full
def test_a_scheduler_that_goes_is_named_and_the_folder_stays_whole(toy, tmp_path):
    cluster = Cluster(tmp_path)
    try:
        cluster.add_worker()
        cluster.wait_for_workers(1)
        folder = tmp_path / "sweep"
        options = ["--fixed", "pause=600", "--dask", cluster.address]
        with start(toy, folder, *options) as sweep:
            wait_for(lambda: len(below(cluster.processes[1])) >= 2)
            cluster.processes[0].kill()
            said, notes = sweep.communicate(timeout=100)
    finally:
        cluster.close()
    assert sweep.returncode == 2, notes
    assert "the cluster dropped its runs" in notes
    assert not list(folder.glob("runs/*")) + list(folder.glob("failed/*"))


def test_an_address_where_no_scheduler_is_is_given_up_soon(toy, tmp_path, capsys):
    silent = socket.create_server(("127.0.0.1", 0))  # answers, but says nothing
    assert executors.PATIENCE <= 10  # seconds that an address may take
    mute = f"127.0.0.1:{silent.getsockname()[1]}"
    for address in ("127.0.0.1:9", mute, "tls://127.0.0.1:9", "nowhere", "x://y:1"):
        arguments = [str(toy), str(tmp_path / "s"), "--grid", "alpha=1"]
        with pytest.raises(SystemExit):
            main([*arguments, "--dask", address])
        said = capsys.readouterr().err
        assert f"no Dask scheduler answers at '{address}'" in said
    silent.close()
    assert not (tmp_path / "s").exists()


def test_the_address_of_a_worker_is_told_apart(cluster, workers):
    import distributed

    with distributed.Client(cluster.address, set_as_default=False) as client:
        address = list(client.scheduler_info()["workers"])[0]
    with pytest.raises(ClusterError, match="there is a Worker"):
        DaskCluster(address)


def test_without_the_package_it_says_what_to_install(toy, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"needs the package distributed.*\[dask\]"):
        DaskCluster("127.0.0.1:8786")


def test_another_kit_on_the_cluster_is_named_before_anything_runs(
    cluster, workers, monkeypatch
):
    monkeypatch.setattr(executors, "__version__", "9.9")
    with pytest.raises(ClusterError, match="scheduler needs the kit 9.9.*has '0.1.0'"):
        DaskCluster(cluster.address)
    import distributed

    monkeypatch.setattr(
        distributed.Client, "run_on_scheduler", lambda self, function: "9.9"
    )
    with pytest.raises(ClusterError, match="worker tcp.*needs the kit 9.9.*'0.1.0'"):
        DaskCluster(cluster.address)
