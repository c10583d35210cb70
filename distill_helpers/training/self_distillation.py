"""Students that teach the next one: their own like, or a smaller one.

A *generation* learns from the one before it. Where all are alike this is
self-distillation, or born-again networks [1]_; where a larger one stands between the
teacher and a small student it is a teacher assistant [2]_.

References
----------
.. [1] T. Furlanello et al., "Born-again neural networks", ICML 2018,
   arXiv:1805.04770.
.. [2] S. I. Mirzadeh et al., "Improved knowledge distillation via teacher assistant",
   AAAI 2020, arXiv:1902.03393.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import check_whole
from ..data.encoding import EncodedReviews
from ..evaluation.predict import predict_encoded
from .arms import answered
from .recipes import train_student


class Generation(NamedTuple):
    """One student of a chain.

    Attributes
    ----------
    model : PreTrainedModel
    logits : ndarray of float32, shape (texts, classes)
        Its answers to the texts that it was trained on: what the next one learns
        from.
    """

    model: object
    logits: np.ndarray


def self_distil(
    student: str,
    tokenizer,
    train: EncodedReviews,
    validation: EncodedReviews,
    *,
    generations: int = 3,
    seed: int = 0,
    shape: Mapping | None = None,
    **options,
) -> list[Generation]:
    """Let a student teach its like, again and again.

    Parameters
    ----------
    student : str
        Kind of student.
    tokenizer : PreTrainedTokenizerBase
        The student's.
    train : EncodedReviews
        What the first one learns from: with a teacher's logits, or labels alone. The
        others have the same texts and labels, and the answers of the one before.
    validation : EncodedReviews
    generations : int, default 3
        Students that learn from a student; one more is returned.
    seed : int, default 0
        Of the first; it is the student that :func:`train_student` makes of `train`.
        Each of the others has first weights of its own, as in the paper.
    shape : mapping, optional
    **options
        For :func:`~distill_helpers.training.recipes.train_student`, such as `steps`
        (of each) and `temperature`.

    Returns
    -------
    list of Generation
        In their order, of length `generations` + 1.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.
    """
    check_whole("generations", generations, least=1)
    shapes = [shape] * (generations + 1)
    return teach_in_turn(
        student, tokenizer, train, validation, shapes=shapes, seed=seed, **options
    )


def teach_in_turn(
    student: str,
    tokenizer,
    train: EncodedReviews,
    validation: EncodedReviews,
    *,
    shapes: Sequence[Mapping | None],
    seed: int = 0,
    **options,
) -> list[Generation]:
    """Train a chain of students, each the teacher of the next.

    Parameters
    ----------
    student : str
        Kind of all of them, since they read the same tokens.
    tokenizer, train, validation
        See :func:`self_distil`.
    shapes : sequence of mapping or None
        Of each student, as for
        :func:`~distill_helpers.students.registry.build_student`: with
        ``[{"filters": 256}, {"filters": 32}]`` the first is the teacher assistant of
        the second.
    seed : int, default 0
    **options
        For :func:`~distill_helpers.training.recipes.train_student`.

    Returns
    -------
    list of Generation
        One for each shape.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.
    """
    check_whole("seed", seed, least=0)
    if not shapes:
        raise ValueError("shapes must name at least one student, got none")
    chain: list[Generation] = []
    for place, shape in enumerate(shapes):
        reads = answered(train, chain[-1].logits) if chain else train
        model = train_student(
            student,
            tokenizer,
            reads,
            validation,
            seed=_own_seed(seed, place),
            shape=shape,
            **options,
        )
        chain.append(Generation(model, predict_encoded(model, tokenizer, reads)))
    return chain


def _own_seed(seed: int, place: int) -> int:
    """Give each place of a chain a seed; the first keeps the one that was given."""
    if not place:
        return seed
    return int(np.random.SeedSequence([seed, place]).generate_state(1)[0] >> 1)
