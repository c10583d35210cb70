"""From a file of texts to a small model, with the code of the lessons.

:func:`distil` does all of it, as ``python -m distill_helpers distill FILE`` does;
the steps by themselves are :func:`look`, :func:`plan`, :func:`open_guide`,
:func:`train`, :func:`judge` and :func:`deliver`.
"""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "delivery": ["Delivered", "deliver"],
        "guide": ["Guide", "open_guide"],
        "looking": ["Texts", "look"],
        "planning": ["Plan", "plan"],
        "opened": ["Opened", "open_student"],
        "release": ["Release", "release_check"],
        "release_report": ["write_release"],
        "request": ["Request"],
        "runs": ["Trained", "train"],
        "verdict": ["Verdict", "judge"],
        "whole": ["distil"],
    },
)
