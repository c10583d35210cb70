"""Run a notebook as its users do, by papermill's plain command, and read its copy."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

from distill_helpers.lessons import parts
from distill_helpers.lessons.exercises import answer_key, notebook_api

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
LESSON = {path.name[:2]: path for path in LESSONS}
STORED = ROOT / "data" / "results"
KEY = "a-key-that-only-these-runs-know"
FACTS = {facts.notebook: facts for facts in parts.lessons() + parts.appendices()}


def environment(**change):
    """No mirror, no cache, and a proxy where nobody answers."""
    clean = {k: v for k, v in os.environ.items() if k != "DISTILL_IMDB"}
    dead = "http://127.0.0.1:9"
    return clean | {
        "HF_HUB_OFFLINE": "1",
        "HTTP_PROXY": dead,
        "HTTPS_PROXY": dead,
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_CACHE": str(ROOT / "no-such-cache"),
        **change,
    }


def run_papermill(notebook, folder, parameters=None, options=(), env=None):
    """Run the plain papermill command; return process and executed copy."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "executed.ipynb"
    command = [sys.executable, "-m", "papermill", str(notebook), str(copy)]
    command += ["--no-progress-bar", "--cwd", str(folder), *options]
    if parameters:
        source = folder / "parameters.json"
        source.write_text(json.dumps(parameters))
        command += ["-f", str(source)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=1500, env=env or environment()
    )
    return done, copy


@dataclass(frozen=True)
class LessonRun:
    """A lesson that has run: the folder it ran in, and its executed copy."""

    lesson: str  # its number
    folder: Path

    @cached_property
    def notebook(self):
        return nbformat.read(self.folder / "executed.ipynb", as_version=4)

    @cached_property
    def results(self):
        return json.loads((self.folder / "out" / "results.json").read_text())

    @property
    def outputs(self):
        cells = [c for c in self.notebook.cells if c.cell_type == "code"]
        return [output for cell in cells for output in cell.outputs]

    @property
    def said(self):
        """What the outputs say in plain text, one by one."""
        return [o.get("data", {}).get("text/plain", "") for o in self.outputs]

    @property
    def entries(self):
        """The lesson's exercises."""
        return [e for e in notebook_api.all_entries() if e.key[:2] == self.lesson]


def run_lesson(notebook, folder, parameters, solved=False):
    """Run a lesson as it stands, or with every exercise solved."""
    if solved:
        solution = answer_key.solve(nbformat.read(notebook, as_version=4))
        nbformat.write(solution, folder / notebook.name)
        notebook = folder / notebook.name
    done, _ = run_papermill(
        notebook,
        folder,
        {**parameters, "output_dir": str(folder / "out")},
        env=environment(
            DISTILL_PROGRESS=str(folder / "progress.json"), DISTILL_API_KEY=KEY
        ),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return LessonRun(notebook.name[:2], folder)


def by_name(results):
    """Return the rows of a lesson's results by their names."""
    return {row["name"]: row for row in results["rows"]}


def code_cells(notebook):
    """Return the code cells, without the one that papermill injects."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and "injected-parameters" not in cell.metadata.get("tags", [])
    ]


def differences(session, stored, executed, sanitize):
    """Compare the outputs of a notebook that has run with those stored.

    nbval collects the stored notebook and compares, with its own marks and
    replacements; it only does not run the cells once more.

    Parameters
    ----------
    session : pytest.Session
    stored : Path
        The notebook with the outputs expected.
    executed : NotebookNode
    sanitize : str
        What a file for nbval's ``--nbval-sanitize-with`` holds.

    Returns
    -------
    list of str
        What nbval says of each cell that differs.
    """
    from nbval.plugin import IPyNbFile, coalesce_streams, get_sanitize_patterns

    collected = IPyNbFile.from_parent(session, path=stored)
    collected.sanitize_patterns.update(get_sanitize_patterns(sanitize))
    asked, ran = list(collected.collect()), code_cells(executed)
    assert [item.cell.source for item in asked] == [cell.source for cell in ran]
    found = []
    for item, cell in zip(asked, ran):
        outputs = [coalesce_streams(c.outputs) for c in (cell, item.cell)]
        if item.options["check"] and not item.compare_outputs(*outputs):
            found.append("\n".join([cell.source, *item.comparison_traceback]))
    return found
