"""Cards as a reader of two senses takes them: token ids and pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from ..data.cards import (
    ANSWER_NAMES,
    CARD_LENGTH,
    CARD_WORDS,
    CELLS,
    MISSING,
    MISSING_WORD,
    Cards,
    check_card_words,
    has_picture,
)
from ..data.encoding import EncodedReviews, device_of
from .splitting import PAD

ANSWER_TOKEN = "[ANSWER]"
"""The token that stands first, and from whose state the answer is read."""
PAD_ID = 0


@dataclass(frozen=True)
class CardAnswers:
    """What a reader said of some cards, and where its words looked.

    Attributes
    ----------
    logits : ndarray of float32, shape (cards, 21)
    maps : ndarray of float32, shape (cards, blocks, 8, 7)
        Means over the heads; of the token that answers and of each word of the
        question, the shares of the six cells and of "no picture".
    states : ndarray of float32, shape (cards, 8, width), optional
        Of the same words, behind the last block.
    """

    logits: np.ndarray
    maps: np.ndarray
    states: np.ndarray | None = None


@cache
def card_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokeniser of cards: a token for each word that they may hold.

    Returns
    -------
    PreTrainedTokenizerFast
        It has no unknown token; ask
        :func:`~distill_helpers.data.cards.check_card_words` first.

    Examples
    --------
    >>> tokenizer = card_tokenizer()
    >>> ids = tokenizer("3 0 _ 7 7 2 largest digit of the lower row").input_ids
    >>> len(ids), tokenizer.convert_ids_to_tokens(ids[:3])
    (13, ['[ANSWER]', '3', '0'])
    """
    words = [PAD, ANSWER_TOKEN, *CARD_WORDS]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single=f"{ANSWER_TOKEN} $A", special_tokens=[(ANSWER_TOKEN, 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        cls_token=ANSWER_TOKEN,
        model_max_length=CARD_LENGTH,
        model_input_names=["input_ids", "attention_mask"],
    )


def card_tensors(cards: Cards) -> dict[str, torch.Tensor]:
    """Return cards as a reader takes them.

    Parameters
    ----------
    cards : Cards

    Returns
    -------
    dict of str to Tensor
        ``input_ids`` (cards, 14) and ``pixel_values`` (cards, 16, 24).
    """
    return {
        "input_ids": torch.from_numpy(card_ids(cards)),
        "pixel_values": torch.from_numpy(cards.pictures),
    }


def card_ids(cards: Cards) -> np.ndarray:
    """Return the tokens of cards' texts, ndarray of int64, shape (cards, 14).

    They are those of :func:`card_tokenizer`, padded; each question is looked up once.

    Raises
    ------
    ValueError
        If a word is outside of the vocabulary, or a question is longer than any.
    """
    digit = card_tokenizer().convert_tokens_to_ids("0")
    missing = card_tokenizer().convert_tokens_to_ids(MISSING_WORD)
    known = {
        question: _question_ids(question.text) for question in set(cards.questions)
    }
    ids = np.full((len(cards), CARD_LENGTH), PAD_ID, np.int64)
    if len(cards):
        ids[:, 0] = card_tokenizer().cls_token_id
        ids[:, 1 : 1 + CELLS] = np.where(
            cards.typed == MISSING, missing, cards.typed + digit
        )
        ids[:, 1 + CELLS :] = np.stack([known[own] for own in cards.questions])
    return ids


def _question_ids(text: str) -> np.ndarray:
    check_card_words([text])
    words, room = text.split(), CARD_LENGTH - 1 - CELLS
    if len(words) > room:
        raise ValueError(
            f"a question must have at most {room} words, got {len(words)}: {text!r:.80}"
        )
    ids = card_tokenizer().convert_tokens_to_ids(words)
    return np.array(ids + [PAD_ID] * (room - len(words)), np.int64)


def looking(values):
    """Return what belongs to the words that look at the picture.

    Parameters
    ----------
    values : ndarray or Tensor, shape (cards, 14, ...)

    Returns
    -------
    of the same kind, shape (cards, 8, ...)
        Of the token that answers, then of the question's words.
    """
    kind = np.concatenate if isinstance(values, np.ndarray) else torch.cat
    return kind([values[:, :1], values[:, 1 + CELLS :]], 1)


@torch.inference_mode()
def answer_cards(
    model, cards: Cards, batch_size: int = 256, *, states: bool = False
) -> CardAnswers:
    """Let a reader answer some cards.

    Parameters
    ----------
    model : CrossAttentionForCards
        On any device; put into evaluation mode.
    cards : Cards
    batch_size : int, default 256
    states : bool, default False
        Whether to keep the words' last states too.

    Returns
    -------
    CardAnswers
    """
    model.eval()
    device, inputs = device_of(model), card_tensors(cards)
    logits, maps, last = [], [], []
    for start in range(0, len(cards), batch_size):
        part = {k: v[start : start + batch_size].to(device) for k, v in inputs.items()}
        output = model(**part, output_attentions=True, output_hidden_states=states)
        logits.append(output.logits.float().cpu())
        by_block = [heads.mean(1) for heads in output.cross_attentions]
        maps.append(torch.stack(by_block, 1).float().cpu())
        if states:
            last.append(output.hidden_states[-1].float().cpu())
    return CardAnswers(
        torch.cat(logits).numpy(),
        torch.cat(maps).numpy(),
        torch.cat(last).numpy() if states else None,
    )


def encode_cards(
    cards: Cards, answers: CardAnswers | None = None, labelled: int | None = None
) -> EncodedReviews:
    """Make cards a data set of the trainer.

    Parameters
    ----------
    cards : Cards
    answers : CardAnswers, optional
        A teacher's, to these cards; it may have seen more of them than the student.
    labelled : int, optional
        How many of the first cards keep their labels; by default all do.

    Returns
    -------
    EncodedReviews
        With the pictures as ``pixel_values``; with `answers` also ``teacher_logits``,
        ``teacher_attention`` (the maps) and ``teacher_attention_mask``, which says
        whose look counts: that of a word which is no padding, on a card whose
        picture is there.

    Raises
    ------
    ValueError
        If there are not as many answers as cards.
    """
    ids, labels = card_ids(cards), cards.labels.copy()
    if labelled is not None:
        labels[labelled:] = -100
    tensors = {"pixel_values": cards.pictures}
    if answers is not None:
        counts = (looking(ids) != PAD_ID) & has_picture(cards.pictures)[:, None]
        tensors["teacher_attention"] = answers.maps
        tensors["teacher_attention_mask"] = counts
    logits = None if answers is None else answers.logits
    return EncodedReviews(ids, labels, logits, None, ANSWER_NAMES, **tensors)
