"""Pictures carry labels, distinguishable marks, and alternative text."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from distill_helpers.lessons import plots


def axes_of(figure):
    return figure.axes[-1]


def test_lines_differ_in_more_than_colour_and_axes_are_labelled():
    series = {"a": [1, 2, 3], "b": [3, 2, 1]}
    axes = axes_of(
        plots.line_chart(
            [1, 2, 4], series, x_label="T", y_label="norm", scale="log-log"
        )
    )
    first, second = axes.lines
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_marker() != second.get_marker()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("T", "norm")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["a", "b"]


def test_a_band_is_drawn_around_its_line():
    axes = axes_of(
        plots.line_chart(
            [0, 1],
            {"a": [1, 2]},
            x_label="x",
            y_label="y",
            bands={"a": ([0, 1], [2, 3])},
        )
    )
    assert len(axes.collections) == 1


def test_curves_of_unlike_reach_stand_at_their_own_places():
    def curve(places, means):
        return pd.DataFrame({"T": places, "mean": means, "low": 0.0, "high": 1.0})

    curves = {"a": curve([1, 2, 4], [0.1, 0.2, 0.3]), "b": curve([4, 2], [0.9, 0.8])}
    axes = axes_of(plots.curve_chart(curves, "T", y_label="accuracy", title="t"))
    first, second = axes.lines
    assert first.get_xdata().tolist() == [1, 2, 4] == second.get_xdata().tolist()
    assert first.get_ydata().tolist() == [0.1, 0.2, 0.3]
    assert second.get_ydata()[1:].tolist() == [0.8, 0.9]
    assert np.isnan(second.get_ydata()[0]) and len(axes.collections) == 2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("T", "accuracy")


def test_a_series_of_another_length_or_scale_is_refused():
    with pytest.raises(ValueError, match="'a' must have 2 values"):
        plots.line_chart([0, 1], {"a": [1]}, x_label="x", y_label="y")
    with pytest.raises(ValueError, match="scale must be"):
        plots.line_chart([0], {"a": [1]}, x_label="x", y_label="y", scale="cubic")
    with pytest.raises(ValueError, match="'a' must have 2 values"):
        plots.bar_groups(["x", "y"], {"a": [1]}, y_label="y")


def test_bars_differ_in_hatching_and_keep_their_scale():
    axes = axes_of(
        plots.bar_groups(
            ["cat", "dog"],
            {"soft": [1, -1], "label": [0.5, 0]},
            y_label="push",
            y_range=(-3, 3),
        )
    )
    assert axes.get_ylim() == (-3, 3)
    assert len({bar.get_hatch() for bar in axes.patches}) == 2
    assert [round(bar.get_height(), 2) for bar in axes.patches] == [1, -1, 0.5, 0]


def test_an_image_grid_needs_one_title_an_image():
    images = [np.zeros((8, 8))] * 12
    figure = plots.image_grid(images, [str(i) for i in range(12)])
    assert [axes.get_title() for axes in figure.axes] == [str(i) for i in range(12)]
    wide = plots.image_grid(images[:5], list("abcde"), inches=1.4)
    assert wide.get_figwidth() == pytest.approx(7.0)
    with pytest.raises(ValueError, match="titles must name each of 12"):
        plots.image_grid(images, ["one"])


def test_an_image_stands_beside_its_bars():
    figure = plots.image_and_bars(
        np.eye(8), ["0", "1"], [0.25, 0.75], x_label="digit", y_label="share"
    )
    image, bars = figure.axes
    assert image.images and [b.get_height() for b in bars.patches] == [0.25, 0.75]


def test_gains_show_every_run_and_where_nothing_was_gained():
    gains = {"soft": [0.1, 0.2], "shuffled": [-0.1, 0.1]}
    intervals = {"soft": (0.05, 0.25), "shuffled": None}
    axes = axes_of(plots.gain_chart(gains, intervals, "gain"))
    assert [t.get_text() for t in axes.get_yticklabels()] == ["shuffled", "soft"]
    ticks = [line for line in axes.lines if line.get_marker() == "|"]
    assert sorted(len(line.get_xdata()) for line in ticks) == [2, 2]


def test_a_picture_needs_alternative_text():
    figure = plots.bar_groups(["a"], {"s": [1]}, y_label="y")
    shown = plots.show(figure, "one bar")
    assert shown._repr_mimebundle_()[1]["image/png"]["alt"] == "one bar"
    with pytest.raises(ValueError, match="alt must say"):
        plots.show(figure, " ")


def test_levels_stand_below_their_weights_and_errors_are_written():
    figure = plots.levels_chart(
        [-1.0, 0.1, 0.9],
        [-1.0, 0.0, 1.0],
        {"one scale": 0.25, "one a row": 0.125},
        x_label="weight",
    )
    left, right = figure.axes
    assert len(left.collections[0].get_segments()) == 3
    assert {text.get_text() for text in right.texts} == {"25.0%", "12.5%"}
    assert left.get_xlabel() == "weight" and right.get_ylabel() == "relative error"
    hatches = {bar.get_hatch() for bar in right.patches}
    assert len(hatches) == 2


def test_a_point_may_have_an_interval():
    points = pd.DataFrame(
        {"form": ["a", "b"], "mb": [1.0, 4.0], "gain": [0.0, 0.1], "low": [0.0, -0.1]}
    )
    axes = axes_of(
        plots.pareto_chart(
            points.assign(high=[0.0, 0.3]),
            points,
            "mb",
            "gain",
            name="form",
            x_label="MB",
            y_label="gain",
            bars=("low", "high"),
        )
    )
    bars = [c for c in axes.collections if hasattr(c, "get_segments")]
    ends = [bar.get_segments()[0][:, 1].tolist() for bar in bars]
    assert ends == [[0.0, 0.0], [-0.1, 0.3]]


def test_a_budget_is_a_line_in_each_panel_and_the_chosen_one_is_ringed():
    points = pd.DataFrame(
        {
            "student": ["a", "a", "b"],
            "MB": [1.0, 2.0, 3.0],
            "ms": [0.2, 0.3, 0.1],
            "f1": [0.5, 0.4, 0.8],
            "low": [0.4, 0.3, 0.7],
            "high": [0.6, 0.5, 0.9],
            "front": [True, False, True],
            "chosen": [True, False, False],
        }
    )
    left, right = plots.budget_chart(points, budget_mb=2.5, budget_ms=0.25).axes
    for axes, budget, places in ((left, 2.5, [1.0, 3.0]), (right, 0.25, [0.1])):
        stairs, line = axes.lines
        assert stairs.get_xdata().tolist() == places
        assert line.get_xdata() == [budget, budget]
        ring = axes.collections[-1]
        assert ring.get_facecolor().size == 0 and len(ring.get_offsets()) == 1
        assert axes.get_xlabel().endswith("(log scale)")
    assert left.get_ylabel() and not right.get_ylabel()
    assert [t.get_text() for t in left.get_legend().get_texts()] == ["a", "b"]
    plain = plots.budget_chart(points).axes
    assert [len(axes.lines) for axes in plain] == [1, 1]


def test_parts_follow_one_another_and_their_sum_is_written():
    axes = axes_of(
        plots.stacked_bars(
            ["one", "many"], {"read": [1, 2], "run": [3, 8]}, x_label="ms"
        )
    )
    starts = [bar.get_x() for bar in axes.patches]
    assert starts == [0, 0, 1, 2]
    assert {text.get_text().strip() for text in axes.texts} == {"4", "10"}
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["read", "run"]
    with pytest.raises(ValueError, match="'run' must have 1 values, got 2"):
        plots.stacked_bars(["one"], {"run": [1, 2]}, x_label="ms")


def test_a_path_has_a_box_for_every_step_and_an_arrow_between_two():
    steps = [(f"0{i}", "a title that is long enough to be broken") for i in range(5)]
    axes = plots.path_chart(steps, columns=3).axes[0]
    boxes = [text for text in axes.texts if text.get_text()]
    arrows = [text for text in axes.texts if not text.get_text()]
    assert [box.get_text()[:2] for box in boxes] == [number for number, _ in steps]
    assert [box.xy for box in boxes] == [(0, 0), (1, 0), (2, 0), (0, -1), (1, -1)]
    assert [(a.xyann, a.xy) for a in arrows] == [
        (here.xy, there.xy) for here, there in zip(boxes, boxes[1:])
    ]
    with pytest.raises(ValueError, match="the number of steps must be at least 1"):
        plots.path_chart([])
    with pytest.raises(ValueError, match="columns must be at least 1, got 0"):
        plots.path_chart(steps, columns=0)


def test_a_confusion_matrix_writes_its_counts_and_is_shaded_by_the_true_class():
    classes = ["bug", "refund", "never seen"]
    counts = pd.DataFrame([[8, 2, 0], [1, 3, 0], [0, 0, 0]], classes, classes)
    axes = plots.confusion_chart(counts).axes[0]
    assert [text.get_text() for text in axes.texts] == ["8", "2", "1", "3"]
    expected = [[0.8, 0.2, 0], [0.25, 0.75, 0], [0, 0, 0]]
    np.testing.assert_allclose(axes.images[0].get_array(), expected)
    assert axes.get_xlabel() and axes.get_ylabel()
    assert [tick.get_text() for tick in axes.get_yticklabels()] == classes
    with pytest.raises(ValueError, match="same classes in lines and columns"):
        plots.confusion_chart(counts[["refund", "bug", "never seen"]])


def test_the_style_sheet_rules_whatever_the_reader_has_set_and_is_gone_after():
    def drawn():
        return plots.to_png(plots.bar_groups(["a"], {"s": [1], "r": [2]}, y_label="y"))

    expected = drawn()
    own = {"grid.alpha": 1.0, "savefig.dpi": 50, "figure.figsize": (2, 2)}
    with matplotlib.rc_context(own):
        before = dict(matplotlib.rcParams)
        assert drawn() == expected
        assert dict(matplotlib.rcParams) == before
    assert plots.COLOURS[0] == "#0072B2" and len(set(plots.COLOURS)) == 8


def test_a_cut_trial_is_never_the_best_of_a_search():
    figure = plots.search_chart(
        [0.7, 0.95, None, 0.8, 0.75],
        [False, True, True, False, False],
        y_label="accuracy",
    )
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    assert drawn["whole trial"].get_ydata().tolist() == [0.7, 0.8, 0.75]
    assert drawn["cut trial"].get_ydata()[0] == 0.95
    assert drawn["best so far"].get_ydata().tolist() == [0.7, 0.7, 0.7, 0.8, 0.8]
    with pytest.raises(ValueError, match="series 'cut' must have 2 values, got 1"):
        plots.search_chart([0.7, 0.8], [False], y_label="accuracy")
