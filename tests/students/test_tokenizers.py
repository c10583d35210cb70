"""Vocabularies that are learned from texts as they are."""

import random

from tokenizers import Tokenizer

from distill_helpers.students.splitting import LONGEST_WORD, by_pieces, cut_long_words
from distill_helpers.students.tokenizers import train_tokenizer


def test_one_text_without_a_space_is_not_learned_as_one_word():
    # It would take the square of its length, and its pieces no end.
    tokenizer = train_tokenizer(["a fine film", "ab" * 30_000], "text-cnn")
    pieces = map(len, tokenizer.get_vocab())
    assert 100 < max(pieces) <= LONGEST_WORD + 1  # and the mark of its beginning
    noise = "".join(random.Random(0).choices("abcfilmne", k=100_000))
    assert len(tokenizer(noise, truncation=True)["input_ids"]) == (
        tokenizer.model_max_length
    )


def test_words_of_usual_length_are_learned_as_ever(texts):
    backend, trainer = by_pieces(2_000)
    assert isinstance(backend, Tokenizer)
    backend.train_from_iterator(list(texts), trainer)
    tokenizer = train_tokenizer(texts, "text-cnn", vocab_size=2_000)
    assert tokenizer.get_vocab() == backend.get_vocab()


def test_a_long_word_is_cut_and_nothing_of_it_is_lost():
    text = f"fine {'x' * 700}\n{'y' * LONGEST_WORD} end"
    cut = cut_long_words(text)
    assert cut.replace(" ", "") == text.replace(" ", "")
    assert max(map(len, cut.split())) == LONGEST_WORD
    assert cut_long_words("a fine film") == "a fine film"
