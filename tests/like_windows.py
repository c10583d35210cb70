"""What an ordinary account on Windows refuses, refused on any system.

``python -m pytest -p like_windows`` with ``tests`` in ``PYTHONPATH`` runs any tests
so, and ``with windows_ways():`` a few lines. As far as Python code can see, there are

* no links to files and no ``fork``; processes start as new ones;
* no ``rename`` onto something that exists, no ``replace`` of a folder by another;
* no removing, moving or replacing of a file that this process has open or mapped,
  nor of a folder with such a file in it (where ``/proc`` says which these are);
* no names with ``: ? * < > | "``, no ``CON``, no dot or space at their end, and none
  that another one differs from by capitals alone;
* texts in cp1252, unless the program says otherwise.
"""

import builtins
import contextlib
import errno
import io
import locale
import multiprocessing
import os
from unittest import mock

import pytest

RESERVED = {"con", "prn", "aux", "nul"}
RESERVED |= {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
KEPT = {
    name: getattr(os, name)
    for name in ("rename", "replace", "unlink", "mkdir", "rmdir", "open")
}
OPEN = io.open


def refuse(number, why, path):
    raise OSError(number, f"{why} (as on Windows)", str(path))


def own(path):
    """Say whether a path is one of the tests' or the project's, not a device's."""
    return isinstance(path, (str, os.PathLike)) and not os.path.abspath(
        path
    ).startswith(("/proc", "/dev", "/sys"))


def check_name(path):
    """Refuse a name that cannot be made."""
    if not own(path):
        return
    path = os.path.abspath(path)
    name = os.path.basename(path)
    if name.split(".")[0].rstrip().lower() in RESERVED:
        refuse(errno.EINVAL, "a reserved name", path)
    if set(name) & set(':?*<>|"\\') or name != name.rstrip(". "):
        refuse(errno.EINVAL, "a name that cannot be", path)
    if os.path.lexists(path):
        return
    folder = os.path.dirname(path)
    for other in os.listdir(folder) if os.path.isdir(folder) else ():
        if other.lower() == name.lower():
            refuse(errno.EEXIST, f"{other!r} is the same name", path)


def in_use():
    """Return the files that this process has open or mapped."""
    found = set()
    with contextlib.suppress(OSError):
        for handle in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                place = os.readlink(f"/proc/self/fd/{handle}")
                if os.path.isfile(place):
                    found.add(place)
        with OPEN("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            lines = (line.split(maxsplit=5) for line in maps)
            found |= {line[5].strip() for line in lines if len(line) == 6}
    return found


def check_use(path, dir_fd=None):
    """Refuse to move a file that is in use, or a folder with one in it."""
    if dir_fd is not None:
        path = os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), path)
    if not own(path):
        return
    path = os.path.realpath(path)
    for used in in_use():
        if used == path or used.startswith(path + os.sep):
            refuse(errno.EACCES, "in use by this process", used)


def rename(source, target, **options):
    if os.path.lexists(target):
        refuse(errno.EEXIST, "exists already", target)
    check_name(target)
    check_use(source)
    return KEPT["rename"](source, target, **options)


def replace(source, target, **options):
    if os.path.isdir(target) and not os.path.samefile(source, target):
        refuse(errno.EACCES, "a folder is not replaced", target)
    check_name(target)
    check_use(source)
    check_use(target)
    return KEPT["replace"](source, target, **options)


def unlink(path, *, dir_fd=None):
    check_use(path, dir_fd)
    return KEPT["unlink"](path, dir_fd=dir_fd)


def mkdir(path, *arguments, **options):
    check_name(path)
    return KEPT["mkdir"](path, *arguments, **options)


def low_open(path, flags, *arguments, **options):
    if flags & os.O_CREAT:
        check_name(path)
    return KEPT["open"](path, flags, *arguments, **options)


def text_open(file, mode="r", buffering=-1, encoding=None, *rest, **options):
    if set(mode) & set("wxa"):
        check_name(file)
    if "b" not in mode and encoding in (None, "locale"):
        encoding = "cp1252"
    return OPEN(file, mode, buffering, encoding, *rest, **options)


def no_link(source, target, *_, **__):
    refuse(errno.EPERM, "a required privilege is not held", target)


def no_fork():
    raise OSError(errno.ENOSYS, "there is no fork (as on Windows)")


@contextlib.contextmanager
def windows_ways():
    """Behave as the module says until the end of the ``with``."""
    new = {
        (os, "symlink"): no_link,
        (os, "rename"): rename,
        (os, "replace"): replace,
        (os, "unlink"): unlink,
        (os, "remove"): unlink,
        (os, "mkdir"): mkdir,
        (os, "open"): low_open,
        (builtins, "open"): text_open,
        (io, "open"): text_open,
        (locale, "getpreferredencoding"): lambda do_setlocale=True: "cp1252",
    }
    if hasattr(os, "fork"):
        new[os, "fork"] = no_fork
    before = multiprocessing.get_start_method(allow_none=True)
    with contextlib.ExitStack() as stack:
        for (module, name), function in new.items():
            stack.enter_context(mock.patch.object(module, name, function))
        multiprocessing.set_start_method("spawn", force=True)
        stack.callback(multiprocessing.set_start_method, before, force=True)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    """As a plugin, run every test and its fixtures so."""
    with windows_ways():
        return (yield)
