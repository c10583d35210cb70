"""Students: three small classifiers, from a linear model to a transformer.

Each is a ``PreTrainedModel`` with a registered config, so ``from_pretrained``,
``Trainer`` and ``pipeline("text-classification")`` work once this module has
been imported. A student has its own tokeniser and vocabulary; it never reads
the teacher's token ids.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from torch import nn
from torch.nn import functional as F
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    ElectraConfig,
    ElectraModel,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from .losses import NO_LABEL

PAD, UNKNOWN = "[PAD]", "[UNK]"
WORD_START = "\u2581"  # how the tokeniser marks the space before a word
STUDENTS = ("bigram", "text-cnn", "tiny-transformer")
WIDTH_FIELDS = {
    "bigram": "buckets",
    "text-cnn": "filters",
    "tiny-transformer": "hidden_size",
}
"""The field of its config that makes a student wide or narrow."""
_VOCABULARY = {"bigram": 50_000, "text-cnn": 12_000, "tiny-transformer": 12_000}
_MAX_LENGTH = {"bigram": 1024, "text-cnn": 256, "tiny-transformer": 128}


# ------------------------------------------------------------- tokenisers
def train_tokenizer(
    texts: Sequence[str],
    student: str,
    *,
    vocab_size: int | None = None,
    max_length: int | None = None,
) -> PreTrainedTokenizerFast:
    """Learn a student's vocabulary from texts.

    The linear student reads whole words, the others word pieces. A text
    beyond `max_length` keeps its end, where a review's verdict tends to be.

    Parameters
    ----------
    texts : sequence of str
        Cleaned texts; no labels are needed.
    student : {"bigram", "text-cnn", "tiny-transformer"}
        Whose tokeniser it is.
    vocab_size : int, optional
        Most entries that it may have; by default 50,000 words or 12,000
        pieces.
    max_length : int, optional
        Tokens that the student reads.

    Returns
    -------
    PreTrainedTokenizerFast

    Raises
    ------
    ValueError
        If `student` is unknown, `texts` is empty or `vocab_size` too small.
    """
    check_student(student)
    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    size = _VOCABULARY[student] if vocab_size is None else vocab_size
    if size < 100:
        raise ValueError(f"vocab_size must be at least 100, got {size!r}")
    backend, trainer = _backend(student, size)
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=max_length or _MAX_LENGTH[student],
        truncation_side="left",
        model_input_names=["input_ids", "attention_mask"],
    )


def _backend(student: str, size: int):
    special = [PAD, UNKNOWN]
    options = {
        "vocab_size": size,
        "min_frequency": 2,
        "special_tokens": special,
        "show_progress": False,
    }
    if student == "bigram":
        backend = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordLevelTrainer(**options)
    else:
        # Plain BPE: the trainers that mark word pieces with a prefix number
        # them differently from one process to the next.
        backend = Tokenizer(models.BPE(unk_token=UNKNOWN))
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
        )
        backend.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(**options)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    return backend, trainer


def same_vocabulary(first, second) -> bool:
    """Say whether two tokenisers give every token the same id."""
    return first.get_vocab() == second.get_vocab()


def check_same_vocabulary(student_tokenizer, teacher_tokenizer) -> None:
    """Raise if token ids made for one model would be read by the other.

    Raises
    ------
    ValueError
        If the vocabularies differ (claim C10 of the curriculum).
    """
    if not same_vocabulary(student_tokenizer, teacher_tokenizer):
        raise ValueError(
            "input_ids were made with the student's tokeniser"
            f" ({len(student_tokenizer)} tokens) and cannot be read by the"
            f" teacher ({len(teacher_tokenizer)} tokens): one id means two"
            " different words. Give the data set a 'text' column, so that"
            " each side reads it with its own tokeniser."
        )


# ---------------------------------------------------------- shared base
class _StudentModel(PreTrainedModel):
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
        if labels is not None:
            loss = F.cross_entropy(logits, labels, ignore_index=NO_LABEL)
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=hidden_states
        )


def _mask(input_ids, attention_mask, pad_id: int) -> torch.Tensor:
    mask = input_ids != pad_id
    return mask if attention_mask is None else mask & attention_mask.bool()


# --------------------------------------------------------------- bigram
class BigramConfig(PreTrainedConfig):
    """Config of :class:`BigramForSequenceClassification`.

    Parameters
    ----------
    vocab_size : int
        Words, as the tokeniser numbers them.
    buckets : int
        Slots that word pairs are hashed into.
    """

    model_type = "distill-bigram"

    def __init__(self, vocab_size=50_000, buckets=2**19, pad_token_id=0, **kwargs):
        self.vocab_size = vocab_size
        self.buckets = buckets
        super().__init__(pad_token_id=pad_token_id, **kwargs)


class BigramForSequenceClassification(_StudentModel):
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
        mask = _mask(input_ids, attention_mask, pad)
        words = input_ids.long().masked_fill(~mask, pad)
        left, right = words[:, :-1], words[:, 1:]
        # Two primes spread the pairs over the buckets.
        hashed = (left * 1_000_003 + right * 7_919) % self.config.buckets
        pairs = hashed + self.config.vocab_size
        pairs = pairs.masked_fill(~(mask[:, :-1] & mask[:, 1:]), pad)
        return torch.cat([words, pairs], dim=1)


# ------------------------------------------------------------- text CNN
class TextCNNConfig(PreTrainedConfig):
    """Config of :class:`TextCNNForSequenceClassification`."""

    model_type = "distill-text-cnn"

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


class TextCNNForSequenceClassification(_StudentModel):
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
        mask = _mask(input_ids, attention_mask, self.config.pad_token_id)
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


# ----------------------------------------------------- tiny transformer
class TinyTransformerConfig(ElectraConfig):
    """Config of :class:`TinyTransformerForSequenceClassification`.

    An ELECTRA encoder, whose embedding is narrower than its layers: the
    vocabulary costs ``vocab_size * embedding_size`` weights.
    """

    model_type = "distill-tiny-transformer"

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


class TinyTransformerForSequenceClassification(_StudentModel):
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
        # A longer text keeps its end, as the tokeniser does.
        lengths = _mask(input_ids, attention_mask, self.config.pad_token_id)
        if input_ids.shape[1] > positions:
            input_ids, lengths = _keep_end(input_ids, lengths, positions)
        encoded = self.encoder(
            input_ids=input_ids,
            attention_mask=lengths.long(),
            output_hidden_states=output_hidden_states,
        )
        pooled = mean_over_tokens(encoded.last_hidden_state, lengths)
        logits = self.classifier(self.dropout(pooled))
        return self._output(logits, labels, encoded.hidden_states)


def mean_over_tokens(states, mask):
    """Average hidden states (batch, length, width) over the tokens that count.

    `mask` has shape (batch, length); a row without tokens gives zeros.
    """
    weight = mask[..., None].to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1)


def _keep_end(input_ids, mask, positions: int):
    """Drop the beginning of each right-padded row that is too long."""
    lengths = mask.sum(1)
    start = (lengths - positions).clamp(min=0)
    index = start[:, None] + torch.arange(positions, device=mask.device)
    return input_ids.gather(1, index), mask.gather(1, index)


# ----------------------------------------------------------- the builder
_CLASSES = {
    "bigram": (BigramConfig, BigramForSequenceClassification),
    "text-cnn": (TextCNNConfig, TextCNNForSequenceClassification),
    "tiny-transformer": (
        TinyTransformerConfig,
        TinyTransformerForSequenceClassification,
    ),
}

for _config, _model in _CLASSES.values():
    AutoConfig.register(_config.model_type, _config, exist_ok=True)
    AutoModelForSequenceClassification.register(_config, _model, exist_ok=True)


def build_student(
    name: str,
    tokenizer,
    *,
    label_names: Sequence[str] = ("negative", "positive"),
    embeddings: torch.Tensor | None = None,
    seed: int = 0,
    **config,
) -> PreTrainedModel:
    """Make an untrained student.

    Parameters
    ----------
    name : {"bigram", "text-cnn", "tiny-transformer"}
        Kind of student.
    tokenizer : PreTrainedTokenizerBase
        The student's own, from :func:`train_tokenizer`.
    label_names : sequence of str
        Class names, in the order of the class numbers.
    embeddings : Tensor, shape (vocabulary, width), optional
        Start of the embedding table, from
        :func:`embeddings_from_teacher`; its width becomes the student's.
    seed : int, default 0
        Draws the first weights.
    **config
        Any field of the student's config, such as ``filters=64``.

    Returns
    -------
    PreTrainedModel

    Raises
    ------
    ValueError
        If `name` or a config field is unknown, there are fewer than two
        classes, or `embeddings` does not fit the vocabulary.

    Examples
    --------
    >>> texts = ["a fine film", "a dull film"] * 5
    >>> tokenizer = train_tokenizer(texts, "bigram")
    >>> model = build_student("bigram", tokenizer, buckets=64)
    >>> model.num_parameters() == (len(tokenizer) + 64) * 2 + 2
    True
    """
    check_student(name)
    config_class, model_class = _CLASSES[name]
    if len(label_names) < 2 or len(set(label_names)) < len(label_names):
        raise ValueError(
            "label_names must hold at least two different classes, got"
            f" {list(label_names)!r}"
        )
    known = set(config_class().to_dict())
    unknown = sorted(set(config) - known)
    if unknown:
        raise ValueError(
            f"{', '.join(unknown)}: no such field in {config_class.__name__};"
            " see its docstring"
        )
    if embeddings is not None:
        _check_embeddings(name, embeddings, tokenizer)
        config["embedding_size"] = embeddings.shape[1]
    labels = [str(label) for label in label_names]
    settings = config_class(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **config,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(settings)
    if embeddings is not None:
        with torch.no_grad():
            model.get_input_embeddings().weight.copy_(embeddings)
    return model


def check_student(name: str) -> None:
    """Raise unless `name` is one of :data:`STUDENTS`."""
    if name not in STUDENTS:
        raise ValueError(f"student must be one of {list(STUDENTS)}, got {name!r}")


def _check_embeddings(name, embeddings, tokenizer) -> None:
    if name == "bigram":
        raise ValueError("embeddings: the bigram student has no embedding")
    if embeddings.ndim != 2 or len(embeddings) != len(tokenizer):
        raise ValueError(
            f"embeddings must have one row for each of the {len(tokenizer)}"
            f" tokens of the student, got shape {tuple(embeddings.shape)}"
        )


def embeddings_from_teacher(
    tokenizer, teacher_model, teacher_tokenizer, width: int = 64
) -> torch.Tensor:
    """Start a student's embedding from its teacher's, made narrower by SVD.

    A student's token is spelt with the teacher's pieces; the mean of their
    rows is projected on the table's `width` main directions.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase or sequence of str
        The student's, or the word behind each of its ids (the first one is
        padding).
    teacher_model, teacher_tokenizer
        A Hugging Face classifier and its tokeniser.
    width : int, default 64
        Columns of the result, at most the teacher's.

    Returns
    -------
    Tensor, shape (len(tokenizer), width)
        Scaled to a standard deviation of 0.1; the padding row is zero.

    Raises
    ------
    ValueError
        If `width` exceeds the teacher's embedding.
    """
    table = teacher_model.get_input_embeddings().weight.detach().float()
    if not 1 <= width <= table.shape[1]:
        raise ValueError(
            f"width must lie in 1..{table.shape[1]}, the teacher's own, got {width!r}"
        )
    tokens, pad = _tokens_of(tokenizer)
    pieces = teacher_tokenizer(
        [token.removeprefix(WORD_START) for token in tokens],
        add_special_tokens=False,
    )["input_ids"]
    rows = torch.stack(
        [
            table[ids].mean(0) if ids else table.new_zeros(table.shape[1])
            for ids in pieces
        ]
    )
    rows = rows - rows.mean(0)
    _, _, directions = torch.linalg.svd(rows, full_matrices=False)
    reduced = rows @ directions[:width].T
    reduced = reduced * (0.1 / reduced.std())
    reduced[pad] = 0
    return reduced


def _tokens_of(tokenizer) -> tuple[list[str], int]:
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        ids = list(range(len(tokenizer)))
        return tokenizer.convert_ids_to_tokens(ids), tokenizer.pad_token_id
    return list(tokenizer), 0
