"""A small language model, its words, and what of a text it learns."""

import copy

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from distill_helpers.students.causal import (
    CompletionCollator,
    tiny_causal_lm,
    word_tokenizer,
)

TEXTS = ["Anna has 71 apples , 71 + 7 = 78 # 78", "SELECT COUNT(*) FROM t"]


@pytest.fixture(scope="module")
def tokenizer():
    return word_tokenizer(TEXTS, max_length=24)


@pytest.fixture(scope="module")
def model(tokenizer):
    return tiny_causal_lm(tokenizer, width=16, layers=1, heads=2).eval()


@pytest.mark.parametrize(
    "text", [*TEXTS, "905 + 1234567890 = 0", "(78,7)", " 7", "Anna  has", ""]
)
def test_decoding_gives_the_text_back(text):
    tokenizer = word_tokenizer([*TEXTS, "(7,", "a)"])
    ids = tokenizer(text).input_ids
    if "  " not in text:
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids) == text.strip()
    else:  # a space alone is no word
        assert tokenizer.unk_token_id in ids


def test_numbers_are_read_digit_by_digit(tokenizer):
    assert len(tokenizer("71 + 7").input_ids) == 4


def test_the_vocabulary_is_the_same_each_time(tokenizer):
    many = [f"{a}{b}" for a in "xyz" for b in "abcdefghijkl"]  # all as frequent
    first, *others = (word_tokenizer(many).get_vocab() for _ in range(5))
    assert len(first) == len(many) + 23
    assert all(other == first for other in others)


def test_the_seed_alone_draws_the_weights(tokenizer):
    before = torch.random.get_rng_state()
    first, again, other = (
        tiny_causal_lm(tokenizer, width=16, layers=1, heads=2, seed=seed)
        for seed in (3, 3, 4)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    for one, two, three in zip(*(m.parameters() for m in (first, again, other))):
        assert torch.equal(one, two)
        assert one.ndim == 1 or not torch.equal(one, three)


def test_the_first_weights_are_as_wide_as_asked(tokenizer):
    deviations = [
        tiny_causal_lm(tokenizer, width=16, initializer_range=wide)
        .model.layers[0]
        .mlp.up_proj.weight.std()
        .item()
        for wide in (0.02, 0.25)
    ]
    assert deviations == pytest.approx([0.02, 0.25], rel=0.1)


def test_it_is_saved_and_loaded_as_transformers_has_it(tmp_path, tokenizer, model):
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    read = AutoTokenizer.from_pretrained(tmp_path)
    batch = read(["Anna has 71", "7 +"], padding=True, return_tensors="pt")
    assert batch["attention_mask"].tolist() == [[1] * 4, [0, 0, 1, 1]]
    with torch.inference_mode():
        assert torch.equal(loaded(**batch).logits, model(**batch).logits)
    assert read.decode(read("71 + 7").input_ids) == "71 + 7"
    assert loaded.generation_config.eos_token_id == read.eos_token_id


def test_the_prompt_is_read_and_the_end_is_learned(tokenizer):
    rows = [
        {"prompt": "Anna has 71", "completion": "apples # 7"},
        {"prompt": "7 +", "completion": "8"},
    ]
    batch = CompletionCollator(tokenizer, pad_to_multiple_of=8)(rows)
    assert {t.shape for t in batch.values()} == {(2, 8)}
    ids, mask, labels = (
        batch[name] for name in ("input_ids", "attention_mask", "labels")
    )
    assert (labels == -100).sum(1).tolist() == [4, 6]
    learned = [row[row != -100] for row in labels]
    assert [tokenizer.decode(row) for row in learned] == ["apples # 7[END]", "8[END]"]
    assert torch.equal(ids[labels != -100], labels[labels != -100])
    assert mask.sum(1).tolist() == [8, 4]
    assert (ids[mask == 0] == tokenizer.pad_token_id).all()
    assert (labels[mask == 0] == -100).all()
    assert tokenizer.decode(ids[1, :2]) == "7 +"


def test_an_end_token_that_also_pads_is_still_learned(tokenizer):
    other = copy.deepcopy(tokenizer)
    other.pad_token = other.eos_token
    rows = [
        {"prompt": "7 +", "completion": "8"},
        {"prompt": "7 +", "completion": "8 1"},
    ]
    batch = CompletionCollator(other, pad_to_multiple_of=1)(rows)
    assert batch["labels"][0].tolist()[3:] == [other.eos_token_id, -100]
    assert batch["attention_mask"][0].tolist() == [1, 1, 1, 1, 0]


def test_an_example_beyond_the_context_is_refused_not_cut(tokenizer):
    fits = {"prompt": " ".join("7" * 20), "completion": "8 + 7"}
    beyond = {"prompt": " ".join("7" * 21), "completion": "8 + 7"}
    collate = CompletionCollator(tokenizer)
    assert collate([fits])["attention_mask"].sum() == 24
    with pytest.raises(ValueError, match="number 1 has 25 tokens.*context of 24"):
        collate([fits, beyond])
    assert CompletionCollator(tokenizer, context=25)([beyond])["labels"].shape == (
        1,
        32,
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: word_tokenizer([]), "at least one text"),
        (lambda t: word_tokenizer("7 + 7"), "a list of texts, got str"),
        (
            lambda t: word_tokenizer(["7"], max_length=1),
            "max_length must be at least 2",
        ),
        (lambda t: tiny_causal_lm(t, width=20, heads=4), "multiple of .* 8, got 20"),
        (lambda t: tiny_causal_lm(t, layers=0), "layers must be at least 1"),
        (
            lambda t: tiny_causal_lm(t, initializer_range=0),
            "initializer_range must be .*above 0, got 0",
        ),
        (
            lambda t: CompletionCollator(t)([{"prompt": "", "completion": "7"}]),
            r"prompts\[0\] has no token",
        ),
        (
            lambda t: CompletionCollator(t)([{"prompt": "7", "completion": None}]),
            "completions must hold texts, got NoneType in row 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tokenizer, call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(tokenizer)
