"""Ask a model for logits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from ..data.class_order import class_order, config_names, ordered, real_names
from ..data.cleaning import check_texts
from ..data.encoding import (
    DistillationCollator,
    EncodedReviews,
    device_of,
    encode_texts,
    length_grouped,
    to_device,
)

Predictor = Callable[[Sequence[str]], np.ndarray]


def predictor(
    model,
    tokenizer,
    batch_size: int = 64,
    *,
    label_names: Sequence[str] | None = None,
) -> Predictor:
    """Wrap a student and its tokeniser as a function from texts to logits.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    batch_size : int, default 64
    label_names : sequence of str, optional
        The classes of the data, in the order of its class numbers: the logits are
        put into it by name. By default they stand as the student has them.

    Returns
    -------
    callable
        Texts in, float32 logits (texts, classes) out; like lengths are put
        side by side.

    Raises
    ------
    ClassNamesError
        If `label_names` are not the student's classes.
    """
    _order(model, label_names)  # before any work

    def predict(texts: Sequence[str]) -> np.ndarray:
        check_texts(texts)
        ids = encode_texts(tokenizer, list(texts))
        encoded = EncodedReviews(ids, np.full(len(ids), -100), label_names=label_names)
        return predict_encoded(model, tokenizer, encoded, batch_size)

    return predict


@torch.inference_mode()
def predict_encoded(
    model, tokenizer, reviews: EncodedReviews, batch_size: int = 64
) -> np.ndarray:
    """Return a student's logits for reviews that are tokenised already.

    Parameters
    ----------
    model : PreTrainedModel
        On any device.
    tokenizer : PreTrainedTokenizerBase
        Gives the padding id.
    reviews : EncodedReviews
        What it holds beside token ids goes to a student whose ``forward`` has a
        parameter of that name, such as ``pixel_values``.
    batch_size : int, default 64

    Returns
    -------
    ndarray of float32, shape (len(reviews), classes)
        In the order of the classes of `reviews` where both they and the student
        name them, else in the student's.

    Raises
    ------
    ClassNamesError
        If the names are not the same.
    """
    order = _order(model, reviews.label_names)
    collate = DistillationCollator(tokenizer.pad_token_id)
    model.eval()
    output = np.zeros((len(reviews), model.config.num_labels), np.float32)
    accepted = accepted_names(model)
    further = for_student(reviews.tensors, accepted)
    for rows in length_grouped(reviews.lengths, batch_size):
        batch = collate([_example(reviews, further, row) for row in rows])
        batch = to_device(for_student(batch, accepted), device_of(model))
        output[rows] = model(**batch).logits.float().cpu().numpy()
    return output if order is None else ordered(output, order)


def accepted_names(model) -> set[str] | None:
    """Return what a model's ``forward`` takes by name; None for whatever there is."""
    parameters = inspect.signature(model.forward).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return None
    return set(parameters)


def for_student(batch: Mapping, accepted: set[str] | None) -> dict:
    """Return the part of a batch that a student reads.

    Parameters
    ----------
    batch : mapping of str to anything
    accepted : set of str or None
        From :func:`accepted_names`.

    Returns
    -------
    dict
        Never labels, nor what begins with ``teacher_``.
    """
    return {
        name: value
        for name, value in batch.items()
        if name != "labels"
        and not name.startswith("teacher_")
        and (accepted is None or name in accepted)
    }


def _example(reviews: EncodedReviews, further: Mapping, row: int) -> dict:
    own = {"input_ids": reviews.token_ids[row], "labels": -100}
    return own | {name: values[row] for name, values in further.items()}


def _order(model, label_names: Sequence[str] | None) -> list[int] | None:
    """Say in which order the student's logits stand as the data has its classes."""
    own, wanted = real_names(config_names(model.config)), real_names(label_names)
    if not own or not wanted or own == wanted:
        return None
    return class_order(own, wanted, count=len(own), whose="the student")
