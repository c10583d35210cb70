"""A teacher of the right shape with random weights, to be timed.

The kit ships what its teacher said, not the teacher. How fast and how large
it is hangs on its shape alone, so a stand-in built from the teacher's card
measures both on the reader's machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

from ..places import TEACHER_CARD
from ..students.tokenizers import train_tokenizer
from .base import Teacher
from .live import HuggingFaceTeacher
from .ordering import innermost


def teacher_card(path: str | Path = TEACHER_CARD) -> dict:
    """Read what the teacher's makers wrote down about it.

    Returns
    -------
    dict
        Shape, training and measured quality.
    """
    return json.loads(Path(path).read_text(encoding="utf-8"))


def stand_in_teacher(texts: Sequence[str], **options) -> HuggingFaceTeacher:
    """Build an untrained encoder of the teacher's shape.

    Parameters
    ----------
    texts : sequence of str
        A vocabulary is learnt from them, as the teacher's own is not here.
    **options
        For :class:`~distill_helpers.teachers.live.HuggingFaceTeacher`.

    Returns
    -------
    HuggingFaceTeacher
        Its answers mean nothing; its speed and size do.
    """
    card = teacher_card()
    shape = card["shape"]
    tokenizer = train_tokenizer(texts, "text-cnn", vocab_size=shape["vocab_size"] - 2)
    tokenizer.add_special_tokens({"cls_token": "[CLS]", "sep_token": "[SEP]"})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertForSequenceClassification(BertConfig(**shape))
    options.setdefault("max_length", card["max_length"])
    options.setdefault("progress", False)
    return HuggingFaceTeacher(model, tokenizer, **options)


def timed_teacher(teacher: Teacher, texts: Sequence[str]) -> HuggingFaceTeacher:
    """Return what a teacher's speed and size can be measured on.

    Parameters
    ----------
    teacher : Teacher
        As the lesson opened it.
    texts : sequence of str
        For the vocabulary of a stand-in.

    Returns
    -------
    HuggingFaceTeacher
        The teacher itself where it is live, else a stand-in of its shape.
    """
    teacher = innermost(teacher)
    if isinstance(teacher, HuggingFaceTeacher):
        return teacher
    return stand_in_teacher(texts)
