"""IMDB: a local mirror, the Hub's cache, or the Hub if the reader asks."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from datasets import DatasetDict, load_dataset

from ..foreign import ForeignFileError, list_of, optional, read_json, record, text
from ..places import PROJECT
from .rows import Rows

IMDB_ID = "stanfordnlp/imdb"
IMDB_VARIABLE = "DISTILL_IMDB"
IMDB_SPLITS = ("train", "test", "unsupervised")
_PATH = text(r".+", "the path of a folder", 5_000)
_CLASSROOM = record({}, {"imdb": optional(_PATH), "models": list_of(_PATH)})


def imdb_named() -> tuple[str, str] | None:
    """Return the folder that is named as IMDB's copy, and what names it.

    The variable ``DISTILL_IMDB`` comes first, then ``classroom.json``, which
    the installer of an offline bundle leaves in the project's folder.

    Raises
    ------
    FileNotFoundError
        If ``classroom.json`` is there and is not what the installer writes.
    """
    value = os.environ.get(IMDB_VARIABLE)
    if value:
        return value, IMDB_VARIABLE
    installed = PROJECT / "classroom.json"
    if not os.path.lexists(installed):
        return None
    try:
        value = read_json(installed, _CLASSROOM).get("imdb")
    except ForeignFileError as error:
        raise FileNotFoundError(
            f"{installed.name} in the project's folder {error}; it must be as the"
            f" installer of a bundle left it: take it away, or set {IMDB_VARIABLE}"
        ) from error
    return (value, installed.name) if value else None


def imdb_mirror() -> dict[str, list[str]] | None:
    """Return the files of the folder that is named as IMDB's copy, by split.

    Raises
    ------
    FileNotFoundError
        If a folder is named that does not hold the data.
    """
    named = imdb_named()
    if named is None:
        return None
    value, by = named
    folder, files = Path(value).expanduser(), {}
    for split in IMDB_SPLITS:
        found = sorted(map(str, folder.glob(f"plain_text/{split}-*.parquet")))
        if not found:
            raise FileNotFoundError(
                f"{by}={value!r} must be a folder in the layout of"
                f" the Hub's {IMDB_ID}, with plain_text/{split}-*.parquet;"
                " correct it or take it away"
            )
        files[split] = found
    return files


def imdb_cache() -> dict[str, str] | None:
    """Return IMDB's files in the Hub's local cache, without any network."""
    from huggingface_hub import try_to_load_from_cache

    files = {}
    for split in IMDB_SPLITS:
        path = try_to_load_from_cache(
            IMDB_ID,
            f"plain_text/{split}-00000-of-00001.parquet",
            repo_type="dataset",
        )
        if not isinstance(path, str):
            return None
        files[split] = path
    return files


def imdb_is_local() -> bool:
    """Say whether IMDB can be had without a network."""
    return bool(imdb_files())


def imdb_files() -> list[str]:
    """Return all files of IMDB's mirror or cache; none where it is not here."""
    local = imdb_mirror() or imdb_cache() or {}
    return [file for files in local.values() for file in _listed(files)]


def _listed(files: str | list[str]) -> list[str]:
    return [files] if isinstance(files, str) else files


def read_imdb() -> Rows:
    local, where = imdb_mirror(), "local mirror"
    if local is None:
        local, where = imdb_cache(), "Hub cache"
    if local is None:
        splits, where = fetch_imdb(), "Hub"
        read = {name: splits[name].to_pandas() for name in IMDB_SPLITS}
    else:
        read = {name: _read_files(files) for name, files in local.items()}
    frames = []
    for name in IMDB_SPLITS:
        part = {"test": "test", "unsupervised": "transfer"}.get(name, "")
        frames.append(read[name][["text", "label"]].assign(part=part))
    frame = pd.concat(frames, ignore_index=True)
    defaults = {"train": 1_000, "transfer": 24_000, "validation": 1_000, "test": None}
    return Rows(frame, ["negative", "positive"], "imdb", where, defaults)


def _read_files(files: str | list[str]) -> pd.DataFrame:
    """Read the files themselves: a cached copy would outlive their content."""
    return pd.concat(map(pd.read_parquet, _listed(files)), ignore_index=True)


def fetch_imdb() -> DatasetDict:
    """Download IMDB from the Hub into its cache, or reuse what is there.

    An interrupted download goes on where it stopped.

    Returns
    -------
    datasets.DatasetDict

    Raises
    ------
    FileNotFoundError
        If the Hub cannot be reached; the message says what to do.
    """
    try:
        return load_dataset(IMDB_ID)
    except (OSError, ConnectionError) as error:
        raise FileNotFoundError(
            f"IMDB is not here: no mirror is named by {IMDB_VARIABLE}, the"
            " Hub's cache does not hold it, and the Hub cannot be reached"
            f" ({type(error).__name__}). Next step: with a network, run"
            " 'python start.py fetch-imdb' once; or set"
            f" {IMDB_VARIABLE} to a folder with a copy; or use"
            " source='sample', which needs neither."
        ) from error
