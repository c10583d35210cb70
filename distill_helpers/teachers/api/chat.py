"""A server that speaks OpenAI's chat protocol, and what it refuses, in plain words."""

from __future__ import annotations

import ipaddress
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ...arguments import check_number, check_type, check_whole
from ...foreign import plain
from .replies import Reply, asked_bytes
from .store import OverBudget

KEY_VARIABLE = "DISTILL_API_KEY"
OPENAI = "api.openai.com"
KEY_OF_HOST = {
    "api.deepseek.com": "DEEPSEEK_API_KEY",
    OPENAI: "OPENAI_API_KEY",
}
"""A host's own key is sent to it alone."""
SENT = frozenset(
    "accept accept-encoding authorization connection content-length content-type host"
    " transfer-encoding user-agent x-stainless-raw-response".split()
)
"""Headers of a request. The client would add its user's organisation at OpenAI and
whatever ``OPENAI_CUSTOM_HEADERS`` holds, for any server: those are OpenAI's alone."""
RETRIES = 5
NO_CLIENT = (
    "a teacher behind an API needs the package openai, which is an extra: install it"
    ' with python -m pip install ".[api]"'
)


class ApiError(ConnectionError):
    """A server could not be asked, or would not answer.

    Attributes
    ----------
    status : int or None
        HTTP's number, where there was an answer.
    unsure : int
        Attempts that got no answer and may have been paid.
    torn : bool
        An answer came that cannot be read: the line was cut, or it is none.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        unsure: int = 0,
        torn: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.unsure, self.torn = status, unsure, torn

    @property
    def of_this_text(self) -> bool:
        """Whether the request itself was refused, as for a text that is too long."""
        return self.status in (400, 413, 422)


class KeyMissingError(ApiError):
    """There is no key in the environment, or it stands where it may be read."""


class _Key:
    """A secret that shows itself to the client alone."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        self._reveal = lambda: value

    def __repr__(self) -> str:
        return "<key>"

    def reveal(self) -> str:
        return self._reveal()


# -------------------------------------------------------------------- address
def check_address(base_url: str) -> str:
    """Return a server's address if a key may be sent to it.

    Raises
    ------
    TypeError, ValueError
        If it is no address, holds a name, a password or a question, or is not
        encrypted and not on this machine.

    Examples
    --------
    >>> check_address("https://api.deepseek.com/")
    'https://api.deepseek.com'
    """
    check_type("base_url", base_url, str, "an address")
    parts = urlsplit(base_url.strip())
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "base_url must be a plain address without a name, a password or anything"
            " behind '?': a key belongs into the environment"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            "base_url must look like 'https://api.deepseek.com' or"
            f" 'http://127.0.0.1:8000/v1', got {base_url!r}"
        )
    if parts.scheme == "http" and not is_loopback(base_url):
        raise ValueError(
            f"base_url={base_url!r} is not encrypted: texts and key could be read on"
            " the way. Say https://, or reach the server by a tunnel on 127.0.0.1"
        )
    return base_url.strip().rstrip("/")


def is_loopback(base_url: str) -> bool:
    """Say whether an address is one of this machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def key_variable(base_url: str) -> str:
    """Name the environment variable in which a server's key is looked for."""
    return KEY_OF_HOST.get(urlsplit(base_url).hostname or "", KEY_VARIABLE)


def _read_key(variable: str, own_server: bool) -> _Key:
    value = os.environ.get(variable, "").strip()
    if not value:
        if own_server:
            return _Key("none")
        raise KeyMissingError(
            f"there is no key: set the environment variable {variable} before Python"
            " starts (never in a notebook or a file that is shared)"
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise KeyMissingError(f"{variable} does not hold a key: it has blanks or worse")
    if not own_server and _stands_in_a_cell(value):
        raise KeyMissingError(
            f"the key of {variable} stands in a cell of this notebook, where whoever"
            " gets the notebook can read it: take it out, have a new one made, and"
            " set the variable before Jupyter starts"
        )
    return _Key(value)


def _stands_in_a_cell(value: str) -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    cells = getattr(shell, "user_ns", {}).get("In", []) if shell else []
    return any(value in str(cell) for cell in cells)


# --------------------------------------------------------------------- server
class _Attempts:
    """What became of the attempts of one request."""

    def __init__(self, again: Callable[[], None]) -> None:
        self.again, self.sent, self.refused = again, 0, 0

    @property
    def unsure(self) -> int:
        return self.sent - self.refused

    def sending(self) -> None:
        if self.unsure:  # the one before got no answer and may be paid
            self.again()
        self.sent += 1


class ChatServer:
    """A server and the way to ask it; connects when it is first asked.

    Parameters
    ----------
    base_url : str
    key_variable : str, optional
        The environment variable with the key. By default the host's own, else
        ``DISTILL_API_KEY``; a server on this machine needs none.
    timeout : float, default 60
        Seconds that an answer may take.
    retries : int, default 5
        How often the client asks again after 429, 5xx, a cut line or a time-out; it
        waits as long as the server says.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key_variable: str | None = None,
        timeout: float = 60.0,
        retries: int = RETRIES,
    ) -> None:
        self.base_url = check_address(base_url)
        self.own = is_loopback(self.base_url)
        self.variable = key_variable or globals()["key_variable"](self.base_url)
        check_number("timeout", timeout, above=0)
        self.timeout = timeout
        self.retries = check_whole("retries", retries, least=0, most=100)
        self._made = None
        self._making = threading.Lock()
        self._here = threading.local()

    def __repr__(self) -> str:
        return f"ChatServer({self.base_url!r})"

    @property
    def name(self) -> str:
        """The host, for messages."""
        return urlsplit(self.base_url).netloc

    def check_ready(self) -> None:
        """See that it can be asked; nothing is sent.

        Raises
        ------
        ApiError
            If the client is not installed, or there is no usable key.
        """
        self._client()

    def ask(
        self, request: Mapping, again: Callable[[], None] = lambda: None
    ) -> tuple[Reply, int]:
        """Send one request.

        Parameters
        ----------
        request : mapping
            The body.
        again : callable
            Called before an attempt that follows one which may have been paid.

        Returns
        -------
        reply : Reply
        unsure : int
            Attempts before it that got no answer and may have been paid.

        Raises
        ------
        ApiError
            In words; the client's own error, which knows the key, stays behind.
        """
        body = dict(request)
        head = {name: body.pop(name) for name in ("model", "messages")}
        client, openai = self._client()
        attempts = self._here.attempts = _Attempts(again)
        try:
            raw = client.chat.completions.with_raw_response.create(
                **head, extra_body=body
            )
            reply = Reply.from_completion(json.loads(raw.text), asked_bytes(request))
            return reply, attempts.unsure - 1
        except OverBudget as error:
            failure: OverBudget | ApiError = OverBudget(error.spent, error.reserved)
            failure.unsure = attempts.unsure
        except openai.APIStatusError as error:
            failure = self._refusal(request, error, attempts.unsure)
        except openai.APITimeoutError:
            failure = ApiError(
                f"{self.name} did not answer within {self.timeout:g} seconds,"
                f" {attempts.sent} times: give it a larger timeout or less to do at"
                " once (concurrency)",
                unsure=attempts.unsure,
            )
        except openai.APIConnectionError as error:
            reason = type(error.__cause__).__name__
            failure = ApiError(
                f"{self.name} cannot be reached or hung up {attempts.sent} times"
                f" ({reason}): is the server running, is the address right?",
                unsure=attempts.unsure,
            )
        except ValueError as error:
            failure = ApiError(
                f"{self.name} does not speak the chat protocol: {self._plain(error)}."
                " Does base_url lack its '/v1'?",
                unsure=attempts.unsure,
                torn=True,
            )
        raise failure

    def models(self) -> list[str] | None:
        """Return the models that the server names; None where it does not."""
        client, openai = self._client()
        self._here.attempts = _Attempts(lambda: None)
        try:
            return sorted(model.id for model in client.models.list(timeout=10))
        except (openai.OpenAIError, AttributeError, TypeError, ValueError):
            return None

    def _client(self):
        with self._making:
            if self._made is None:
                self._made = self._make()
        return self._made

    def _make(self):
        try:
            import openai
        except ImportError:
            raise ApiError(NO_CLIENT) from None
        key = _read_key(self.variable, self.own)
        web = openai.DefaultHttpxClient(
            event_hooks={"request": [self._sending], "response": [self._received]},
            follow_redirects=False,  # a key goes where it was meant to go
            trust_env=not self.own,
            # Unencrypted (loopback): nothing to verify, no certificates to load.
            verify=self.base_url.startswith("https:"),
        )
        client = openai.OpenAI(
            api_key=key.reveal,
            base_url=self.base_url,
            timeout=self.timeout,
            max_retries=self.retries,
            http_client=web,
        )
        self._hide = lambda text: text.replace(key.reveal(), "<key>")
        return client, openai

    def _sending(self, request) -> None:
        if urlsplit(self.base_url).hostname != OPENAI:
            for name in set(request.headers) - SENT:
                del request.headers[name]
        self._here.attempts.sending()

    def _received(self, response) -> None:
        if response.status_code >= 300:
            self._here.attempts.refused += 1

    def _plain(self, error) -> str:
        """Return what was said, without the key and without control characters."""
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, Mapping) else None
        return plain(self._hide(str(said or error)), 300)

    def _refusal(self, request: Mapping, error, unsure: int) -> ApiError:
        status, said = error.status_code, self._plain(error)
        gone = status == 404 or (status in (400, 422) and "model" in said.lower())
        if gone:
            served = self.models()
            if served is not None and request["model"] not in served:
                return ApiError(
                    f"model={request['model']!r} is not served by {self.name}"
                    f" ({status}); today it serves {served}",
                    404,
                    unsure,
                )
        meaning = _MEANING.get(status) or _MEANING[500 if status >= 500 else 400]
        after = error.response.headers.get("retry-after")
        if status == 429 and after:
            meaning += f" (it asks to wait {plain(after, 40)} seconds)"
        message = f"{self.name}: {meaning} ({status}: {said})"
        if status == 401:
            message += f"; the key comes from {self.variable}"
        return ApiError(message, status, unsure)


KEPT = "what was answered is kept, the same call goes on from there"
_MEANING = {
    400: "the request is not accepted",
    401: "the key is not accepted",
    402: f"the account has no money left: top it up; {KEPT}",
    403: "the key may not be used for this",
    404: "there is nothing at this address: does base_url lack its '/v1'?",
    413: "the text is too long",
    422: "the request is not accepted",
    429: f"too many requests, also after waiting: lower concurrency; {KEPT}",
    500: f"the server fails, also when asked again; {KEPT}",
}
