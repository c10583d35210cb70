"""From a file of texts to a small model, with the code of the lessons.

:func:`distil` does all of it, as ``python -m distill_helpers distill FILE`` does;
the steps by themselves are :func:`look`, :func:`plan`, :func:`open_guide`,
:func:`train`, :func:`judge` and :func:`deliver`. :func:`weigh` sets all students of
the kit side by side and chooses one under a budget.
"""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "delivery": ["Delivered", "deliver"],
        "delivered_forms": ["FORMS"],
        "front": ["Candidate", "NothingFitsError", "best_within", "front_of"],
        "guide": ["Guide", "open_guide"],
        "looking": ["Texts", "look"],
        "planning": ["Plan", "plan"],
        "opened": ["Opened", "open_student"],
        "release": ["Release", "release_check"],
        "release_report": ["write_release"],
        "request": ["Request"],
        "runs": ["Trained"],
        "settling": ["TrainedInForm", "train"],
        "verdict": ["Verdict", "judge"],
        "weighing": ["Weighed", "weigh"],
        "whole": ["distil"],
    },
)
