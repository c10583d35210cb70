"""Ask a model for logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..data.encoding import (
    DistillationCollator,
    EncodedReviews,
    device_of,
    encode_texts,
    length_grouped,
    to_device,
)

Predictor = Callable[[Sequence[str]], np.ndarray]


def predictor(model, tokenizer, batch_size: int = 64) -> Predictor:
    """Wrap a student and its tokeniser as a function from texts to logits.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    batch_size : int, default 64

    Returns
    -------
    callable
        Texts in, float32 logits (texts, classes) out; like lengths are put
        side by side.
    """

    def predict(texts: Sequence[str]) -> np.ndarray:
        ids = encode_texts(tokenizer, list(texts))
        encoded = EncodedReviews(ids, np.full(len(ids), -100))
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
    batch_size : int, default 64

    Returns
    -------
    ndarray of float32, shape (len(reviews), classes)
    """
    collate = DistillationCollator(tokenizer.pad_token_id)
    model.eval()
    output = np.zeros((len(reviews), model.config.num_labels), np.float32)
    for rows in length_grouped(reviews.lengths, batch_size):
        batch = collate(
            [{"input_ids": reviews.token_ids[i], "labels": -100} for i in rows]
        )
        del batch["labels"]
        logits = model(**to_device(batch, device_of(model))).logits
        output[rows] = logits.float().cpu().numpy()
    return output
