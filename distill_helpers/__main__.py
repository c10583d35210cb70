"""What the kit does from the command line: ``python -m distill_helpers NAME``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

# Name: the module whose main() takes the words that follow, and what it does.
COMMANDS = {
    "doctor": ("doctor", "check this machine before the first lesson"),
}


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:10} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(
        ["usage: python -m distill_helpers COMMAND [options]", "", "commands:", *lines]
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
        print(f"{usage()}\n\nerror: {wrong}", file=sys.stderr)
        return 2
    return importlib.import_module(f"distill_helpers.{COMMANDS[name][0]}").main(rest)


if __name__ == "__main__":
    sys.exit(main())
