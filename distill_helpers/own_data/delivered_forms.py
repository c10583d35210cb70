"""The forms a student can be delivered in: the kit's compressions, each as a bundle.

A form changes the student's shape, rounds its ONNX file, or does both. It is written
as the bundle that would be handed over, so that its size and its answers are those of
the thing itself. Nothing is trained again after a change of shape.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..compression.onnx_quantisation import quantise_dynamic, quantise_four_bits
from ..compression.pruning import importances, prune, prune_filters
from ..compression.vocabulary import factorise_embedding, prune_vocabulary
from ..data.encoding import EncodedReviews
from ..export.bundle import write_bundle
from ..export.onnx import OnnxClassifier, trace_onnx
from ..students.text_cnn import TextCNNForSequenceClassification
from ..teachers.mixed import calibration_temperature
from .looking import Texts

SHARE = 0.3
"""Of the channels, filters or heads' channels that pruning takes away."""
READ = 256
"""Texts by which pruning judges what matters."""
LEAST_WIDTH = 16
"""Columns of an embedding below which there is nothing to factorise."""


class DoesNotApplyError(ValueError):
    """A form that a student cannot have."""


@dataclass(frozen=True)
class Source:
    """A trained student and what it read.

    Attributes
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerFast
    reads : callable
        Gives what it was trained on, as EncodedReviews.
    texts : sequence of str
        The same, as texts.
    """

    model: Any
    tokenizer: Any
    reads: Callable[[], EncodedReviews]
    texts: Sequence[str]


@dataclass(frozen=True)
class DeliveredForm:
    """A form of a student.

    Attributes
    ----------
    told : str
        What it is, for people.
    reshape : callable or None
        From a `Source` to a smaller model and its tokeniser; a ValueError says why
        it does not apply.
    rounding : callable or None
        From an ONNX file to one of fewer bits.
    """

    told: str
    reshape: Callable[[Source], tuple] | None
    rounding: Callable[[Path, Path], Path] | None


def _fewer_words(source: Source) -> tuple:
    rows, words = _table(source).weight.shape[0], len(source.tokenizer)
    if rows != words:
        raise ValueError(
            f"its table has {rows:,} rows for {words:,} words: no word has one row"
        )
    return prune_vocabulary(source.model, source.tokenizer, source.texts, words // 2)


def _pruned(source: Source) -> tuple:
    found = importances(source.model, source.tokenizer, _first(source.reads()))
    if isinstance(source.model, TextCNNForSequenceClassification):
        return prune_filters(source.model, SHARE, found), source.tokenizer
    return prune(source.model, ffn=SHARE, heads=SHARE, scores=found), source.tokenizer


def _first(reads: EncodedReviews) -> EncodedReviews:
    told = reads.teacher_logits
    return EncodedReviews(
        reads.token_ids[:READ],
        reads.labels[:READ],
        None if told is None else told[:READ],
        label_names=reads.label_names,
    )


def _narrow(source: Source) -> tuple:
    width = _table(source).weight.shape[1]
    if width < LEAST_WIDTH:
        raise ValueError(f"its table is {width} wide: nothing to factorise")
    return factorise_embedding(source.model, width // 4), source.tokenizer


def _table(source: Source):
    table = source.model.get_input_embeddings()
    if getattr(table, "weight", None) is None:
        raise ValueError("it has no table of words")
    return table


_EIGHT = quantise_dynamic
FORMS: Mapping[str, DeliveredForm] = MappingProxyType(
    {
        "fp32": DeliveredForm("as it was trained, in FP32", None, None),
        "int8": DeliveredForm("weights in INT8", None, _EIGHT),
        "int4": DeliveredForm("weights in four bits", None, quantise_four_bits),
        "fewer-words": DeliveredForm("half its words, INT8", _fewer_words, _EIGHT),
        "pruned": DeliveredForm(
            f"{SHARE:.0%} of its channels or filters taken away, INT8", _pruned, _EIGHT
        ),
        "narrow": DeliveredForm(
            "its table of words factorised to a quarter of its width, INT8",
            _narrow,
            _EIGHT,
        ),
    }
)
"""Every form by its name."""
USUAL = "int8"
"""What is delivered where nobody chooses."""


def reshaped(form: str, source: Source) -> tuple:
    """Return the model and the tokeniser that a form is made of.

    Parameters
    ----------
    form : str
        One of :data:`FORMS`.
    source : Source
        It is not changed.

    Returns
    -------
    (PreTrainedModel, PreTrainedTokenizerFast)

    Raises
    ------
    DoesNotApplyError
        If such a student cannot have the form; the message says why.
    """
    reshape = FORMS[form].reshape
    if reshape is None:
        return source.model, source.tokenizer
    with _or_not(form):
        return reshape(source)


@contextmanager
def _or_not(form: str) -> Iterator[None]:
    """Take a refusal of the kit's compressions for what it is."""
    try:
        yield
    except ValueError as error:
        raise DoesNotApplyError(f"{form}: {error}") from error


def write_form(
    folder: Path,
    form: str,
    model,
    tokenizer,
    texts: Texts,
    trace: Callable[[Any, Path], Path] = trace_onnx,
) -> Path:
    """Write a student as the bundle of a form, calibrated on the validation texts.

    Parameters
    ----------
    folder : Path
        Must not exist yet, or be empty; appears whole or not at all.
    form : str
        One of :data:`FORMS`.
    model, tokenizer
        From :func:`reshaped`.
    texts : Texts
    trace : callable, default trace_onnx
        Writes a model as an ONNX file; a
        :class:`~distill_helpers.export.refilling.Tracer` where there are many.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    DoesNotApplyError
        If the student has nothing that the form could round.
    """
    part = texts.reviews["validation"]
    with tempfile.TemporaryDirectory() as scratch:
        file = trace(model, Path(scratch) / "model.onnx")
        if rounding := FORMS[form].rounding:
            with _or_not(form):
                file = rounding(file, Path(scratch) / "rounded.onnx")
        logits = OnnxClassifier(file, tokenizer)(list(part["text"]))
        temperature = calibration_temperature(logits, np.asarray(part["label"]))
        return write_bundle(
            folder,
            file,
            tokenizer,
            texts.label_names,
            temperature=temperature,
            problem_type=texts.problem_type,
        )
