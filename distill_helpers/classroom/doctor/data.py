"""The data that the kit brings, IMDB, the Hub, and what was written before."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from ...files import whole_file
from ...places import DATA
from .machine import write_problem
from .report import FAIL, OK, WARN, Finding

CHECKSUMS = "checksums.json"
DATA_FILES = (
    "best_small_student/*.safetensors",
    "domains/*.csv",
    "practice/*.csv",
    "proposed_uses/*.json",
    "recorded/*.parquet",
    "reasoning/*.parquet",
    "reasoning/*/*",
    "sample_reviews/reviews.jsonl",
    "sample_reviews_zh/reviews.csv",
    "small_teacher/*",
    "soft_targets/*.parquet",
    "stronger_teacher/*.parquet",
    "teacher.json",
    "text_to_sql/*.parquet",
    "translated/*.parquet",
    "two_senses/*/*",
    "wordnet/synonyms.json",
)
TEXT = (".csv", ".json", ".jsonl")


def hub_folders() -> list[Path]:
    """Return where downloads from the Hub and prepared data sets are kept."""
    from huggingface_hub import constants

    prepared = os.environ.get("HF_DATASETS_CACHE")
    hub = Path(constants.HF_HUB_CACHE)
    return [hub, Path(prepared or Path(constants.HF_HOME) / "datasets").expanduser()]


def check_hub_cache() -> Finding:
    """Try to write where downloads go; the sample does not need it."""
    folders = hub_folders()
    problem = next(filter(None, map(write_problem, folders)), "")
    if problem:
        cure = (
            "Set HF_HOME to a folder of yours; IMDB and a teacher from the Hub"
            " need one, the sample does not."
        )
        return Finding("Hub cache", WARN, problem, cure)
    return Finding("Hub cache", OK, f"{folders[0]} can be written")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, the same on every system.

    git may give text files other line ends on Windows; they do not count.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    content = path.read_bytes()
    if path.suffix in TEXT:
        content = content.replace(b"\r\n", b"\n")
    return hashlib.sha256(content).hexdigest()


def checksums(data: Path = DATA) -> dict[str, str]:
    """Return the checksum of every shipped file that the lessons build on.

    Returns
    -------
    dict of str to str
        By path below `data`.
    """
    paths = sorted(path for pattern in DATA_FILES for path in data.glob(pattern))
    return {path.relative_to(data).as_posix(): checksum(path) for path in paths}


def write_checksums(data: Path = DATA) -> Path:
    """Store the checksums beside the files, after one was made anew.

    Returns
    -------
    Path
    """
    path = data / CHECKSUMS
    text = json.dumps({"sha256": checksums(data)}, indent=1) + "\n"
    with whole_file(path) as temporary:
        temporary.write_bytes(text.encode())
    return path


def check_data(data: Path = DATA) -> Finding:
    """Compare the shipped reviews and soft targets with their checksums."""
    try:
        stored = json.loads((data / CHECKSUMS).read_text("utf-8"))["sha256"]
        stored = dict(stored)
    except (OSError, ValueError, KeyError, TypeError) as error:
        seen = f"{CHECKSUMS} cannot be read: {type(error).__name__}"
        return Finding("data", FAIL, seen, _restore([CHECKSUMS]))
    wrong = {}
    for name, wanted in stored.items():
        path = data / name
        if not path.is_file():
            wrong[name] = "missing"
        elif checksum(path) != wanted:
            wrong[name] = "damaged or changed"
    if not stored:
        return Finding("data", FAIL, f"{CHECKSUMS} is empty", _restore([CHECKSUMS]))
    if wrong:
        seen = ", ".join(f"{name} is {why}" for name, why in wrong.items())
        return Finding("data", FAIL, seen, _restore(wrong))
    return Finding("data", OK, f"{len(stored)} files are as they were shipped")


def _restore(names: Iterable[str]) -> str:
    """Name the files alone: data/ may hold results of the reader's own."""
    paths = " ".join(f"data/{name}" for name in names)
    return f"Call 'git checkout -- {paths}', or copy that from a fresh kit."


def check_imdb() -> Finding:
    """Say where the lessons find IMDB; without it they take the sample.

    A variable that names a folder without the data is a failure: the lessons
    refuse to guess.
    """
    from ...data.imdb import imdb_cache, imdb_mirror, imdb_named

    try:
        folder, by = imdb_named() or ("", "")
    except FileNotFoundError as error:
        seen = "classroom.json is not what an installer leaves"
        return Finding("IMDB", FAIL, seen, f"{error}.")
    try:
        found = imdb_mirror() is not None
    except FileNotFoundError:
        return Finding(
            "IMDB",
            FAIL,
            f"{by} names a folder without it",
            f"Correct or take away what {by} names, now {folder!r}.",
        )
    if found:
        return Finding("IMDB", OK, f"found, by {by}")
    if imdb_cache() is not None:
        return Finding("IMDB", OK, "found, in the Hub's cache")
    return Finding("IMDB", OK, "not here: the lessons use the sample")


def check_hub(network: bool = False, seconds: float = 5.0) -> Finding:
    """Ask the Hub, if that is wanted; no lesson needs it.

    Parameters
    ----------
    network : bool, default False
        Without it nothing leaves the machine.
    seconds : float, default 5.0
        How long to wait.
    """
    if not network:
        return Finding("Hub", OK, "not asked; --network asks")
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        return Finding("Hub", OK, "not asked: HF_HUB_OFFLINE is set")
    # The address may hold a password, so that only the host is shown.
    host = constants.ENDPOINT.rpartition("//")[2].rpartition("@")[2].split("/")[0]
    problem = ["no answer in time"]

    def ask() -> None:
        try:
            HfApi(token=False).dataset_info("stanfordnlp/imdb", timeout=seconds)
            problem[0] = ""
        except Exception as error:
            response = getattr(error, "response", None)
            code = getattr(response, "status_code", None)
            problem[0] = f"status {code}" if code else type(error).__name__

    # In a thread of its own, for a bad network can hold up the name look-up
    # longer than any timeout of the request.
    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(seconds + 1)
    if problem[0]:
        cure = (
            "Go on without: no lesson needs the Hub; for a download, look at the"
            " network, its proxy and HF_ENDPOINT."
        )
        return Finding("Hub", WARN, f"{host} is not usable: {problem[0]}", cure)
    return Finding("Hub", OK, f"{host} answers")


def check_progress() -> Finding:
    """Read what was done so far, and try to write beside it."""
    from ...lessons.exercises import record

    path = record.record_path().absolute()
    cure = (
        f"Move {path} away, or name another file in DISTILL_PROGRESS; until then"
        " progress is kept for a session only."
    )
    try:
        count = len(record.read_record(path))
    except record.RecordError as error:
        return Finding("progress", WARN, str(error), cure)
    problem = write_problem(path.parent)
    if problem:
        return Finding("progress", WARN, problem, cure)
    return Finding("progress", OK, f"{count} exercises tried, {path}")
