"""The cascade's larger half behind HTTP: a small service with limits.

``distill-kit serve BUNDLE --port 8000``

It answers one kind of question, says who answered, and refuses what is too
large, too frequent or not a question. FastAPI and uvicorn are an optional
extra: ``pip install "distill-helpers[serve]"``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from ..arguments import CommandLine, check_whole
from ..data.cleaning import clean_text
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type
from ..foreign import ForeignFileError, parse_json
from .answering import answers
from .connections import bounded
from .hosts import LOOPBACK, check_hosts, why_not
from .limits import AnswerCache, Limits, TokenBucket

Predictor = Callable[[Sequence[str]], np.ndarray]
MISSING = (
    "the service needs FastAPI and uvicorn, which are an extra: install"
    ' "distill-helpers[serve]", or leave the service out; the page and the'
    " simulation work without it"
)


class Refusal(Exception):
    """A request that is not answered, with its HTTP status and the reason."""

    def __init__(self, status: int, detail: str, headers: dict | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def read_question(content_type: str, body: bytes) -> str:
    """Return the text that is asked about.

    Parameters
    ----------
    content_type : str
    body : bytes

    Raises
    ------
    Refusal
        415 for another type than JSON, 422 for anything but a text of whole
        characters.
    """
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise Refusal(415, 'send application/json, such as {"text": "..."}')
    try:
        question = parse_json(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refusal(422, "the body is no JSON: it is not UTF-8") from error
    except ForeignFileError as error:
        raise Refusal(422, f"the body is no JSON as it should be: {error}") from error
    text = question.get("text") if isinstance(question, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise Refusal(422, "send a text that is not empty under the name 'text'")
    return text


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def make_app(
    predict: Predictor,
    label_names: Sequence[str],
    *,
    problem_type: str = ONE_LABEL,
    name: str = "the teacher",
    limits: Limits | None = None,
    origins: Sequence[str] = (),
    hosts: Sequence[str] = (),
    clock: Callable[[], float] = time.monotonic,
):
    """Make the service as an ASGI application.

    Parameters
    ----------
    predict : callable
        Texts in, logits out; called by one thread at a time, with a text that was
        cleaned as in training. If it has a method ``of_clean``, as a
        :class:`~distill_helpers.export.bundle.TextClassifier` has, that is called.
    label_names : sequence of str
        In the order of the logits.
    problem_type : str, default "single_label_classification"
        With ``"multi_label_classification"`` an answer has ``labels``, those
        likelier than not, and ``probabilities`` by name.
    name : str
        Who is said to have answered.
    limits : Limits, optional
    origins : sequence of str
        Pages, by scheme and host, whose scripts may ask.
    hosts : sequence of str
        Names under which the service is asked, besides those of this machine.
    clock : callable
        For the rate limit.

    Returns
    -------
    fastapi.FastAPI
        ``POST /classify`` with ``{"text": ...}``, and ``GET /health``.

    Raises
    ------
    ImportError
        If the extra is missing; the message names it.
    ValueError
        If `problem_type` is unknown, a host is no name, or a label or `name`
        cannot be sent.
    """
    check_problem_type(problem_type)
    allowed = (*LOOPBACK, *check_hosts(hosts))
    for said in (name, *label_names):
        if not isinstance(said, str) or not _encodable(said):
            raise ValueError(f"name and label_names must be texts, got {said!a}")
    try:
        from fastapi import FastAPI, Request
        from fastapi.middleware.cors import CORSMiddleware
        from fastapi.responses import JSONResponse
        from starlette.datastructures import Headers
    except ImportError as error:
        raise ImportError(MISSING) from error
    limits = limits or Limits()
    bucket = TokenBucket(limits.per_second, limits.burst, clock)
    desk = _Desk(predict, label_names, problem_type, name, limits)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["POST"],
        allow_headers=["Content-Type"],
    )

    class KnownHosts:
        """Turn away who calls the service by a stranger's name."""

        def __init__(self, inner) -> None:
            self.inner = inner

        async def __call__(self, scope, receive, send) -> None:
            answer = self.inner
            if scope["type"] == "http":
                reason = why_not(Headers(scope=scope).get("host"), allowed)
                if reason:
                    answer = JSONResponse({"detail": reason}, 400)
            await answer(scope, receive, send)

    app.add_middleware(KnownHosts)
    app.state.limits = limits

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception):
        return JSONResponse({"detail": "the service failed; its log says why"}, 500)

    @app.exception_handler(Refusal)
    async def refuse(request: Request, refusal: Refusal):
        return JSONResponse(
            {"detail": refusal.detail}, refusal.status, headers=refusal.headers
        )

    @app.get("/health")
    async def health():
        return {"status": "ok", "answered_by": name, "cache_hits": desk.cache.hits}

    async def classify(request):
        wait = bucket.take(request.client.host if request.client else "unknown")
        if wait:
            raise Refusal(
                429,
                f"at most {limits.per_second:g} requests a second",
                {"Retry-After": str(int(wait) + 1)},
            )
        try:
            reading = _limited_body(request, limits.body_bytes)
            body = await asyncio.wait_for(reading, limits.body_seconds)
        except asyncio.TimeoutError as error:
            raise Refusal(
                408,
                f"the request did not come within {limits.body_seconds:g} s",
                {"Connection": "close"},
            ) from error
        return await desk.answer(
            read_question(request.headers.get("content-type", ""), body)
        )

    classify.__annotations__["request"] = Request
    app.post("/classify")(classify)
    return app


async def _limited_body(request, most: int) -> bytes:
    """Read a request and stop as soon as it is too large."""
    refusal = Refusal(413, f"at most {most:,} bytes", {"Connection": "close"})
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise refusal
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise refusal
    return body


class _Desk:
    """Answers one text after the other, within its limits."""

    def __init__(
        self, predict, label_names, problem_type: str, name: str, limits: Limits
    ) -> None:
        self.predict = getattr(predict, "of_clean", predict)
        self.labels = list(label_names)
        self.problem_type = problem_type
        self.name = name
        self.limits = limits
        self.cache = AnswerCache(limits.cached)
        self._jobs = set()
        self._one = ThreadPoolExecutor(1)  # what was given up still has its turn

    async def answer(self, text: str) -> dict:
        cleaned = clean_text(text)
        if not any(map(str.isprintable, cleaned)):
            raise Refusal(
                422, "nothing is left of the text: it is HTML or cannot be seen"
            )
        found = self.cache.get(cleaned)
        if found is not None:
            return found | {"cached": True}
        self._jobs = {job for job in self._jobs if not job.done()}
        if len(self._jobs) >= self.limits.at_once:
            raise Refusal(
                503, "too many texts are waiting; try again", {"Retry-After": "1"}
            )
        job = self._one.submit(self._compute, cleaned)
        self._jobs.add(job)
        try:
            found = await asyncio.wait_for(
                asyncio.wrap_future(job), self.limits.seconds
            )
        except asyncio.TimeoutError as error:
            raise Refusal(504, f"no answer within {self.limits.seconds:g} s") from error
        self.cache.put(cleaned, found)
        return found | {"cached": False}

    def _logits(self, text: str) -> np.ndarray:
        """Ask the model and hold what it says against what can be an answer."""
        try:
            logits = np.asarray(self.predict([text]), np.float64)
        except Exception as error:  # told to the log and to the client
            logging.getLogger(__name__).exception("the model failed")
            raise Refusal(502, f"the model failed ({type(error).__name__})") from error
        if logits.shape != (1, len(self.labels)):
            raise Refusal(
                502,
                f"the model gave logits of shape {logits.shape}, wanted is"
                f" {(1, len(self.labels))}",
            )
        if not np.isfinite(logits).all():
            raise Refusal(502, "the model gave logits that are no finite numbers")
        return logits

    def _compute(self, text: str) -> dict:
        (found,) = answers(self._logits(text), self.labels, self.problem_type)
        answer = {
            "label": found.label,
            "probability": found.probability,
            "logits": list(found.logits),
            "answered_by": self.name,
        }
        if self.problem_type == SEVERAL_LABELS:
            answer["labels"] = list(found.labels)
            answer["probabilities"] = dict(zip(self.labels, found.probabilities))
        return answer


def _server(app, proxies: Sequence[str] = (), log_level: str = "error"):
    """Make the server; only a proxy that is named may say who a client is."""
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError(MISSING) from error
    limits = getattr(app.state, "limits", None) or Limits()
    config = uvicorn.Config(
        app,
        http=bounded(limits.connections, limits.body_seconds),
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        backlog=32,  # so many are taken in at a time
        timeout_graceful_shutdown=5,
        log_level=log_level,
    )
    return uvicorn.Server(config)


def _listener(host: str, port: int) -> socket.socket:
    check_whole("port", port, least=0, most=65_535)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=32)
    except OSError as error:
        raise OSError(
            f"port {port} of {host} cannot be used, name another one: {error}"
        ) from error


@contextmanager
def running(app, port: int = 0, *, proxies: Sequence[str] = ()) -> Iterator[str]:
    """Serve an application on this machine for as long as the block lasts.

    Parameters
    ----------
    app : fastapi.FastAPI
        From :func:`make_app`.
    port : int, default 0
        0 takes a free one.
    proxies : sequence of str
        Addresses whose ``X-Forwarded-For`` is believed; by default nobody's.

    Yields
    ------
    str
        Its address on the loopback interface.

    Raises
    ------
    ImportError
        If the extra is missing.
    OSError
        If the port is taken.
    RuntimeError
        If the server did not start.
    """
    server = _server(app, proxies)
    listener = _listener("127.0.0.1", port)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, daemon=True
    )
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the service did not start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a bundle on this machine."""
    parser = CommandLine(prog="distill-kit serve", description=__doc__.split("\n")[0])
    parser.add_argument("bundle")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--name", default="the teacher")
    parser.add_argument("--origin", action="append", default=[], help="a page's origin")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        help="a name under which others ask, such as kit.example",
    )
    parser.add_argument(
        "--proxy",
        action="append",
        default=[],
        help="address of a proxy whose X-Forwarded-For is believed",
    )
    options = parser.parse_args(arguments)
    if options.host in ("", "0.0.0.0", "::") and not options.allow_host:
        parser.error(
            f"--host {options.host!r} listens to everybody: say under which names"
            " with --allow-host, such as --allow-host kit.example"
        )
    from .bundle import TextClassifier

    own = f"[{options.host}]" if ":" in options.host else options.host
    try:
        reader = TextClassifier(options.bundle)
        app = make_app(
            reader,
            reader.labels,
            problem_type=reader.problem_type,
            name=options.name,
            origins=options.origin,
            hosts=[*filter(None, [own]), *options.allow_host],
        )
        server = _server(app, options.proxy, "warning")
        listener = _listener(options.host, options.port)
    except ImportError:
        parser.error(MISSING)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    at = listener.getsockname()[1]
    print(f"answering at http://{own}:{at}/ until it is stopped", flush=True)
    server.run(sockets=[listener])
    return 0
