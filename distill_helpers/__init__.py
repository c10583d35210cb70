"""The tested package behind the lessons on knowledge distillation.

Nine rooms: :mod:`~distill_helpers.data`, :mod:`~distill_helpers.losses`,
:mod:`~distill_helpers.students`, :mod:`~distill_helpers.teachers`,
:mod:`~distill_helpers.training`, :mod:`~distill_helpers.evaluation`,
:mod:`~distill_helpers.compression`, :mod:`~distill_helpers.export` and
:mod:`~distill_helpers.own_data`; above them :mod:`~distill_helpers.lessons` and
:mod:`~distill_helpers.classroom`.
"""

from __future__ import annotations

import importlib
import logging

from .lazy import attach, before_first_call, when_imported

# transformers imports torchao wherever it is installed, and that complains of
# kernels for graphics cards that a laptop does not have.
for _name in ("torchao", "torch.utils._pytree"):
    logging.getLogger(_name).setLevel(logging.ERROR)

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "data": ["load_reviews"],
        "losses": ["DistillationLoss", "hidden_state_loss", "kd_loss"],
        "students": ["build_student", "train_tokenizer"],
        "teachers": [
            "AverageTeacher",
            "CachedTeacher",
            "HuggingFaceTeacher",
            "SoftTargets",
        ],
        "training": ["DistillationConfig", "DistillationTrainer"],
    },
)


def _make_known() -> None:
    """Register every class that ``from_pretrained`` may meet in a saved student."""
    importlib.import_module(f"{__name__}.students.registry")
    importlib.import_module(f"{__name__}.compression.reshaped")


# So that a saved student loads after `import distill_helpers` alone, which itself
# loads neither transformers nor torch.
when_imported(
    "transformers.models.auto.configuration_auto",
    lambda auto: before_first_call(
        auto.AutoConfig, ["from_pretrained", "for_model"], _make_known
    ),
)
