"""Under which names a server on this machine may be asked.

A page of strangers can give its own name the address of this machine, and would
then be allowed to read what a server here says (DNS rebinding). Such a request
still carries the strangers' name: a server that knows its own refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""This machine, as only programs on it can call it."""
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


def check_hosts(hosts: Sequence[str]) -> tuple[str, ...]:
    """Return names of hosts in lower case.

    Parameters
    ----------
    hosts : sequence of str
        Each without scheme and port, an IPv6 address in brackets.

    Raises
    ------
    TypeError
        If it is a single string.
    ValueError
        If one is no name of a host, such as ``"*"`` or ``"a.example:80"``.

    Examples
    --------
    >>> check_hosts(["Kit.example"])
    ('kit.example',)
    """
    if isinstance(hosts, str):
        raise TypeError(f"hosts must be a list of names, got the text {hosts!r}")
    for host in hosts:
        if not isinstance(host, str) or not _NAME.fullmatch(host.lower()):
            raise ValueError(
                "hosts must be names or addresses without scheme and port, such as"
                f" 'kit.example', '192.0.2.7' or '[2001:db8::7]', got {host!r}"
            )
    return tuple(host.lower() for host in hosts)


def host_of(header: str) -> str:
    """Return the name in a Host header, in lower case and without its port.

    Returns
    -------
    str
        ``""`` for a header that is none.

    Examples
    --------
    >>> host_of("LocalHost:8000"), host_of("[::1]:80"), host_of("a@b")
    ('localhost', '[::1]', '')
    """
    name = re.sub(r":\d{0,5}\Z", "", header.strip())
    found = _NAME.fullmatch(name.lower().removesuffix("."))
    return found[0] if found else ""


def why_not(header: str | None, allowed: Collection[str]) -> str:
    """Say why a request with this Host header is not answered; ``""`` if it is.

    Examples
    --------
    >>> why_not("127.0.0.1:8000", LOOPBACK)
    ''
    >>> why_not("evil.example", LOOPBACK)
    "the host must be 127.0.0.1, localhost or [::1], got 'evil.example'"
    """
    if header is not None and host_of(header) in allowed:
        return ""
    *first, last = allowed
    names = f"{', '.join(first)} or {last}" if first else last
    return f"the host must be {names}, got {header!a:.80}"
