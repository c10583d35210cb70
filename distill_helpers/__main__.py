"""What the kit does from the command line: ``distill-kit NAME``.

The same as ``python -m distill_helpers NAME``. A command's module is imported
when it is called, so that the doctor and the packing run where packages are
missing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from .arguments import did_you_mean

# Name: the module whose main() takes the words that follow, and what it does.
COMMANDS = {
    "distill": ("own_data.command", "make a student of a file of your own texts"),
    "release": ("own_data.release_command", "ask whether a student may go out"),
    "ask": ("teachers.api.command", "let a language model answer a file of texts"),
    "doctor": ("classroom.doctor.examination", "check a machine before the lessons"),
    "lessons": ("classroom.running", "run the lessons, offline, on the sample"),
    "key": ("lessons.exercises.answer_key", "fill the solutions into a lesson"),
    "class": ("classroom.progress", "show what a class has done so far"),
    "sweep": ("classroom.sweeps", "run a notebook over many settings"),
    "fetch": ("classroom.fetch", "download IMDB from the Hub (asks the network)"),
    "book": ("classroom.book.command", "make a site of the course, for any server"),
    "serve": ("export.service", "answer over HTTP with an exported bundle"),
    "pack": ("classroom.bundle.packing", "pack the kit for laptops without a network"),
    "install": ("classroom.bundle.installing", "install the kit from such a pack"),
}


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:10} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: distill-kit COMMAND [options]",
            "",
            "commands:",
            *lines,
            "",
            "distill-kit COMMAND --help says more. Where it is not installed, call",
            "python -m distill_helpers instead.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the words after a command's name on to it.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of this process.

    Returns
    -------
    int
        The exit status of the command; 2 if there is no such command.
    """
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or [""]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        wrong = f"unknown command {name!r}" if name else "a command is missing"
        wrong += did_you_mean(name, COMMANDS, before="; ")
        print(f"{usage()}\n\nerror: {wrong}", file=sys.stderr)
        return 2
    try:
        module = importlib.import_module(f"{__package__}.{COMMANDS[name][0]}")
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"error: {error}; ask 'python -m distill_helpers doctor'"
        ) from None
    try:
        return module.main(rest)
    except KeyboardInterrupt:
        raise SystemExit("\nstopped") from None


if __name__ == "__main__":
    sys.exit(main())
