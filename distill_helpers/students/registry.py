"""Students: three small classifiers, from a linear model to a transformer.

Each is a ``PreTrainedModel`` with a registered config, so ``from_pretrained``,
``Trainer`` and ``pipeline("text-classification")`` work after
``import distill_helpers``. A student has its own tokeniser and vocabulary; it never reads
the teacher's token ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from ..arguments import check_choice, check_number, check_type, check_whole
from ..data.labels import check_problem_type
from . import bigram, text_cnn, tiny_transformer
from .cross_attention import CrossAttentionConfig, CrossAttentionForCards
from .spec import StudentSpec

BUILT_IN = (bigram.SPEC, text_cnn.SPEC, tiny_transformer.SPEC)
_specs: dict[str, StudentSpec] = {}
STUDENTS: Mapping[str, StudentSpec] = MappingProxyType(_specs)
"""Every kind of student by its name; see :func:`register_student`."""


def register_student(spec: StudentSpec) -> None:
    """Make a kind of student known to recipes, tokenisers and ``from_pretrained``.

    Parameters
    ----------
    spec : StudentSpec
        One of the same name takes the place of an earlier one, so that a
        notebook's cell may run again.

    Raises
    ------
    TypeError
        If it is no StudentSpec.
    ValueError
        If the name is that of a student of the kit.
    """
    check_type("spec", spec, StudentSpec, "a StudentSpec")
    if spec not in BUILT_IN and spec.name in {own.name for own in BUILT_IN}:
        raise ValueError(
            f"name must be none of {[own.name for own in BUILT_IN]}, the kit's"
            f" own students, got {spec.name!r}"
        )
    config_class = spec.model.config_class
    AutoConfig.register(config_class.model_type, config_class, exist_ok=True)
    AutoModelForSequenceClassification.register(config_class, spec.model, exist_ok=True)
    _specs[spec.name] = spec


for _spec in BUILT_IN:
    register_student(_spec)
    # As students were called that were saved before.
    CONFIG_MAPPING.register(f"distill-{_spec.name}", _spec.model.config_class, True)

# A reader of cards is no student of texts, so no spec; what was saved loads all the same.
AutoConfig.register(CrossAttentionConfig.model_type, CrossAttentionConfig, True)
AutoModelForSequenceClassification.register(
    CrossAttentionConfig, CrossAttentionForCards, True
)


def student_spec(name: str) -> StudentSpec:
    """Return what is known of a kind of student.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    return STUDENTS[check_choice("student", name, STUDENTS)]


def build_student(
    name: str,
    tokenizer,
    *,
    label_names: Sequence[str] = ("negative", "positive"),
    problem_type: str | None = None,
    embeddings: torch.Tensor | None = None,
    seed: int = 0,
    **config,
) -> PreTrainedModel:
    """Make an untrained student.

    Parameters
    ----------
    name : str
        Kind of student, one of :data:`STUDENTS`.
    tokenizer : PreTrainedTokenizerBase
        The student's own, from :func:`train_tokenizer`.
    label_names : sequence of str
        Class names, in the order of the class numbers.
    problem_type : str, optional
        ``"multi_label_classification"`` for several labels a text: the student's
        config remembers it, and transformers' ``pipeline`` then gives a sigmoid
        for each class. By default one label a text.
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
        If `name`, `problem_type` or a config field is unknown, there are fewer
        than two classes, or `embeddings` does not fit the vocabulary.

    Examples
    --------
    >>> from distill_helpers.students import train_tokenizer
    >>> texts = ["a fine film", "a dull film"] * 5
    >>> tokenizer = train_tokenizer(texts, "bigram")
    >>> model = build_student("bigram", tokenizer, buckets=64)
    >>> model.num_parameters() == (len(tokenizer) + 64) * 2 + 2
    True
    """
    spec = student_spec(name)
    config_class = spec.model.config_class
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
    _check_shape(config_class(), config)
    if problem_type is not None:
        config["problem_type"] = check_problem_type(problem_type)
    if embeddings is not None:
        _check_embeddings(spec, embeddings, tokenizer)
        config[spec.embedding_field] = embeddings.shape[1]
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
        model = spec.model(settings)
    if embeddings is not None:
        with torch.no_grad():
            model.get_input_embeddings().weight.copy_(embeddings)
    return model


def _check_shape(usual, asked: Mapping) -> None:
    """Raise unless sizes are whole numbers above 0, and shares lie within [0, 1)."""
    for name, value in asked.items():
        default = getattr(usual, name, None)
        sizes = value if isinstance(default, list) else [value]
        like = default[0] if isinstance(default, list) and default else default
        if isinstance(like, bool) or not isinstance(like, (int, float)):
            continue
        check_type(name, sizes, (list, tuple), "a list of whole numbers")
        for size in sizes:
            if isinstance(like, int):
                check_whole(name, size, least=1 if like else 0)
            else:
                check_number(name, size, least=0)
        if "dropout" in name and value >= 1:
            raise ValueError(f"{name} must lie in [0, 1), got {value!r}")


def _check_embeddings(spec: StudentSpec, embeddings, tokenizer) -> None:
    if spec.embedding_field is None:
        raise ValueError(f"embeddings: the {spec.name} student has no embedding")
    if embeddings.ndim != 2 or len(embeddings) != len(tokenizer):
        raise ValueError(
            f"embeddings must have one row for each of the {len(tokenizer)}"
            f" tokens of the student, got shape {tuple(embeddings.shape)}"
        )
