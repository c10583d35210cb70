"""The ways to open a lesson elsewhere, with the project's address in one place.

That place is ``docs/ways_in.md``. While a placeholder stands there, a button that
led to it would lead nowhere: then the buttons lead to that page.
"""

from __future__ import annotations

import re

from .links import PLACEHOLDER, BookError, check_repository

_NOTEBOOK = re.compile(r"notebooks/\w+\.ipynb$")
_SERVICES = {
    "Colab": r"https://colab\.research\.google\.com/github/[^`\s]+",
    "Binder": r"https://mybinder\.org/v2/gh/[^`\s]+",
}
CODESPACES = "https://codespaces.new/OWNER/REPOSITORY?quickstart=1"
WAYS_IN = "docs/ways_in"


def repository_of(page: str) -> str:
    """Read the project's address off the page on the ways in.

    Parameters
    ----------
    page : str
        The text of ``docs/ways_in.md``.

    Returns
    -------
    str
        Such as ``"ada/kit"``; empty while it is a placeholder.

    Raises
    ------
    BookError
        If the page does not name one address for every service.

    Examples
    --------
    >>> repository_of('''`https://mybinder.org/v2/gh/ada/kit/HEAD?x=notebooks/00.ipynb`
    ... `https://colab.research.google.com/github/ada/kit/blob/main/notebooks/00.ipynb`
    ... ''')
    'ada/kit'
    """
    names = {_owner_and_name(address) for address in _addresses(page).values()}
    if len(names) > 1:
        raise BookError(
            f"docs/ways_in.md must name one repository, it names {sorted(names)}"
        )
    (name,) = names
    return "" if name == PLACEHOLDER else check_repository(name)


def _addresses(page: str) -> dict[str, str]:
    """Return the address of each service, with a mark where the notebook goes."""
    found = {}
    for service, pattern in _SERVICES.items():
        named = sorted(set(re.findall(pattern, page)))
        if len(named) != 1 or not _NOTEBOOK.search(named[0]):
            raise BookError(
                f"docs/ways_in.md must name one address of {service} that ends in a"
                f" notebook, it names {named or 'none'}"
            )
        found[service] = _NOTEBOOK.sub("{page}", named[0])
    return found


def _owner_and_name(address: str) -> str:
    return "/".join(re.split(r"/(?:gh|github)/", address)[1].split("/")[:2])


def launch_addresses(page: str, repository: str) -> dict[str, str]:
    """Return where each button of a lesson leads.

    Parameters
    ----------
    page : str
        The text of ``docs/ways_in.md``.
    repository : str
        The project's address; empty if it has none yet.

    Returns
    -------
    dict of str to str
        By the service's name: an address with ``{page}`` where the notebook's place
        in the project goes, or the page that says how.

    Raises
    ------
    BookError
        As :func:`repository_of`.
    """
    addresses = _addresses(page) | {"Codespaces": CODESPACES}
    if not repository:
        return dict.fromkeys(addresses, WAYS_IN)
    return {
        service: address.replace(_owner_and_name_of(address), repository, 1)
        for service, address in addresses.items()
    }


def _owner_and_name_of(address: str) -> str:
    return PLACEHOLDER if PLACEHOLDER in address else _owner_and_name(address)
