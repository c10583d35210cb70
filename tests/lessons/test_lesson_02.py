"""Lesson 02: what its pictures say in words."""

import pytest

from distill_helpers.lessons.l02 import pictures


def test_the_pushes_keep_one_scale_and_are_said_in_order():
    pulls = {"label": [0.5, -0.5], "both": [0.25, -0.75]}
    figure, words = pictures.pushes(("cat", "dog"), pulls, 4.0, 0.5)
    assert words == "T = 4, alpha = 0.5: both together push cat +0.25, dog -0.75."
    assert figure.axes[0].get_ylim() == (-3, 3)


def test_a_push_that_is_larger_widens_the_scale():
    pulls = {"label": [0.5, -7.0], "both": [0.25, -0.75]}
    figure, _ = pictures.pushes(("cat", "dog"), pulls, 1.0, 0.0)
    assert figure.axes[0].get_ylim() == (-7, 7)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (
            lambda: pictures.forgotten_square({"with": 0.971, "without": 0.85}),
            "Our run: with 0.97, without 0.85",
        ),
        (
            lambda: pictures.price_of_a_label([0.01, 0.5, 1.0], [4.6, 0.7, -0.0]),
            "from 4.6 nats at probability 0.01 to 0 at 1.",
        ),
        (
            lambda: pictures.gradients_by_size([1, 40], {"size 5": [100.0, 192.4]}),
            "At T = 40: size 5 192%.",
        ),
        (
            lambda: pictures.two_projections({"trained": [2, 0.1], "fixed": [2, 1]}),
            "After the last step: trained 0.10, fixed 1.00.",
        ),
    ],
    ids=["opening", "label", "size", "projection"],
)
def test_a_picture_says_the_numbers_that_it_was_given(picture, said):
    assert said in picture().alt
