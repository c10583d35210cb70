r"""What a batch looks like from inside: distances and angles between its texts.

A student need not copy what its teacher says of a text; it may copy how texts lie to
each other [1]_. The vectors may be of other widths, and of another scale.

References
----------
.. [1] W. Park et al., "Relational knowledge distillation", CVPR 2019,
   arXiv:1904.05068.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..arguments import check_number
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type
from .logits import at_least_float32, check_finite, check_floating
from .weighted import WeightedLoss

PAIR, TRIPLET = 2, 3
"""Texts between which there is a distance, and an angle."""


def relational_loss(
    student: torch.Tensor,
    teacher: torch.Tensor,
    distance: float = 1.0,
    angle: float = 2.0,
) -> torch.Tensor:
    """Return the loss between the relations of a batch.

    Parameters
    ----------
    student : Tensor, shape (batch, student width)
        Receives the gradient: an embedding or logits.
    teacher : Tensor, shape (batch, teacher width)
        Receives none.
    distance : float, default 1.0
        Weight of :func:`distance_loss`; at least 0.
    angle : float, default 2.0
        Weight of :func:`angle_loss`; twice the other, as in the paper.

    Returns
    -------
    Tensor, shape ()
        In float32 at least; 0 where both see the batch alike.

    Raises
    ------
    TypeError, ValueError
        If the tensors do not fit together, hold a value that is not finite or too
        few texts, or a weight is out of range.

    Examples
    --------
    >>> square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> abs(relational_loss(square * 3 + 5, square).item()) < 1e-6
    True
    """
    _check_weights(distance, angle)
    loss = 0.0
    if distance:
        loss = loss + distance * distance_loss(student, teacher)
    if angle:
        loss = loss + angle * angle_loss(student, teacher)
    return loss


def distance_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return how much the distances between the texts of a batch differ.

    Each side's distances are divided by their mean over the batch; a Huber loss
    compares them, averaged over all pairs (the paper sums).

    Parameters
    ----------
    student, teacher : Tensor, shape (batch, width)
        At least two texts.

    Returns
    -------
    Tensor, shape ()
    """
    ours, theirs = _pair(student, teacher, PAIR)
    pairs = ~torch.eye(len(ours), dtype=torch.bool, device=ours.device)
    found, right = (_scaled(_distances(_differences(v))[pairs]) for v in (ours, theirs))
    return F.smooth_l1_loss(found, right)


def angle_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return how much the angles between the texts of a batch differ.

    Of each three texts the cosine of the angle at one of them; a Huber loss compares
    them, averaged over all (the paper sums).

    Parameters
    ----------
    student, teacher : Tensor, shape (batch, width)
        At least three texts. With batches of 256 a side has 16 million cosines.

    Returns
    -------
    Tensor, shape ()
    """
    ours, theirs = _pair(student, teacher, TRIPLET)
    apart = ~torch.eye(len(ours), dtype=torch.bool, device=ours.device)
    # [corner, one, other]: three different texts.
    three = apart[:, :, None] & apart[:, None, :] & apart[None, :, :]
    found, right = (_cosines(v)[three] for v in (ours, theirs))
    return F.smooth_l1_loss(found, right)


def weighted_relational(
    weight: float = 1.0,
    distance: float = 1.0,
    angle: float = 2.0,
    problem_type: str = ONE_LABEL,
) -> WeightedLoss:
    """Make :func:`relational_loss` between logits a loss of the trainer's list.

    Parameters
    ----------
    weight, distance, angle : float
    problem_type : str
        With one label a text a constant added to its logits says nothing: their mean
        is taken off.

    Returns
    -------
    WeightedLoss
        ``relational`` by name. It sees the relations within a small batch alone:
        many accumulated ones do not make those of a large one. A batch too small for
        a term has none of it. With two classes the texts lie on a line, where angles
        are 0 or 180 degrees.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.
    """
    _check_weights(distance, angle)
    centred = check_problem_type(problem_type) != SEVERAL_LABELS

    def function(outputs, batch, divisor):
        student, teacher = outputs.logits, batch["teacher_logits"]
        if centred:
            student, teacher = (
                z - z.mean(-1, keepdim=True) for z in (student, teacher)
            )
        count = len(student)
        kept = distance if count >= PAIR else 0, angle if count >= TRIPLET else 0
        if not any(kept):
            return student.sum() * 0
        return relational_loss(student, teacher, *kept) * count / divisor

    needs = frozenset({"teacher_logits"})
    return WeightedLoss("relational", function, weight, needs=needs)


def _check_weights(distance: float, angle: float) -> None:
    check_number("distance", distance, least=0)
    check_number("angle", angle, least=0)
    if distance == angle == 0:
        raise ValueError("distance and angle must not both be 0: nothing would count")


def _pair(student, teacher, least: int) -> tuple[torch.Tensor, torch.Tensor]:
    check_floating("student", student, dimensions=2)
    check_floating("teacher", teacher, dimensions=2)
    if len(student) != len(teacher) or len(student) < least:
        raise ValueError(
            f"student and teacher must hold a row for each of the same {least} texts or"
            f" more, got shapes {tuple(student.shape)} and {tuple(teacher.shape)}"
        )
    check_finite("student", student)
    check_finite("teacher", teacher)
    student = at_least_float32(student)
    return student, teacher.detach().to(student.dtype)


def _differences(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors from each text to each other, shape (batch, batch, width)."""
    return vectors[None, :] - vectors[:, None]


def _distances(differences: torch.Tensor) -> torch.Tensor:
    """Lengths; of a vector 0 its gradient is 0, where a plain root has none."""
    squares = differences.pow(2).sum(-1)
    some = squares > 0
    return torch.where(some, squares, 1.0).sqrt() * some


def _scaled(distances: torch.Tensor) -> torch.Tensor:
    """Divide by the mean; where all texts are one, nothing is left to divide."""
    mean = distances.mean()
    return distances / torch.where(mean > 0, mean, 1.0)


def _cosines(vectors: torch.Tensor) -> torch.Tensor:
    """Cosines of the angle at the first text between the two others."""
    differences = _differences(vectors)
    lengths = _distances(differences)[..., None]
    units = differences / torch.where(lengths > 0, lengths, 1.0)
    return units @ units.transpose(1, 2)
