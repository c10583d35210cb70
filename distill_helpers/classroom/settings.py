"""The settings of a sweep: a grid, a list, a command line or a folder's plan."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..foreign import (
    ForeignFileError,
    anything,
    list_of,
    mapping_of,
    read_json,
    record,
)
from ..lessons.parameters import ParameterError

PLAN = "plan.json"
_SETTINGS = list_of(mapping_of(anything, most=1_000))
_HEAD = ("format", "notebook", "code", "fixed")
_PLAN = record({**dict.fromkeys(_HEAD, anything), "settings": _SETTINGS})


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
        content = read_json(path, _SETTINGS)
    except (FileNotFoundError, ForeignFileError) as error:
        raise ParameterError(
            f"{str(path)!r} must hold a list of objects: {error}"
        ) from error
    return [Setting(parameters) for parameters in content]


def read_plan(folder: str | Path) -> dict:
    """Return what a folder's sweep was to run.

    Raises
    ------
    ParameterError
        If there is no plan, or it is damaged.
    """
    path = Path(folder) / PLAN
    try:
        return read_json(path, _PLAN)
    except (FileNotFoundError, ForeignFileError) as error:
        raise ParameterError(f"{str(path)!r} is no plan of a sweep: {error}") from error
