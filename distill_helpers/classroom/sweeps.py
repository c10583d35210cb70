"""Run one notebook over many settings: resumable, shareable, nothing lost.

``python -m distill_helpers.classroom.sweeps NOTEBOOK FOLDER --grid temperature=1,2,4``

A folder holds one sub-folder for each setting that has finished (``runs/``)
or failed (``failed/``). A run is made in ``scratch/`` and moved in place when
it is whole, so a killed sweep leaves nothing half done; the same command
resumes it. A lock for each setting lets several processes share the folder;
the system frees it when a process dies.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import yaml
from filelock import FileLock, Timeout
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

from ..lessons.parameters import ParameterError, parameters_of
from ..places import NOTEBOOKS, RESULTS

FINISHED, FAILED, BUSY = "finished", "failed", "busy elsewhere"
PLAN = "plan.json"
STORED_PLAN = RESULTS / "lesson04_sweep.json"


@dataclass(frozen=True)
class Setting:
    """The parameters of one run.

    Attributes
    ----------
    parameters : dict
        As papermill hands them to the notebook.
    """

    parameters: Mapping

    @property
    def key(self) -> str:
        """A readable name that differs whenever a parameter differs."""
        text = json.dumps(self.parameters, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        words = [f"{name}-{value}" for name, value in self.parameters.items()]
        plain = re.sub(r"[^\w.-]+", "-", "_".join(words))[:80].strip("-_.")
        return f"{plain}_{digest}"


def grid(axes: Mapping[str, Sequence]) -> list[Setting]:
    """Return every combination of the axes' values.

    Parameters
    ----------
    axes : mapping of str to sequence

    Returns
    -------
    list of Setting
        The last axis changes fastest.

    Raises
    ------
    ParameterError
        If an axis has no value, or one twice.

    Examples
    --------
    >>> [s.parameters for s in grid({"T": [1, 2], "alpha": [0.5]})]
    [{'T': 1, 'alpha': 0.5}, {'T': 2, 'alpha': 0.5}]
    """
    for name, values in axes.items():
        spelt = [json.dumps(value) for value in values]
        if not spelt or len(set(spelt)) < len(spelt):
            raise ParameterError(
                f"the axis {name!r} needs at least one value and none twice, got"
                f" {list(values)!r}"
            )
    names = list(axes)
    return [
        Setting(dict(zip(names, values)))
        for values in itertools.product(*axes.values())
    ]


# ------------------------------------------------------------------- running
def code_hash(notebook: str | Path) -> str:
    """Return a hash of a notebook's code; prose and outputs do not count."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = "\0".join(cell.source for cell in cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def run_sweep(
    notebook: str | Path,
    folder: str | Path,
    settings: Sequence[Setting],
    fixed: Mapping | None = None,
    *,
    retry_failed: bool = False,
) -> dict[str, str]:
    """Run a notebook once for every setting that is not finished yet.

    Parameters
    ----------
    notebook : str or Path
        Has a parameter ``output_dir`` and writes ``results.json`` there.
    folder : str or Path
        Made if it is missing; may hold an earlier part of the same sweep.
    settings : sequence of Setting
    fixed : mapping, optional
        Parameters that all runs share.
    retry_failed : bool, default False
        Run settings again that failed before.

    Returns
    -------
    dict of str to str
        By key: ``"finished"``, ``"failed"`` or ``"busy elsewhere"``.

    Raises
    ------
    ParameterError
        If the notebook does not declare a parameter, two settings are equal,
        or the folder holds a sweep of another notebook or other fixed
        parameters. Nothing has been run or changed then.
    """
    notebook, folder, fixed = Path(notebook), Path(folder), dict(fixed or {})
    _check_declared(notebook, settings, fixed)
    _write_plan(folder, notebook, settings, fixed)
    states = {}
    for setting in tqdm(settings, "settings", disable=None):
        states[setting.key] = _run_once(notebook, folder, setting, fixed, retry_failed)
    return states


def _check_declared(notebook: Path, settings, fixed: Mapping) -> None:
    known = parameters_of(notebook)
    for name in {name for s in settings for name in s.parameters} | set(fixed):
        if name == "output_dir" or name not in known:
            raise ParameterError(
                f"{name!r} is no parameter to sweep over; {notebook.name} has"
                f" {', '.join(n for n in known if n != 'output_dir')}"
            )
    for setting in settings:
        both = set(setting.parameters) & set(fixed)
        if both:
            raise ParameterError(f"{sorted(both)} are both fixed and swept")
    keys = [setting.key for setting in settings]
    if not keys or len(set(keys)) < len(keys):
        raise ParameterError("settings must hold at least one, and none twice")


def _write_plan(folder: Path, notebook: Path, settings, fixed: Mapping) -> None:
    """Say in the folder what is to be run; a later call may add settings."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {
        "format": 1,
        "notebook": notebook.name,
        "code": code_hash(notebook),
        "fixed": dict(fixed),
    }
    with FileLock(folder / f"{PLAN}.lock"):
        path = folder / PLAN
        planned = read_plan(folder) if path.exists() else head | {"settings": []}
        for name, value in head.items():
            if planned[name] != value:
                raise ParameterError(
                    f"{str(folder)!r} holds a sweep with {name}={planned[name]!r},"
                    f" this one has {value!r}; name another folder"
                )
        known = planned["settings"]
        new = [dict(s.parameters) for s in settings if dict(s.parameters) not in known]
        _replace(path, planned | {"settings": known + new})


def read_plan(folder: str | Path) -> dict:
    """Return what a folder's sweep was to run.

    Raises
    ------
    ParameterError
        If there is no plan, or it is damaged.
    """
    path = Path(folder) / PLAN
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{str(path)!r} is no plan of a sweep: {error}") from error


def _replace(path: Path, content: dict) -> None:
    temporary = path.with_suffix(f".{uuid.uuid4().hex[:8]}.tmp")
    temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    os.replace(temporary, path)


def _run_once(
    notebook: Path, folder: Path, setting: Setting, fixed: Mapping, retry: bool
) -> str:
    finished, failed = folder / "runs" / setting.key, folder / "failed" / setting.key
    locks = folder / "locks"
    locks.mkdir(exist_ok=True)
    try:
        with FileLock(locks / f"{setting.key}.lock", timeout=0):
            if finished.exists():
                return FINISHED
            if failed.exists() and not retry:
                return FAILED
            scratch = _fresh_scratch(folder / "scratch", setting.key)
            error = _execute(notebook, scratch, {**fixed, **setting.parameters})
            target = failed if error else finished
            shutil.rmtree(failed, ignore_errors=True)
            target.parent.mkdir(exist_ok=True)
            os.replace(scratch, target)
            return FAILED if error else FINISHED
    except Timeout:
        return BUSY


def _fresh_scratch(scratch: Path, key: str) -> Path:
    """Make an empty folder and clear what a killed run of this setting left."""
    scratch.mkdir(exist_ok=True)
    for left in scratch.glob(f"{key}.*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = scratch / f"{key}.{uuid.uuid4().hex[:8]}"
    fresh.mkdir()
    return fresh


def _execute(notebook: Path, scratch: Path, parameters: dict) -> str:
    """Run the notebook; keep its copy and its results, or its error."""
    out = scratch / "out"
    error = ""
    try:
        papermill.execute_notebook(
            str(notebook),
            str(scratch / notebook.name),
            parameters=parameters | {"output_dir": str(out.resolve())},
            cwd=str(notebook.parent),
            progress_bar=False,
        )
        os.replace(out / "results.json", scratch / "results.json")
    except PapermillExecutionError as raised:
        error = f"{raised.ename}: {raised.evalue}"
    except FileNotFoundError:
        error = "the notebook ran through but wrote no results.json"
    except Exception as raised:  # a kernel that died; kept, like any failure
        error = f"{type(raised).__name__}: {raised}"
    shutil.rmtree(out, ignore_errors=True)
    note = (
        {"parameters": parameters, "error": error}
        if error
        else {"parameters": parameters}
    )
    _replace(scratch / "setting.json", note)
    return error


def repeat_stored(folder: str | Path) -> dict[str, str]:
    """Run the sweep again whose results are shipped with the kit.

    Parameters
    ----------
    folder : str or Path
        As for :func:`run_sweep`; finished runs in it are not repeated.

    Returns
    -------
    dict of str to str
        See :func:`run_sweep`.
    """
    plan = json.loads(STORED_PLAN.read_text("utf-8"))
    settings = [Setting(parameters) for parameters in plan["settings"]]
    return run_sweep(NOTEBOOKS / plan["notebook"], folder, settings, plan["fixed"])


# --------------------------------------------------------------- command line
def parse_axis(text: str) -> tuple[str, list]:
    """Read ``name=value,value``; values are YAML, as papermill's ``-y``.

    Raises
    ------
    ParameterError
        If there is no ``=``, no value, or the values are no YAML.

    Examples
    --------
    >>> parse_axis("temperature=1,2.5,4")
    ('temperature', [1, 2.5, 4])
    >>> parse_axis("seeds=[0,1],[2,3]")
    ('seeds', [[0, 1], [2, 3]])
    """
    name, equals, values = text.partition("=")
    if not equals or not name.strip() or not values.strip():
        raise ParameterError(f"write name=value,value, got {text!r}")
    try:
        return name.strip(), yaml.safe_load(f"[{values}]")
    except yaml.YAMLError as error:
        raise ParameterError(f"{text!r} cannot be read: {error}") from error


def parse_fixed(text: str) -> tuple[str, object]:
    """Read ``name=value``, one value.

    Raises
    ------
    ParameterError
        As :func:`parse_axis`, or if there are several values.

    Examples
    --------
    >>> parse_fixed("seeds=[0,1]")
    ('seeds', [0, 1])
    """
    name, values = parse_axis(text)
    if len(values) != 1:
        raise ParameterError(f"--fixed takes one value, got {text!r}")
    return name, values[0]


def read_settings(path: str | Path) -> list[Setting]:
    """Read a JSON list of settings, each an object of parameters.

    Raises
    ------
    ParameterError
        If the file is missing, damaged, or something else.
    """
    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{str(path)!r} cannot be read: {error}") from error
    if not isinstance(content, list) or not all(isinstance(c, dict) for c in content):
        raise ParameterError(f"{str(path)!r} must hold a list of objects")
    return [Setting(parameters) for parameters in content]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sweep; return 0 if every setting has finished."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grid", action="append", default=[], metavar="NAME=V,V")
    parser.add_argument("--list", type=Path, help="a JSON list of settings instead")
    parser.add_argument("--fixed", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--only", type=int, help="run this setting alone, from 1")
    parser.add_argument("--retry-failed", action="store_true")
    options = parser.parse_args(arguments)
    try:
        settings = _chosen(options)
        fixed = dict(map(parse_fixed, options.fixed))
        states = run_sweep(
            options.notebook,
            options.folder,
            settings,
            fixed,
            retry_failed=options.retry_failed,
        )
    except ParameterError as error:
        parser.error(str(error))
    for key, state in states.items():
        print(f"{state:15} {key}")
    return 0 if set(states.values()) == {FINISHED} else 1


def _chosen(options) -> list[Setting]:
    if bool(options.grid) == bool(options.list):
        raise ParameterError("give either --grid, once for each axis, or --list")
    if options.list:
        settings = read_settings(options.list)
    else:
        axes = [parse_axis(text) for text in options.grid]
        names = [name for name, _ in axes]
        if len(set(names)) < len(names):
            raise ParameterError(f"each axis once, got {names}")
        settings = grid(dict(axes))
    if options.only is None:
        return settings
    if not 1 <= options.only <= len(settings):
        raise ParameterError(
            f"--only must lie between 1 and {len(settings)}, got {options.only}"
        )
    return [settings[options.only - 1]]


if __name__ == "__main__":
    sys.exit(main())
