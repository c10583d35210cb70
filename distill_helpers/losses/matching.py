"""Hidden-state distillation: which layer imitates which.

Layer matches are declared as data. The projections that they need belong to
training alone: they live outside the student, in a group of the optimizer of
their own, and never ride into its saved weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedModel

from ..arguments import check_number
from ..data.encoding import device_of, to_device
from ..data.vocabulary import check_same_vocabulary
from .hidden import hidden_state_loss
from .weighted import WeightedLoss, count_tokens


@dataclass(frozen=True)
class LayerMatch:
    """One layer of the student that imitates one of the teacher.

    Attributes
    ----------
    student, teacher : int
        Places in ``hidden_states``: 0 is the embedding, -1 the last layer.
    weight : float
        Of this term in the loss; above 0.
    """

    student: int = -1
    teacher: int = -1
    weight: float = 1.0


class HiddenStateMatcher(nn.Module):
    """The loss between a student's hidden states and its teacher's [1]_, [2]_.

    Parameters
    ----------
    teacher_model : PreTrainedModel
        An encoder that returns ``hidden_states``; it is frozen.
    teacher_tokenizer, student_tokenizer : PreTrainedTokenizerBase
        Must share one vocabulary: both models read the same token ids.
    student_model : PreTrainedModel
        Asked for its widths once.
    matches : sequence of LayerMatch
    seed : int, default 0
        Draws the projections' first weights.

    Raises
    ------
    ValueError
        If the vocabularies differ, there is no match, a layer does not exist,
        or a weight is not a finite number above 0.

    References
    ----------
    .. [1] A. Romero et al., "FitNets", ICLR 2015, arXiv:1412.6550.
    .. [2] X. Jiao et al., "TinyBERT", 2020, arXiv:1909.10351.
    """

    def __init__(
        self,
        teacher_model: PreTrainedModel,
        teacher_tokenizer,
        student_model: PreTrainedModel,
        student_tokenizer,
        matches: Sequence[LayerMatch] = (LayerMatch(),),
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_same_vocabulary(student_tokenizer, teacher_tokenizer)
        if not matches:
            raise ValueError("matches must hold at least one LayerMatch, got none")
        # In a list, so that it is no submodule: it neither trains nor is saved.
        self._teacher = [teacher_model.eval().requires_grad_(False)]
        self.matches = list(matches)
        widths = [_widths(model) for model in (student_model, teacher_model)]
        for match in self.matches:
            _check_match(match, *widths)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.projections = nn.ModuleList(
                _projection(widths[0][m.student], widths[1][m.teacher])
                for m in self.matches
            )

    def forward(self, student_hidden, input_ids, attention_mask) -> torch.Tensor:
        """Return the weighted sum over the matches, a mean over real tokens.

        Parameters
        ----------
        student_hidden : sequence of Tensor, shape (batch, length, width)
            The student's ``hidden_states``.
        input_ids, attention_mask : Tensor, shape (batch, length)

        Returns
        -------
        Tensor, shape ()
        """
        teacher = self._teacher[0]
        read = {"input_ids": input_ids, "attention_mask": attention_mask}
        with torch.no_grad():
            teacher_hidden = teacher(
                **to_device(read, device_of(teacher)), output_hidden_states=True
            ).hidden_states
        terms = [
            match.weight
            * hidden_state_loss(
                student_hidden[match.student],
                teacher_hidden[match.teacher].to(input_ids.device),
                attention_mask,
                projection,
            )
            for match, projection in zip(self.matches, self.projections)
        ]
        return torch.stack(terms).sum()

    def as_loss(self) -> WeightedLoss:
        """Make this a loss of the trainer's list, ``hidden_states`` by name."""

        def function(outputs, batch, divisor):
            ids, mask = batch["input_ids"], batch["attention_mask"]
            # A mean over this batch, by its share of all that count.
            share = count_tokens(batch) / divisor
            return share * self(outputs.hidden_states, ids, mask)

        return WeightedLoss(
            "hidden_states",
            function,
            count=count_tokens,
            asks=frozenset({"output_hidden_states"}),
        )


def _projection(student_width: int, teacher_width: int) -> nn.Module:
    if student_width == teacher_width:
        return nn.Identity()
    return nn.Linear(student_width, teacher_width)


@torch.no_grad()
def _widths(model: PreTrainedModel) -> list[int]:
    """Return the width of every hidden state, by asking for one token."""
    token = torch.ones(1, 1, dtype=torch.long, device=device_of(model))
    training = model.training
    answer = model.eval()(
        input_ids=token, attention_mask=token, output_hidden_states=True
    )
    model.train(training)
    if not getattr(answer, "hidden_states", None):
        raise ValueError(f"{type(model).__name__} returns no hidden states to compare")
    return [hidden.shape[-1] for hidden in answer.hidden_states]


def _check_match(match: LayerMatch, student: list[int], teacher: list[int]) -> None:
    for who, layer, widths in (
        ("student", match.student, student),
        ("teacher", match.teacher, teacher),
    ):
        if not -len(widths) <= layer < len(widths):
            raise ValueError(
                f"the {who} has hidden states 0 to {len(widths) - 1}, got {layer}"
            )
    check_number("weight", match.weight, above=0)
