"""Check a machine before the first lesson."""

from ...lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "examination": ["examine"],
        "report": ["FAIL", "OK", "WARN", "as_table"],
    },
)
