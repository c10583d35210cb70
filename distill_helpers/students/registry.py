"""Students: three small classifiers, from a linear model to a transformer.

Each is a ``PreTrainedModel`` with a registered config, so ``from_pretrained``,
``Trainer`` and ``pipeline("text-classification")`` work once this module has
been imported. A student has its own tokeniser and vocabulary; it never reads
the teacher's token ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from .bigram import BigramConfig, BigramForSequenceClassification
from .text_cnn import TextCNNConfig, TextCNNForSequenceClassification
from .tiny_transformer import (
    TinyTransformerConfig,
    TinyTransformerForSequenceClassification,
)


@dataclass(frozen=True)
class Recipe:
    """How a kind of student is trained; chosen on validation reviews."""

    learning_rate: float
    batch_size: int
    weight_decay: float = 0.0


RECIPES = {
    "bigram": Recipe(learning_rate=0.03, batch_size=64),
    "text-cnn": Recipe(learning_rate=2e-3, batch_size=32),
    "tiny-transformer": Recipe(learning_rate=1e-3, batch_size=32),
}


STUDENTS = ("bigram", "text-cnn", "tiny-transformer")
WIDTH_FIELDS = {
    "bigram": "buckets",
    "text-cnn": "filters",
    "tiny-transformer": "hidden_size",
}
"""The field of its config that makes a student wide or narrow."""

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
