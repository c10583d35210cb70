"""A sweep that takes no time and needs no model, for the tests beside."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future

import nbformat

from distill_helpers.classroom.collecting import collect
from distill_helpers.classroom.executors import Outcome
from distill_helpers.classroom.settings import grid

PARAMETERS = """
temperature: float = 1.0
alpha: float = 0.5
pause: float = 0.0
source: str = "sample"
student: str = "toy"
output_dir: str = "auto"
"""
BODY = """
import json, os, pathlib, time
time.sleep(pause)
if temperature > 100:
    raise ValueError("too hot")
os.makedirs(output_dir)
if temperature < 50:
    pathlib.Path(output_dir, "results.json").write_text(json.dumps({
        "format": 1, "kit": "1", "data": "d", "lesson": "toy",
        "settings": {"temperature": temperature, "alpha": alpha},
        "rows": [{"name": "distilled", "seeds": [0, 1], "accuracy":
                  {"per_seed": [alpha / temperature, 0.5]}}]}))
"""
SLOW = ("--fixed", "pause=1.5")


def write_notebook(path, body=BODY, parameters=PARAMETERS):
    cells = [
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(body),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


def settings(*temperatures):
    return grid({"temperature": list(temperatures), "alpha": [0.5]})


def command(toy, folder, *options):
    """Three settings."""
    words = [sys.executable, "-m", "distill_helpers", "sweep", toy, folder]
    return [*map(str, words), "--grid", "temperature=1,2,4", *options]


def hear():
    """Let a process that is about to start hear Ctrl-C, as one in a terminal does.

    A shell without job control starts what runs in its background deaf to it,
    and whatever that starts is deaf as well.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments):
    """Start a sweep that hears Ctrl-C."""
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=None if os.name == "nt" else hear,
    )


def table_of(folder):
    table = collect(folder).table.drop(columns="file")
    return table.sort_values(list(table.columns)).reset_index(drop=True)


def finished(folder):
    return len(list(folder.glob("runs/*/results.json")))


def wait_for(condition, seconds=60):
    for _ in range(seconds * 20):
        if met := condition():
            return met
        time.sleep(0.05)
    raise TimeoutError("the sweep did not get that far")


class Instant(Executor):
    """Runs nothing: the parameters are the result, and what it was asked is kept."""

    def __init__(self, error=""):
        self.error, self.asked = error, []

    def submit(self, run, content, parameters, sweep, **place):
        self.asked.append(parameters)
        results = json.dumps(parameters).encode()
        future = Future()
        future.set_result(
            Outcome(content, error=self.error)
            if self.error
            else Outcome(content, results)
        )
        return future
