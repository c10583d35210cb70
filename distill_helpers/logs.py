"""Silence for libraries that talk too much."""

from __future__ import annotations

from contextlib import contextmanager


@contextmanager
def quietly():
    """Keep transformers' notes and small progress bars out of a lesson."""
    from transformers import logging as transformers_logging  # dear where nobody talks

    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        transformers_logging.enable_progress_bar()
