"""Names handed on when they are asked for, so that importing stays cheap.

Nothing but the standard library is needed: the doctor must run where packages
are missing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence


def attach(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Make a package's ``__getattr__``, ``__dir__`` and ``__all__``.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    homes : mapping of str to sequence of str
        The names that each module inside the package gives away.

    Returns
    -------
    tuple
        In the order above (PEP 562).
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{home_of[name]}"), name)

    return get, lambda: sorted(home_of), sorted(home_of)
