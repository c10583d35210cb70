import numpy as np
import pytest

from distill_helpers.compression.parity import (
    EXACT,
    Bound,
    DisagreementError,
    measure_parity,
    verify,
)

SOURCE = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 3.0]])


def test_agreement_and_largest_difference_by_hand():
    target = SOURCE.copy()
    target[0] = [0.9, 1.5]
    found = measure_parity("x", SOURCE, target)
    assert (found.agreement, found.difference, found.texts) == (0.75, 1.5, 4)
    assert "75.0% the same label on 4 texts" in str(found)


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        (Bound(0.9), "75.0% the same.*at least 90.0% is wanted"),
        (Bound(0.7, 1.0), "difference 1.5; at most 1 is allowed"),
        (EXACT, "at least 100.0%"),
    ],
)
def test_a_conversion_beyond_its_bound_is_an_error(bound, message):
    target = SOURCE.copy()
    target[0] = [0.9, 1.5]
    answers = iter((SOURCE, target))
    with pytest.raises(DisagreementError, match=message):
        verify("x", lambda t: next(answers), lambda t: next(answers), "abcd", bound)


def test_a_conversion_within_its_bound_says_how_near_it_is():
    answers = iter((SOURCE, SOURCE + 1e-4))
    found = verify("x", lambda t: next(answers), lambda t: next(answers), "abcd")
    assert found.agreement == 1 and found.difference == pytest.approx(1e-4)


def test_nan_and_wrong_shapes_are_no_agreement():
    with pytest.raises(DisagreementError, match="NaN"):
        measure_parity("x", SOURCE, SOURCE * np.nan)
    for target in (SOURCE[:2], SOURCE[:, :1]):
        with pytest.raises(ValueError, match="one shape"):
            measure_parity("x", SOURCE, target)
    with pytest.raises(ValueError, match="and a text"):
        measure_parity("x", SOURCE[:0], SOURCE[:0])
