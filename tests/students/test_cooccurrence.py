"""First embeddings that are learnt from texts: the company that words keep."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from distill_helpers.students.cooccurrence import embeddings_from_texts

PAD, A, B, HIS, HER, X = range(6)
ROWS = [
    np.array(row)
    for row in ([HIS, A, X], [HIS, B, X], [HER, A, X], [HER, B, X], [A, X, PAD])
] * 20
SIDES = np.array([0.9, 0.1, 0.9, 0.1, 0.9] * 20)


def test_words_that_keep_the_same_company_get_like_rows():
    start = embeddings_from_texts(ROWS, 6, SIDES, width=4, reach=1)
    assert start.shape == (6, 4) and start.dtype == torch.float32
    company = start[:, :-1]
    alike = cosine_similarity(company[HIS], company[HER], dim=0)
    other = cosine_similarity(company[HIS], company[A], dim=0)
    assert alike > 0.9 > other


def test_the_last_column_says_which_class_a_word_speaks_for():
    mood = embeddings_from_texts(ROWS, 6, SIDES, width=3)[:, -1]
    assert mood[A] > 0 > mood[B]
    assert abs(mood[HIS]) < mood[A] / 2
    assert mood[PAD] == 0


def test_padding_is_no_company_and_the_seed_settles_it():
    padded = [np.append(row, [PAD] * 7) for row in ROWS]
    first = embeddings_from_texts(ROWS, 6, SIDES, width=4)
    again = embeddings_from_texts(padded, 6, SIDES, width=4)
    torch.testing.assert_close(first, again)
    assert torch.equal(first[PAD], torch.zeros(4))
    assert first.isfinite().all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": 1}, r"width must lie in \[2, 6\], got 1"),
        ({"width": 7}, r"width must lie in \[2, 6\], got 7"),
        ({"reach": 0}, "reach must be at least 1"),
        ({"size": 5}, r"ids from 0 to 4 \(size=5\), got"),
        ({"rows": []}, "at least one text"),
        ({"probabilities": SIDES[:-1]}, "for each of the 100 rows"),
        ({"probabilities": SIDES * 2}, r"within \[0, 1\]"),
    ],
    ids=lambda it: next(iter(it)) if isinstance(it, dict) else "",
)
def test_what_does_not_fit_is_named(change, says):
    given = {"rows": ROWS, "size": 6, "probabilities": SIDES, "width": 4} | change
    with pytest.raises(ValueError, match=says):
        embeddings_from_texts(**given)
