"""A fine-tuned classifier of the Hub as the teacher."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from ..data.encoding import length_grouped
from .base import Teacher
from .windows import tokenize_windows, window_batch, window_logits


class HuggingFaceTeacher(Teacher):
    """A live sequence classifier of the Hugging Face kind.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier.
    tokenizer : PreTrainedTokenizerBase
        Its own tokeniser. It is not the student's.
    max_length : int, default 256
        Tokens in a window, special tokens included.
    batch_size : int, default 32
        Reviews in one forward pass.
    windows : bool, default True
        Read a long review in two windows, its beginning and its end, and
        average the logits. False truncates to the first window.
    pad_to_max : bool, default False
        Pad every window to `max_length` (claim C11), to show what it costs.
    progress : bool, default True
        Show a progress bar.

    Raises
    ------
    ValueError
        If tokeniser and model cannot belong together, or `max_length` is
        more than the model has positions for.
    """

    def __init__(
        self,
        model,
        tokenizer,
        *,
        max_length: int = 256,
        batch_size: int = 32,
        windows: bool = True,
        pad_to_max: bool = False,
        progress: bool = True,
    ) -> None:
        _check_vocabulary(model, tokenizer)
        _check_max_length(model, max_length)
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.batch_size = batch_size
        self.windows = windows
        self.pad_to_max = pad_to_max
        self.progress = progress
        self.num_labels = model.config.num_labels
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Revision of the weights, maximum length and manner of reading."""
        if self._fingerprint is None:
            reading = "windows" if self.windows else "first"
            self._fingerprint = (
                f"{weights_revision(self.model)}-{self.max_length}-{reading}"
            )
        return self._fingerprint

    @classmethod
    def from_pretrained(cls, name: str | Path, revision: str | None = None, **options):
        """Load a classifier from a folder or the Hub.

        Parameters
        ----------
        name : str or Path
            Folder or Hub id.
        revision : str, optional
            Branch, tag or commit on the Hub.
        **options
            Passed to the constructor.

        Returns
        -------
        HuggingFaceTeacher

        Raises
        ------
        OSError
            If there is no such folder or the Hub cannot be reached; the
            message says what to do next.
        """
        from transformers import (
            AutoModelForSequenceClassification,
            AutoTokenizer,
        )

        try:
            model = AutoModelForSequenceClassification.from_pretrained(
                name, revision=revision, dtype=torch.float32
            )
            tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
        except OSError as error:
            raise OSError(
                f"teacher={str(name)!r} is neither a folder with a saved"
                " classifier nor a model that the Hub or its local cache"
                " gives. Check the spelling and the network, or use"
                " teacher='shipped', which needs neither."
            ) from error
        return cls(model, tokenizer, **options)

    @torch.inference_mode()
    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        reviews = tokenize_windows(
            self.tokenizer, texts, self.max_length, both=self.windows
        )
        lengths = [sum(map(len, review)) for review in reviews]
        output = np.zeros((len(reviews), self.num_labels), np.float32)
        batches = tqdm(
            length_grouped(lengths, self.batch_size),
            desc="teacher",
            disable=not self.progress or len(reviews) <= self.batch_size,
        )
        pad_to = self.max_length if self.pad_to_max else None
        for rows in batches:
            batch = window_batch(
                [reviews[i] for i in rows], self.tokenizer.pad_token_id, pad_to
            )
            output[rows] = window_logits(self.model, batch).cpu().numpy()
        return output


def weights_revision(model: torch.nn.Module) -> str:
    """Name a model's weights by their content.

    Parameters
    ----------
    model : Module

    Returns
    -------
    str
        16 hexadecimal digits of SHA-256 over names, shapes and values.
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        raw = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
        digest.update(raw.numpy().data)
    return digest.hexdigest()[:16]


def _check_vocabulary(model, tokenizer) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ValueError(
            f"tokenizer has {len(tokenizer)} tokens but the teacher's"
            f" embedding has {rows} rows: it is not this model's tokeniser."
            " Teacher and student share token ids only if they share the"
            " vocabulary; pass texts, and each side reads them its own way."
        )


def _check_max_length(model, max_length: int) -> None:
    positions = getattr(model.config, "max_position_embeddings", None)
    if max_length < 8 or (positions and max_length > positions):
        raise ValueError(
            f"max_length must lie in 8..{positions or 'any'} for this model,"
            f" got {max_length!r}"
        )


def folder_name(fingerprint: str) -> str:
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
