"""Arguments in a message, spelt as the reader of a command typed them."""

from __future__ import annotations

from collections.abc import Mapping


def as_typed(message: str, options: Mapping[str, str]) -> str:
    """Spell the name at the head of a message as it was typed.

    Parameters
    ----------
    message : str
        Of an error that begins with an argument's name.
    options : mapping of str to str
        From the argument to the option.

    Returns
    -------
    str
        The same message where it begins with no argument of the command.

    Examples
    --------
    >>> as_typed("budget_mb must be above 0", {"budget_mb": "--budget-mb"})
    '--budget-mb must be above 0'
    >>> as_typed("source='a.csv' is empty", {"source": "--data"})
    "--data='a.csv' is empty"
    >>> as_typed("nothing fits", {})
    'nothing fits'
    """
    name = message.partition(" ")[0].partition("=")[0].rstrip(":")
    if name not in options:
        return message
    return options[name] + message[len(name) :]


def option_of(argument: str) -> str:
    """Return an argument's name as an option.

    Examples
    --------
    >>> option_of("budget_mb")
    '--budget-mb'
    """
    return f"--{argument.replace('_', '-')}"
