"""A run that costs money begins with a key and a budget, and with nothing less."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from ...teachers.api.chat import NO_CLIENT, ChatServer
from ...teachers.api.naming import PREFIX
from ...teachers.api.opening import api_teacher
from ...teachers.api.recorded import FILM_REVIEWS
from ...teachers.api.teacher import ApiTeacher
from ..parameters import ParameterError, check_above_zero

RECORDED = "recorded"
DEEPSEEK = "https://api.deepseek.com"


def check_live(model: str, base_url: str | None, budget: float | None) -> bool:
    """Say whether a live model is to be asked.

    Parameters
    ----------
    model : str
        ``"recorded"``, or a model behind an API.
    base_url : str or None
        Its server; None is DeepSeek's.
    budget : float or None
        Dollars that may be spent.

    Returns
    -------
    bool

    Raises
    ------
    ParameterError
        If a live model is named without a budget, or without a key in the
        environment; or if the client is not installed, which loopback needs too.
    """
    if find_spec("openai") is None:
        raise ParameterError(NO_CLIENT)
    if model == RECORDED:
        return False
    if budget is None:
        raise ParameterError(
            f"budget must say how many dollars model={model!r} may cost; nothing is"
            f" asked without one (model={RECORDED!r} costs nothing)"
        )
    check_above_zero("budget", budget)
    server = ChatServer(base_url or DEEPSEEK)
    if not server.own and not os.environ.get(server.variable, "").strip():
        raise ParameterError(
            f"model={model!r} needs a key in the environment variable"
            f" {server.variable}, set before Jupyter starts; never in a cell"
        )
    return True


def live_teacher(
    model: str, base_url: str | None, budget: float, folder: str | Path
) -> ApiTeacher:
    """Return the live model as a teacher of the lesson's question.

    Parameters
    ----------
    model, base_url, budget
        As for :func:`check_live`.
    folder : str or Path
        For the file of its answers.

    Returns
    -------
    ApiTeacher
    """
    return api_teacher(
        PREFIX + model,
        folder,
        classes=FILM_REVIEWS,
        base_url=base_url,
        max_cost=budget,
    )


def served(base_url: str | None) -> list[str] | None:
    """Return the models that a server names today; None where it names none.

    Parameters
    ----------
    base_url : str or None
        None is DeepSeek's.

    Returns
    -------
    list of str or None
    """
    return ChatServer(base_url or DEEPSEEK).models()
