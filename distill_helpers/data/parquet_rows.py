"""Rows of a Parquet file, which may claim more than it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .cells import Cells, check_rows
from .file_bytes import MOST_BYTES

_BATCH = 16_384


def read_parquet(data: bytes, wanted: Sequence[str] = ()) -> Cells:
    """Read the columns of a Parquet file.

    Parameters
    ----------
    data : bytes
    wanted : sequence of str
        The columns to read, where the file has all of the first two; else all
        are read.

    Raises
    ------
    ValueError
        If it is damaged, or holds more than is read; the reason alone.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        _check_claims(file.metadata)
        schema = file.schema_arrow
        names = schema.names
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"two columns are called {twice[0]!r}: rename one")
        if wanted and set(wanted[:2]) <= set(names):
            names = [name for name in names if name in wanted]
        columns = _columns(data, schema, names)
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        reason = str(error).split("\n")[0][:200]
        raise ValueError(f"it is damaged or cut off ({reason}); get it anew") from error
    count = file.metadata.num_rows
    if any(len(column) != count for column in columns.values()):
        raise ValueError(f"it is damaged (not all of {count:,} rows are there)")
    rows = range(1, count + 1)
    return Cells(columns, rows, class_names=_class_names(schema))


def _check_claims(metadata: pq.FileMetaData) -> None:
    check_rows(metadata.num_rows)
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    _check_size(sum(group.total_byte_size for group in groups))


def _check_size(size: int) -> None:
    if not 0 <= size <= MOST_BYTES:
        raise ValueError(
            f"it claims {size / 2**30:.1f} GiB, and {MOST_BYTES / 2**30:g} GiB is the"
            " most that is read: take a part of the rows, a student needs no more"
        )


def _columns(data: bytes, schema: pa.Schema, names: Sequence[str]) -> dict[str, list]:
    """Read batch by batch: a word that is stored once may stand in all rows."""
    texts = [
        name
        for name in names
        if pa.types.is_string(schema.field(name).type)
        or pa.types.is_large_string(schema.field(name).type)
    ]
    file = pq.ParquetFile(
        pa.BufferReader(data), read_dictionary=texts, page_checksum_verification=True
    )
    columns: dict[str, list] = {name: [] for name in names}
    size = 0
    for batch in file.iter_batches(_BATCH, columns=list(names)):
        batch.validate(full=True)
        for name, column in zip(batch.schema.names, batch.columns):
            size += _unpacked_size(column)
            _check_size(size)
            columns[name] += column.to_pylist()
    return columns


def _unpacked_size(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    words = column.dictionary
    if not (pa.types.is_string(words.type) or pa.types.is_large_string(words.type)):
        return len(column) * 8
    lengths = pc.take(pc.binary_length(words), column.indices)
    return (pc.sum(lengths).as_py() or 0) + len(column)


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Find the names of classes where `datasets` wrote the file."""
    stored = (schema.metadata or {}).get(b"huggingface")
    if stored is None:
        return {}
    try:
        features = json.loads(stored)["info"]["features"]
        named = {name: _names_in(feature) for name, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"what 'datasets' wrote into it about its columns is damaged ({error!r})"
        ) from error
    return {name: names for name, names in named.items() if names}


def _names_in(feature) -> list[str]:
    if isinstance(feature, list):
        feature = feature[0]
    if feature.get("_type") in ("List", "LargeList", "Sequence"):
        feature = feature["feature"]
        return _names_in(feature)
    if feature.get("_type") != "ClassLabel":
        return []
    return [str(name) for name in feature["names"]]
