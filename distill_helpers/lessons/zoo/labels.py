"""Which mistake a cross-entropy on partly missing labels makes."""

from __future__ import annotations

from functools import partial

import torch
from torch.nn import functional as F

from ...losses.labels import labelled_cross_entropy
from ..exercises.answers import call, same, scalar
from ..exercises.outcomes import Incorrect, Unsupported
from . import mistakes as known
from .probes import gradient_of, name_mistakes, some_logits


def examine_cross_entropy(answer) -> str:
    """Examine ``f(logits, labels)``: a mean over the labelled examples."""

    def loss(logits, labels):
        return call(answer, logits=logits, labels=labels)

    examine_labels(
        lambda z: (loss(z, some_labels(z)), z, None, 1.0),
        "one example by hand: minus the log-probability of its label; examples"
        " labelled -100 do not count",
    )
    for labels in ([0, 2, -100, 1], [-100, -100, 2, 0], [-100] * 4):
        _check_label_gradient(loss, torch.tensor(labels))
    nothing = torch.full((4,), -100)
    value = scalar(
        loss(some_logits(4, 3, 5), nothing), "loss of a batch without labels"
    )
    if not same(value, torch.tensor(0.0)):
        raise Incorrect(
            "A batch in which nobody has a label must cost nothing.",
            f"{value.item()}",
            "0",
            "the division by the number of labels when that is 0: .clamp(min=1)",
        )
    _check_confident_label(loss)
    return "Batches without any label are safe too."


def some_labels(logits: torch.Tensor) -> torch.Tensor:
    """Return labels for a batch, every third one missing."""
    batch, classes = logits.shape
    labels = torch.arange(batch) * 2 % classes
    labels[1 if batch == 5 else 0 :: 3] = -100
    return labels


def _check_label_gradient(loss, labels: torch.Tensor) -> None:
    student = some_logits(4, 3, 5)
    slope = gradient_of(loss, student, labels)
    right = gradient_of(labelled_cross_entropy, student, labels)
    if not same(slope, right, 1e-3):
        raise Incorrect(
            f"The gradient is wrong for the labels {labels.tolist()}.",
            f"norm {slope.norm().item():.4f}",
            f"norm {right.norm().item():.4f}",
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
    labels = some_labels(student)
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


def examine_labels(ask, look: str, when: str = "") -> None:
    """Compare with known mistakes; `ask` maps logits to value and context."""
    probes = [some_logits(5, 4, 1), some_logits(7, 3, 3)]
    asked = [ask(student) for student in probes]
    values = [scalar(value) for value, *_ in asked]
    lists = [list(_label_candidates(*context)) for _, *context in asked]
    mistakes = name_mistakes(values, lists)
    given, right = f"{values[0].item():.4f}", f"{lists[0][0][1].item():.4f}"
    if mistakes:
        raise known.describe(mistakes, given + when, right)
    if mistakes is None:
        what = "The cross-entropy with the labels is wrong."
        raise Incorrect(what, given + when, right, look)
