"""Refuse misspelt and ill-typed parameters before a lesson starts.

papermill warns of an unknown parameter and goes on; it checks no types. The
kernel, however, sees the source of the cell that papermill injects, so the
lesson can look for itself.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

INJECTED = "# Parameters"
RESULT_NAMES = ("results.json", "student", "teacher.json", "soft_targets")
DEFAULT_RUNS = Path("runs")


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


def parameters_of(notebook: str | Path) -> list[str]:
    """Return the names that a notebook's ``parameters`` cell assigns to.

    papermill's own inspection overlooks annotations such as ``int | None``.

    Parameters
    ----------
    notebook : str or Path

    Returns
    -------
    list of str

    Raises
    ------
    ParameterError
        If the file is missing, or no cell has the tag ``parameters``.
    """
    import nbformat

    path = Path(notebook)
    if not path.is_file():
        raise ParameterError(f"there is no notebook {str(notebook)!r}")
    for cell in nbformat.read(path, as_version=4).cells:
        if "parameters" in cell.metadata.get("tags", []):
            targets = [
                target
                for node in _parse(cell.source)
                for target in getattr(node, "targets", [getattr(node, "target", None)])
            ]
            return [t.id for t in targets if isinstance(t, ast.Name)]
    raise ParameterError(f"{path.name} has no cell with the tag 'parameters'")


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
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ParameterError(
                f"unknown parameter {name!r}: {hint}Known: {', '.join(declared)}"
            )
    for name, annotation in declared.items():
        if not _fits(values[name], annotation):
            raise ParameterError(
                f"parameter {name!r} must be of type {annotation}, got"
                f" {type(values[name]).__name__}: {values[name]!r}"
            )


def _fits(value, annotation: str) -> bool:
    return any(_fits_one(value, a.strip()) for a in annotation.split("|"))


def _fits_one(value, annotation: str) -> bool:
    if annotation == "None":
        return value is None
    if annotation.startswith("list["):
        inner = annotation[5:-1]
        return isinstance(value, list) and all(_fits(v, inner) for v in value)
    if annotation == "bool":
        return isinstance(value, bool)
    kinds = {
        "int": (int,),
        "float": (int, float),
        "str": (str,),
        "dict": (dict,),
    }[annotation]
    return isinstance(value, kinds) and not isinstance(value, bool)


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise unless `seeds` holds different whole numbers from 0 on."""
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ParameterError(
            "seeds must hold at least one number, all different and none"
            f" below 0, got {seeds!r}"
        )


def check_above_zero(name: str, value: float) -> None:
    """Raise unless a number is greater than 0."""
    if not value > 0:
        raise ParameterError(f"{name} must be above 0, got {value!r}")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise unless a number lies between `low` and `high`, both included."""
    if not low <= value <= high:
        raise ParameterError(
            f"{name} must lie between {low:g} and {high:g}, got {value!r}"
        )


def output_folder(output_dir: str, lesson: str) -> Path:
    """Return the folder for a lesson's results; it has none yet.

    Parameters
    ----------
    output_dir : str
        A folder that holds no result yet, or ``"auto"`` for the first free
        one of ``runs/<lesson>``, ``runs/<lesson>-2``, ...
    lesson : str
        Such as ``"03"``.

    Returns
    -------
    Path
        Not created yet.

    Raises
    ------
    ParameterError
        If the folder already holds a result or is a file.
    """
    if output_dir != "auto":
        folder = Path(output_dir)
        if folder.exists() and not folder.is_dir():
            raise ParameterError(f"output_dir={output_dir!r} is a file")
        if _taken(folder):
            raise ParameterError(
                f"output_dir={output_dir!r} already holds a result; name"
                " another folder, or move that one away"
            )
        return folder
    return free_folder(DEFAULT_RUNS / lesson)


def free_folder(base: Path) -> Path:
    """Return `base`, or the first of base-2, base-3, ... that is free."""
    folder, number = base, 1
    while folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    return folder


def _taken(folder: Path) -> bool:
    return any((folder / name).exists() for name in RESULT_NAMES)
