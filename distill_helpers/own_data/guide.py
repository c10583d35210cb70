"""The teacher: opened or made, in the file's order of classes, and examined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.metrics import Quality, measure_quality
from ..teachers.api.teacher import ApiTeacher
from ..teachers.base import Teacher
from ..teachers.live import HuggingFaceTeacher
from ..teachers.making import make_teacher
from ..teachers.opening import open_teacher
from ..teachers.ordering import innermost
from ..teachers.small import SmallTeacher
from ..teachers.trust import check_trust
from .classes import behind_largest
from .looking import Texts
from .request import MAKE, Request

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Guide:
    """A teacher and what is known of it.

    Attributes
    ----------
    request : Request
    texts : Texts
    teacher : Teacher
        As the first seed asks it.
    progress : bool
    """

    request: Request
    texts: Texts
    teacher: Teacher
    progress: bool = True
    _made: dict[int, Teacher] = field(default_factory=dict, repr=False)

    def of(self, seed: int) -> Teacher:
        """Return the teacher that a seed's student learns from.

        Where labels are hidden on purpose and the teacher is made of the file, each
        seed has its own: one that saw other labels would hand them on.
        """
        if self.request.teacher != MAKE or self.request.labelled is None:
            return self.teacher
        if seed == self.request.seeds[0]:
            return self.teacher
        if seed not in self._made:
            drawn = self.texts.drawn(seed)
            self._made[seed] = _make(self.request, drawn, self.progress)
        return self._made[seed]

    @property
    def about(self) -> Mapping:
        """What was written down when the teacher was made; else who it is."""
        known = dict(getattr(self.teacher, "about", None) or {})
        return known or {"teacher": self.request.teacher_name}

    def knows(self, texts: Sequence[str]) -> np.ndarray:
        """Say which texts the teacher can answer: a table has read only its own."""
        return self.teacher.knows(texts)

    def judged(self, part: str) -> Quality | None:
        """Return the teacher's quality on a labelled part; None if it knows none.

        On the texts that a teacher was made of it is out of fold.
        """
        rows = self.texts.reviews[part]
        logits = self.teacher.answers(list(rows["text"]))
        known = ~np.isnan(logits).any(1)
        if not known.any():
            return None
        return measure_quality(logits[known], np.asarray(rows["label"])[known])

    @cached_property
    def quality(self) -> pd.DataFrame:
        """Accuracy and F1 on the parts that may be looked at before the end."""
        import pandas as pd

        lines = {
            part: {**quality.scores, "texts": quality.examples}
            for part in ("train", "validation")
            if (quality := self.judged(part)) is not None
        }
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("part")

    @cached_property
    def warnings(self) -> list[str]:
        """Why the teacher may not be trusted; empty where nothing was found."""
        found = [*self.about.get("warnings", []), *self._silent()]
        return found + self.doubts("validation") + self._rarer_right()

    def doubts(self, part: str) -> list[str]:
        """Compare the labelled texts with a part that the teacher cannot have read."""
        return list(check_trust(self.teacher, self.texts.reviews, (part,)).warnings)

    def _rarer_right(self) -> list[str]:
        """Say so if one who always names the largest class were right more often."""
        if self.texts.several:
            return []
        parts = [self.texts.reviews[part] for part in ("train", "validation")]
        logits = self.teacher.answers([text for p in parts for text in p["text"]])
        labels = np.concatenate([np.asarray(part["label"]) for part in parts])
        known = ~np.isnan(logits).any(1)
        if not known.any():
            return []
        said = behind_largest(
            float((logits.argmax(1) == labels)[known].mean()),
            labels[known],
            self.texts.label_names,
        )
        return [f"the teacher, on the labelled texts: {said}"] if said else []

    def _silent(self) -> list[str]:
        parts = ("train", "transfer", "validation", "test")
        counts = {}
        for part in parts:
            known = self.knows(list(self.texts.reviews[part]["text"]))
            if not known.all():
                counts[part] = f"{int((~known).sum()):,} of {len(known):,} in {part}"
        if not counts:
            return []
        said = f"the teacher has no answer for some texts: {', '.join(counts.values())}"
        if "train" in counts:
            said += "; of those with a label, the label stands for its answer"
        if "transfer" in counts:
            said += "; those without one are left out"
        return [said]

    @property
    def told(self) -> list[str]:
        """What is known of the teacher, line by line."""
        return [
            f"{key}: {_told(value)}"
            for key, value in self.about.items()
            if key != "warnings" and value is not None
        ] + [line for line in (self.request.asking,) if line]

    def __str__(self) -> str:
        lines = [*self.told, "", self.quality.round(3).to_string()]
        return "\n".join([*lines, *(f"! {warning}" for warning in self.warnings)])


def language_model(teacher) -> ApiTeacher | None:
    """Find the language model beneath an order of classes, if it is one."""
    found = innermost(teacher)
    return found if isinstance(found, ApiTeacher) else None


def live_teacher(teacher) -> HuggingFaceTeacher | None:
    """Find the encoder beneath a cache or an order of classes, if there is one."""
    found = innermost(teacher)
    return found if isinstance(found, HuggingFaceTeacher) else None


def small_teacher(teacher) -> SmallTeacher | None:
    """Find the kit's small teacher beneath an order of classes, if it is it."""
    found = innermost(teacher)
    return found if isinstance(found, SmallTeacher) else None


def _told(value) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(part)}" for name, part in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def open_guide(request: Request, texts: Texts, progress: bool = True) -> Guide:
    """Open the teacher, or make one of the file's own labels.

    Parameters
    ----------
    request : Request
    texts : Texts
        From :func:`~distill_helpers.own_data.looking.look`.
    progress : bool, default True

    Returns
    -------
    Guide

    Raises
    ------
    ClassNamesError
        If the teacher's classes are not those of the file.
    ValueError
        If the teacher cannot be opened, or not be made of so few labels.
    """
    if request.teacher == MAKE:
        teacher = _make(request, texts.reviews, progress)
    else:
        options = _options(request, texts, progress)
        teacher = open_teacher(
            request.teacher,
            request.teacher_cache,
            texts.label_names,
            request.class_names,
            **options,
        )
    return Guide(request, texts, teacher, progress)


def _options(request: Request, texts: Texts, progress: bool) -> dict:
    if request.teacher_is_api:
        train = texts.reviews["train"]
        names = [texts.label_names[label] for label in train["label"]]
        return {
            "classes": request.classes,
            "base_url": request.base_url,
            "max_cost": request.max_cost,
            "price": request.price,
            "labelled": list(zip(train["text"], names)),
            "progress": progress,
        }
    if not request.teacher_is_table:
        return {}
    return {
        "values": request.values,
        "problem_type": texts.problem_type,
        "several_labels": request.several_labels,
    }


def _make(request: Request, reviews, progress: bool) -> Teacher:
    return make_teacher(
        reviews,
        request.how,
        encoder=request.encoder,
        cache=request.teacher_cache,
        progress=progress,
    )
