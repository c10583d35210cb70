"""A bag of words and pairs of words."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

from .layers import StudentModel, mask_of
from .spec import Recipe, StudentSpec, model_type
from .splitting import by_words


class BigramConfig(PreTrainedConfig):
    """Config of :class:`BigramForSequenceClassification`.

    Parameters
    ----------
    vocab_size : int
        Words, as the tokeniser numbers them.
    buckets : int
        Slots that word pairs are hashed into.
    """

    model_type = model_type("bigram")

    def __init__(self, vocab_size=50_000, buckets=2**19, pad_token_id=0, **kwargs):
        self.vocab_size = vocab_size
        self.buckets = buckets
        super().__init__(pad_token_id=pad_token_id, **kwargs)


class BigramForSequenceClassification(StudentModel):
    """A linear model on the words and word pairs that occur in a text.

    Each word and each hashed pair that occurs adds its row of weights; the
    sum is divided by the square root of how many there are.

    References
    ----------
    .. [1] S. Wang, C. Manning, "Baselines and bigrams", ACL 2012.
    .. [2] K. Weinberger et al., "Feature hashing for large scale multitask
       learning", ICML 2009.
    """

    config_class = BigramConfig

    def __init__(self, config: BigramConfig) -> None:
        super().__init__(config)
        rows = config.vocab_size + config.buckets
        self.weights = nn.Embedding(rows, config.num_labels, config.pad_token_id)
        self.bias = nn.Parameter(torch.zeros(config.num_labels))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.zeros_(module.weight)

    def get_input_embeddings(self) -> nn.Module:
        return self.weights

    def forward(
        self, input_ids, attention_mask=None, labels=None, **_
    ) -> SequenceClassifierOutput:
        """Return logits of shape (batch, classes)."""
        features = self._features(input_ids, attention_mask)
        # A sorted row shows each feature's first occurrence.
        features = features.sort(dim=1).values
        first = features[:, 1:] != features[:, :-1]
        first = F.pad(first, (1, 0), value=True)
        rows = self.weights(features)
        present = (first & (features != self.config.pad_token_id)).to(rows.dtype)
        scale = present.sum(1, keepdim=True).clamp(min=1).rsqrt()
        summed = torch.matmul((present * scale)[:, None, :], rows)[:, 0]
        return self._output(summed + self.bias, labels)

    def _features(self, input_ids, attention_mask) -> torch.Tensor:
        pad = self.config.pad_token_id
        mask = mask_of(input_ids, attention_mask, pad)
        words = input_ids.long().masked_fill(~mask, pad)
        left, right = words[:, :-1], words[:, 1:]
        # Two primes spread the pairs over the buckets.
        hashed = (left * 1_000_003 + right * 7_919) % self.config.buckets
        pairs = hashed + self.config.vocab_size
        pairs = pairs.masked_fill(~(mask[:, :-1] & mask[:, 1:]), pad)
        return torch.cat([words, pairs], dim=1)


SPEC = StudentSpec(
    name="bigram",
    model=BigramForSequenceClassification,
    recipe=Recipe(learning_rate=0.03, batch_size=64),
    split=by_words,
    vocab_size=50_000,
    max_length=1024,
    width_field="buckets",
    embedding_field=None,
)
