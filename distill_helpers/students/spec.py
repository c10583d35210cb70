"""All that the kit knows of one kind of student, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokenizers import Tokenizer
from tokenizers.trainers import Trainer
from transformers import PreTrainedModel


def model_type(name: str) -> str:
    """Return what a saved student of the kit is called in its ``config.json``.

    transformers quotes it where it does not know the class, and so says the cure.

    Examples
    --------
    >>> model_type("bigram")
    'distill-bigram (import distill_helpers first)'
    """
    return f"distill-{name} (import distill_helpers first)"


@dataclass(frozen=True)
class Recipe:
    """How a kind of student is trained; chosen on validation reviews."""

    learning_rate: float
    batch_size: int
    weight_decay: float = 0.0


@dataclass(frozen=True)
class StudentSpec:
    """One kind of student.

    Attributes
    ----------
    name : str
        By which it is asked for, such as ``"text-cnn"``.
    model : type of PreTrainedModel
        Its ``config_class`` names a ``model_type`` of its own and takes
        ``vocab_size`` and ``pad_token_id``.
    recipe : Recipe
    split : callable
        From the size of a vocabulary to an untrained tokeniser and its
        trainer: :func:`~distill_helpers.students.splitting.by_words`,
        :func:`~distill_helpers.students.splitting.by_pieces` or one's own.
    vocab_size : int
        Most entries of the vocabulary, unless told otherwise.
    max_length : int
        Tokens that are read, unless told otherwise.
    width_field : str
        The field of its config that makes the student wide or narrow.
    embedding_field : str or None, default "embedding_size"
        The field for the width of its embedding; None where it has none.
    """

    name: str
    model: type[PreTrainedModel]
    recipe: Recipe
    split: Callable[[int], tuple[Tokenizer, Trainer]]
    vocab_size: int
    max_length: int
    width_field: str
    embedding_field: str | None = "embedding_size"
