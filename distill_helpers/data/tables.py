"""Rows of text and label from the reader's own file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..arguments import check_type
from .cells import Cells, lacking
from .class_names import check_repeated, is_no_label, number_labels
from .labels import ONE_LABEL, SEVERAL_LABELS
from .rows import SHARES, UNLABELLED, Rows
from .several_labels import check_single, number_several, rarest
from .split_names import parts_of
from .swallowed import check_no_row_swallowed
from .table_files import read_table

USUAL_SPLIT = "split"
"""The column of parts is read under this name where nobody names another."""


def read_file(
    path: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    split_column: str | None = USUAL_SPLIT,
    several_labels: str | None = None,
) -> Rows:
    """Read texts and their labels from a file.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, JSON, JSON Lines or Parquet, each also packed with gzip.
    text_column, label_column : str
        Their names in the file. An empty label means none.
    split_column : str or None, default "split"
        Says for each row to which part it belongs: train, validation, test or
        transfer, or one of their usual other names; nothing leaves it open. It
        may be missing under its usual name; None leaves it alone.
    several_labels : str, optional
        What stands between the labels of a cell, as ``"|"``; a cell of JSON or
        Parquet may be a list as well.

    Returns
    -------
    Rows
        ``frame`` has a row for each of the file, in its order. A row of the part
        transfer has no label, whatever the file says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If something in it cannot be read as it is meant; the message names the
        file and the line, and says what to do.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "own.csv"
    >>> _ = file.write_text("label;text\\n2;slow\\n10;fine\\n;so so\\n")
    >>> rows = read_file(file)
    >>> rows.label_names, rows.frame["label"].tolist(), rows.note
    (['2', '10'], [0, 1, -1], 'your own file, separated by semicolons')
    """
    path = Path(path)
    roles = _roles(text_column, label_column, split_column, several_labels)
    cells = read_table(path, wanted=list(roles.values()))
    if split_column == USUAL_SPLIT and USUAL_SPLIT not in cells.columns:
        split_column = None
        del roles["split_column"]
    named = f"source={str(path)!r}"
    if missing := lacking(cells, roles):
        raise ValueError(f"{named} {missing}")
    if not len(cells):
        raise ValueError(f"{named} has columns but no rows")
    try:
        return _to_rows(
            cells, path.name, text_column, label_column, split_column, several_labels
        )
    except ValueError as error:
        raise ValueError(f"{named}, {error}") from error


def _roles(text_column, label_column, split_column, several_labels) -> dict[str, str]:
    roles = {"text_column": text_column, "label_column": label_column}
    if split_column is not None:
        roles["split_column"] = split_column
    for parameter, name in roles.items():
        check_type(parameter, name, str, "the name of a column")
    if len(set(roles.values())) < len(roles):
        raise ValueError(
            f"{', '.join(roles)} must name different columns, got"
            f" {', '.join(map(repr, roles.values()))}"
        )
    if several_labels is not None:
        check_type("several_labels", several_labels, str, "a separator or None")
        if not several_labels or several_labels.isalnum():
            raise ValueError(
                "several_labels must be what stands between two labels of a cell, as"
                f" '|', got {several_labels!r}"
            )
    return roles


def _to_rows(cells, name, text_column, label_column, split_column, several) -> Rows:
    check_no_row_swallowed(cells, label_column)
    texts = _texts(cells, text_column)
    parts = parts_of(cells, split_column) if split_column else [""] * len(cells)
    labels = [
        None if part == "transfer" else label
        for part, label in zip(parts, cells.columns[label_column])
    ]
    frame = pd.DataFrame({"text": texts, "label": UNLABELLED, "part": parts})
    options = {"where": cells.where, "class_names": cells.class_names.get(label_column)}
    if several is None:
        check_single(labels, where=cells.where, column=label_column)
        numbers, names, warnings = number_labels(labels, **options)
    else:
        rows, names, warnings = number_several(
            labels, several, column=label_column, **options
        )
        numbers = rarest(rows, len(names))
        frame["labels"] = pd.Series(rows, dtype=object)
    check_repeated(numbers, names, label_column)
    frame["label"] = numbers
    warnings += _place_unlabelled(frame, cells)
    unused = sum(
        part == "transfer" and not is_no_label(label)
        for part, label in zip(parts, cells.columns[label_column])
    )
    if unused:
        warnings.append(
            f"{_rows(unused)} of the part 'transfer' with a label: it is not read"
        )
    return Rows(
        frame,
        names,
        name,
        ", ".join(["your own file", *cells.notes]),
        # A part that the file itself names is taken whole.
        SHARES | dict.fromkeys(set(parts) & set(SHARES)),
        problem_type=ONE_LABEL if several is None else SEVERAL_LABELS,
        warnings=warnings,
    )


def _texts(cells: Cells, column: str) -> list[str]:
    if column in cells.without:
        index = cells.without[column]
        has = [name for name, values in cells.columns.items() if values[index]]
        raise ValueError(
            f"{cells.where(index)} names no {column!r} as other rows do, it has"
            f" {has!r:.200}: name it alike, or write null where there is no text"
        )
    texts = []
    for index, cell in enumerate(cells.columns[column]):
        if cell is None or cell != cell:
            cell = ""
        if isinstance(cell, (list, dict, bytes)):
            raise ValueError(
                f"{cells.where(index)}: column {column!r} must hold texts, got"
                f" {type(cell).__name__}"
            )
        texts.append(str(cell))
    if not any(map(str.strip, texts)):
        raise ValueError(f"column {column!r} holds no text in any of its rows")
    return texts


def _place_unlabelled(frame: pd.DataFrame, cells: Cells) -> Sequence[str]:
    """Send rows without a label to the transfer part; none can be judged by one."""
    none, part = frame["label"] == UNLABELLED, frame["part"]
    judged = np.flatnonzero(none & part.isin(["validation", "test"]))
    if len(judged):
        raise ValueError(
            f"{cells.where(int(judged[0]))}: a row of the part"
            f" {part[judged[0]]!r} has no label ({_rows(len(judged))} in all); give it"
            " one, or say 'transfer' in the column of parts"
        )
    moved = int((none & (part == "train")).sum())
    frame.loc[none, "part"] = "transfer"
    if not moved:
        return []
    return [
        f"{_rows(moved)} of the part 'train' without a label went to the transfer part"
    ]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
