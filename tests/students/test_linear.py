"""The line to beat answers for every class, whatever it was shown."""

import numpy as np
import pytest

from distill_helpers.students.linear import baseline_logits

TEXTS = ["bill paid twice", "bill paid late", "parcel is lost", "parcel is late"]
LABELS = [0, 0, 2, 2]


@pytest.mark.parametrize("several", [False, True])
def test_a_class_without_a_labelled_text_keeps_its_column(several):
    labels = np.eye(4)[LABELS] if several else LABELS
    logits = baseline_logits(TEXTS, labels, ["parcel lost", "paid bill"], 4)
    assert logits.shape == (2, 4) and np.isfinite(logits).all()
    assert logits.argmax(1).tolist() == [2, 0]
    assert (logits[:, [1, 3]].max(1) < logits[:, [0, 2]].min(1)).all()
