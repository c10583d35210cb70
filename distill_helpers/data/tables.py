"""Rows of text and label from the reader's own file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .rows import UNLABELLED, Rows

SUFFIXES = (".csv", ".parquet", ".jsonl")


def read_file(path: Path) -> Rows:
    if not path.is_file():
        raise FileNotFoundError(f"source={str(path)!r}: there is no such file")
    if path.stat().st_size == 0:
        raise ValueError(f"source={str(path)!r} is empty")
    frame = _read_frame(path)
    missing = [c for c in ("text", "label") if c not in frame.columns]
    if missing:
        raise ValueError(
            f"source={str(path)!r} lacks the column"
            f"{'s' if len(missing) > 1 else ''} {', '.join(missing)}; it has"
            f" {list(map(str, frame.columns))}, and needs 'text' and 'label'"
        )
    if not len(frame):
        raise ValueError(f"source={str(path)!r} has columns but no rows")
    labels, names = _number_labels(frame["label"])
    frame = pd.DataFrame({"text": frame["text"], "label": labels, "part": ""})
    frame.loc[frame["label"] == UNLABELLED, "part"] = "transfer"
    usable = int((frame["label"] != UNLABELLED).sum())
    defaults = {
        "train": min(1_000, max(2, usable // 3)),
        "transfer": None,
        "validation": max(2, usable // 10),
        "test": max(2, usable // 5),
    }
    return Rows(frame, names, path.name, "your own file", defaults)


def _read_frame(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False)
        if suffix == ".jsonl":
            return pd.read_json(path, lines=True, dtype=False)
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"source={str(path)!r} cannot be read as {suffix[1:]}: {error}"
        ) from error


def _number_labels(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Number the classes in sorted order; -1 where a label is empty."""
    names = column.map(_label_name)
    classes = sorted(set(names) - {""}, key=_numbers_first)
    numbers = {name: index for index, name in enumerate(classes)}
    return names.map(lambda n: numbers.get(n, UNLABELLED)).to_numpy(), classes


def _label_name(value) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of numbers with gaps becomes float
    name = str(value).strip()
    return "" if name in ("-1", "-100", "nan") else name


def _numbers_first(name: str):
    digits = name.lstrip("-").isdigit()
    return (0, int(name), "") if digits else (1, 0, name)
