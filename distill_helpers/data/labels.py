"""What stands for a label that is missing."""

from __future__ import annotations

NO_LABEL = -100
"""The label of an example that has none."""
