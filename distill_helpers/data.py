"""Reviews in four parts: labelled, unlabelled, validation and test.

One call serves our sample, IMDB and the reader's own file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, load_dataset

from .cleaning import clean_text
from .duplicates import duplicate_groups

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"
SAMPLE_FILE = DATA_FOLDER / "sample_reviews" / "reviews.jsonl"
IMDB_ID = "stanfordnlp/imdb"
IMDB_VARIABLE = "DISTILL_IMDB"
IMDB_SPLITS = ("train", "test", "unsupervised")
PARTS = ("train", "transfer", "validation", "test")
_SUFFIXES = (".csv", ".parquet", ".jsonl")
_UNLABELLED = -1


class ReviewDict(DatasetDict):
    """A ``DatasetDict`` that remembers how it came about.

    Attributes
    ----------
    report : LoadReport
        Source, sizes, and what was dropped and why.
    """

    report: LoadReport


@dataclass
class LoadReport:
    """What :func:`load_reviews` read, kept and dropped."""

    source: str
    note: str
    sizes: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        sizes = ", ".join(f"{n:,} {part}" for part, n in self.sizes.items())
        lines = [f"source: {self.source} ({self.note})", f"kept: {sizes}"]
        reasons = [f"{n:,} {why}" for why, n in self.dropped.items() if n]
        lines.append(f"dropped: {', '.join(reasons) or 'nothing'}")
        return "\n".join(lines)


@dataclass
class _Rows:
    """Everything a source has, before it is split."""

    frame: pd.DataFrame  # text, label (-1: none), part ("" or a fixed one)
    label_names: list[str]
    source: str
    note: str
    defaults: dict[str, int | None]


def load_reviews(
    source: str | Path = "auto",
    labelled: int | None = None,
    transfer: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    seed: int = 0,
    validation_blocks: int = 1,
) -> ReviewDict:
    """Load reviews, clean them, and keep the four parts apart.

    Parameters
    ----------
    source : str or Path, default "auto"
        ``"sample"``: the 3,400 reviews of the kit, with a fixed test and
        validation part. ``"imdb"``: a local mirror named by the environment
        variable ``DISTILL_IMDB``, else the Hub's cache, else the Hub.
        ``"auto"``: IMDB if a mirror or the cache has it, else the sample;
        never the network. Otherwise a CSV, Parquet or JSON Lines file with
        columns ``text`` and ``label``; an empty label means none.
    labelled : int, optional
        Reviews in ``train``. By default 400 of the sample, 1,000 of IMDB, a
        third of an own file (1,000 at most).
    transfer : int, optional
        Reviews in ``transfer``. By default all that are left, of IMDB 24,000.
    validation, test : int, optional
        By default the fixed parts of the sample; 1,000 and the whole test
        split of IMDB; a tenth and a fifth of an own file.
    seed : int, default 0
        Draws the reviews where the split is not fixed.
    validation_blocks : int, default 1
        Where validation is drawn: how many reviews that stand side by side in
        the source go into it together. IMDB's labelled reviews stand film by
        film, so blocks of 100 keep most of its films out of training, as the
        test part does.

    Returns
    -------
    ReviewDict
        ``train``, ``validation`` and ``test`` have ``text`` and ``label``;
        ``transfer`` has ``text`` alone. ``.report`` says what was dropped:
        empty texts, and reviews that (nearly) equal one in another part.

    Raises
    ------
    ValueError
        If an argument or the file's content does not fit; the message names
        it.
    FileNotFoundError
        If a file is missing, or IMDB is neither mirrored, cached nor
        reachable.

    Examples
    --------
    >>> reviews = load_reviews("sample", labelled=100)
    >>> reviews["train"].num_rows
    100
    """
    wanted = {
        "train": _check_count("labelled", labelled, least=2),
        "transfer": _check_count("transfer", transfer, least=0),
        "validation": _check_count("validation", validation, least=2),
        "test": _check_count("test", test, least=2),
    }
    _check_count("seed", seed, least=0)
    _check_count("validation_blocks", validation_blocks, least=1)
    name = str(source)
    rows, frame, empty = _prepare(name, _stamp(name))
    _check_classes(frame, rows)
    report = LoadReport(rows.source, rows.note, dropped={"empty": empty})
    rng = np.random.default_rng(seed)
    chosen = _choose_parts(frame, wanted, rows.defaults, rng, validation_blocks)
    parts = _drop_duplicates(frame, chosen, report)
    parts = _trim(parts, chosen)
    report.sizes = {part: len(parts[part]) for part in PARTS}
    return _to_datasets(parts, rows.label_names, report)


# ------------------------------------------------------------ the sources
def _stamp(name: str) -> tuple:
    """Change when a source may have changed since it was last read."""
    path = Path(name)
    if path.is_file():
        return path.stat().st_mtime_ns, path.stat().st_size
    return (imdb_named(), name == "auto" and imdb_is_local())


@lru_cache(maxsize=2)
def _prepare(name: str, stamp: tuple) -> tuple[_Rows, pd.DataFrame, int]:
    """Read and clean a source once; every seed splits the same frame."""
    rows = _read_source(name)
    frame, empty = _clean(rows.frame)
    groups = duplicate_groups(frame["text"].tolist())
    return rows, frame.assign(group=groups), empty


def _read_source(name: str) -> _Rows:
    if name == "auto":
        name = "imdb" if imdb_is_local() else "sample"
        note = "chosen by 'auto'"
    else:
        note = ""
    if name == "sample":
        return _read_sample(note)
    if name == "imdb":
        return _read_imdb(note)
    if Path(name).suffix.lower() in _SUFFIXES:
        return _read_file(Path(name))
    raise ValueError(
        "source must be 'auto', 'sample', 'imdb' or the path of a"
        f" {', '.join(_SUFFIXES)} file, got {name!r}"
    )


def _read_sample(note: str) -> _Rows:
    lines = SAMPLE_FILE.read_text(encoding="utf-8").splitlines()
    frame = pd.DataFrame([json.loads(line) for line in lines])
    frame["part"] = frame["split"].replace("pool", "")
    frame = frame[["text", "label", "part", "kind"]]
    note = f"our own reviews, CC0{', ' + note if note else ''}"
    defaults = {"train": 400, "transfer": None, "validation": None, "test": None}
    return _Rows(frame, ["negative", "positive"], "sample", note, defaults)


def imdb_named() -> tuple[str, str] | None:
    """Return the folder that is named as IMDB's copy, and what names it.

    The variable ``DISTILL_IMDB`` comes first, then ``classroom.json``, which
    the installer of an offline bundle leaves in the project's folder.
    """
    value = os.environ.get(IMDB_VARIABLE)
    if value:
        return value, IMDB_VARIABLE
    installed = DATA_FOLDER.parent / "classroom.json"
    if not installed.is_file():
        return None
    value = json.loads(installed.read_text("utf-8")).get("imdb")
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
    return imdb_mirror() is not None or imdb_cache() is not None


def _read_imdb(note: str) -> _Rows:
    local, where = imdb_mirror(), "local mirror"
    if local is None:
        local, where = imdb_cache(), "Hub cache"
    if local is None:
        splits, where = fetch_imdb(), "Hub"
    else:
        splits = load_dataset("parquet", data_files=local)
    frames = []
    for name in IMDB_SPLITS:
        frame = splits[name].to_pandas()[["text", "label"]]
        frame["part"] = {"test": "test", "unsupervised": "transfer"}.get(name, "")
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    note = f"{where}{', ' + note if note else ''}"
    defaults = {"train": 1_000, "transfer": 24_000, "validation": 1_000, "test": None}
    return _Rows(frame, ["negative", "positive"], "imdb", note, defaults)


def whole_imdb() -> pd.DataFrame:
    """Return every review of IMDB, cleaned, for the making of the teacher.

    Returns
    -------
    pandas.DataFrame
        Columns ``text``, ``label`` (-1 where there is none), ``split``
        (``train``, ``test``, ``unsupervised``) and ``group``: equal numbers
        mark reviews that are (nearly) the same.
    """
    _, frame, _ = _prepare("imdb", _stamp("imdb"))
    split = frame["part"].replace({"": "train", "transfer": "unsupervised"})
    return frame[["text", "label", "group"]].assign(split=split)


def whole_sample() -> pd.DataFrame:
    """Return every sample review, cleaned, with its ``split``."""
    frame, _ = _clean(_read_sample("").frame)
    split = frame["part"].replace("", "pool")
    return frame[["text", "label", "kind"]].assign(split=split)


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


def _read_file(path: Path) -> _Rows:
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
    frame.loc[frame["label"] == _UNLABELLED, "part"] = "transfer"
    usable = int((frame["label"] != _UNLABELLED).sum())
    defaults = {
        "train": min(1_000, max(2, usable // 3)),
        "transfer": None,
        "validation": max(2, usable // 10),
        "test": max(2, usable // 5),
    }
    return _Rows(frame, names, path.name, "your own file", defaults)


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
    return names.map(lambda n: numbers.get(n, _UNLABELLED)).to_numpy(), classes


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


# -------------------------------------------------------------- the split
@dataclass
class _Chosen:
    rows: np.ndarray  # candidates, a few more than wanted
    want: int


def _clean(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    texts = [clean_text(t) if isinstance(t, str) else "" for t in frame["text"]]
    frame = frame.assign(text=texts)
    kept = frame[frame["text"].map(lambda t: any(map(str.isalnum, t)))]
    return kept.reset_index(drop=True), len(frame) - len(kept)


def _check_classes(frame: pd.DataFrame, rows: _Rows) -> None:
    found = sorted(set(frame["label"]) - {_UNLABELLED})
    if len(found) < 2:
        names = [rows.label_names[i] for i in found]
        raise ValueError(
            f"source={rows.source!r} must have at least two classes in column"
            f" 'label', got {names or 'none'}"
        )


def _choose_parts(frame, wanted, defaults, rng, blocks) -> dict[str, _Chosen]:
    """Draw candidates for each part; labelled parts are stratified."""
    part, label = frame["part"].to_numpy(), frame["label"].to_numpy()
    pool = rng.permutation(np.flatnonzero(part == ""))
    chosen = {}
    for name in ("test", "validation", "train"):
        fixed = rng.permutation(np.flatnonzero(part == name))
        source = fixed if len(fixed) else pool
        want = wanted[name] if wanted[name] is not None else defaults[name]
        want = len(source) if want is None else want
        _check_available(name, want, len(source))
        if name == "validation" and blocks > 1:
            source = _in_blocks(source, label, blocks, rng)
        rows = _stratified(source, label, want, spare=not len(fixed))
        chosen[name] = _Chosen(rows, want)
        pool = pool[~np.isin(pool, rows)]
    spare = sum(max(0, len(c.rows) - c.want) for c in chosen.values())
    extra = np.concatenate([pool, np.flatnonzero(part == "transfer")])
    extra = rng.permutation(extra)
    want = wanted["transfer"]
    want = defaults["transfer"] if want is None else want
    want = len(extra) + spare if want is None else want
    _check_available("transfer", want, len(extra) + spare)
    chosen["transfer"] = _Chosen(extra[: int(want * 1.05) + 20], want)
    return chosen


def _in_blocks(rows, label, size: int, rng) -> np.ndarray:
    """Shuffle whole runs of neighbours of one class, not single reviews."""
    rows = np.sort(rows)
    runs = []
    for value in np.unique(label[rows]):
        same = rows[label[rows] == value]
        runs += [same[i : i + size] for i in range(0, len(same), size)]
    return np.concatenate([runs[i] for i in rng.permutation(len(runs))])


def _stratified(rows, label, want: int, spare: bool) -> np.ndarray:
    """Interleave the classes in proportion; take `want` and some spare."""
    ranked = pd.DataFrame({"row": rows, "label": label[rows]})
    place = ranked.groupby("label").cumcount()
    size = ranked.groupby("label")["row"].transform("size")
    order = ((place + 0.5) / size).argsort(kind="stable")
    extra = want // 50 + 2 if spare else 0
    return ranked["row"].to_numpy()[order][: want + extra]


def _drop_duplicates(frame, chosen, report) -> dict[str, pd.DataFrame]:
    """Keep each group of like reviews in one part, the test part first."""
    order = ("test", "validation", "train", "transfer")
    rows = np.concatenate([chosen[name].rows for name in order])
    names = np.repeat(order, [len(chosen[name].rows) for name in order])
    groups = frame["group"].to_numpy()[rows]
    _, firsts, inverse = np.unique(groups, return_index=True, return_inverse=True)
    keeper = firsts[inverse]  # who stands for each review's group
    first = keeper == np.arange(len(rows))
    within = across = 0
    for index in np.flatnonzero(~first):
        same = names[keeper[index]] == names[index]
        within, across = within + same, across + (not same)
    report.dropped["duplicates within a part"] = int(within)
    report.dropped["duplicates of a review in another part"] = int(across)
    return {
        name: frame.iloc[rows[(names == name) & first]].reset_index(drop=True)
        for name in PARTS
    }


def _trim(parts, chosen) -> dict[str, pd.DataFrame]:
    """Cut each part to what was asked; spare rows join the transfer part."""
    labelled = [name for name in PARTS if name != "transfer"]
    spare = [parts[name].iloc[chosen[name].want :] for name in labelled]
    parts["transfer"] = pd.concat([parts["transfer"], *spare])
    return {
        name: parts[name].head(chosen[name].want).reset_index(drop=True)
        for name in PARTS
    }


def _to_datasets(parts, label_names: Sequence[str], report) -> ReviewDict:
    datasets = {}
    for name, frame in parts.items():
        columns = [c for c in ("text", "label", "kind") if c in frame.columns]
        features = {c: Value("string") for c in columns}
        features["label"] = ClassLabel(names=list(label_names))
        if name == "transfer":
            columns.remove("label")
            del features["label"]
        datasets[name] = Dataset.from_pandas(
            frame[columns], features=Features(features), preserve_index=False
        )
    reviews = ReviewDict(datasets)
    reviews.report = report
    return reviews


def fingerprint(dataset, teacher_logits: np.ndarray | None = None) -> str:
    """Return a short hash of reviews, their labels and a teacher's answers.

    Runs may be compared if they were judged on reviews, and by a teacher, of
    the same fingerprint.

    Parameters
    ----------
    dataset : datasets.Dataset
        Columns ``text`` and, optionally, ``label``.
    teacher_logits : ndarray, shape (reviews, classes), optional
        Rounded to two decimals, so that another machine's last bits do not
        count.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    labels = dataset["label"] if "label" in dataset.column_names else []
    digest.update(json.dumps([list(dataset["text"]), list(labels)]).encode())
    if teacher_logits is not None:
        rounded = np.round(np.asarray(teacher_logits, np.float64), 2) + 0.0
        digest.update(json.dumps(rounded.tolist()).encode())
    return digest.hexdigest()[:16]


def _check_count(name: str, value, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(
            f"{name} must be a whole number or None, got"
            f" {type(value).__name__}: {value!r}"
        )
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return int(value)


def _check_available(name: str, want: int, have: int) -> None:
    argument = {"train": "labelled"}.get(name, name)
    if want > have:
        raise ValueError(
            f"{argument}={want:,} asks for more reviews than the {have:,} that"
            " are left for it"
        )
