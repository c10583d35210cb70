"""A table as a teacher: what somebody's model, or an LLM, said about each text.

One row a text, named by ``text`` or by ``text_hash``; then either one column a
class with probabilities or logits, or one column ``label`` or ``answer`` with the
class alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.special import logit

from ..arguments import check_choice, check_number
from ..data.cells import Cells
from ..data.class_names import by_number_then_name, class_name
from ..data.class_order import ClassNamesError, class_order, class_place, ordered
from ..data.cleaning import clean_text, text_hash
from ..data.labels import SEVERAL_LABELS, check_problem_type
from ..data.table_files import read_table
from ..data.targets import are_probabilities
from .stored import SoftTargets, is_stored_logits, read_stored_logits

VALUES = ("probabilities", "logits")
HARD = ("answer", "label")
"""Columns of hard answers, the first that is there."""
BESIDE = frozenset({*HARD, "text", "text_hash", "split", "id", "index", "row", ""})
"""Columns that are no class, whatever they hold."""
SMOOTHING = 0.1
LEAST = 1e-6
"""Probabilities below it count as it: the logarithm of 0 is no logit."""
_SUM = 0.01
_HASH = re.compile(r"[0-9a-fA-F]{32}")


def table_teacher(
    path: str | Path,
    label_names: Sequence[str] | None = None,
    *,
    values: str | None = None,
    mapping: Mapping | None = None,
    problem_type: str | None = None,
    several_labels: str | None = None,
    smoothing: float = SMOOTHING,
    text_column: str = "text",
) -> SoftTargets:
    """Read a table of answers as a teacher.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, JSON, JSON Lines or Parquet.
    label_names : sequence of str, optional
        The classes of the data; by default the table's own.
    values : {"probabilities", "logits"}, optional
        What the numbers are. By default probabilities if every row lies within
        [0, 1] and sums to 1, else logits; said, it is checked.
    mapping : mapping of str to str, optional
        From the table's names of classes to those of the data.
    problem_type : str, optional
        ``"multi_label_classification"`` where a text may have several labels:
        then each probability stands for itself.
    several_labels : str, optional
        What separates several hard answers in one cell.
    smoothing : float, default 0.1
        A hard answer becomes the logits of probability 1 - `smoothing` for its
        class, the rest in equal shares for the others [1]_.
    text_column : str, default "text"

    Returns
    -------
    SoftTargets
        With the classes in the order of `label_names`.

    Raises
    ------
    ClassNamesError
        If the classes are not those of the data; the message shows both lists.
    FileNotFoundError
        If there is no such file.
    ValueError
        If a value is missing, no number, negative where it is a probability, or
        not finite; if probabilities do not sum to 1; if one text has two
        different answers; the message names the first such row.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR 2016, section 7.
    """
    check_number("smoothing", smoothing, least=0, most=0.5)
    if values is not None:
        check_choice("values", values, VALUES)
    several = check_problem_type(problem_type) == SEVERAL_LABELS
    several = several or several_labels is not None
    kind = SEVERAL_LABELS if several else problem_type
    path = Path(path)
    named = f"teacher={str(path)!r}"
    if path.is_file() and is_stored_logits(path):  # the kit wrote it itself
        keys, logits, _, names = read_stored_logits(path)
        names, logits = _in_order(named, names, logits, label_names, mapping)
        known = dict(zip(keys, logits))
        return SoftTargets(known, _fingerprint(known, names), names, str(path), kind)
    expected = [text_column, "text_hash", *HARD, *map(str, label_names or ())]
    cells = read_table(path, argument="teacher", wanted=expected, others=True)
    keys = _keys(named, cells, text_column)
    columns = _class_columns(cells, text_column, label_names, mapping, values)
    if columns:
        rows = _numbers(named, cells, columns)
        logits = _as_logits(named, cells, rows, values, several)
        names = list(columns)
    else:
        names, probabilities = _hard(
            named, cells, label_names, mapping, several_labels, smoothing, values
        )
        mapping = None
        to_logits = logit if several else np.log
        logits = to_logits(np.clip(probabilities, LEAST, 1 - LEAST))
    names, logits = _in_order(named, names, logits, label_names, mapping)
    known = _by_key(named, cells, keys, logits.astype(np.float32))
    return SoftTargets(known, _fingerprint(known, names), names, str(path), kind)


def _in_order(named, names, logits, label_names, mapping):
    """Return names and logits in the order of the data's classes, if it is given."""
    if label_names is None:
        return names, logits
    wanted, count = [str(name) for name in label_names], logits.shape[1]
    order = class_order(names, wanted, count=count, whose=named, mapping=mapping)
    return wanted, ordered(logits, order)


# ----------------------------------------------------------------- columns
def _keys(named: str, cells: Cells, text_column: str) -> list[str]:
    """Return each row's text hash; "" where there is no text to answer."""
    if text_column in cells.columns:
        texts = cells.columns[text_column]
        for index, text in enumerate(texts):
            if text is not None and not isinstance(text, str):
                raise ValueError(
                    f"{named}: {text_column!r} must hold texts, got {text!r} in"
                    f" {cells.where(index)}"
                )
        cleaned = [clean_text(text or "") for text in texts]
        return [text_hash(text) if text else "" for text in cleaned]
    if "text_hash" not in cells.columns:
        raise ValueError(
            f"{named} needs a column {text_column!r} or 'text_hash', it has"
            f" {list(cells.columns)}"
        )
    keys = []
    for index, value in enumerate(cells.columns["text_hash"]):
        key = value.hex() if isinstance(value, bytes) else str(value or "").strip()
        if not _HASH.fullmatch(key):
            raise ValueError(
                f"{named}: 'text_hash' must hold 32 hexadecimal digits, as"
                " distill_helpers.data.text_hash gives them for a cleaned text, got"
                f" {value!r} in {cells.where(index)}"
            )
        keys.append(key.lower())
    return keys


def _class_columns(cells, text_column, label_names, mapping, values) -> list[str]:
    """Name the columns that hold a number for each class; none: hard answers."""
    words = {*map(str, label_names or ()), *map(str, mapping or ())}
    words = {word.strip().casefold() for word in words}
    matching = [c for c in cells.columns if c.strip().casefold() in words]
    others = [
        column
        for column, found in cells.columns.items()
        if column not in (text_column, *matching)
        and column.strip().casefold() not in BESIDE
        and all(map(_could_be_number, found))
        and not all(map(_is_empty, found))
    ]
    hard = any(column in cells.columns for column in HARD)
    if label_names is not None and matching and set(matching) - set(HARD):
        return [c for c in cells.columns if c in (*matching, *others)]
    if hard and values is None and (label_names is not None or len(others) < 2):
        return []
    return others if len(others) > 1 or not hard else []


def _is_empty(value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _could_be_number(value) -> bool:
    if _is_empty(value):
        return True
    if isinstance(value, bool):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _numbers(named: str, cells: Cells, columns: Sequence[str]) -> np.ndarray:
    """Return a row of numbers for each text; NaN where a row is wholly empty."""
    table = np.full((len(cells), len(columns)), np.nan)
    for index in range(len(cells)):
        row = [cells.columns[column][index] for column in columns]
        if all(map(_is_empty, row)):
            continue
        for place, (column, value) in enumerate(zip(columns, row)):
            if _is_empty(value) or not _could_be_number(value):
                raise ValueError(
                    f"{named}: {column!r} must be a number, got {value!r} in"
                    f" {cells.where(index)}"
                )
            table[index, place] = float(value)
        if not np.isfinite(table[index]).all():
            raise ValueError(
                f"{named}: the numbers must be finite, got {row} in"
                f" {cells.where(index)}"
            )
    return table


def _as_logits(named, cells, rows, values, several) -> np.ndarray:
    answered = ~np.isnan(rows).all(axis=1)
    if not answered.any():
        raise ValueError(f"{named} has no row with an answer")
    if values is None:
        values = _guessed(named, cells, rows, answered, several)
    if values == "logits":
        if not several and are_probabilities(rows[answered]):
            raise ValueError(
                f"values='logits' was said, but every row of {named} lies within"
                " [0, 1] and sums to 1: these are probabilities, say"
                " values='probabilities'"
            )
        return rows
    _check_probabilities(named, cells, rows, answered, several)
    if several:
        return logit(np.clip(rows, LEAST, 1 - LEAST))
    return np.log(np.clip(rows / rows.sum(axis=1, keepdims=True), LEAST, 1))


def _guessed(named, cells, rows, answered, several) -> str:
    """Say what the numbers are where the reader did not."""
    within = rows[answered].min() >= 0 and rows[answered].max() <= 1
    if not within:
        return _not_percent(named, rows[answered], several)
    off = _off(rows) if not several else np.zeros(len(rows), bool)
    if not off[answered].any():
        return "probabilities"
    index = int(np.flatnonzero(off & answered)[0])
    raise ValueError(
        f"{named}: every value lies within [0, 1], but {int((off & answered).sum())} of"
        f" {int(answered.sum())} rows do not sum to 1, the first of them"
        f" {cells.where(index)} with {rows[index].sum():.4g}. Say values='logits' if"
        " they are logits; mend the rows if they are probabilities"
    )


def _not_percent(named, rows, several) -> str:
    if not several and rows.min() >= 0 and (np.abs(rows.sum(axis=1) - 100) <= 1).all():
        raise ValueError(
            f"{named}: every row sums to 100: divide these percentages by 100"
        )
    return "logits"


def _off(rows: np.ndarray) -> np.ndarray:
    return ~(np.abs(rows.sum(axis=1) - 1) <= _SUM)


def _check_probabilities(named, cells, rows, answered, several) -> None:
    outside = answered & ((rows < 0) | (rows > 1)).any(axis=1)
    off = answered & _off(rows) if not several else np.zeros(len(rows), bool)
    for wrong, what in ((outside, "lie within [0, 1]"), (off, "sum to 1")):
        if wrong.any():
            index = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"{named}: probabilities must {what}; {int(wrong.sum())} rows do not,"
                f" the first of them {cells.where(index)}: {rows[index].tolist()}"
                f" (sum {rows[index].sum():.4g})"
            )


# ------------------------------------------------------------ hard answers
def _hard(named, cells, label_names, mapping, separator, smoothing, values):
    """Return the classes, and probabilities (texts, classes); NaN: no answer."""
    column = next((c for c in HARD if c in cells.columns), None)
    if column is None or values is not None:
        raise ValueError(
            f"{named} needs one column of numbers a class"
            f"{'' if label_names is None else f' ({list(label_names)})'}"
            + ("" if values else f", or one of {list(HARD)} with the class")
            + f"; it has {list(cells.columns)}"
        )
    answers = [
        _names_in(named, cells, column, index, value, separator)
        for index, value in enumerate(cells.columns[column])
    ]
    old, new = list(map(str, mapping or ())), list(map(str, (mapping or {}).values()))
    places = {a: class_place(a, old) for found in answers for a in found}
    renamed = {a: a if place is None else new[place] for a, place in places.items()}
    answers = [[renamed[a] for a in found] for found in answers]
    given = sorted(set(renamed.values()), key=by_number_then_name)
    names = given if label_names is None else [str(name) for name in label_names]
    if len(names) < 2:
        raise ValueError(f"{named} must name at least two classes, got {names}")
    place = {name: class_place(name, names) for name in given}
    foreign = [name for name in given if place[name] is None]
    if foreign:
        first = next(i for i, found in enumerate(answers) if foreign[0] in found)
        raise ClassNamesError(
            f"{named}: its answers are not the classes of the data: it answers"
            f" {given}, the data has {names}; without a partner are {foreign}, the"
            f" first in {cells.where(first)}. Give mapping={{{foreign[0]!r}:"
            f" {names[0]!r}}} or the like, or leave such answers empty"
        )
    table = np.full((len(answers), len(names)), np.nan)
    rest = smoothing if separator else smoothing / (len(names) - 1)
    for row, found in zip(table, answers):
        if found:
            row[:] = rest
            row[[place[name] for name in found]] = 1 - smoothing
    if np.isnan(table).all():
        raise ValueError(f"{named} has no row with an answer")
    return names, table


def _names_in(named, cells, column, index, value, separator) -> list[str]:
    try:
        whole = class_name(value)
    except ValueError as error:
        raise ValueError(
            f"{named}: {column!r} in {cells.where(index)}: {error}"
        ) from None
    parts = whole.split(separator) if separator else [whole]
    return [part.strip() for part in parts if part.strip()]


# ------------------------------------------------------------------- rows
def _by_key(named, cells, keys, logits) -> dict[str, np.ndarray]:
    """Give each text its row, once."""
    known: dict[str, np.ndarray] = {}
    first: dict[str, int] = {}
    clashes: list[int] = []
    for index, (key, row) in enumerate(zip(keys, logits)):
        if not key or np.isnan(row).any():  # no text, or no answer to it
            continue
        if not np.allclose(known.setdefault(key, row), row, atol=1e-4):
            clashes.append(index)
        first.setdefault(key, index)
    if clashes:
        other = first[keys[clashes[0]]]
        raise ValueError(
            f"{named}: {len(clashes)} rows give another answer to a text that was"
            f" answered before, the first of them {cells.where(clashes[0])} (see"
            f" {cells.where(other)}): keep one answer a text"
        )
    if not known:
        raise ValueError(f"{named} has no text with an answer")
    return known


def _fingerprint(known: Mapping[str, np.ndarray], names) -> str:
    digest = hashlib.sha256(repr(names).encode())
    for key in sorted(known):
        digest.update(key.encode() + np.ascontiguousarray(known[key]).tobytes())
    return f"table-{digest.hexdigest()[:16]}"
