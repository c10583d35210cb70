"""Diagrams say with words what they mean, and their numbers are worked out."""

import numpy as np
import pytest

from distill_helpers.lessons import plots


def words_of(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_soft_targets_are_the_softmax_of_the_logits_over_t():
    words = words_of(plots.draw_softening(["a", "b"], [2.0, -2.0], 4.0))
    share = 1 / (1 + np.exp(-1.0))
    assert {"+2.0", "-2.0", f"{share:.2f}", f"{1 - share:.2f}"} <= set(words)
    assert "divide by\nT = 4,\nsoftmax" in words


def test_the_two_arrows_differ_in_more_than_colour_and_name_their_weights():
    figure = plots.draw_two_arrows()
    arrows = [t.arrow_patch for t in figure.axes[0].texts if not t.get_text()]
    assert len({arrow.get_linestyle() for arrow in arrows}) == len(arrows) == 2
    weights = [text for text in words_of(figure) if text.startswith("weight")]
    assert len(weights) == 2 and "T^2" in weights[0] and "1-" in weights[1]


def test_parts_carry_their_counts():
    counts = {"train": 100, "transfer": 1200, "validation": 300, "test": 700}
    words = words_of(plots.draw_parts(counts))
    assert {"train\n100 texts", "transfer\n1,200 texts"} <= set(words)


def test_bytes_are_drawn_by_their_share_and_a_sliver_is_not_called_nothing():
    figure = plots.draw_bytes({"embedding": 3_000_000, "layers": 999_000, "head": 1000})
    long, short, _ = (bar.get_width() for bar in figure.axes[0].patches)
    assert long / short == pytest.approx(3000 / 999)
    assert {"3.00 MB, 75%", "1.0 kB, under 1%"} <= set(words_of(figure))
    assert "all together: 4.00 MB" in words_of(figure)


def test_tiers_are_three_joined_by_two_questions():
    words = words_of(plots.draw_tiers())
    assert [word for word in words if word in ("device", "edge", "cloud")] == [
        "device",
        "edge",
        "cloud",
    ]
    assert words.count("not\nsure?") == 2


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.draw_softening(["a"], [1.0, 2.0]), "one number for each"),
        (lambda: plots.draw_softening(temperature=0), "temperature must be"),
        (lambda: plots.draw_parts({"train": 1}), "counts must name"),
        (lambda: plots.draw_bytes({}), "sizes must hold bytes"),
        (lambda: plots.draw_bytes({"a": -1}), "sizes must hold bytes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


@pytest.mark.parametrize(
    "figure",
    [
        plots.draw_softening(),
        plots.draw_two_arrows(),
        plots.draw_parts({"train": 1, "transfer": 2, "validation": 3, "test": 40000}),
        plots.draw_tiers(),
    ],
    ids=["softening", "two arrows", "parts", "tiers"],
)
def test_words_stay_on_the_card_and_lie_on_no_other_word(figure):
    figure.canvas.draw()
    card = figure.bbox
    boxes = [
        text.get_window_extent().shrunk(0.98, 0.98)
        for text in figure.axes[0].texts
        if text.get_text()
    ]
    assert all(card.contains(*box.min) and card.contains(*box.max) for box in boxes)
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert not [pair for pair in pairs if pair[0].overlaps(pair[1])]
