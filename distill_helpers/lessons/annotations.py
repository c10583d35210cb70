"""Whether a value is of the type that a notebook's parameter declares.

An annotation is read as text, for a notebook is looked at before it runs.
"""

from __future__ import annotations

import ast
import json
import math

_PLAIN = {
    "bool": bool,
    "int": int,
    "float": (int, float),
    "str": str,
    "dict": dict,
    "list": list,
}


def fits(value, annotation: str) -> bool:
    """Return whether a value is of an annotated type.

    Parameters
    ----------
    value : object
    annotation : str
        Made of ``bool``, ``int``, ``float``, ``str``, ``dict``, ``list``, ``None``,
        ``list[...]``, ``dict[...]`` and ``|``; what else there may be fits anything.

    Examples
    --------
    >>> fits(3, "float | None"), fits(True, "int"), fits([1, None], "list[int | None]")
    (True, False, True)
    """
    return _fits(value, ast.parse(annotation, mode="eval").body)


def _fits(value, kind: ast.expr) -> bool:
    match kind:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _fits(value, left) or _fits(value, right)
        case ast.Constant(value=None):
            return value is None
        case ast.Name(id=name) if name in _PLAIN:
            truth = isinstance(value, bool)
            return truth if name == "bool" else _is_a(value, name) and not truth
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            return isinstance(value, list) and all(_fits(v, inner) for v in value)
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, one])):
            return isinstance(value, dict) and all(
                _fits(k, key) and _fits(v, one) for k, v in value.items()
            )
    return True


def _is_a(value, name: str) -> bool:
    return isinstance(value, _PLAIN[name])


def is_finite(value) -> bool:
    """Return whether no number in a value is infinite or NaN."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return all(map(is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def mended_spelling(value, annotation: str) -> str:
    """Return a hint for a value that was spelt in a way its reader took otherwise."""
    if not isinstance(value, str):
        if fits(str(value), annotation):
            return "; a text that looks like something else needs papermill's -r"
        return ""
    try:
        meant = json.loads(value.lower())
    except ValueError:
        meant = value
    if isinstance(meant, bool) and fits(meant, annotation):
        return f"; write {meant}"
    if not isinstance(meant, str) and fits(meant, annotation) and is_finite(meant):
        if isinstance(meant, float):
            return "; YAML takes a number for one only with a dot and a sign: 1.0e-3"
        return f"; write it without quotes: {value}"
    if fits([], annotation):
        return '; give a list with -y, as in -y "seeds: [0, 1]"'
    return ""
