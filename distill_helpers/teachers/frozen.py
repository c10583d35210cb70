"""A pretrained encoder that stays as it is: texts in, one vector each out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import AutoModel, AutoTokenizer

from ..data.cleaning import text_hash
from ..data.encoding import device_of, length_grouped, to_device
from .live import (
    check_knows_words,
    on_accelerator,
    positions_of,
    tokenizer_content,
    weights_revision,
)
from .windows import tokenize_windows, window_batch

LONGEST = 256
"""Tokens of a window, unless the encoder has fewer positions."""


class FrozenEncoder:
    """Mean-pooled features of an encoder that is not trained further [1]_.

    Parameters
    ----------
    name : str or Path
        A folder or a Hub id, such as ``"sentence-transformers/all-MiniLM-L6-v2"``.
    batch_size : int, default 32
    progress : bool, default True

    Raises
    ------
    OSError
        If there is no such encoder.
    ValueError
        If it is none that reads a text between two special tokens.

    References
    ----------
    .. [1] N. Reimers, I. Gurevych, "Sentence-BERT", EMNLP 2019.
    """

    def __init__(
        self, name: str | Path, *, batch_size: int = 32, progress: bool = True
    ) -> None:
        self.name, self.batch_size, self.progress = str(name), batch_size, progress
        try:
            self.model = AutoModel.from_pretrained(
                name,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
            ).eval()
            self.tokenizer = AutoTokenizer.from_pretrained(
                name, trust_remote_code=False
            )
        except OSError as error:
            raise OSError(missing_encoder(name)) from error
        check_encoder(self.name, self.tokenizer)
        on_accelerator(self.model)
        self.max_length = window_length(self.model, self.tokenizer)
        self._known: dict[str, np.ndarray] = {}

    @property
    def fingerprint(self) -> str:
        """Name weights, tokeniser and manner of reading."""
        reads = tokenizer_revision(self.tokenizer)
        return f"{weights_revision(self.model)}-{reads}-{self.max_length}"

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return features of length 1, float32, shape (len(texts), width).

        Those of a text are computed once.
        """
        keys = [text_hash(text) for text in texts]
        new = {k: text for k, text in zip(keys, texts) if k not in self._known}
        if new:
            self._known.update(zip(new, self._features(list(new.values()))))
        return np.stack([self._known[key] for key in keys])

    @torch.inference_mode()
    def _features(self, texts: list[str]) -> np.ndarray:
        read = tokenize_windows(self.tokenizer, texts, self.max_length)
        lengths = [sum(map(len, windows)) for windows in read]
        output = np.zeros((len(texts), self.model.config.hidden_size), np.float32)
        for rows in tqdm(
            length_grouped(lengths, self.batch_size),
            "encoder",
            disable=not self.progress or len(texts) <= self.batch_size,
        ):
            batch = window_batch([read[i] for i in rows], self.tokenizer.pad_token_id)
            output[rows] = self._pooled(batch).cpu().numpy()
        return output

    def _pooled(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        batch = to_device(batch, device_of(self.model))
        owners, mask = batch["review_index"], batch["attention_mask"]
        hidden = self.model(
            input_ids=batch["input_ids"], attention_mask=mask
        ).last_hidden_state.float()
        sums = (hidden * mask[:, :, None]).sum(1)
        whole = sums.new_zeros(int(owners.max()) + 1, sums.shape[-1])
        # The mean's length does not matter, for all are made 1 long.
        return F.normalize(whole.index_add(0, owners, sums), dim=1)


def missing_encoder(name: str | Path) -> str:
    return (
        f"encoder={str(name)!r} is neither a folder with an encoder (config.json,"
        " model.safetensors, tokeniser) nor a model that the Hub or its local cache"
        " gives. Check the spelling and the network; how='linear' needs no encoder."
    )


def check_encoder(name: str, tokenizer) -> None:
    check_knows_words(tokenizer)
    needed = ("cls_token", "sep_token", "pad_token")
    lacks = [token for token in needed if getattr(tokenizer, token, None) is None]
    if lacks:
        raise ValueError(
            f"encoder={name!r} has a tokeniser without {', '.join(lacks)}: a text is"
            " read between these, as BERT and its like do. Give an encoder of that"
            " kind, such as a sentence encoder."
        )


def tokenizer_revision(tokenizer) -> str:
    """Name a tokeniser by its vocabulary and rules, in 16 hexadecimal digits."""
    content = tokenizer_content(tokenizer)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def window_length(model, tokenizer) -> int:
    """Return how many tokens an encoder reads at once, at most :data:`LONGEST`."""
    positions = positions_of(model) or LONGEST
    return min(LONGEST, positions, tokenizer.model_max_length)
