"""The tested package behind the lessons on knowledge distillation.

Names are handed on lazily, so that ``import distill_helpers`` stays cheap.
"""

from __future__ import annotations

import importlib
import logging

# transformers imports torchao wherever it is installed, and that complains of
# kernels for graphics cards that a laptop does not have.
for _name in ("torchao", "torch.utils._pytree"):
    logging.getLogger(_name).setLevel(logging.ERROR)

__version__ = "0.1.0"

_HOMES = {
    "data": ("load_reviews",),
    "losses": ("DistillationLoss", "hidden_state_loss", "kd_loss"),
    "students": ("build_student", "train_tokenizer"),
    "teachers": (
        "AverageTeacher",
        "CachedTeacher",
        "HuggingFaceTeacher",
        "SoftTargets",
    ),
    "training": ("DistillationConfig", "DistillationTrainer"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str):
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
