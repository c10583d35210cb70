"""A server on this machine that speaks the chat protocol, with the faults of a real one.

For lessons and tests: nothing leaves the machine, and what is told of teachers behind
an API can be tried, the bad days included.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ...files import fresh_path, whole_file
from .replies import request_key
from .speaking import NothingToSayError, Said, Speaker, tokens_of

SILENCE = 2.0
"""Seconds after which a server that is silent hangs up."""
FAULTS = (
    "blank",
    "cut",
    "cut, unnoticed",
    "filtered",
    "hollow",
    "keep-alive",
    "no logprobs",
    "page",
    "prose",
    "refusal",
    "silent",
    "spaces",
    "thinks",
)
"""Faults by name. A number is a status of HTTP, a float seconds of delay."""


def no_fault(number: int, body: Mapping) -> None:
    """Let everything go well."""


class LoopbackServer:
    """Answer chat completions on a free port of this machine.

    Parameters
    ----------
    speaker : Speaker
        Who answers.

    Attributes
    ----------
    url : str
    fault : callable
        Asked about each request, with its number and its body; what it returns
        happens: None, a name of `FAULTS`, a status, ``(status, headers)``, or seconds
        (a float) to wait.
    refusal : str
        What a refused request is told.
    key : str or None
        The key that is asked for, if any.
    models : list of str
        What is served today.
    requests, busiest : int
        Requests so far, and how many of them at once.
    usage : Counter
        ``prompt`` and ``completion`` tokens, and ``requests``, of what was answered.

    Notes
    -----
    It is a context manager; in a notebook call :meth:`start` and :meth:`stop`. A
    request with a temperature is answered by the speaker's next draw for it.
    """

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._lock = threading.Lock()
        self.reset()
        self._server = _Listener(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def reset(self) -> LoopbackServer:
        """Forget what was asked, and all faults."""
        self.requests = self.busy = self.busiest = 0
        self.usage: Counter = Counter()
        self._turns: Counter = Counter()
        self.fault: Callable = no_fault
        self.refusal = "fault"
        self.key: str | None = None
        self.models = list(self.speaker.models)
        return self

    def start(self) -> LoopbackServer:
        """Listen, in a thread of its own."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self.close()

    def close(self) -> None:
        """Give the port back; for a server that was never started."""
        self._server.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    # ------------------------------------------------------- to be overridden
    def heard(self, body: Mapping, headers: Mapping) -> None:
        """Be told of a request, before anything is answered."""

    def answered(self, body: Mapping) -> None:
        """Be told that an answer was sent."""

    # --------------------------------------------------------------- answers
    def completion(self, body: Mapping, fault=None) -> dict:
        """Return a chat completion.

        Raises
        ------
        NothingToSayError
            If the speaker cannot answer.
        """
        said = self.speaker.says(body, self._turn(body))
        message, logprobs, finish = _message(said, body, fault)
        thoughts = message.get("reasoning_content") or ""
        written = (said.completion_tokens if message["content"] else 0) + (
            tokens_of(thoughts)
        )
        with self._lock:
            counts = {"prompt": said.prompt_tokens, "completion": written}
            self.usage.update(counts, requests=1)
        return {
            "id": "chat-1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": logprobs,
                    "finish_reason": finish,
                }
            ],
            "usage": {
                "prompt_tokens": said.prompt_tokens,
                "completion_tokens": written,
                "total_tokens": said.prompt_tokens + written,
                "prompt_cache_hit_tokens": said.cached_tokens,
            },
        }

    def answer_batch(self, requests: str | Path, output: str | Path) -> int:
        """Answer a file of requests, as OpenAI's batches and vLLM do.

        Parameters
        ----------
        requests : str or Path
            From :func:`~.batches.write_batch`.
        output : str or Path
            A new file of JSON Lines for :func:`~.batches.read_batch`.

        Returns
        -------
        int
            How many were answered; the others stand there with their error.
        """
        done = 0
        with whole_file(fresh_path(output)) as temporary:
            with (
                Path(requests).open(encoding="utf-8") as lines,
                temporary.open("w", encoding="utf-8") as file,
            ):
                for line in lines:
                    asked = json.loads(line)
                    row: dict = {"custom_id": asked["custom_id"], "error": None}
                    try:
                        found = self.completion(asked["body"])
                        row["response"] = {"status_code": 200, "body": found}
                        done += 1
                    except NothingToSayError as error:
                        row["error"] = {"message": str(error)}
                    file.write(json.dumps(row) + "\n")
        return done

    def _turn(self, body: Mapping) -> int:
        """Count how often this very request was made before."""
        key = request_key(body, "")
        with self._lock:
            self._turns[key] += 1
            return self._turns[key] - 1


def _message(said: Said, body: Mapping, fault) -> tuple[dict, dict | None, str]:
    """Return message, log-probabilities and finish reason, as a fault leaves them."""
    content, finish = said.content, "stop"
    message: dict = {"role": "assistant", "content": content}
    logprobs = _logprobs(said, body) if body.get("logprobs") else None
    if fault == "thinks":
        message["reasoning_content"] = f"The word {content} stands there."
    elif fault == "hollow" and logprobs:
        for one in logprobs["content"][0]["top_logprobs"]:
            one["logprob"] = 0.0 if one["token"] == content else -9999.0
    elif fault == "no logprobs":
        logprobs = None
    elif fault in _CONTENT:
        message, logprobs = {**message, **_CONTENT[fault]}, None
        finish = "content_filter" if fault == "filtered" else finish
    elif fault == "prose":
        said_so = f"I would say that this is not {content}, all in all."
        message, logprobs = {**message, "content": said_so}, None
    return message, logprobs, finish


_CONTENT = {
    "blank": {"content": None},
    "spaces": {"content": " \n  "},
    "refusal": {"content": None, "refusal": "I must not."},
    "filtered": {"content": ""},
}


def _logprobs(said: Said, body: Mapping) -> dict:
    """Return the alternatives of the first token, as many as were asked for."""
    most = body.get("top_logprobs") or len(said.alternatives)
    others = [{"token": t, "logprob": v} for t, v in said.alternatives[:most]]
    first = {"token": said.content, "logprob": -0.1, "top_logprobs": others}
    return {"content": [first]}


# ------------------------------------------------------------------- protocol
class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(api: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *_) -> None:
            pass

        def do_GET(self) -> None:
            owner = api.speaker.owner
            models = [
                {"id": name, "object": "model", "owned_by": owner}
                for name in api.models
            ]
            self.send(200, {"object": "list", "data": models})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with api._lock:
                number, api.requests = api.requests, api.requests + 1
                api.busy += 1
                api.busiest = max(api.busiest, api.busy)
                api.heard(body, dict(self.headers))
            try:
                self.act(number, body)
            finally:
                with api._lock:
                    api.busy -= 1

        def act(self, number: int, body: dict) -> None:
            sent = self.headers.get("Authorization", "")
            if api.key and sent != f"Bearer {api.key}":
                # Some servers say the key back.
                return self.refuse(401, f"Incorrect API key provided: {sent[7:]}")
            if body["model"] not in api.models:
                return self.refuse(404, f"model {body['model']} does not exist")
            fault = api.fault(number, body)
            if isinstance(fault, int):
                return self.refuse(fault, api.refusal)
            if isinstance(fault, tuple):
                return self.refuse(fault[0], api.refusal, fault[1])
            if isinstance(fault, float):
                time.sleep(fault)
            if fault == "silent":
                time.sleep(SILENCE)
                self.close_connection = True
                return None
            if fault == "page":
                return self.send_raw(200, b"<html>Sign in</html>", "text/html")
            try:
                found = api.completion(body, fault)
            except NothingToSayError as error:
                return self.refuse(400, str(error))
            self.tell(json.dumps(found).encode(), fault)
            if fault not in ("cut", "cut, unnoticed"):
                api.answered(body)

        def tell(self, raw: bytes, fault) -> None:
            if fault == "cut":
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw[: len(raw) // 2])
                self.wfile.flush()
                self.close_connection = True
            elif fault == "cut, unnoticed":
                self.send_raw(200, raw[: len(raw) // 2])
            else:
                self.send_raw(200, b"\n\n\n" + raw if fault == "keep-alive" else raw)

        def refuse(self, status: int, message: str, headers=()) -> None:
            error = {"error": {"message": message, "type": "error", "code": None}}
            self.send(status, error, dict(headers))

        def send(self, status: int, content: dict, headers=()) -> None:
            self.send_raw(status, json.dumps(content).encode(), headers=headers)

        def send_raw(
            self, status: int, raw: bytes, kind="application/json", headers=()
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

    return Handler
