"""Vocabularies that are learned from texts as they are."""

import random

from tokenizers import Tokenizer

from distill_helpers.students.splitting import LONGEST_WORD, by_pieces, cut_long_words
from distill_helpers.students.tokenizers import train_tokenizer


def test_one_text_without_a_space_takes_no_time_to_learn_from(texts):
    # The square of its length would be minutes, beyond the suite's limit.
    letters = "abcdefghijklmnopqrstuvwxyz"
    noise = "".join(random.Random(0).choices(letters, k=400_000))
    tokenizer = train_tokenizer([*texts, noise], "tiny-transformer")
    longest = max(map(len, tokenizer.get_vocab()))
    assert longest <= LONGEST_WORD + 1  # and the mark of a word's beginning
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
