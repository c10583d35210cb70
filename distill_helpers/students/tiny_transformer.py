"""A transformer of one or two layers."""

from __future__ import annotations

from torch import nn
from transformers import ElectraConfig, ElectraModel
from transformers.modeling_outputs import SequenceClassifierOutput

from .layers import (
    StudentModel,
    at_least_one_token,
    keep_end,
    mask_of,
    mean_over_tokens,
)
from .spec import Recipe, StudentSpec, model_type
from .splitting import by_pieces


class TinyTransformerConfig(ElectraConfig):
    """Config of :class:`TinyTransformerForSequenceClassification`.

    An ELECTRA encoder, whose embedding is narrower than its layers: the
    vocabulary costs ``vocab_size * embedding_size`` weights.
    """

    model_type = model_type("tiny-transformer")

    def __init__(
        self,
        vocab_size=12_000,
        embedding_size=64,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=256,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.0,
        **kwargs,
    ):
        super().__init__(
            vocab_size=vocab_size,
            embedding_size=embedding_size,
            hidden_size=hidden_size,
            num_hidden_layers=num_hidden_layers,
            num_attention_heads=num_attention_heads,
            intermediate_size=intermediate_size,
            max_position_embeddings=max_position_embeddings,
            hidden_dropout_prob=hidden_dropout_prob,
            attention_probs_dropout_prob=attention_probs_dropout_prob,
            **kwargs,
        )


class TinyTransformerForSequenceClassification(StudentModel):
    """A small encoder with a factorised embedding and mean pooling.

    References
    ----------
    .. [1] Z. Lan et al., "ALBERT", ICLR 2020: factorised embedding.
    .. [2] K. Clark et al., "ELECTRA", ICLR 2020: the encoder.
    """

    config_class = TinyTransformerConfig
    _supports_sdpa = True

    def __init__(self, config: TinyTransformerConfig) -> None:
        super().__init__(config)
        self.encoder = ElectraModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.encoder.set_input_embeddings(value)

    def forward(
        self,
        input_ids,
        attention_mask=None,
        labels=None,
        output_hidden_states=False,
        **_,
    ) -> SequenceClassifierOutput:
        """Return logits (batch, classes); hidden states when asked for."""
        positions = self.config.max_position_embeddings
        pad_id = self.config.pad_token_id
        input_ids, attention_mask = at_least_one_token(
            input_ids, attention_mask, pad_id
        )
        # A longer text keeps its end, as the tokeniser does.
        lengths = mask_of(input_ids, attention_mask, pad_id)
        if input_ids.shape[1] > positions:
            input_ids, lengths = keep_end(input_ids, lengths, positions)
        encoded = self.encoder(
            input_ids=input_ids,
            attention_mask=lengths.long(),
            output_hidden_states=output_hidden_states,
        )
        pooled = mean_over_tokens(encoded.last_hidden_state, lengths)
        logits = self.classifier(self.dropout(pooled))
        return self._output(logits, labels, encoded.hidden_states)


SPEC = StudentSpec(
    name="tiny-transformer",
    model=TinyTransformerForSequenceClassification,
    recipe=Recipe(learning_rate=1e-3, batch_size=32),
    split=by_pieces,
    vocab_size=12_000,
    max_length=128,
    width_field="hidden_size",
)
