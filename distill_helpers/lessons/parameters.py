"""Refuse misspelt and ill-typed parameters before a lesson starts.

papermill warns of an unknown parameter and goes on; it checks no types. The
kernel, however, sees the source of the cell that papermill injects, so the
lesson can look for itself.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..arguments import did_you_mean
from ..files import try_writing
from .annotations import fits, is_finite, mended_spelling

INJECTED = "# Parameters"
RESULT_NAMES = ("results.json", "student", "teacher.json", "soft_targets")
DEFAULT_RUNS = Path("runs")
FILMS = ("sample", "imdb", "auto")
"""Sources of a lesson that speaks of films alone."""


class ParameterError(ValueError):
    """A parameter is unknown, has the wrong type or a value out of range."""


def declared_parameters(
    cells: Sequence[str], values: Mapping | None = None
) -> dict[str, str]:
    """Find the parameters cell and return its names and types.

    Parameters
    ----------
    cells : sequence of str
        Sources of the cells run so far (IPython's ``In``).
    values : mapping, optional
        The notebook's ``globals()``; its ``__annotations__`` serve where a
        runner such as nbval keeps no history.

    Returns
    -------
    dict of str to str
        Parameter names and their annotations.

    Raises
    ------
    ParameterError
        If no cell consists of annotated assignments alone.
    """
    for source in reversed(cells):
        body = _parse(source)
        if body and all(_is_declaration(node) for node in body):
            return {n.target.id: ast.unparse(n.annotation) for n in body}
    annotations = (values or {}).get("__annotations__")
    if annotations:
        return {name: _spelt(kind) for name, kind in annotations.items()}
    raise ParameterError("the parameters cell has not been run yet")


def _spelt(kind) -> str:
    plain = isinstance(kind, type) and not hasattr(kind, "__origin__")
    return kind.__name__ if plain else str(kind)


def _parse(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:  # a cell with IPython magic is no parameters cell
        return []


def _is_declaration(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.value is not None
    )


def code_of(notebook: str | Path) -> list[tuple[str, set[str]]]:
    """Return source and tags of a notebook's code cells.

    Parameters
    ----------
    notebook : str or Path

    Raises
    ------
    ParameterError
        If the file is missing or no notebook.
    """
    path = Path(notebook)
    if not path.is_file():
        raise ParameterError(f"there is no notebook {str(notebook)!r}")
    try:
        content = json.loads(path.read_bytes())
        return [
            ("".join(cell["source"]), set(cell["metadata"].get("tags", [])))
            for cell in content["cells"]
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ParameterError(
            f"{str(notebook)!r} is no notebook of format 4, or a damaged one:"
            f" {type(error).__name__}: {error}"
        ) from error


def declared_in(notebook: str | Path) -> dict[str, str]:
    """Return the names and types that a notebook's ``parameters`` cell declares.

    papermill's own inspection overlooks annotations such as ``int | None``.

    Parameters
    ----------
    notebook : str or Path

    Returns
    -------
    dict of str to str
        Names and annotations, ``""`` for one without.

    Raises
    ------
    ParameterError
        If the file is missing or no notebook, or no cell has the tag
        ``parameters``.
    """
    for source, tags in code_of(notebook):
        if "parameters" in tags:
            return {
                target.id: ast.unparse(kind) if kind else ""
                for node in _parse(source)
                for kind in [getattr(node, "annotation", None)]
                for target in getattr(node, "targets", [getattr(node, "target", None)])
                if isinstance(target, ast.Name)
            }
    raise ParameterError(f"{Path(notebook).name} has no cell with the tag 'parameters'")


def parameters_of(notebook: str | Path) -> list[str]:
    """Return the names of :func:`declared_in`."""
    return list(declared_in(notebook))


def injected_names(cells: Sequence[str]) -> list[str]:
    """Return the names that papermill's injected cells assign to."""
    names: list[str] = []
    for source in cells:
        if source.lstrip().startswith(INJECTED):
            for node in _parse(source):
                targets = getattr(node, "targets", [])
                names += [t.id for t in targets if isinstance(t, ast.Name)]
    return names


def check_parameters(cells: Sequence[str], values: Mapping) -> None:
    """Compare what was injected with what the lesson declares.

    Parameters
    ----------
    cells : sequence of str
        IPython's ``In``.
    values : mapping
        The notebook's ``globals()``.

    Raises
    ------
    ParameterError
        For an unknown name (with the nearest known one) or a value of
        another type than the declaration's.

    Examples
    --------
    >>> cells = ["epochs: int = 3", "# Parameters\\nepoch = 5"]
    >>> check_parameters(cells, {"epochs": 3})
    Traceback (most recent call last):
    ...
    distill_helpers.lessons.parameters.ParameterError: unknown parameter 'epoch': \
did you mean 'epochs'? Known: epochs
    """
    declared = declared_parameters(cells, values)
    for name in injected_names(cells):
        if name not in declared:
            hint = did_you_mean(name, declared, after=" ")
            raise ParameterError(
                f"unknown parameter {name!r}: {hint}Known: {', '.join(declared)}"
            )
    for name, annotation in declared.items():
        check_kind(name, values[name], annotation)


def check_kind(name: str, value, annotation: str) -> None:
    """Raise unless a parameter's value is of the type that it declares.

    Parameters
    ----------
    name : str
    value : object
    annotation : str
        Such as ``"int | None"``; an empty one, or one of another kind than lessons
        have, allows everything.

    Raises
    ------
    ParameterError
        If it is not, or holds an infinite number or NaN.
    """
    if annotation and not fits(value, annotation):
        raise ParameterError(
            f"parameter {name!r} must be of type {annotation}, got"
            f" {type(value).__name__}: {value!r}{mended_spelling(value, annotation)}"
        )
    if not is_finite(value):
        raise ParameterError(f"parameter {name!r} must be finite, got {value!r}")


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise unless `seeds` holds different whole numbers from 0 on."""
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ParameterError(
            "seeds must hold at least one number, all different and none"
            f" below 0, got {seeds!r}"
        )


def check_of_films(source: str) -> None:
    """Raise unless a lesson that speaks of films alone is given films."""
    if source not in FILMS:
        raise ParameterError(
            f"source must be one of {', '.join(map(repr, FILMS))}, got {source!r}: this"
            " lesson is about reviews of films. Texts of your own go through lessons 03"
            " to 07 and through own_data.ipynb"
        )


def check_above_zero(name: str, value: float) -> None:
    """Raise unless a number is greater than 0, and finite."""
    if not 0 < value < float("inf"):
        raise ParameterError(f"{name} must be above 0 and finite, got {value!r}")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise unless a number lies between `low` and `high`, both included."""
    if not low <= value <= high:
        raise ParameterError(
            f"{name} must lie between {low:g} and {high:g}, got {value!r}"
        )


def output_folder(output_dir: str, lesson: str) -> Path:
    """Return the folder for a lesson's results; it has none yet.

    That it can be written is tried: a lesson that ends without a place for its
    results has run for nothing.

    Parameters
    ----------
    output_dir : str
        A folder that holds no result yet, or ``"auto"`` for the first free
        one of ``runs/<lesson>``, ``runs/<lesson>-2``, ... Relative to where the
        notebook runs: beside it in JupyterLab, where you called papermill.
    lesson : str
        Such as ``"03"``.

    Returns
    -------
    Path
        Not created yet.

    Raises
    ------
    ParameterError
        If the folder already holds a result, is a file or cannot be written.
    """
    said = f"output_dir={output_dir!r}"
    if not output_dir.strip():
        raise ParameterError(f"{said} must name a folder, or be 'auto'")
    try:
        if output_dir == "auto":
            folder = free_folder(DEFAULT_RUNS / lesson)
            said = f"output_dir='auto', which is {str(folder)!r} here,"
        else:
            folder = Path(output_dir).expanduser()
            if folder.exists() and not folder.is_dir():
                raise ParameterError(f"{said} is a file")
            if _taken(folder):
                raise ParameterError(
                    f"output_dir={output_dir!r} already holds a result; name"
                    " another folder, or move that one away"
                )
        try_writing(folder)
    except ParameterError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ParameterError(
            f"{said} cannot be written{_from_here(output_dir)} ({reason}); name a folder"
            " that can be, by its full path"
        ) from error
    return folder


def _from_here(output_dir: str) -> str:
    absolute = os.path.isabs(os.path.expanduser(output_dir))
    return "" if absolute else f" in {os.getcwd()!r}"


def free_folder(base: Path) -> Path:
    """Return `base`, or the first of base-2, base-3, ... that is free."""
    folder, number = base, 1
    while os.path.lexists(folder):
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    return folder


def _taken(folder: Path) -> bool:
    return any((folder / name).exists() for name in RESULT_NAMES)
