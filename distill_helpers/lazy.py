"""What waits until it is asked for, so that importing stays cheap.

Nothing but the standard library is needed: the doctor must run where packages
are missing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType


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


def when_imported(module: str, act: Callable[[ModuleType], object]) -> None:
    """Call a function with a module as soon as that has been imported.

    Parameters
    ----------
    module : str
        Its full name; it need not exist.
    act : callable
        Called once: at once if the module is there already, else right after it
        has run. Others may be importing it and be half there themselves, so it
        should import nothing.

    Examples
    --------
    >>> when_imported("this", lambda module: print("now", module.__name__))
    >>> import contextlib, io
    >>> with contextlib.redirect_stdout(io.StringIO()) as said:
    ...     import this
    >>> said.getvalue().splitlines()[-1]
    'now this'
    """
    if module in sys.modules:
        act(sys.modules[module])
    else:
        sys.meta_path.insert(0, _Watch(module, act))


class _Watch(importlib.abc.MetaPathFinder):
    """Finds one module as the other finders do, and acts after it has run."""

    def __init__(self, module: str, act: Callable[[ModuleType], object]) -> None:
        self.module = module
        self.act = act

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        run = spec.loader.exec_module

        def run_then_act(found: ModuleType) -> None:
            run(found)
            self.act(found)

        spec.loader.exec_module = run_then_act
        return spec


def before_first_call(
    owner: type, names: Sequence[str], act: Callable[[], object]
) -> None:
    """Call a function before the first call of any of some class methods.

    Parameters
    ----------
    owner : type
    names : sequence of str
        Class methods of it; they are themselves again afterwards.
    act : callable
        Called without arguments.

    Examples
    --------
    >>> class Library:
    ...     @classmethod
    ...     def lend(cls, title):
    ...         return f"here is {title}"
    >>> before_first_call(Library, ["lend"], lambda: print("opening"))
    >>> Library.lend("Emma"), Library.lend("Ivanhoe")
    opening
    ('here is Emma', 'here is Ivanhoe')
    """
    own = {name: vars(owner)[name] for name in names}

    def waiting(name: str) -> classmethod:
        @functools.wraps(own[name].__func__)
        def call(cls, *args, **kwargs):
            act()
            for each, method in own.items():
                setattr(owner, each, method)
            return getattr(cls, name)(*args, **kwargs)

        return classmethod(call)

    for name in names:
        setattr(owner, name, waiting(name))
