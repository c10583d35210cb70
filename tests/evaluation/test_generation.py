"""What a language model writes: reproducible, whole, never beyond its context."""

import pytest
import torch

from distill_helpers.evaluation.generation import generate_texts
from distill_helpers.students.causal import tiny_causal_lm, word_tokenizer

PROMPTS = ["1 + 2 =", "7 =", "1 + 2 + 3 + 4 =", "9 9 9"]


@pytest.fixture(scope="module")
def tokenizer():
    return word_tokenizer(["1 + 2 = 3"], max_length=20)


@pytest.fixture
def model(tokenizer):
    model = tiny_causal_lm(tokenizer, width=16, layers=2, heads=2)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(3)  # surer of itself, so that no two tokens tie
    return model.train()


def by_hand(model, tokenizer, prompt, limit):
    """Take the likeliest token again and again, one prompt alone."""
    ids = tokenizer(prompt).input_ids
    new = []
    while len(new) < limit and tokenizer.eos_token_id not in new:
        with torch.no_grad():
            new.append(int(model(torch.tensor([ids + new])).logits[0, -1].argmax()))
    ended = new[-1] == tokenizer.eos_token_id
    return tokenizer.decode(new, skip_special_tokens=True), ended, len(new)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_greedy_is_the_likeliest_token_whatever_stands_beside(
    model, tokenizer, batch_size
):
    made = generate_texts(
        model, tokenizer, PROMPTS, max_new_tokens=6, batch_size=batch_size
    )
    expected = [by_hand(model, tokenizer, prompt, 6) for prompt in PROMPTS]
    assert list(zip(made.texts, made.ended)) == [row[:2] for row in expected]
    assert made.tokens == sum(row[2] for row in expected)
    assert made.tokens_per_second == pytest.approx(made.tokens / made.seconds)
    assert model.training


def test_a_text_that_does_not_end_within_the_limit_is_not_whole(model, tokenizer):
    model.generation_config.eos_token_id = len(tokenizer)  # no token at all
    never = generate_texts(model, tokenizer, PROMPTS, max_new_tokens=3)
    assert never.ended == [False] * 4 and never.whole == [None] * 4
    assert never.tokens == 12
    model.generation_config.eos_token_id = list(range(len(tokenizer)))
    always = generate_texts(model, tokenizer, PROMPTS, max_new_tokens=3)
    assert always.ended == [True] * 4 and always.whole == [""] * 4
    assert always.tokens == 4


def test_the_seed_draws_the_tokens_and_nothing_else(model, tokenizer):
    def draw(seed):
        options = {"temperature": 2.0, "max_new_tokens": 8, "seed": seed}
        return generate_texts(model, tokenizer, PROMPTS * 4, **options).texts

    before = torch.random.get_rng_state()
    assert draw(1) == draw(1) != draw(2)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(5)
    free = draw(None)
    assert not torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(5)
    assert draw(None) == free


def test_samples_come_from_the_plain_distribution(model, tokenizer):
    # A model's own settings must not cut off what the losses compare.
    model.generation_config.update(top_k=1, top_p=0.01, repetition_penalty=9.0)
    made = generate_texts(
        model, tokenizer, ["7 ="] * 4000, max_new_tokens=1, temperature=1.5
    )
    ids = tokenizer("7 =", return_tensors="pt").input_ids
    with torch.no_grad():
        expected = (model(ids).logits[0, -1] / 1.5).softmax(-1)
    end = tokenizer.eos_token_id
    assert sum(made.ended) / 4000 == pytest.approx(expected[end].item(), abs=0.03)
    for token in expected.topk(3).indices.tolist():
        text = tokenizer.decode([token], skip_special_tokens=True)
        share = sum(t == text for t in made.texts) / 4000
        like = sum(
            p.item()
            for i, p in enumerate(expected)
            if tokenizer.decode([i], skip_special_tokens=True) == text
        )
        assert share == pytest.approx(like, abs=0.03)


def test_a_prompt_beyond_the_context_is_refused(model, tokenizer):
    long = " ".join("7" * 15)
    assert generate_texts(model, tokenizer, [long], max_new_tokens=5).texts
    with pytest.raises(ValueError, match="number 1 has 15 tokens with 6 to write.* 20"):
        generate_texts(model, tokenizer, ["7", long], max_new_tokens=6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": []}, "at least one"),
        ({"prompts": "7"}, "a list of texts, got str"),
        ({"prompts": [7]}, "prompts must hold texts, got int in row 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"temperature": -1}, "temperature must be at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(model, tokenizer, change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        generate_texts(model, tokenizer, **({"prompts": ["7"]} | change))
