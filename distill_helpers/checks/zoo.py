"""The bug zoo: tell which historical mistake a distillation loss repeats.

Two ways lead to a verdict. The value of the reader's loss is compared with
the value of every combination of known mistakes, so that a mistake can be
named. Then the invariants of a distillation loss are tested one by one, for
mistakes that nobody has made before.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from itertools import product

import torch
from torch import nn
from torch.nn import functional as F

from ..losses import (
    DistillationLoss,
    hidden_state_loss,
    kd_loss,
    labelled_cross_entropy,
)
from . import mistakes as known
from .exercise import Incorrect, Unsupported, call, same, scalar

Loss = Callable[..., torch.Tensor]


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


def _name_mistakes(values, lists) -> tuple[known.Mistake, ...] | None:
    """Find the fewest mistakes that explain the values of all probes.

    Returns
    -------
    tuple of Mistake or None
        Empty if the values are right, None if nothing known explains them.
    """
    fitting = [
        rows[0][0]
        for rows in zip(*lists)
        if all(same(value, row[1]) for value, row in zip(values, rows))
    ]
    return min(fitting, key=len, default=None)


# ----------------------------------------------------------- soft targets
def examine_kd(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, temperature)``.

    A class that is built with the temperature will do as well.
    """
    if inspect.isclass(answer):
        answer = _as_function(answer, ("temperature",))

    def loss(student, teacher, temperature):
        return call(
            answer,
            student_logits=student,
            teacher_logits=teacher,
            temperature=temperature,
        )

    _examine_soft_targets(loss)
    return "It went through the whole zoo, and nothing bit."


def _logits(batch, classes, seed, **options) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(batch, classes, generator=generator, **options)


def _examine_soft_targets(loss: Loss) -> None:
    probes = [(_logits(5, 4, 1), _logits(5, 4, 2), 2.7)]
    probes.append((_logits(3, 6, 3), _logits(3, 6, 4), 1.7))
    values = [scalar(loss(*probe)) for probe in probes]
    given, right = f"{values[0].item():.4f}", f"{kd_loss(*probes[0]).item():.4f}"
    if not all(torch.isfinite(value) for value in values):
        raise known.describe([known.NOT_A_NUMBER], given, right)
    _check_both_sides_count(loss, *probes[0])
    lists = [list(_kd_candidates(*probe)) for probe in probes]
    mistakes = _name_mistakes(values, lists)
    if mistakes:
        if _reaches_teacher(loss):
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
    other = _logits(*student.shape, seed=9)
    if same(value, scalar(loss(student, other, temperature)), 1e-6):
        if _uses_student(loss):
            raise known.describe(
                [known.STUDENT_TWICE], "the same number for two teachers"
            )
        raise known.describe([known.TEACHER_TWICE], "the same number for two students")
    if same(value, scalar(loss(other, teacher, temperature)), 1e-6):
        raise known.describe([known.TEACHER_TWICE], "the same number for two students")


def _uses_student(loss: Loss) -> bool:
    student = _logits(4, 3, 5).requires_grad_()
    return scalar(loss(student, _logits(4, 3, 6), 2.0)).requires_grad


def _reaches_teacher(loss: Loss) -> bool:
    student = _logits(4, 3, 5).requires_grad_()
    weights = _logits(4, 3, 6).requires_grad_()
    value = scalar(loss(student, weights * 1.0, 2.0))  # as a network gives them
    if value.requires_grad:
        value.backward()
    return weights.grad is not None and bool(weights.grad.abs().max() > 0)


def keeps_the_teacher_fixed(loss: Loss) -> None:
    """No gradient reaches the teacher."""
    if _reaches_teacher(loss):
        raise known.describe(
            [known.INTO_TEACHER], "a gradient in teacher_logits", "none"
        )


def gradient_of(loss: Loss, student, teacher, temperature) -> torch.Tensor:
    """Return the gradient of a loss with respect to the student's logits."""
    student = student.detach().clone().requires_grad_()
    value = scalar(loss(student, teacher, temperature))
    if not value.requires_grad:
        return torch.zeros_like(student)
    slope = torch.autograd.grad(value, student, allow_unused=True)[0]
    return torch.zeros_like(student) if slope is None else slope


def teaches_the_student(loss: Loss) -> None:
    """The student gets the gradient of the KL divergence."""
    probe = (_logits(4, 3, 5), _logits(4, 3, 6), 2.0)
    got, expected = gradient_of(loss, *probe), gradient_of(kd_loss, *probe)
    if not same(got, expected, 1e-3):
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {got.norm().item():.4f}",
            f"one of norm {expected.norm().item():.4f}",
        )


def is_zero_for_equals(loss: Loss) -> None:
    """Zero when the student equals the teacher."""
    logits = _logits(4, 3, 7)
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
    student, teacher = _logits(4, 3, 5), _logits(4, 3, 6)
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
    student, teacher = 0.2 * _logits(6, 4, 5), 0.2 * _logits(6, 4, 6)
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
        probe = (_logits(batch, classes, 5), _logits(batch, classes, 6), temperature)
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


# ----------------------------------------------------------------- labels
def examine_cross_entropy(answer) -> str:
    """Examine ``f(logits, labels)``: a mean over the labelled examples."""

    def loss(logits, labels):
        return call(answer, logits=logits, labels=labels)

    _examine_labels(
        lambda z: (loss(z, _labels(z)), z, None, 1.0),
        "one example by hand: minus the log-probability of its label; examples"
        " labelled -100 do not count",
    )
    for labels in ([0, 2, -100, 1], [-100, -100, 2, 0], [-100] * 4):
        _check_label_gradient(loss, torch.tensor(labels))
    nothing = torch.full((4,), -100)
    value = scalar(loss(_logits(4, 3, 5), nothing), "loss of a batch without labels")
    if not same(value, torch.tensor(0.0)):
        raise Incorrect(
            "A batch in which nobody has a label must cost nothing.",
            f"{value.item()}",
            "0",
            "the division by the number of labels when that is 0: .clamp(min=1)",
        )
    _check_confident_label(loss)
    return "Batches without any label are safe too."


def _labels(logits: torch.Tensor) -> torch.Tensor:
    """Return labels for a batch, every third one missing."""
    batch, classes = logits.shape
    labels = torch.arange(batch) * 2 % classes
    labels[1 if batch == 5 else 0 :: 3] = -100
    return labels


def _check_label_gradient(loss, labels: torch.Tensor) -> None:
    student, twin = (_logits(4, 3, 5).requires_grad_() for _ in range(2))
    value = scalar(loss(student, labels))
    labelled_cross_entropy(twin, labels).backward()
    slope = torch.zeros_like(student)
    if value.requires_grad:
        found = torch.autograd.grad(value, student, allow_unused=True)[0]
        slope = slope if found is None else found
    if not same(slope, twin.grad, 1e-3):
        raise Incorrect(
            f"The gradient is wrong for the labels {labels.tolist()}.",
            f"norm {slope.norm().item():.4f}",
            f"norm {twin.grad.norm().item():.4f}",
            "detach() and torch.no_grad(); and 0 / 0, which spoils a gradient even"
            " where its value is replaced afterwards",
        )


def _check_confident_label(loss) -> None:
    logits = torch.tensor([[12.0, -12.0]], dtype=torch.float16)
    try:
        value = scalar(loss(logits, torch.tensor([1])))
    except Unsupported:  # no such kernel on this machine: nothing to tell
        return
    if not same(value, torch.tensor(24.0), 0.01):
        raise known.describe([known.UNDERFLOW], f"{value.item():g} in float16", "24")


def _label_candidates(student, teacher, temperature):
    labels = _labels(student)
    entropy = partial(F.cross_entropy, target=labels)
    right, real = entropy(student), labels != -100
    yield (), right
    yield (known.ALL_COUNTED,), right * real.sum() / len(labels)
    yield (known.LABEL_ZERO,), F.cross_entropy(student, labels.clamp(min=0))
    yield (known.LABEL_SUM,), right * real.sum()
    yield (known.LABEL_SIGN,), -right
    yield (known.PROBABILITY_LABELS,), entropy(student.softmax(-1))
    if teacher is not None:
        yield (known.TEACHER_LABELS,), entropy(teacher)
        yield (known.SOFTENED_LABELS,), entropy(student / temperature)
        yield (known.SQUARED_LABELS,), right * temperature**2


def _examine_labels(ask, look: str, when: str = "") -> None:
    """Compare with known mistakes; `ask` maps logits to value and context."""
    probes = [_logits(5, 4, 1), _logits(7, 3, 3)]
    asked = [ask(student) for student in probes]
    values = [scalar(value) for value, *_ in asked]
    lists = [list(_label_candidates(*context)) for _, *context in asked]
    mistakes = _name_mistakes(values, lists)
    given, right = f"{values[0].item():.4f}", f"{lists[0][0][1].item():.4f}"
    if mistakes:
        raise known.describe(mistakes, given + when, right)
    if mistakes is None:
        what = "The cross-entropy with the labels is wrong."
        raise Incorrect(what, given + when, right, look)


# ------------------------------------------------------------ both together
def examine_distillation(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, labels, temperature, alpha)``.

    A class that is built with ``(temperature, alpha)`` and called with the
    rest will do as well.
    """
    if inspect.isclass(answer):
        answer = _as_function(answer, ("temperature", "alpha"))

    def loss(student, teacher, labels, temperature, alpha):
        return call(
            answer,
            student_logits=student,
            teacher_logits=teacher,
            labels=labels,
            temperature=temperature,
            alpha=alpha,
        )

    def soft(student, teacher, temperature):
        labels = torch.arange(len(student)) % student.shape[1]
        return loss(student, teacher, labels, temperature, 1.0)

    def hard(student):
        teacher = _logits(*student.shape, seed=8)
        value = loss(student, teacher, _labels(student), 2.7, 0.0)
        return value, student, teacher, 2.7

    _check_missing_labels(loss)
    _check_weights(loss)
    _examine_labels(
        hard,
        "what is left at alpha = 0: the cross-entropy of the student's plain"
        " logits with the labels, and nothing else",
        " at alpha = 0",
    )
    _examine_soft_targets(soft)
    _check_between(loss)
    return _remark_on_unlabelled(loss)


def _as_function(kind, settings: tuple[str, ...]):
    """Turn a class, built with some settings, into a function of everything."""

    def built(**given):
        made = call(kind, **{name: given.pop(name) for name in settings})
        return call(made, **given)

    return built


def _check_missing_labels(loss) -> None:
    """An error that comes from labels of -100 alone should say so."""
    student, teacher = _logits(5, 4, 1), _logits(5, 4, 2)
    try:
        loss(student, teacher, _labels(student), 2.0, 0.5)
    except Incorrect as problem:
        loss(student, teacher, torch.zeros(5, dtype=torch.long), 2.0, 0.5)
        raise Incorrect(
            "Labels of -100, which say that there is none, break it. " + str(problem),
            look="F.cross_entropy leaves them out by itself",
        ) from problem


def _check_weights(loss) -> None:
    student, teacher, temperature = _logits(5, 4, 1), _logits(5, 4, 2), 2.7
    labels = _labels(student)
    soft = scalar(loss(student, teacher, labels, temperature, 1.0))
    hard = scalar(loss(student, teacher, labels, temperature, 0.0))
    kd = kd_loss(student, teacher, temperature)
    ce = labelled_cross_entropy(student, labels)
    made = []
    if same(soft, ce) and same(hard, ce):
        made.append(known.SOFT_MISSING)
    elif same(soft, kd) and same(hard, kd):
        made.append(known.LABELS_MISSING)
    elif same(soft, ce):
        made.append(known.ALPHA_SWAPPED)
    elif same(soft, hard):
        made.append(known.ALPHA_UNUSED)
    elif same(soft, kd + ce):
        made.append(known.CE_UNWEIGHTED)
    elif not same(soft, kd) and not same(soft, _with_other_labels(loss)):
        made.append(known.LABELS_LEFT)
    if same(hard, kd + ce):
        made.append(known.KD_UNWEIGHTED)
    if made:
        raise known.describe(
            made,
            f"{soft.item():.4f} at alpha = 1, {hard.item():.4f} at alpha = 0",
            f"{kd.item():.4f} and {ce.item():.4f}",
        )


def _with_other_labels(loss) -> torch.Tensor:
    student, teacher = _logits(5, 4, 1), _logits(5, 4, 2)
    return scalar(loss(student, teacher, torch.tensor([3, 2, 1, 0, 3]), 2.7, 1.0))


def _check_between(loss) -> None:
    student, teacher = _logits(5, 4, 1), _logits(5, 4, 2)
    labels = _labels(student)
    for alpha in (0.25, 0.9):
        got = scalar(loss(student, teacher, labels, 2.7, alpha))
        kd = kd_loss(student, teacher, 2.7)
        expected = alpha * kd + (1 - alpha) * labelled_cross_entropy(student, labels)
        if not same(got, expected):
            raise Incorrect(
                f"Right at alpha = 0 and 1, but wrong at alpha = {alpha}.",
                f"{got.item():.4f}",
                f"{expected.item():.4f}",
                "alpha * soft + (1 - alpha) * hard",
            )
        _check_both_learn(loss, alpha)


def _check_both_learn(loss, alpha: float) -> None:
    """At any alpha the student gets the gradient of both terms."""
    package = DistillationLoss(2.7, alpha)
    slopes = []
    for make in (lambda s, t, y: loss(s, t, y, 2.7, alpha), package):
        student, weights = (_logits(5, 4, n).requires_grad_() for n in (1, 2))
        value = scalar(make(student, weights * 1.0, _labels(student)))
        if value.requires_grad:
            value.backward()
        slopes.append(
            torch.zeros_like(student) if student.grad is None else student.grad
        )
        if weights.grad is not None and weights.grad.abs().max() > 0:
            raise known.describe([known.INTO_TEACHER], "a gradient in teacher_logits")
    if not same(*slopes, 1e-3):
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {slopes[0].norm().item():.4f} at alpha = {alpha}",
            f"one of norm {slopes[1].norm().item():.4f}",
        )


def _remark_on_unlabelled(loss) -> str:
    student, teacher = _logits(4, 3, 5), _logits(4, 3, 6)
    got = scalar(loss(student, teacher, torch.full((4,), -100), 2.0, 0.5))
    if torch.isnan(got):
        return (
            "It went through the zoo. One thing more: on a batch in which"
            " nobody has a label it is NaN (0 labels, divided by 0). Lesson 03"
            " has such batches; the exercise before this one mends it."
        )
    expected = 0.5 * kd_loss(student, teacher, 2.0)
    if not same(got, expected):
        raise Incorrect(
            "Wrong for a batch in which nobody has a label.",
            f"{got.item():.4f}",
            f"{expected.item():.4f}",
            "the cross-entropy there: it is 0",
        )
    return "It went through the whole zoo, and nothing bit."


# ------------------------------------------------------------ hidden states
def examine_hidden(answer) -> str:
    """Examine ``f(student_hidden, teacher_hidden, mask, projection)``."""
    probes = [_hidden_probe(*shape) for shape in _HIDDEN_SHAPES]
    values = [scalar(call(answer, **probe)) for probe in probes]
    lists = [list(_hidden_candidates(**probe)) for probe in probes]
    mistakes = _name_mistakes(values, lists)
    given, right = f"{values[0].item():.4f}", f"{lists[0][0][1].item():.4f}"
    if mistakes:
        raise known.describe(mistakes, given, right)
    _check_hidden_teacher(answer)
    if mistakes is None:
        raise Incorrect(
            "The value is not the mean squared error over the real tokens.",
            given,
            right,
            "one text of two tokens, by hand; which places count, and the divisor",
        )
    _check_hidden_gradients(answer)
    return "Padding no longer counts, wherever it stands."


_HIDDEN_SHAPES = (
    (3, 5, [[1, 1, 1, 1], [1, 0, 0, 0]]),
    (4, 6, [[0, 0, 1, 1, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 1]]),
)


def _hidden_probe(width: int, teacher_width: int, mask: list) -> dict:
    generator = torch.Generator().manual_seed(11)
    projection = nn.Linear(width, teacher_width)
    with torch.no_grad():
        for weight in projection.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    place = torch.tensor(mask)
    student = torch.randn(*place.shape, width, generator=generator)
    return {
        "student_hidden": student.requires_grad_(),
        "teacher_hidden": torch.randn(*place.shape, teacher_width, generator=generator),
        "mask": place,
        "projection": projection,
    }


def _hidden_candidates(student_hidden, teacher_hidden, mask, projection):
    place = mask[..., None]
    errors = (projection(student_hidden) - teacher_hidden).detach().pow(2)
    real, lengths, width = errors * place, mask.sum(1), errors.shape[-1]
    right = hidden_state_loss(student_hidden, teacher_hidden, mask, projection)
    yield (), right.detach()
    yield (known.PADDING_COUNTED,), errors.mean()
    yield (known.PADDING_DIVIDES,), real.mean()
    yield (known.TEXT_BY_TEXT,), (real.sum((1, 2)) / lengths / width).mean()
    yield (known.ONLY_PADDING,), errors[mask == 0].mean()
    yield (known.HIDDEN_SUM,), real.sum()
    yield (known.HIDDEN_SUM,), real.sum() / lengths.sum()
    yield (known.PADDING_COUNTED, known.HIDDEN_SUM), errors.sum()
    early = projection(student_hidden * place) - teacher_hidden * place
    yield (known.MASKED_BEFORE,), early.detach().pow(2).mean()
    yield (known.MASKED_BEFORE,), early.detach().pow(2).sum() / lengths.sum() / width


def _check_hidden_teacher(answer) -> None:
    given = _hidden_probe(*_HIDDEN_SHAPES[0])
    weights = given["teacher_hidden"].clone().requires_grad_()
    given["teacher_hidden"] = weights * 1.0  # as a network gives them
    value = scalar(call(answer, **given))
    if value.requires_grad:
        value.backward()
    if weights.grad is not None and weights.grad.abs().max() > 0:
        raise known.describe([known.INTO_TEACHER], "a gradient in teacher_hidden")


def _check_hidden_gradients(answer) -> None:
    slopes = []
    for make in (lambda **given: scalar(call(answer, **given)), hidden_state_loss):
        given = _hidden_probe(*_HIDDEN_SHAPES[0])
        value = make(**given)
        if value.requires_grad:
            value.backward()
        slopes.append(
            {"student_hidden": given["student_hidden"].grad}
            | {
                f"projection.{n}": p.grad
                for n, p in given["projection"].named_parameters()
            }
        )
    for name, right in slopes[1].items():
        got = slopes[0][name]
        if got is None or not same(got, right, 1e-3):
            raise Incorrect(
                f"The gradient that reaches {name} is wrong, although the value is"
                " right.",
                "none" if got is None else f"norm {got.norm().item():.4f}",
                f"norm {right.norm().item():.4f}",
                "detach() and torch.no_grad(): only the teacher is fixed",
            )


# ------------------------------------------------------------- accumulation
def examine_accumulation(answer) -> str:
    """Examine ``f(model, loss_function, parts)``, which leaves gradients."""
    for count in (4, 2):
        _examine_parts(answer, count)
    return "Four small batches have become one large one."


def _squared_error(outputs, targets):
    """Return a mean over the examples that is no cross-entropy."""
    return (outputs - F.one_hot(targets, outputs.shape[1])).pow(2).mean()


def _examine_parts(answer, count: int) -> None:
    inputs, targets = _logits(8, 3, 5), torch.arange(8) % 2
    model, whole, last = (nn.Linear(3, 2) for _ in range(3))
    for copy in (whole, last):
        copy.load_state_dict(model.state_dict())
    parts = list(zip(inputs.chunk(count), targets.chunk(count)))
    lent = [(x.clone(), y.clone()) for x, y in parts]
    _squared_error(whole(inputs), targets).backward()
    _squared_error(last(parts[-1][0]), parts[-1][1]).backward()
    call(answer, model=model, loss_function=_squared_error, parts=lent)
    if len(lent) != count or not all(
        torch.equal(a, b) for p, q in zip(parts, lent) for a, b in zip(p, q)
    ):
        raise Incorrect(
            "Your function changed the parts, which belong to its caller.",
            look="pop() and operations that end in _",
        )
    for name in ("weight", "bias"):
        _check_part_gradients(name, count, model, whole, last)


def _check_part_gradients(name, count, model, whole, last) -> None:
    learnt, right = getattr(model, name), getattr(whole, name).grad
    only_last = getattr(last, name).grad
    if not same(learnt, getattr(whole, name), 1e-6):
        raise Incorrect(
            "The weights have changed; only their gradients should be filled.",
            look="an optimizer's step(): it belongs behind this function",
        )
    if learnt.grad is None:
        raise Incorrect(
            f"There is no gradient in the model's {name}.",
            look="backward(), for every part",
        )
    got = learnt.grad
    given = f"a gradient {(got.norm() / right.norm()).item():.2f} times as large"
    expected = "that of one batch with all examples"
    if same(got, count * right):
        raise known.describe([known.UNDIVIDED], given, expected)
    if same(got, only_last) or same(got, only_last / count):
        raise known.describe([known.LAST_PART], given, expected)
    if not same(got, right, 1e-3):
        raise Incorrect(
            f"The gradient of the {name} is not that of one large batch.",
            given,
            expected,
            "the mean over all parts, each part once, for every parameter",
        )
