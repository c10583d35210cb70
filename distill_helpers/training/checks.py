"""What a trainer refuses before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..arguments import check_choice, check_type
from ..data.encoding import EncodedReviews
from ..data.targets import SOFT_TARGETS_COLUMN
from ..losses.weighted import WeightedLoss
from ..teachers.base import Teacher

_INSTEAD = {
    "compute_loss_func": "give losses=[...], see distill_helpers.losses.WeightedLoss",
    "model_init": "give the model itself; build_student(..., seed=...) draws it anew",
}


def check_inherited(options: Mapping) -> None:
    """Refuse what the stock Trainer takes and this one would not look at."""
    for name, instead in _INSTEAD.items():
        if options.get(name) is not None:
            raise ValueError(f"{name} is not used by this trainer: {instead}")


def check_way(
    field: str,
    way: str | None,
    options: Mapping | None,
    ways: Sequence[str],
    allowed: Iterable[str],
) -> dict:
    """Return the options of a config's field that names a way to do something.

    Parameters
    ----------
    field : str
        Its options are the field ``<field>_kwargs``.
    way : str or None
        None: it is not done.
    options : mapping or None
    ways, allowed
        The names that there are, of ways and of options.

    Raises
    ------
    ValueError
        If there is no such way or option, or options without a way.
    """
    given = dict(options or {})
    if way is None:
        if given:
            raise ValueError(
                f"{field}_kwargs={given!r} needs {field}, one of {list(ways)}"
            )
        return {}
    check_choice(field, way, ways)
    for name in given:
        if name not in allowed:
            raise ValueError(f"{field}_kwargs takes {list(allowed)}, got {name!r}")
    return given


def check_loss_names(losses: Sequence[WeightedLoss]) -> list[WeightedLoss]:
    """Return losses as a list; refuse none at all, and two of one name."""
    found = list(losses)
    for loss in found:
        check_type("losses", loss, WeightedLoss, "a list of WeightedLoss")
    names = [loss.name for loss in found]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"losses must hold at least one loss, each with a name of its own, got {names}"
        )
    return found


def check_vocabulary(model, tokenizer) -> None:
    """Refuse a tokeniser with more tokens than the student was built for."""
    size = getattr(model.config, "vocab_size", None)
    if size is not None and len(tokenizer) > size:
        raise ValueError(
            f"processing_class has {len(tokenizer)} tokens but the student"
            f" was built for {size}: it is not this student's tokeniser"
        )


def check_kind(teacher: Teacher, problem_type: str) -> None:
    """Refuse a teacher that is known to answer another kind of question.

    Its logits belong to a softmax where the student has sigmoids, or the other way
    round. A teacher that does not say is believed.
    """
    kind = teacher.problem_type
    if kind is not None and kind != problem_type:
        raise ValueError(
            f"the teacher was trained for {kind!r}, the student is built for"
            f" {problem_type!r}: their logits do not mean the same"
        )


def check_targets(dataset: EncodedReviews, alpha: float) -> None:
    """Refuse data that the standard losses could learn nothing from."""
    soft = dataset.teacher_logits is not None or (
        dataset.texts is not None and alpha > 0
    )
    labelled = bool(dataset.labelled.any())
    if not soft and not labelled:
        raise ValueError(
            "train_dataset has nothing to learn from: no label and no teacher"
            f" (alpha={alpha!r}). Pass teacher_model with alpha above 0,"
            " or labelled texts."
        )
    if alpha == 1 and not soft:
        raise ValueError(
            "alpha=1 uses soft targets alone, but there is no teacher_model"
            " and no column 'teacher_logits'"
        )


def check_needs(dataset: EncodedReviews, losses: Sequence[WeightedLoss]) -> None:
    """Refuse data that lack what a loss needs."""
    given = set(dataset[0]) | {"attention_mask"}
    given |= {SOFT_TARGETS_COLUMN} if "text" in given else set()  # the teacher is live
    for loss in losses:
        if not loss.needs <= given:
            raise ValueError(
                f"the loss {loss.name!r} needs {sorted(loss.needs - given)}, which"
                f" train_dataset lacks: it has {sorted(given)}"
            )
