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

from ..losses import hidden_state_loss, kd_loss, labelled_cross_entropy
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
    first = teacher.argmax(-1)
    yield (known.HARD_TARGETS,), F.cross_entropy(student, first)
    yield (known.HARD_TARGETS,), F.cross_entropy(student / temperature, first)
    yield (known.SQUARED_ERROR,), F.mse_loss(student, teacher)


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
    """Examine ``f(student_logits, teacher_logits, temperature)``."""

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
    for invariant in INVARIANTS:
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
    teacher = _logits(4, 3, 6).requires_grad_()
    value = scalar(loss(student, teacher, 2.0))
    if value.requires_grad:
        value.backward()
    return teacher.grad is not None and bool(teacher.grad.abs().max() > 0)


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
    return torch.autograd.grad(value, student, allow_unused=True)[0]


def teaches_the_student(loss: Loss) -> None:
    """The student gets the gradient of the KL divergence."""
    probe = (_logits(4, 3, 5), _logits(4, 3, 6), 2.0)
    got, expected = gradient_of(loss, *probe), gradient_of(kd_loss, *probe)
    if got is None or not same(got, expected, 1e-3):
        size = 0.0 if got is None else got.norm().item()
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {size:.4f}",
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
            "both distributions: the same softmax, the same temperature",
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


def takes_any_number_of_classes(loss: Loss) -> None:
    """Two classes and ten are as good as three, and so is a batch of one."""
    for batch, classes in ((4, 2), (1, 3), (3, 10)):
        probe = (_logits(batch, classes, 5), _logits(batch, classes, 6), 2.0)
        got, expected = scalar(loss(*probe)), kd_loss(*probe)
        if not same(got, expected, 1e-3):
            raise Incorrect(
                f"Wrong for {batch} examples with {classes} classes.",
                f"{got.item():.4f}",
                f"{expected.item():.4f}",
                "numbers in your code that were right for one shape only",
            )


def survives_confidence(loss: Loss) -> None:
    """Confident logits, and half precision, give no NaN."""
    sharp = torch.tensor([[12.0, -12.0, 0.0], [-9.0, 11.0, 3.0]])
    cases = [
        (torch.float32, 6 * sharp),
        (torch.float16, sharp),
        (torch.bfloat16, sharp),
    ]
    for dtype, logits in cases:
        student, teacher = logits.flip(1).to(dtype), logits.to(dtype)
        try:
            value = scalar(loss(student, teacher, 1.0))
            slope = gradient_of(loss, student, teacher, 1.0)
        except Unsupported:  # no such kernel on this machine: nothing to tell
            continue
        if torch.isnan(value) or not torch.isfinite(slope).all():
            name = str(dtype).removeprefix("torch.")
            given = f"{value.item()} in {name}, and a gradient that is not finite"
            raise known.describe([known.UNDERFLOW], given, "finite numbers")


INVARIANTS = (
    keeps_the_teacher_fixed,
    is_zero_for_equals,
    teaches_the_student,
    ignores_the_batch_size,
    is_flat_in_temperature,
    takes_any_number_of_classes,
    survives_confidence,
)
"""What every distillation loss must keep to, one function each."""


# ----------------------------------------------------------------- labels
def examine_cross_entropy(answer) -> str:
    """Examine ``f(logits, labels)``: a mean over the labelled examples."""

    def loss(logits, labels):
        return call(answer, logits=logits, labels=labels)

    _examine_labels(loss, lambda z: (loss(z, _labels(z)), z, None, 1.0))
    logits = _logits(4, 3, 5)
    nothing = scalar(loss(logits, torch.full((4,), -100)))
    if not same(nothing, torch.tensor(0.0)):
        raise Incorrect(
            "A batch in which nobody has a label must cost nothing.",
            f"{nothing.item()}",
            "0",
            "the division by the number of labels when that is 0: .clamp(min=1)",
        )
    return "Batches without any label are safe too."


def _labels(logits: torch.Tensor) -> torch.Tensor:
    """Return labels for a batch, every third one missing."""
    batch, classes = logits.shape
    labels = torch.arange(batch) * 2 % classes
    labels[1::3] = -100
    return labels


def _label_candidates(student, teacher, temperature):
    labels = _labels(student)
    entropy = partial(F.cross_entropy, target=labels)
    right, real = entropy(student), labels != -100
    yield (), right
    yield (known.ALL_COUNTED,), right * real.sum() / len(labels)
    yield (known.LABEL_ZERO,), F.cross_entropy(student, labels.clamp(min=0))
    yield (known.LABEL_SUM,), right * real.sum()
    yield (known.PROBABILITY_LABELS,), entropy(student.softmax(-1))
    if teacher is not None:
        yield (known.TEACHER_LABELS,), entropy(teacher)
        yield (known.SOFTENED_LABELS,), entropy(student / temperature)
        yield (known.SQUARED_LABELS,), right * temperature**2


def _examine_labels(loss, ask) -> None:
    """Compare with known mistakes; `ask` maps logits to value and context."""
    probes = [_logits(5, 4, 1), _logits(7, 3, 3)]
    asked = [ask(student) for student in probes]
    values = [scalar(value) for value, *_ in asked]
    lists = [list(_label_candidates(*context)) for _, *context in asked]
    mistakes = _name_mistakes(values, lists)
    given, right = f"{values[0].item():.4f}", f"{lists[0][0][1].item():.4f}"
    if mistakes:
        raise known.describe(mistakes, given, right)
    if mistakes is None:
        raise Incorrect(
            "The cross-entropy with the labels is wrong.",
            given,
            right,
            "labels of -100: these examples must not count at all",
        )


# ------------------------------------------------------------ both together
def examine_distillation(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, labels, temperature, alpha)``.

    A class that is built with ``(temperature, alpha)`` and called with the
    rest will do as well.
    """
    if inspect.isclass(answer):
        answer = _as_function(answer)

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
        return loss(student, teacher, _labels(student), temperature, 1.0)

    def hard(student):
        teacher = _logits(*student.shape, seed=8)
        value = loss(student, teacher, _labels(student), 2.7, 0.0)
        return value, student, teacher, 2.7

    _check_missing_labels(loss)
    _check_weights(loss)
    _examine_labels(hard, hard)
    _examine_soft_targets(soft)
    _check_between(loss)
    return _remark_on_unlabelled(loss)


def _as_function(kind):
    def built(student_logits, teacher_logits, labels, temperature, alpha):
        return kind(temperature=temperature, alpha=alpha)(
            student_logits, teacher_logits, labels
        )

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
    if same(soft, ce) and not same(hard, ce):
        made.append(known.ALPHA_SWAPPED)
    if same(soft, kd + ce):
        made.append(known.CE_UNWEIGHTED)
    if same(hard, kd + ce):
        made.append(known.KD_UNWEIGHTED)
    if made:
        raise known.describe(
            made,
            f"{soft.item():.4f} at alpha = 1, {hard.item():.4f} at alpha = 0",
            f"{kd.item():.4f} and {ce.item():.4f}",
        )


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
    given = _hidden_probe()
    value = scalar(call(answer, **given))
    candidates = list(_hidden_candidates(**given))
    mistakes = _name_mistakes([value], [candidates])
    right = candidates[0][1]
    if mistakes:
        raise known.describe(mistakes, f"{value.item():.4f}", f"{right.item():.4f}")
    given["teacher_hidden"].requires_grad_()
    value = scalar(call(answer, **given))
    if value.requires_grad:
        value.backward()
    if given["teacher_hidden"].grad is not None:
        raise known.describe(
            [known.INTO_TEACHER], "a gradient in teacher_hidden", "none"
        )
    if mistakes is None:
        raise Incorrect(
            "The value is not the mean squared error over the real tokens.",
            f"{value.item():.4f}",
            f"{right.item():.4f}",
            "one text of two tokens, by hand",
        )
    for name, tensor in (
        ("student_hidden", given["student_hidden"]),
        ("the projection", given["projection"].weight),
    ):
        if tensor.grad is None or not tensor.grad.abs().max() > 0:
            raise Incorrect(
                f"No gradient reaches {name}, so it cannot learn.",
                look="detach() and torch.no_grad(): only the teacher is fixed",
            )
    return "Padding may hold anything now; the loss does not see it."


def _hidden_probe() -> dict:
    generator = torch.Generator().manual_seed(11)
    projection = nn.Linear(3, 5)
    with torch.no_grad():
        for weight in projection.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return {
        "student_hidden": torch.randn(2, 4, 3, generator=generator).requires_grad_(),
        "teacher_hidden": torch.randn(2, 4, 5, generator=generator),
        "mask": torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0]]),
        "projection": projection,
    }


def _hidden_candidates(student_hidden, teacher_hidden, mask, projection):
    errors = (projection(student_hidden) - teacher_hidden).detach().pow(2)
    real = errors * mask[..., None]
    lengths = mask.sum(1)
    width = errors.shape[-1]
    yield (
        (),
        hidden_state_loss(student_hidden, teacher_hidden, mask, projection).detach(),
    )
    yield (known.PADDING_COUNTED,), errors.mean()
    yield (known.PADDING_DIVIDES,), real.mean()
    yield (known.TEXT_BY_TEXT,), (real.sum((1, 2)) / lengths / width).mean()
    yield (known.HIDDEN_SUM,), real.sum()
    yield (known.HIDDEN_SUM,), real.sum() / lengths.sum()
    yield (known.PADDING_COUNTED, known.HIDDEN_SUM), errors.sum()


# ------------------------------------------------------------- accumulation
def examine_accumulation(answer) -> str:
    """Examine ``f(model, loss_function, parts)``, which leaves gradients."""
    for count in (4, 2):
        _examine_parts(answer, count)
    return "Four small batches have become one large one."


def _examine_parts(answer, count: int) -> None:
    inputs, targets = _logits(8, 3, 5), torch.arange(8) % 2
    model, whole, last = (nn.Linear(3, 2) for _ in range(3))
    for copy in (whole, last):
        copy.load_state_dict(model.state_dict())
    parts = list(zip(inputs.chunk(count), targets.chunk(count)))
    F.cross_entropy(whole(inputs), targets).backward()
    F.cross_entropy(last(parts[-1][0]), parts[-1][1]).backward()
    call(answer, model=model, loss_function=F.cross_entropy, parts=parts)
    if not same(model.weight, whole.weight, 1e-6):
        raise Incorrect(
            "The weights have changed; only their gradients should be filled.",
            look="an optimizer's step(): it belongs behind this function",
        )
    if model.weight.grad is None:
        raise Incorrect("There is no gradient.", look="backward(), for every part")
    got, right = model.weight.grad, whole.weight.grad
    given = f"a gradient {(got.norm() / right.norm()).item():.2f} times as large"
    expected = "that of one batch with all examples"
    if same(got, count * right):
        raise known.describe([known.UNDIVIDED], given, expected)
    if same(got, last.weight.grad) or same(got, last.weight.grad / count):
        raise known.describe([known.LAST_PART], given, expected)
    if not same(got, right, 1e-3):
        raise Incorrect(
            "The gradient is not that of one large batch.",
            given,
            expected,
            "the mean over all parts, each part once",
        )
