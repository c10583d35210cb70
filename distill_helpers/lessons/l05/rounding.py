"""Lesson 05: the answers to rounding weights, right and wrong."""

from __future__ import annotations

import torch

from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect


def my_quantise(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.abs().max() / most
    return (values / scale).round(), scale


def clamped(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.abs().max() / most
    return (values / scale).round().clamp(-most, most).to(torch.int8), float(scale)


def all_codes(values, bits):
    scale = values.abs().max() / 2 ** (bits - 1)
    return (values / scale).round(), scale


def unsigned(values, bits):
    scale = (values.max() - values.min()) / (2**bits - 1)
    return ((values - values.min()) / scale).round(), scale


def cut_off(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.abs().max() / most
    return (values / scale).trunc(), scale


def without_sign(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.max() / most
    return (values / scale).round(), scale


def inverse_scale(values, bits):
    numbers, scale = my_quantise(values, bits)
    return numbers, 1 / scale


def restored(values, bits):
    numbers, scale = my_quantise(values, bits)
    return numbers * scale, scale


def unrounded(values, bits):
    scale = values.abs().max() / (2 ** (bits - 1) - 1)
    return values / scale, scale


def examine_quantise(answer) -> str:
    cases = (
        (torch.tensor([0.30, -1.27, 0.66, 0.02, 1.00]), 8),
        (torch.tensor([0.31, -0.70, 0.66, 0.05, 0.49]), 4),
    )
    for values, bits in cases:
        got = _pair(call(answer, values=values, bits=bits))
        known = {
            "Not rounded: these are still fractions.": (
                unrounded,
                "round(), after the division",
            ),
            "Cut off instead of rounded: every error leans towards 0.": (
                cut_off,
                "round(), not int() or trunc()",
            ),
            "The scale takes the largest value with its sign; the largest"
            " magnitude may be negative.": (without_sign, "abs() before max()"),
            "The grid reaches one step too far: of 256 codes a symmetric grid uses"
            " 255, so that 0 stays 0 and both sides are alike.": (
                all_codes,
                "2 ** (bits - 1) - 1",
            ),
            "That is the grid from the smallest to the largest value. It is in use,"
            " but it needs a zero point too; here a symmetric one is asked for.": (
                unsigned,
                "one scale, from the largest magnitude",
            ),
            "The scale is upside down: whole number times scale gives the value.": (
                inverse_scale,
                "the division",
            ),
            "These are the values after the way back; the whole numbers are wanted.": (
                restored,
                "what is returned",
            ),
        }
        settle(
            got,
            my_quantise(values, bits),
            {what: (f(values, bits), look) for what, (f, look) in known.items()},
            ("Not the numbers of a symmetric grid.", "one value, by hand"),
            equal=_same_pair,
            shown=_shown_pair,
        )
    return "A byte each instead of four, and one scale for all of them."


def _pair(got) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        numbers, scale = got
        return torch.as_tensor(numbers).double(), torch.as_tensor(scale).double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise Incorrect(
            "Two things are wanted: the whole numbers and their scale.",
            type(got).__name__,
            "numbers, scale",
        ) from error


def _same_pair(got, expected) -> bool:
    pairs = [
        (torch.as_tensor(a).double(), torch.as_tensor(b).double())
        for a, b in zip(got, expected)
    ]
    return all(
        a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-6)
        for a, b in pairs
    )


def _shown_pair(pair) -> str:
    numbers, scale = (torch.as_tensor(part).double() for part in pair)
    listed = [round(v, 3) for v in numbers.flatten().tolist()]
    scales = [round(v, 5) for v in scale.flatten().tolist()]
    return f"{listed} with scale {', '.join(map(str, scales))}"
