"""What the students share."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from ..data.labels import NO_LABEL, SEVERAL_LABELS, problem_type_of
from ..losses.several_labels import multi_label_cross_entropy


class StudentModel(PreTrainedModel):
    """Loss and output that all students share."""

    base_model_prefix = "student"
    main_input_name = "input_ids"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Conv1d)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.1)
            if module.padding_idx is not None:
                with torch.no_grad():
                    module.weight[module.padding_idx].zero_()

    def _output(self, logits, labels, hidden_states=None):
        loss = None
        if labels is not None and problem_type_of(self) == SEVERAL_LABELS:
            loss = multi_label_cross_entropy(logits, labels)
        elif labels is not None:
            loss = F.cross_entropy(logits, labels, ignore_index=NO_LABEL)
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=hidden_states
        )


def at_least_one_token(input_ids, attention_mask, pad_id: int):
    """Give a batch without any token one of padding: a ``pipeline`` asked about "".

    Both have shape (batch, length); the mask may be None.
    """
    if input_ids.shape[1] > 0:
        return input_ids, attention_mask
    input_ids = input_ids.new_full((len(input_ids), 1), pad_id)
    return input_ids, torch.zeros_like(input_ids)


def mask_of(input_ids, attention_mask, pad_id: int) -> torch.Tensor:
    mask = input_ids != pad_id
    return mask if attention_mask is None else mask & attention_mask.bool()


def mean_over_tokens(states, mask):
    """Average hidden states (batch, length, width) over the tokens that count.

    `mask` has shape (batch, length); a row without tokens gives zeros.
    """
    weight = mask[..., None].to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1)


def keep_end(input_ids, mask, positions: int):
    """Drop the beginning of each right-padded row that is too long."""
    lengths = mask.sum(1)
    start = (lengths - positions).clamp(min=0)
    index = start[:, None] + torch.arange(positions, device=mask.device)
    return input_ids.gather(1, index), mask.gather(1, index)
