"""A sweep read knob by knob."""

import itertools

import pandas as pd
import pytest

from distill_helpers.classroom import read_sweep
from distill_helpers.classroom.knobs import label_curve, turning, usual_setting

USUAL = {
    "temperature": 2.0,
    "alpha": 0.9,
    "learning_rate": 0.03,
    "epochs": 5.0,
    "labelled": 400,
    "transfer": 1000,
    "width": 64,
}


def sweep(*turned):
    """Make a table: the usual setting, and one run for each change of it."""
    lines = [
        USUAL | change | {"model": model, "seed": seed, "accuracy": 0.7 + 0.1 * place}
        for change in ({}, *turned)
        for seed in (0, 1)
        for place, model in enumerate(("control", "distilled"))
    ]
    return pd.DataFrame(lines)


def test_only_the_knob_asked_for_has_been_turned():
    both = {"alpha": 0.5, "temperature": 4.0}
    table = sweep({"alpha": 0.5}, both, {"epochs": 1.0}, {"epochs": 2.0})
    usual = usual_setting(table)
    assert usual == USUAL
    assert sorted(turning(table, ["alpha"], usual)["alpha"].unique()) == [0.5, 0.9]
    assert set(turning(table, ["alpha"], usual)["epochs"]) == {5.0}
    with pytest.raises(ValueError, match="moving must be among .*got ..aplha"):
        turning(table, ["aplha"], usual)


def test_the_curve_of_the_labels_holds_the_unlabelled_texts_still():
    """Runs whose unlabelled texts changed along with the labels are not in it."""
    moved = [{"labelled": n, "transfer": 1400 - n} for n in (50, 100)]
    still = [{"labelled": n} for n in (25, 1400)]
    curve = label_curve(sweep(*moved, *still), USUAL)
    assert list(curve) == ["control", "distilled"]
    for name, mean in (("control", 0.7), ("distilled", 0.8)):
        assert curve[name]["labelled"].tolist() == [25, 400, 1400]
        assert set(curve[name]["transfer"]) == {1000}
        assert curve[name]["mean"].tolist() == pytest.approx([mean] * 3)
    distilled = sweep().query("model == 'distilled'")
    assert list(label_curve(distilled, USUAL)) == ["distilled"]
    assert label_curve(distilled, USUAL | {"width": 3}) == {}


def test_the_stored_sweep_turns_the_labels_alone():
    table = read_sweep("stored").table
    table = table[table["student"] == table["student"].mode()[0]]
    curve = label_curve(table, usual_setting(table))
    control, distilled = curve["control"], curve["distilled"]
    assert len(control) >= 4 and set(control["seeds"]) == {5}
    assert control["labelled"].tolist() == distilled["labelled"].tolist()
    assert len(set(control["transfer"]) | set(distilled["transfer"])) == 1
    gap = (distilled["mean"] - control["mean"]).tolist()
    assert gap[0] > 0.15 > 0.06 > gap[-1]
    assert all(a > b for a, b in itertools.pairwise(gap))
