import numpy as np
import pytest

from distill_helpers.data.duplicates import duplicate_groups, jaccard

WORDS = [f"word{i}" for i in range(2000)]


def review(seed, length=80):
    return " ".join(np.random.default_rng(seed).choice(WORDS, length))


def test_different_reviews_stay_apart():
    texts = [review(seed) for seed in range(200)]
    assert duplicate_groups(texts).tolist() == list(range(200))


def test_case_and_punctuation_do_not_hide_a_duplicate():
    text = review(1)
    assert duplicate_groups([text, text.upper() + "!!"]).tolist() == [0, 0]


def test_a_review_with_a_few_words_changed_is_found():
    words = review(2).split()
    words[10], words[60] = "another", "word"
    groups = duplicate_groups([review(3), review(2), " ".join(words)])
    assert groups.tolist() == [0, 1, 1]


def test_a_chain_of_duplicates_is_one_group():
    first = review(4)
    second = first + " and more"
    third = second + " and even more"
    assert set(duplicate_groups([first, second, third])) == {0}


def test_sharing_a_few_words_is_no_duplicate():
    words = review(5).split()
    half = " ".join(words[:20] + review(6).split()[20:])
    assert duplicate_groups([review(5), half]).tolist() == [0, 1]


def test_texts_without_words_are_never_duplicates():
    assert duplicate_groups(["", "...", ""]).tolist() == [0, 1, 2]


@pytest.mark.parametrize("threshold", [0, -1, 1.5])
def test_threshold_is_checked(threshold):
    with pytest.raises(ValueError, match="threshold"):
        duplicate_groups(["a"], threshold=threshold)


def test_jaccard_by_hand():
    first, second = np.array([1, 2, 3]), np.array([2, 3, 4])
    assert jaccard(first, second) == pytest.approx(0.5)
    assert jaccard(np.array([]), np.array([])) == 0.0


def test_a_footer_that_all_share_makes_no_duplicates_and_few_comparisons(monkeypatch):
    footer = review(7, 34)
    bodies = [review(seed, 12) for seed in range(400)]
    asked = []
    monkeypatch.setattr(
        "distill_helpers.data.duplicates.jaccard",
        lambda first, second: asked.append(1) or jaccard(first, second),
    )
    groups = duplicate_groups([f"{body} {footer}" for body in bodies])
    assert groups.tolist() == list(range(400))
    assert len(asked) < 400  # of 79,800 pairs


def test_near_copies_are_found_above_a_shared_footer():
    footer, body = review(7, 34), review(8, 40)
    texts = [f"{review(seed, 40)} {footer}" for seed in range(100, 200)]
    texts += [f"{body} {footer}", f"{body} again {footer}"]
    assert duplicate_groups(texts).tolist() == [*range(100), 100, 100]


def test_a_form_with_one_word_to_fill_in_is_one_text_however_often_it_is_used():
    head, tail = review(9, 20), review(10, 20)
    texts = [f"{head} {number} {tail}" for number in range(300)]
    assert set(duplicate_groups(texts)) == {0}


def test_scripts_without_spaces_are_compared_by_their_letters():
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 500)]
    draw = np.random.default_rng(0)
    first, second = ("".join(draw.choice(letters, 40)) for _ in range(2))
    changed = first[:20] + second[0] + first[21:]
    assert duplicate_groups([first, second, changed]).tolist() == [0, 1, 0]
