"""From text to label in one folder: model, tokeniser, names, checksums.

A model file alone cannot read. A bundle holds what is needed besides: the
tokeniser, how a long text is cut, the names of the labels, the version of the
kit that made it, and a checksum for every file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from distill_helpers import __version__

from ..arguments import check_number
from ..data.class_order import folded
from ..data.cleaning import clean_text
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type
from ..files import whole_folder
from ..foreign import (
    ForeignFileError,
    Shape,
    label_name,
    list_of,
    mapping_of,
    number,
    one_of,
    optional,
    read_json,
    record,
    shown,
    text,
    whole,
)
from .answering import Answer, answers
from .onnx import OnnxClassifier

FORMAT = "distill-bundle-1"
FORMAT_OF_SEVERAL = "distill-bundle-2"
"""With several labels a text: a reader of the first would take them for one."""
MODEL, TOKENIZER, ABOUT = "model.onnx", "tokenizer.json", "bundle.json"

_FILE_NAME = text(r"(?!\.)[^\\/:]+", "a file's name without a folder", 200)
_LISTED = record({"bytes": whole(), "sha256": text(r"[0-9a-f]{64}", "a SHA-256")})
_TOKENS = list_of(whole(0, 2**31 - 1), most=16)


def _object(value: object, where: str) -> None:
    if not isinstance(value, dict):
        raise ForeignFileError(f"{where} must be an object")


ABOUT_SHAPE: Shape = record(
    {
        "labels": list_of(label_name, least=1),
        "temperature": number(above=0),
        "max_length": whole(1, 10**30),  # no limit, as transformers write it
        "keep": one_of("beginning", "end"),
        "before": _TOKENS,
        "after": _TOKENS,
        "pad_id": whole(0, 2**31 - 1),
        "files": mapping_of(_LISTED, _FILE_NAME, 100),
    },
    {"kit": optional(text()), "about": _object, "problem_type": text()},
)
"""What ``bundle.json`` must hold, apart from its format."""


class DamagedBundleError(ValueError):
    """A bundle's files are not what its list says."""


def write_bundle(
    folder: str | Path,
    onnx_file: str | Path,
    tokenizer,
    label_names: Sequence[str],
    *,
    temperature: float = 1.0,
    problem_type: str | None = None,
    about: dict | None = None,
) -> Path:
    """Put a model and all that it needs into a new folder.

    Parameters
    ----------
    folder : str or Path
        Must not exist yet, or be empty; appears whole or not at all.
    onnx_file : str or Path
        In floating point or quantised.
    tokenizer : PreTrainedTokenizerFast
        The model's.
    label_names : sequence of str
        In the order of the logits. Other words than the ONNX file's own names are
        welcome, such as a translation; its own names in another order are not.
    temperature : float, default 1.0
        Logits are divided by it, so that probabilities mean what they say;
        from :func:`~distill_helpers.teachers.mixed.calibration_temperature`.
    problem_type : str, optional
        ``"multi_label_classification"`` for several labels a text; by default what
        the ONNX file says.
    about : dict, optional
        Plain data to remember, such as scores.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    FileExistsError
        If the folder holds something.
    FileNotFoundError
        If there is no ONNX file.
    ValueError
        If the names are not as many as the logits or are the ONNX file's in
        another order, the temperature is not above 0, or `problem_type` is not
        what the ONNX file says.
    """
    check_number("temperature", temperature, above=0)
    source = OnnxClassifier(onnx_file, tokenizer)
    classes = source(["a"]).shape[1]
    kind = _problem_type(problem_type, source.problem_type)
    names = [str(name) for name in label_names]
    if len(set(names)) != classes:
        raise ValueError(
            f"label_names must hold {classes} different names, one for each logit,"
            f" got {names}"
        )
    _check_order(names, source.label_names)
    with whole_folder(folder) as made:
        shutil.copyfile(onnx_file, made / MODEL)
        _write_compactly(tokenizer, made / TOKENIZER)
        content = {
            "format": FORMAT if kind == ONE_LABEL else FORMAT_OF_SEVERAL,
            "kit": __version__,
            "labels": names,
            "problem_type": kind,
            "temperature": float(temperature),
            **_reading(tokenizer),
            "about": about or {},
            "files": {name: listed(made / name) for name in (MODEL, TOKENIZER)},
        }
        (made / ABOUT).write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return Path(folder)


def _check_order(names: list[str], noted: list[str] | None) -> None:
    """Refuse a name that belongs to another logit by the file's own words."""
    place = {folded(name): at for at, name in enumerate(noted or [])}
    for at, name in enumerate(names):
        if place.get(folded(name), at) != at:
            raise ValueError(
                f"label_names must have the ONNX file's order, {noted}, got {names}"
            )


def _problem_type(asked: str | None, noted: str) -> str:
    """What was asked for, unless the file is known to be of the other kind."""
    if asked is None:
        return noted
    if noted == SEVERAL_LABELS and check_problem_type(asked) != noted:
        raise ValueError(
            f"problem_type must be {noted!r}, as the ONNX file says, got {asked!r}"
        )
    return check_problem_type(asked)


def _write_compactly(tokenizer, path: Path) -> None:
    """Write a tokeniser without the spaces that make a file half again as long."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["truncation"] = state["padding"] = None  # the bundle says how to cut
    if state["model"]["type"] == "WordLevel":
        state["model"] = _as_word_pieces(state["model"])
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, "utf-8")


def _as_word_pieces(model: dict) -> dict:
    """Write whole words as word pieces, which tokenisers in pages know.

    No piece begins with the prefix that continues a word, so a word is known
    whole or not at all, as before.
    """
    return {
        "type": "WordPiece",
        "unk_token": model["unk_token"],
        "continuing_subword_prefix": "\x00",
        "max_input_chars_per_word": 1_000_000,
        "vocab": model["vocab"],
    }


def _reading(tokenizer) -> dict:
    """Say how a text is cut, and which tokens go around it."""
    word = tokenizer.unk_token or "a"
    plain = tokenizer(word, add_special_tokens=False)["input_ids"]
    around = tokenizer(word)["input_ids"]
    places = range(len(around) - len(plain) + 1)
    start = next(i for i in places if around[i : i + len(plain)] == plain)
    return {
        "max_length": int(tokenizer.model_max_length),
        "keep": "end" if tokenizer.truncation_side == "left" else "beginning",
        "before": around[:start],
        "after": around[start + len(plain) :],
        "pad_id": int(tokenizer.pad_token_id),
    }


def listed(path: Path) -> dict:
    """Return what a list says of a file: its ``bytes`` and its ``sha256``."""
    return {
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


class TextClassifier:
    """A bundle that answers texts, cleaned as in training.

    Parameters
    ----------
    folder : str or Path
        From :func:`write_bundle`.
    threads : int, optional
        Of ONNX Runtime.

    Raises
    ------
    FileNotFoundError
        If the folder or one of its files is missing.
    DamagedBundleError
        If the list is damaged, a file is not what it says, or the labels are not
        as many as the model's logits or stand in another order than the ONNX file
        names them.

    Attributes
    ----------
    labels : list of str
    problem_type : str
        One label a text, or several.
    """

    def __init__(self, folder: str | Path, *, threads: int | None = None) -> None:
        folder = Path(folder)
        self.about = read_about(folder)
        self.labels = self.about["labels"]
        self.problem_type = self.about["problem_type"]
        try:
            self._onnx = _opened(folder, self.about, threads)
            logits = self._onnx(["a"])
        except Exception as error:  # each library's own, for what it cannot read
            raise DamagedBundleError(
                f"{str(folder)!r} holds a model or a tokeniser that cannot be used:"
                f" {type(error).__name__}: {error}"
            ) from error
        if logits.shape != (1, len(self.labels)):
            raise DamagedBundleError(
                f"{str(folder / ABOUT)!r} must name a label for each logit: it has"
                f" {len(self.labels)} labels, the model answers {logits.shape[1:]}"
            )
        if not np.isfinite(logits).all():
            raise DamagedBundleError(
                f"{str(folder / MODEL)!r} answers what is no number: {logits[0]}"
            )
        try:
            _check_order(self.labels, self._onnx.label_names)
        except ValueError as error:
            raise DamagedBundleError(f"{str(folder / ABOUT)!r}: {error}") from error

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Return calibrated logits, float32, shape (len(texts), classes).

        Raises
        ------
        TypeError
            If `texts` is a single text, or one of them is no text.
        """
        if isinstance(texts, str):
            raise TypeError(
                f"texts must be a list of texts, got the text {texts!a:.60}"
            )
        if not isinstance(texts, Iterable):
            raise TypeError(
                f"texts must be a list of texts, got {type(texts).__name__}"
            )
        return self.of_clean([clean_text(text) for text in texts])

    __call__ = logits

    def of_clean(self, texts: list[str]) -> np.ndarray:
        """Return the logits of texts that are clean already."""
        if not texts:
            return np.zeros((0, len(self.labels)), np.float32)
        return self._onnx(texts) / np.float32(self.about["temperature"])

    def classify(self, texts: Sequence[str]) -> list[Answer]:
        """Return labels and their probabilities for each text.

        Returns
        -------
        list of Answer
        """
        return answers(self.logits(texts), self.labels, self.problem_type)


def _opened(folder: Path, about: dict, threads: int | None) -> OnnxClassifier:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / TOKENIZER),
        model_max_length=about["max_length"],
        truncation_side="left" if about["keep"] == "end" else "right",
    )
    used = {about["pad_id"], *about["before"], *about["after"]}
    if max(used) >= len(tokenizer):
        raise ValueError(
            f"{ABOUT} names token {max(used)}, the tokeniser has {len(tokenizer)}"
        )
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(about["pad_id"])
    # One by one and hardly padded, as a page reads them: what is padding
    # to one text would move the ranges of another's INT8.
    return OnnxClassifier(
        folder / MODEL, tokenizer, threads=threads, batch_size=1, multiple=2
    )


def read_about(folder: str | Path) -> dict:
    """Read a bundle's list and hold every file against it.

    Raises
    ------
    FileNotFoundError, DamagedBundleError
        As for :class:`TextClassifier`.
    """
    folder = Path(folder)
    path = folder / ABOUT
    if not path.is_file():
        raise FileNotFoundError(f"{str(folder)!r} is no bundle: it has no {ABOUT}")
    formats = {FORMAT: ONE_LABEL, FORMAT_OF_SEVERAL: SEVERAL_LABELS}
    try:
        about = read_json(path)
        _object(about, "it")
        if about.get("format") not in list(formats):
            raise ForeignFileError(
                f"it must have the format {' or '.join(map(repr, formats))}, got"
                f" {shown(about.get('format'))}"
            )
        ABOUT_SHAPE(about, "")
        _check_together(about)
    except ForeignFileError as error:
        raise DamagedBundleError(f"{str(path)!r} is damaged: {error}") from error
    kind = formats[about["format"]]
    if about.setdefault("problem_type", kind) != kind:
        raise DamagedBundleError(
            f"{str(path)!r} has the format {about['format']!r}, which is for"
            f" {kind!r}, and says problem_type {about['problem_type']!r}"
        )
    for name, entry in about["files"].items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"the bundle {str(folder)!r} lacks {name!r}")
        if listed(folder / name) != {key: entry[key] for key in ("bytes", "sha256")}:
            raise DamagedBundleError(
                f"{str(folder / name)!r} is not the file that the bundle was made with:"
                " its size or checksum differs"
            )
    return about


def _check_together(about: dict) -> None:
    """What no value shows alone."""
    lacking = [name for name in (MODEL, TOKENIZER) if name not in about["files"]]
    if lacking:
        raise ForeignFileError(f"files must list {MODEL} and {TOKENIZER}; no {lacking}")
    if len(set(about["labels"])) < len(about["labels"]):
        raise ForeignFileError(f"labels must differ, got {shown(about['labels'])}")
    around = len(about["before"]) + len(about["after"])
    if about["max_length"] <= around:
        raise ForeignFileError(
            f"max_length must leave room for a text beside {around} special tokens,"
            f" got {about['max_length']}"
        )


def bundle_bytes(folder: str | Path) -> int:
    """Add up the bytes of a bundle's files."""
    return sum(path.stat().st_size for path in Path(folder).iterdir())
