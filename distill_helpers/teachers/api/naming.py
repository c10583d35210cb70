"""Which names of a teacher mean a language model behind an API."""

from __future__ import annotations

PREFIX = "api:"


def is_api_name(name) -> bool:
    """Say whether a teacher's name is ``api:`` and a model.

    Examples
    --------
    >>> is_api_name("api:deepseek-flash"), is_api_name("answers.csv")
    (True, False)
    """
    return isinstance(name, str) and name.startswith(PREFIX)


def model_of(name: str) -> str:
    """Return the model in ``api:MODEL``.

    Raises
    ------
    ValueError
        If there is none.
    """
    model = name.removeprefix(PREFIX).strip()
    if not model:
        raise ValueError(
            "teacher='api:' must name a model, such as 'api:deepseek-flash'"
        )
    return model
