"""Readers of cards as ONNX graphs with two inputs, and two outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..data.cards import CARD_LENGTH, PICTURE_SHAPE, Cards
from ..students.card_reading import CardAnswers, card_tensors
from .onnx import OUTPUT, on_the_cpu, one_session, write_graph

CARD_INPUTS = ("input_ids", "pixel_values")
LOOKS = "maps"


class _AnswerAndLook(nn.Module):
    """A reader of cards that takes two tensors and returns two."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values):
        output = self.model(input_ids, pixel_values, output_attentions=True)
        maps = [heads.mean(1) for heads in output.cross_attentions]
        return output.logits, torch.stack(maps, 1)


def trace_cards(model, path: str | Path) -> Path:
    """Write a reader of cards as one ONNX file with a free batch size.

    Parameters
    ----------
    model : CrossAttentionForCards
        It stays on its device.
    path : str or Path
        Must not exist yet.

    Returns
    -------
    Path
        Inputs ``input_ids`` (batch, 14) and ``pixel_values`` (batch, 16, 24); outputs
        ``logits`` and ``maps``, as :class:`~distill_helpers.students.CardAnswers` has
        them.

    Raises
    ------
    FileExistsError
        If there is such a file already.
    """
    words = torch.arange(2 * CARD_LENGTH).reshape(2, -1) % 7 + 1
    example = dict(zip(CARD_INPUTS, (words, torch.ones(2, *PICTURE_SHAPE))))
    free = {0: torch.export.Dim("batch")}
    return write_graph(
        _AnswerAndLook(on_the_cpu(model.eval())),
        path,
        example,
        [OUTPUT, LOOKS],
        {name: free for name in CARD_INPUTS},
        model,
    )


class OnnxCards:
    """An ONNX file that answers cards.

    Parameters
    ----------
    path : str or Path
        From :func:`trace_cards`.
    threads : int, optional
        By default as many as PyTorch uses.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has other inputs.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        self.session = one_session(path, threads)
        names = [entry.name for entry in self.session.get_inputs()]
        if set(names) != set(CARD_INPUTS):
            raise ValueError(
                f"{str(path)!r} must have the inputs {list(CARD_INPUTS)}, got {names}"
            )

    def answer(self, cards: Cards) -> CardAnswers:
        """Answer some cards, as :func:`~distill_helpers.students.answer_cards` does."""
        feeds = {name: value.numpy() for name, value in card_tensors(cards).items()}
        logits, maps = self.session.run([OUTPUT, LOOKS], feeds)
        return CardAnswers(logits.astype(np.float32), maps.astype(np.float32))
