"""The bytes of a file that somebody else made, unpacked, with a limit."""

from __future__ import annotations

import zlib
from pathlib import Path

MOST_BYTES = 2**30
"""More than so much text is no longer held in memory."""
_FOREIGN = {
    b"PK\x03\x04": "it is a zip archive or a spreadsheet (.xlsx): save the sheet as"
    " CSV (UTF-8), or unpack the archive",
    b"\xd0\xcf\x11\xe0": "it is a spreadsheet (.xls): save the sheet as CSV (UTF-8)",
    b"\x28\xb5\x2f\xfd": "it is packed with zstd: unpack it",
    b"BZh": "it is packed with bzip2: unpack it, or pack it with gzip",
    b"\xfd7zXZ\x00": "it is packed with xz: unpack it, or pack it with gzip",
    b"version https://git-lfs": "it is a Git LFS pointer, not the file itself:"
    " 'git lfs pull' fetches that",
    b"<!DOCTYPE": "it is a web page: a download may have ended at a login",
    b"<html": "it is a web page: a download may have ended at a login",
}
_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"


def unpacked_bytes(path: Path) -> bytes:
    """Return what a file holds, unpacked if it was packed with gzip.

    Raises
    ------
    ValueError
        If it is too large, damaged, or plainly of another kind than a
        table; the message is the reason alone.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(_too_large(size))
    data = path.read_bytes()
    packed = path.suffix.lower() == ".gz"
    if data.startswith(_GZIP):
        data = _gunzip(data)
    elif packed:
        raise ValueError("its name ends in .gz, but it is not packed with gzip")
    for start, reason in _FOREIGN.items():
        if data.startswith(start):
            raise ValueError(reason)
    return data


def is_parquet(data: bytes) -> bool:
    """Say whether bytes begin as a Parquet file does."""
    return data.startswith(_PARQUET)


def _gunzip(data: bytes) -> bytes:
    parts, room = [], MOST_BYTES
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(data, room + 1)
        except zlib.error as error:
            raise ValueError(f"its gzip is damaged ({error}): get it anew") from error
        room -= len(part)
        if room < 0:
            raise ValueError(_too_large(MOST_BYTES - room))
        if not member.eof:
            raise ValueError("its gzip ends too early: get the whole file")
        parts.append(part)
        data = member.unused_data.lstrip(b"\0")  # padding, as on tapes
    return b"".join(parts)


def _too_large(size: int) -> str:
    return (
        f"it holds {size / 2**30:.1f} GiB or more, and {MOST_BYTES / 2**30:g} GiB is"
        " the most that is read: take a part of the rows, a student needs no more"
    )
