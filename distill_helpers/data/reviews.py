"""Reviews in four parts: labelled, unlabelled, validation and test.

One call serves our sample, IMDB and the reader's own file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

from ..arguments import check_whole
from .labels import SEVERAL_LABELS
from .report import LoadReport, make_report
from .rows import UNLABELLED
from .sources import Columns, Prepared, meant_by, prepare, stamp
from .splits import PARTS, Drawn, Sizes, draw_parts


class ReviewDict(DatasetDict):
    """A ``DatasetDict`` that remembers how it came about.

    Attributes
    ----------
    report : LoadReport
        Source, sizes, classes, and what was dropped and why.
    label_names : list of str
        The classes, in the order of their numbers.
    problem_type : str
        ``"single_label_classification"`` or ``"multi_label_classification"``.
    """

    report: LoadReport
    label_names: list[str]
    problem_type: str


def load_reviews(
    source: str | Path = "auto",
    labelled: int | None = None,
    transfer: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    seed: int = 0,
    validation_blocks: int = 1,
    *,
    text_column: str = "text",
    label_column: str = "label",
    split_column: str | None = "split",
    several_labels: str | None = None,
    parts_seed: int = 0,
) -> ReviewDict:
    """Load reviews, clean them, and keep the four parts apart.

    Parameters
    ----------
    source : str or Path, default "auto"
        ``"sample"``: the 3,400 reviews of the kit, with a fixed test and
        validation part. ``"imdb"``: a local mirror named by the environment
        variable ``DISTILL_IMDB``, else the Hub's cache, else the Hub.
        ``"auto"``: IMDB if a mirror or the cache has it, else the sample;
        never the network. Otherwise your own file, see
        :func:`distill_helpers.data.tables.read_file`; an empty label means none.
    labelled : int, optional
        Reviews in ``train``. By default 400 of the sample, 1,000 of IMDB, and of
        an own file all that have a label. The labels of the others are hidden,
        and their texts go to ``transfer``.
    transfer : int, optional
        Reviews in ``transfer``. By default all that are left, of IMDB 24,000.
    validation, test : int, optional
        By default the fixed parts of the sample; 1,000 and the whole test
        split of IMDB; the parts that an own file names, else a tenth and a fifth
        of its labelled rows.
    seed : int, default 0
        Draws train and transfer. Test and validation are the same for every
        seed, or later seeds would learn what the first is judged on.
    validation_blocks : int, default 1
        Where validation is drawn: how many reviews that stand side by side in
        the source go into it together. IMDB's labelled reviews stand film by
        film, so blocks of 100 keep most of its films out of training, as the
        test part does.
    text_column, label_column, split_column, several_labels
        How to read an own file, see
        :func:`distill_helpers.data.tables.read_file`.
    parts_seed : int, default 0
        Draws test and validation where the source does not fix them.

    Returns
    -------
    ReviewDict
        ``train``, ``validation`` and ``test`` have ``text`` and ``label``;
        ``transfer`` has ``text`` alone. ``label`` is a number, or, of several
        labels, a row of 0 and 1, one a class. ``.report`` says what was dropped:
        empty texts, and reviews that (nearly) equal another one. Like texts with
        different labels are all kept, in the same part.

    Raises
    ------
    ValueError
        If an argument or the file's content does not fit; the message names
        it. If a part would get fewer rows than were asked for.
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
        "train": check_whole("labelled", labelled, least=2, optional=True),
        "transfer": check_whole("transfer", transfer, least=0, optional=True),
        "validation": check_whole("validation", validation, least=2, optional=True),
        "test": check_whole("test", test, least=2, optional=True),
    }
    check_whole("seed", seed, least=0)
    check_whole("parts_seed", parts_seed, least=0)
    check_whole("validation_blocks", validation_blocks, least=1)
    name = meant_by(str(source))
    columns = Columns(text_column, label_column, split_column, several_labels)
    prepared = prepare(name, stamp(name), columns)
    note = prepared.rows.note + (", chosen by 'auto'" if str(source) == "auto" else "")
    _check_classes(prepared, label_column)
    drawn = draw_parts(
        prepared.frame,
        Sizes(wanted, prepared.rows.defaults),
        seed=seed,
        parts_seed=parts_seed,
        blocks=validation_blocks,
    )
    reviews = _to_datasets(prepared, drawn)
    reviews.report = make_report(prepared, drawn, note)
    return reviews


def _check_classes(prepared: Prepared, label_column: str) -> None:
    rows, label = prepared.rows, prepared.frame["label"]
    names = [rows.label_names[i] for i in sorted(set(label) - {UNLABELLED})]
    if len(names) < 2:
        raise ValueError(
            f"source={rows.source!r} must have at least two classes in column"
            f" {label_column!r}, got {names or 'none'}"
        )


def _to_datasets(prepared: Prepared, drawn: Drawn) -> ReviewDict:
    rows, frame = prepared.rows, prepared.frame
    features = {"text": Value("string"), "label": ClassLabel(names=rows.label_names)}
    if rows.problem_type == SEVERAL_LABELS:
        frame = frame.assign(label=frame["labels"])
        features["label"] = List(Value("float32"))
    if "kind" in frame:
        features["kind"] = Value("string")
    parts = {}
    for name in PARTS:
        kept = {c: f for c, f in features.items() if (name, c) != ("transfer", "label")}
        parts[name] = Dataset.from_pandas(
            frame.iloc[drawn.rows[name]][list(kept)].reset_index(drop=True),
            features=Features(kept),
            preserve_index=False,
        )
    reviews = ReviewDict(parts)
    reviews.label_names = list(rows.label_names)
    reviews.problem_type = rows.problem_type
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
