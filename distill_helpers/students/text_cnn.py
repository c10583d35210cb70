"""Convolutions over words, pooled."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

from .layers import StudentModel, at_least_one_token, mask_of
from .spec import Recipe, StudentSpec, model_type
from .splitting import by_pieces


class TextCNNConfig(PreTrainedConfig):
    """Config of :class:`TextCNNForSequenceClassification`."""

    model_type = model_type("text-cnn")

    def __init__(
        self,
        vocab_size=12_000,
        embedding_size=64,
        filters=128,
        widths=(1, 2, 3),
        dropout=0.2,
        pad_token_id=0,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.filters = filters
        self.widths = list(widths)
        self.dropout = dropout
        super().__init__(pad_token_id=pad_token_id, **kwargs)


class TextCNNForSequenceClassification(StudentModel):
    """Convolutions over word pieces, pooled by maximum and by mean.

    References
    ----------
    .. [1] Y. Kim, "Convolutional neural networks for sentence
       classification", EMNLP 2014.
    """

    config_class = TextCNNConfig

    def __init__(self, config: TextCNNConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(
            config.vocab_size, config.embedding_size, config.pad_token_id
        )
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.embedding_size, config.filters, width)
            for width in config.widths
        )
        self.dropout = nn.Dropout(config.dropout)
        pooled = 2 * config.filters * len(config.widths)
        self.classifier = nn.Linear(pooled, config.num_labels)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embedding = value

    def forward(
        self, input_ids, attention_mask=None, labels=None, **_
    ) -> SequenceClassifierOutput:
        """Return logits of shape (batch, classes)."""
        pad_id = self.config.pad_token_id
        input_ids, attention_mask = at_least_one_token(
            input_ids, attention_mask, pad_id
        )
        mask = mask_of(input_ids, attention_mask, pad_id)
        embedded = self.embedding(input_ids) * mask[..., None]
        embedded = self.dropout(embedded).transpose(1, 2)
        pooled = []
        for width, convolution in zip(self.config.widths, self.convolutions):
            padded = F.pad(embedded, (0, width - 1))
            features = F.relu(convolution(padded)) * mask[:, None]
            pooled.append(features.amax(dim=2))
            counts = mask.sum(1, keepdim=True).clamp(min=1)
            pooled.append(features.sum(dim=2) / counts)
        logits = self.classifier(self.dropout(torch.cat(pooled, dim=1)))
        return self._output(logits, labels)


SPEC = StudentSpec(
    name="text-cnn",
    model=TextCNNForSequenceClassification,
    recipe=Recipe(learning_rate=2e-3, batch_size=32),
    split=by_pieces,
    vocab_size=12_000,
    max_length=256,
    width_field="filters",
)
