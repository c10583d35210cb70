"""A loopback server that speaks the chat protocol, with every fault of a real one.

The model behind it counts the words of a text that are names of classes. Tokens are
words and marks, and a fixed number around each message.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-test-5ecret-0f-the-loopback"
TODAY = ["tiny-chat", "tiny-reasoner"]
AROUND = 4  # tokens around each message
_WORD = re.compile(r"\w+|[^\w\s]")


def tokens_of(text):
    return len(_WORD.findall(text))


def classes_of(body):
    """Read the names of the classes out of the question."""
    return re.findall(r"^- ([^:\n]+)", body["messages"][0]["content"], re.M)


def text_of(body):
    asked = [m for m in body["messages"] if m["role"] == "user"]
    return asked[-1]["content"].removeprefix("Text:\n")


def by_words(body):
    """Give each class a share by how often its name stands in the text."""
    words = Counter(text_of(body).lower().split())
    scores = {name: math.exp(words[name.lower()]) for name in classes_of(body)}
    total = sum(scores.values())
    return {name: score / total for name, score in scores.items()}


class ApiServer:
    """Answer chat completions on a free loopback port.

    `fault` is asked about each request, with its number and its body; what it
    returns happens: a status, ``(status, headers)``, or the name of a fault.
    """

    def __init__(self) -> None:
        self.reset()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._lock = threading.Lock()

    def reset(self) -> ApiServer:
        self.bodies: list[dict] = []  # as they came
        self.answered: list[str] = []  # texts, once the answer was sent
        self.headers: list[dict] = []
        self.usage = Counter()
        self.busy = self.busiest = 0
        self.fault: Callable = lambda number, body: None
        self.shares: Callable = by_words
        self.mass = 0.9
        self.model_names = list(TODAY)
        self.key: str | None = None
        self.refusal = "fault"
        return self

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    # ------------------------------------------------------------- answers
    def completion(self, body, fault):
        shares = self.shares(body)
        number = sum(text_of(b) == text_of(body) for b in self.bodies)
        name = self.drawn(shares, number) if body.get("temperature") else None
        content = name or max(shares, key=shares.get)
        message = {"role": "assistant", "content": content}
        logprobs = None
        if body.get("logprobs"):
            logprobs = {"content": [self.first_token(content, shares)]}
        if fault in ("blank", "spaces"):
            message["content"] = None if fault == "blank" else " \n  "
            logprobs = None
        elif fault == "prose":
            message["content"] = f"I would say that this is not {content}, all in all."
            logprobs = None
        elif fault == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I must not."}
            logprobs = None
        elif fault == "filtered":
            message["content"], logprobs = "", None
        elif fault == "hollow" and logprobs:
            for one in logprobs["content"][0]["top_logprobs"]:
                one["logprob"] = 0.0 if one["token"] == content else -9999.0
        elif fault == "no logprobs":
            logprobs = None
        elif fault == "thinks":
            message["reasoning_content"] = f"The word {content} stands there."
        finish = "content_filter" if fault == "filtered" else "stop"
        written = tokens_of(message["content"] or "") + tokens_of(
            message.get("reasoning_content", "")
        )
        read = sum(tokens_of(m["content"]) + AROUND for m in body["messages"])
        usage = {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_cache_hit_tokens": read // 2,
        }
        self.usage.update(prompt=read, completion=written, requests=1)
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
            "usage": usage,
        }

    @staticmethod
    def drawn(shares, number):
        """Draw as often as a share says: the same for the same number."""
        point, total = (number * 0.381966) % 1, 0.0
        for name, share in shares.items():
            total += share
            if point < total:
                return name
        return name

    def first_token(self, content, shares):
        """Three spellings of each class, and what else a model might say."""
        others = [{"token": "The", "logprob": math.log(1 - self.mass)}]
        for name, share in shares.items():
            for spelt, part in ((name, 0.5), (f" {name}", 0.3), (name.title(), 0.2)):
                value = math.log(max(share * part * self.mass, 1e-12))
                others.append({"token": spelt, "logprob": value})
        return {"token": content, "logprob": -0.1, "top_logprobs": others}

    # ------------------------------------------------------------ protocol
    def _handler(api):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_):
                pass

            def do_GET(self):
                models = [{"id": name, "object": "model"} for name in api.model_names]
                self.send(200, {"object": "list", "data": models})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with api._lock:
                    number = len(api.bodies)
                    api.bodies.append(body)
                    api.headers.append(dict(self.headers))
                    api.busy += 1
                    api.busiest = max(api.busiest, api.busy)
                try:
                    self.act(number, body)
                finally:
                    with api._lock:
                        api.busy -= 1

            def act(self, number, body):
                sent = self.headers.get("Authorization", "")
                if api.key and sent != f"Bearer {api.key}":
                    # Some servers say the key back.
                    return self.refuse(401, f"Incorrect API key provided: {sent[7:]}")
                if body["model"] not in api.model_names:
                    return self.refuse(404, f"model {body['model']} does not exist")
                fault = api.fault(number, body)
                if isinstance(fault, int):
                    return self.refuse(fault, api.refusal)
                if isinstance(fault, tuple):
                    status, headers = fault
                    return self.refuse(status, api.refusal, headers)
                if isinstance(fault, float):
                    time.sleep(fault)
                if fault == "silent":
                    time.sleep(2)
                    self.close_connection = True
                    return None
                if fault == "page":
                    return self.send_raw(200, b"<html>Sign in</html>", "text/html")
                with api._lock:
                    found = api.completion(body, fault)
                raw = json.dumps(found).encode()
                if fault == "cut":
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw[: len(raw) // 2])
                    self.wfile.flush()
                    self.close_connection = True
                    return None
                if fault == "cut, unnoticed":
                    return self.send_raw(200, raw[: len(raw) // 2])
                if fault == "keep-alive":
                    raw = b"\n\n\n" + raw
                self.send_raw(200, raw)
                api.answered.append(text_of(body))

            def refuse(self, status, message, headers=()):
                error = {"error": {"message": message, "type": "error", "code": None}}
                self.send(status, error, dict(headers))

            def send(self, status, content, headers=()):
                self.send_raw(status, json.dumps(content).encode(), headers=headers)

            def send_raw(self, status, raw, kind="application/json", headers=()):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(raw)))
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

        return Handler
