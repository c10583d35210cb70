"""The exercises of the lessons: try, be told what went wrong, try again.

``check(key, answer)``, ``hint(key)`` and ``solution(key)`` serve every
exercise and every closing question; ``predict(key, guess)`` and
``reveal(key, measured)`` a guess that is made before its measurement;
``progress()`` tells what is done.
"""

from ...lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"notebook_api": ["check", "hint", "predict", "progress", "reveal", "solution"]},
)
