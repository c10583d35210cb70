"""The tested package behind the lessons on knowledge distillation.

Eight rooms: :mod:`~distill_helpers.data`, :mod:`~distill_helpers.losses`,
:mod:`~distill_helpers.students`, :mod:`~distill_helpers.teachers`,
:mod:`~distill_helpers.training`, :mod:`~distill_helpers.evaluation`,
:mod:`~distill_helpers.compression` and :mod:`~distill_helpers.export`; above
them :mod:`~distill_helpers.lessons` and :mod:`~distill_helpers.classroom`.
"""

from __future__ import annotations

import logging

from .lazy import attach

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
