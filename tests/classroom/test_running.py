"""The lessons run one after the other or side by side, whatever comes of one."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from toy_sweep import hear

from distill_helpers.classroom import running
from distill_helpers.classroom.executors import fair_threads
from distill_helpers.classroom.kernels import end_kernels


@pytest.fixture
def lessons(monkeypatch, tmp_path):
    """Stand in for three lessons, of which the last one took longest; note who ran."""
    paths = [Path(f"0{n}_{name}.ipynb") for n, name in enumerate("abc")]
    known = {"lessons": {"02_c": {"seconds": 90.0}, "00_a": {"seconds": 5.0}}}
    ran = []
    monkeypatch.setattr(running, "lesson_paths", lambda: paths)
    monkeypatch.setattr(running, "read_costs", lambda: known)
    monkeypatch.setattr(running, "DEFAULT_RUNS", tmp_path)
    monkeypatch.setattr(
        running, "run_lesson", lambda p, *_, **__: ran.append(p.name) or p
    )
    for name in ("HF_HUB_OFFLINE", "OMP_WAIT_POLICY", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    return ran


def test_one_at_a_time_they_run_in_the_order_of_the_course(lessons, capsys):
    assert running.main(["--jobs", "1"]) == 0
    assert lessons == ["00_a.ipynb", "01_b.ipynb", "02_c.ipynb"]
    assert "3 of 3 passed" in capsys.readouterr().out


def test_side_by_side_the_longest_begins_and_threads_are_shared_out(
    lessons, monkeypatch, capsys
):
    monkeypatch.delenv("OMP_NUM_THREADS")
    both = threading.Barrier(2, timeout=60)

    def run(path, folder, source, progress):
        if path.name[:2] != "01":  # the short one comes last, alone
            both.wait()
        lessons.append(path.name)
        return path

    monkeypatch.setattr(running, "run_lesson", run)
    assert running.main(["--jobs", "2"]) == 0
    assert {*lessons[:2]} == {"00_a.ipynb", "02_c.ipynb"} and len(lessons) == 3
    told = capsys.readouterr().out
    assert "2 side by side" in told and " MB" not in told
    assert running.os.environ["OMP_NUM_THREADS"] == str(fair_threads(2))


def test_a_folder_that_another_lesson_changes_to_takes_no_result(
    lessons, monkeypatch, tmp_path, capsys
):
    """papermill's ``cwd`` is that of the whole process while a lesson runs."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "DEFAULT_RUNS", Path("runs"))
    folders = []

    def run(path, folder, source, progress):
        monkeypatch.chdir(elsewhere)
        folders.append(folder)
        return folder / path.name

    monkeypatch.setattr(running, "run_lesson", run)
    assert running.main(["--jobs", "1"]) == 0
    assert [f.parent for f in folders] == [(tmp_path / "runs").resolve()] * 3
    assert f"see {Path('runs', '02_c', '02_c.ipynb')};" in capsys.readouterr().out
    assert Path.cwd() == tmp_path.resolve()


@pytest.mark.parametrize(
    "given, says",
    [
        (["--jobs", "0"], "--jobs must be at least 1, got 0"),
        (["--jobs", "two"], "invalid int value: 'two'"),
        (["--record", "--jobs", "2"], "--jobs must be 1 with --record, got 2"),
    ],
)
def test_jobs_that_cannot_be_are_refused(given, says, lessons, capsys):
    with pytest.raises(SystemExit):
        running.main(given)
    assert says in capsys.readouterr().err and not lessons


@pytest.mark.parametrize(
    "words, those",
    [
        (["02"], "2"),
        (["1"], "1"),
        (["02", "00"], "02"),
        (["00-01"], "01"),
        (["00-01", "1-2"], "012"),
    ],
)
def test_some_lessons_are_named_one_by_one_or_as_a_range(words, those, lessons):
    assert running.main(["--jobs", "1", "--only", *words]) == 0
    assert "".join(name[1] for name in lessons) == those


@pytest.mark.parametrize(
    "words, says",
    [
        (["07"], "--only 07: there is no lesson 07; there are 00, 01, 02"),
        (["00", "01-03"], "--only 01-03: there is no lesson 03"),
        (["02-01"], "--only 02-01: give numbers such as 03, or ranges"),
        (["a"], "--only a: give numbers such as 03"),
        (["003"], "--only 003: give numbers such as 03"),
        ([], "--only: expected at least one argument"),
    ],
)
def test_lessons_that_are_not_there_are_refused_before_one_runs(
    words, says, lessons, capsys
):
    with pytest.raises(SystemExit):
        running.main(["--only", *words])
    assert says in capsys.readouterr().err and not lessons


@pytest.mark.parametrize(
    "cores, gib, jobs", [(2, 24, 2), (8, 7.7, 2), (1, 64, 1), (4, 2, 1), (16, 63, 16)]
)
def test_jobs_are_what_cores_and_memory_hold(cores, gib, jobs, monkeypatch):
    monkeypatch.setattr(running, "cores", lambda: cores)
    memory = SimpleNamespace(total=gib * 2**30)
    monkeypatch.setattr(running.psutil, "virtual_memory", lambda: memory)
    assert running.jobs_that_fit() == jobs


SLEEPS = """
import sys
from pathlib import Path
from distill_helpers.classroom import running
folder = Path(sys.argv[1])
running.lesson_paths = lambda: sorted(folder.glob("*.ipynb"))
running.DEFAULT_RUNS = folder / "runs"
sys.exit(running.main(["--jobs", "2"]))
"""


def command(folder, **lessons):
    """Begin the command on notebooks of one parameter and one cell each."""
    for name, source in lessons.items():
        cells = [nbformat.v4.new_code_cell(text) for text in ("n: int = 1", source)]
        cells[0].metadata["tags"] = ["parameters"]
        book = nbformat.v4.new_notebook(cells=cells)
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, folder / f"{name}.ipynb")
    return subprocess.Popen(
        [sys.executable, "-c", SLEEPS, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=None if os.name == "nt" else hear,
    )


def test_a_lesson_that_fails_leaves_the_other_to_its_end(tmp_path):
    process = command(tmp_path, bad="1 / 0", good="print(6 * 7)")
    told, complaint = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "passed good.ipynb" in told and "1 of 2 passed" in told
    assert "FAILED bad.ipynb" in complaint and "ZeroDivisionError" in complaint
    copy = nbformat.read(tmp_path / "runs" / "good" / "good.ipynb", as_version=4)
    assert copy.cells[-1].outputs[0].text == "42\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT can be sent to a child")
def test_ctrl_c_ends_all_that_was_begun(tmp_path):
    wait = "open('{0}', 'w').close()\nimport time\ntime.sleep(300)"
    marks = [tmp_path / "first", tmp_path / "second"]
    lessons = {mark.name: wait.format(mark) for mark in marks}
    process = command(tmp_path, **lessons, third=wait.format(tmp_path / "third"))
    deadline = threading.Event()
    while not all(mark.exists() for mark in marks):
        assert process.poll() is None, process.communicate()
        deadline.wait(0.1)
    begun = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert not psutil.wait_procs(begun, timeout=20)[1]
    assert not (tmp_path / "third").exists()


def test_a_kernel_that_ended_just_now_does_not_save_the_others(monkeypatch):
    ended = []

    class Kernel:
        def __init__(self, alive):
            self.alive = alive

        def kill(self):
            if not self.alive:
                raise psutil.NoSuchProcess(1)
            ended.append(self)

    kernels = [Kernel(False), Kernel(True)]
    monkeypatch.setattr(psutil.Process, "children", lambda self, recursive: kernels)
    end_kernels()
    assert ended == kernels[1:]
