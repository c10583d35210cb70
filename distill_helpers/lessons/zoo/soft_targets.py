"""Which historical mistake a loss between soft targets makes."""

from __future__ import annotations

import inspect
from itertools import product

import torch
from torch.nn import functional as F

from ...losses.soft_targets import kd_loss
from ..exercises.answers import call, same, scalar
from ..exercises.outcomes import Incorrect, Unsupported
from . import mistakes as known
from .probes import (
    Loss,
    as_function,
    gradient_of,
    name_mistakes,
    reaches_teacher,
    some_logits,
    uses_student,
)

# ------------------------------------------------ known mistakes, combined
_FORMS = {
    "kl": (),
    "probabilities": (known.PROBABILITIES,),
    "logits": (known.LOGITS,),
    "softmax twice": (known.SOFTMAX_TWICE,),
    "cross-entropy": (known.ENTROPY_LEFT,),
}
_DIRECTIONS = {"forward": (), "reverse": (known.SWAPPED,)}
_POWERS = {  # of T, by which the student's and the teacher's logits are divided
    (1, 1): (),
    (1, 0): (known.STUDENT_ONLY,),
    (0, 1): (known.TEACHER_ONLY,),
    (0, 0): (known.NEITHER,),
    (-1, -1): (known.MULTIPLIED,),
}
_DIMS = {  # of the student's and the teacher's softmax
    (-1, -1): (),
    (0, 0): (known.OVER_BATCH,),
    (0, -1): (known.OVER_BATCH,),
    (-1, 0): (known.OVER_BATCH,),
}
_REDUCTIONS = {"batchmean": (), "mean": (known.MEAN,), "sum": (known.SUM,)}
_SCALES = {2: (), 0: (known.NO_SQUARE,), 1: (known.ONE_T,), -2: (known.DIVIDED,)}


def _kd_candidates(student, teacher, temperature):
    """Yield the mistakes and the value of every combination of them."""
    batch, classes = student.shape
    divisors = {"batchmean": batch, "mean": batch * classes, "sum": 1}
    for form, way, powers, dims in product(_FORMS, _DIRECTIONS, _POWERS, _DIMS):
        made = _FORMS[form] + _DIRECTIONS[way] + _POWERS[powers] + _DIMS[dims]
        softened = [z / temperature**n for z, n in zip((student, teacher), powers)]
        if way == "reverse":
            softened.reverse()
        total = _divergence(form, *softened, *dims)
        for reduction, scale in product(_REDUCTIONS, _SCALES):
            value = total / divisors[reduction] * temperature**scale
            yield made + _REDUCTIONS[reduction] + _SCALES[scale], value
    yield from _other_losses(student, teacher, temperature)


def _other_losses(student, teacher, temperature):
    """Yield mistakes that are not made of the choices above."""
    square, soft = temperature**2, teacher / temperature
    right = kd_loss(student, teacher, temperature)
    turned = kd_loss(teacher, student, temperature)
    yield (known.NEGATIVE,), -right
    yield (known.BOTH_WAYS,), (right + turned) / 2
    yield (known.BOTH_WAYS,), right + turned
    first = teacher.argmax(-1)
    for logits in (student, student / temperature):
        hard = F.cross_entropy(logits, first)
        yield (known.HARD_TARGETS,), hard
        yield (known.HARD_TARGETS,), hard * square
    yield (known.SQUARED_ERROR,), F.mse_loss(student, teacher)
    yield (known.SQUARED_ERROR,), F.mse_loss(student, teacher) * square
    log_s = F.log_softmax(student / temperature, -1)
    wrong = F.kl_div(log_s, F.softmax(soft, -1), reduction="batchmean", log_target=True)
    yield (known.LOG_TARGET,), wrong * square
    single = F.kl_div(
        F.logsigmoid(student / temperature), soft.sigmoid(), reduction="batchmean"
    )
    yield (known.SIGMOID,), single * square
    paired = F.binary_cross_entropy_with_logits(student / temperature, soft.sigmoid())
    yield (known.SIGMOID,), paired
    yield (known.SIGMOID,), paired * square


def _divergence(form, student, teacher, student_dim, teacher_dim) -> torch.Tensor:
    log_s = F.log_softmax(student, student_dim)
    log_t = F.log_softmax(teacher, teacher_dim)
    p = log_t.exp()
    if form == "probabilities":
        log_s = log_s.exp()
    elif form == "logits":
        log_s = student
    elif form == "softmax twice":
        log_s = F.log_softmax(log_s.exp(), student_dim)
    elif form == "cross-entropy":
        return -(p * log_s).sum()
    return (p * (log_t - log_s)).sum()


# ----------------------------------------------------------- soft targets
def examine_kd(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, temperature)``.

    A class that is built with the temperature will do as well.
    """
    if inspect.isclass(answer):
        answer = as_function(answer, ("temperature",))

    def loss(student, teacher, temperature):
        return call(
            answer,
            student_logits=student,
            teacher_logits=teacher,
            temperature=temperature,
        )

    examine_soft_targets(loss)
    return "It went through the whole zoo, and nothing bit."


def examine_soft_targets(loss: Loss) -> None:
    """Compare with known mistakes, then with what every such loss keeps to."""
    probes = [(some_logits(5, 4, 1), some_logits(5, 4, 2), 2.7)]
    probes.append((some_logits(3, 6, 3), some_logits(3, 6, 4), 1.7))
    values = [scalar(loss(*probe)) for probe in probes]
    given, right = f"{values[0].item():.4f}", f"{kd_loss(*probes[0]).item():.4f}"
    if not all(torch.isfinite(value) for value in values):
        raise known.describe([known.NOT_A_NUMBER], given, right)
    _check_both_sides_count(loss, *probes[0])
    lists = [list(_kd_candidates(*probe)) for probe in probes]
    mistakes = name_mistakes(values, lists)
    if mistakes:
        if reaches_teacher(loss):
            mistakes += (known.INTO_TEACHER,)
        raise known.describe(mistakes, given, right)
    for invariant in INVARIANTS if mistakes == () else PROPERTIES:
        invariant(loss)
    if mistakes is None:
        raise Incorrect(
            "The value is not that of T^2 KL(teacher || student), and it is no"
            " mistake that the zoo knows.",
            given,
            right,
            "each step on one example with two classes, by hand",
        )


def _check_both_sides_count(loss, student, teacher, temperature) -> None:
    value = scalar(loss(student, teacher, temperature))
    if not torch.equal(value, scalar(loss(student, teacher, temperature))):
        raise known.describe([known.RANDOM])
    other = some_logits(*student.shape, seed=9)
    if same(value, scalar(loss(student, other, temperature)), 1e-6):
        if uses_student(loss):
            raise known.describe(
                [known.STUDENT_TWICE], "the same number for two teachers"
            )
        raise known.describe([known.TEACHER_TWICE], "the same number for two students")
    if same(value, scalar(loss(other, teacher, temperature)), 1e-6):
        raise known.describe([known.TEACHER_TWICE], "the same number for two students")


def keeps_the_teacher_fixed(loss: Loss) -> None:
    """No gradient reaches the teacher."""
    if reaches_teacher(loss):
        raise known.describe(
            [known.INTO_TEACHER], "a gradient in teacher_logits", "none"
        )


def teaches_the_student(loss: Loss) -> None:
    """The student gets the gradient of the KL divergence."""
    probe = (some_logits(4, 3, 5), some_logits(4, 3, 6), 2.0)
    got, expected = gradient_of(loss, *probe), gradient_of(kd_loss, *probe)
    if not same(got, expected, 1e-3):
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {got.norm().item():.4f}",
            f"one of norm {expected.norm().item():.4f}",
        )


def is_zero_for_equals(loss: Loss) -> None:
    """Zero when the student equals the teacher."""
    logits = some_logits(4, 3, 7)
    value = scalar(loss(logits, logits.clone(), 3.0)).item()
    if not abs(value) < 1e-5:
        raise Incorrect(
            "The loss must be zero when the student equals the teacher.",
            f"{value:.4f}",
            "0",
            "each step, with the same logits on both sides",
        )


def ignores_the_batch_size(loss: Loss) -> None:
    """Every example twice gives the same loss."""
    student, teacher = some_logits(4, 3, 5), some_logits(4, 3, 6)
    once = scalar(loss(student, teacher, 2.0))
    twice = scalar(loss(student.repeat(2, 1), teacher.repeat(2, 1), 2.0))
    if not same(twice, once, 1e-3):
        raise Incorrect(
            "The same examples twice must give the same loss.",
            f"{once.item():.4f} once, {twice.item():.4f} twice",
            look="the divisor: the number of examples in the batch",
        )


def is_flat_in_temperature(loss: Loss) -> None:
    """The gradient keeps its size when the temperature rises."""
    student, teacher = 0.2 * some_logits(6, 4, 5), 0.2 * some_logits(6, 4, 6)
    warm, hot = (gradient_of(loss, student, teacher, t).norm() for t in (4.0, 16.0))
    if not 0.5 < hot / warm < 2:
        raise Incorrect(
            "The gradient must keep its size when the temperature rises.",
            f"{(hot / warm).item():.3f} times the size at T = 16 as at T = 4",
            "about 1",
            "the factor temperature ** 2",
        )


def takes_any_shape_and_temperature(loss: Loss) -> None:
    """Any batch, any number of classes and any temperature will do."""
    for batch, classes, temperature in ((4, 2, 2.0), (1, 3, 0.5), (3, 10, 1.5)):
        probe = (
            some_logits(batch, classes, 5),
            some_logits(batch, classes, 6),
            temperature,
        )
        got, expected = scalar(loss(*probe)), kd_loss(*probe)
        if not same(got, expected, 1e-3):
            raise Incorrect(
                f"Wrong for {batch} examples with {classes} classes at T ="
                f" {temperature:g}.",
                f"{got.item():.4f}",
                f"{expected.item():.4f}",
                "numbers in your code that were right for one shape only",
            )


def survives_confidence(loss: Loss) -> None:
    """Confident logits stay exact, and half precision gives no NaN."""
    sharp = torch.tensor([[12.0, -12.0, 0.0], [-9.0, 11.0, 3.0]])
    probe = (3 * sharp.flip(1), 3 * sharp, 1.0)
    got, expected = scalar(loss(*probe)), kd_loss(*probe)
    if not same(got, expected, 1e-2):
        raise known.describe([known.UNDERFLOW], f"{got:.2f}", f"{expected:.2f}")
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        scale = 3 if dtype == torch.float32 else 1
        student, teacher = (scale * z.to(dtype) for z in (sharp.flip(1), sharp))
        try:
            value = scalar(loss(student, teacher, 1.0))
            slope = gradient_of(loss, student, teacher, 1.0)
        except Unsupported:  # no such kernel on this machine: nothing to tell
            continue
        name = str(dtype).removeprefix("torch.")
        if torch.isnan(value) or not torch.isfinite(slope).all():
            given = f"{value.item()} in {name}, and a gradient that is not finite"
            raise known.describe([known.UNDERFLOW], given, "finite numbers")
        if not same(slope, gradient_of(kd_loss, student, teacher, 1.0), 0.05):
            given = f"another gradient than the right one, in {name}"
            raise known.describe([known.UNDERFLOW], given)


INVARIANTS = (
    keeps_the_teacher_fixed,
    is_zero_for_equals,
    teaches_the_student,
    ignores_the_batch_size,
    is_flat_in_temperature,
    takes_any_shape_and_temperature,
    survives_confidence,
)
"""What every distillation loss must keep to, one function each."""

PROPERTIES = (
    keeps_the_teacher_fixed,
    is_zero_for_equals,
    ignores_the_batch_size,
    is_flat_in_temperature,
)
"""Those that can be told apart even where the value is wrong."""
