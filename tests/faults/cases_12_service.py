"""The service, the page and a moved or broken start (kinds 12 and 13)."""

import importlib.util
import json
import math
import socket
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
from judging import Case, gives, refused

ROOT = Path(__file__).resolve().parents[2]


def right(texts):
    return np.array([[0.0, len(t) - 10.0] for t in texts])


class Faulty:
    """Answers what a case wants."""

    answer = staticmethod(right)

    def __call__(self, texts):
        return self.answer(texts)


@cache
def served(shop):
    """A server that all cases share, and its predictor."""
    from distill_helpers.export.limits import Limits
    from distill_helpers.export.service import make_app, running

    predict = Faulty()
    limits = Limits(per_second=10_000, burst=10_000, body_seconds=0.5)
    app = make_app(predict, ["short", "long"], limits=limits)
    return urlparse(shop.keep(running(app))).port, predict


def ask(
    body=None,
    method="POST",
    path="/classify",
    answer=right,
    text="a long text",
    **headers,
):
    """Ask the real server: the status, and what the JSON says."""

    def act(place):
        port, predict = served(place.shop)
        predict.answer = answer
        content = json.dumps({"text": text}).encode() if body is None else body
        given = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(method, path, content, given)
            reply = connection.getresponse()
            said = json.loads(reply.read() or b"{}")
        finally:
            connection.close()
            predict.answer = right
        assert "Traceback" not in str(said) and "secret" not in str(said)
        return reply.status, str(said.get("detail", said))

    return act  # fmt: skip


def turned(name, status, words="", **change):
    """The service turns this away with a status and a word."""
    return Case(12, f"service-{name}", ask(**change), gives(lambda f: f[0] == status and words in f[1]))  # fmt: skip


def bytes_to(send, wait=5.0):
    """Talk to the server without any client's care: the status line."""

    def act(place):
        port, _ = served(place.shop)
        with socket.create_connection(("127.0.0.1", port), timeout=wait) as made:
            made.sendall(send)
            return made.recv(4096).split(b"\r\n")[0].decode("latin-1")

    return act


def raises(texts):
    raise RuntimeError("secret")


def app(*labels, **options):
    def act(place):
        from distill_helpers.export.service import make_app

        return make_app(right, list(labels) or ["a", "b"], **options)

    return act


def limits(**values):
    def act(place):
        from distill_helpers.export.limits import Limits

        return Limits(**values)

    return act


def serve(*words):
    def act(place):
        from distill_helpers.export.service import main

        return main([str(w(place) if callable(w) else w) for w in words])

    return act


# -------------------------------------------------------------------------- page
@cache
def paged(shop):
    """A server of pages over a folder with a few files."""
    from distill_helpers.export.browser import PageServer

    folder = shop.folder / "page"
    (folder / "inside").mkdir(parents=True)
    (folder / "index.html").write_text("<p>page</p>", "utf-8")
    (folder / "inside" / "a.json").write_text("{}", "utf-8")
    (shop.folder / "outside.txt").write_text("secret", "utf-8")
    server = PageServer(folder)
    shop.open.callback(server.close)
    return urlparse(server.address).port if hasattr(server, "address") else server.port


def page(path, **headers):
    def act(place):
        connection = HTTPConnection("127.0.0.1", paged(place.shop), timeout=20)
        try:
            connection.putrequest("GET", path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        assert b"secret" not in body
        return reply.status, reply.headers.get("Cache-Control")

    return act


def exported(bundle, **options):
    def act(place):
        from distill_helpers.export.browser import to_browser

        return to_browser(bundle(place), place.out("page"), **options)

    return act


# ------------------------------------------------------------------------- start
@cache
def start_module():
    spec = importlib.util.spec_from_file_location("start_of_faults", ROOT / "start.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class Started:
    """start.py as if the clone stood in the folder of a case."""

    def __init__(self, place):
        self.module = start_module()
        self.folder = place.folder
        self.before = {n: getattr(self.module, n) for n in ("ROOT", "VENV", "STAMP", "OWN_CODE")}  # fmt: skip

    def __enter__(self):
        module, venv = self.module, self.folder / ".venv"
        module.ROOT, module.VENV = self.folder, venv
        module.STAMP = venv / self.before["STAMP"].name
        module.OWN_CODE = self.folder / "distill_helpers" / "__init__.py"
        for name in ("pyproject.toml", "constraints.txt"):
            (self.folder / name).write_text("x\n", "utf-8")
        return module

    def __exit__(self, *_):
        for name, value in self.before.items():
            setattr(self.module, name, value)


def started(make, call):
    def act(place):
        with Started(place) as module:
            make(place)
            result = call(module)
        for name in ("pyproject.toml", "constraints.txt"):
            (place.folder / name).unlink()
        return result

    return act


def stamp(content):
    def make(place):
        place.write(".venv/distill-setup.txt", content)

    return make


def unfit(name, content):
    return Case(13, f"stamp-{name}", started(stamp(content), lambda s: s.stamped() == s.fingerprint()), gives(False))  # fmt: skip


def no_environment(name, make, *words):
    def act(place):
        with Started(place) as module:
            make(place)
            for file in ("pyproject.toml", "constraints.txt"):
                place.guard(place.folder / file)
            return module.refuse_what_is_no_environment()

    return Case(13, f"environment-{name}", act, refused(*words))


def cfg(text):
    return started(lambda p: p.write(".venv/pyvenv.cfg", text), lambda s: s.made_by())


def torn(record, *files):
    """Is a package torn whose list says so?"""

    def make(place):
        base = ".venv/lib/python3.11/site-packages"
        for name in files:
            place.write(f"{base}/{name}", "abc")
        if record is not None:
            place.write(f"{base}/tool-1.dist-info/RECORD", record)
        else:
            (place.folder / base / "tool-1.dist-info").mkdir(parents=True)

    return started(make, lambda s: [s.is_torn(info) for info in s.installed()])


def link_away(place):
    (place.folder / ".venv").symlink_to(place.folder / "away")
    place.guard(place.folder / ".venv")


def fake_python(script):
    def act(place):
        path = place.write("python", f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return start_module().ask(path)

    return act


NAN = math.nan
CASES = [
    Case(12, "service-answers", ask(), gives(lambda f: f[0] == 200 and "long" in f[1])),
    turned("no-json", 422, "JSON", body=b"{"),
    turned("nothing", 422, body=b""),
    turned("a-list", 422, body=b"[1]"),
    turned("no-text", 422, body=b"{}"),
    turned("text-null", 422, body=b'{"text": null}'),
    turned("text-a-number", 422, body=b'{"text": 5}'),
    turned("text-a-list", 422, body=b'{"text": ["a"]}'),
    turned("text-empty", 422, text=""),
    turned("text-of-spaces", 422, text=" \n\t"),
    turned("text-nobody-sees", 422, text="\u200b\u2060\ufeff"),
    turned("text-of-markup", 422, text="<br><br>"),
    turned("text-half-a-character", 422, "half", body=b'{"text": "a \\udc00"}'),
    turned("bytes-of-no-text", 422, "JSON", body=b'{"text": "\xff\xfe"}'),
    turned("utf-16", 422, body='{"text": "a"}'.encode("utf-16")),
    turned("too-deep", 422, body=b'{"text": ' + b"[" * 50_000),
    turned("a-key-twice", 422, body=b'{"text": "a long text", "text": "b"}'),
    turned("a-number-of-many-digits", 422, body=b'{"text": ' + b"9" * 5_000 + b"}"),
    turned("nan", 422, body=b'{"text": NaN}'),
    turned("too-large", 413, "bytes", body=b"x" * 70_000),
    turned("a-form", 415, "json", Content_Type="application/x-www-form-urlencoded"),
    turned("no-type", 415, "json", Content_Type=""),
    turned("type-of-another-charset", 422, "UTF-8", body='{"text": "a"}'.encode("utf-16"), Content_Type="application/json; charset=utf-16"),
    turned("another-host", 400, "host", Host="evil.example"),
    turned("host-that-begins-alike", 400, "host", Host="localhost.evil.example"),
    turned("host-with-a-user", 400, "host", Host="127.0.0.1@evil"),
    turned("host-of-another-network", 400, "host", Host="192.168.0.1"),
    turned("host-with-spaces", 400, "", Host="127.0.0.1 evil"),
    turned("wrong-method", 405, "", method="DELETE"),
    turned("wrong-path", 404, "", path="/classify/../x"),
    turned("path-of-a-file", 404, "", path="/etc/passwd", method="GET", body=b""),
    turned("model-nan", 502, "finite", answer=lambda t: [[NAN, 0.0]], text="a nan text"),
    turned("model-inf", 502, "finite", answer=lambda t: [[math.inf, 0.0]], text="an inf text"),
    turned("model-too-wide", 502, "shape", answer=lambda t: [[0.0, 1.0, 2.0]], text="a wide text"),
    turned("model-flat", 502, "shape", answer=lambda t: [0.0, 1.0], text="a flat text"),
    turned("model-none", 502, "", answer=lambda t: None, text="a none text"),
    turned("model-words", 502, "failed", answer=lambda t: [["a", "b"]], text="a word text"),
    turned("model-raises", 502, "failed", answer=raises, text="a raising text"),
    Case(12, "service-goes-on-after-all-that", ask(text="and after"), gives(lambda f: f[0] == 200)),
    Case(12, "service-no-http", bytes_to(b"hello\r\n\r\n"), gives(lambda line: "400" in line)),
    Case(12, "service-two-lengths", bytes_to(b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"), gives(lambda line: "400" in line)),
    Case(12, "service-a-length-below-zero", bytes_to(b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"), gives(lambda line: "400" in line)),
    Case(12, "service-a-body-that-never-comes", bytes_to(b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"), gives(lambda line: "408" in line or line == "")),
    Case(12, "service-a-head-that-never-ends", bytes_to(b"POST /classify HTTP/1.1\r\nHost: local"), gives(lambda line: "408" in line or line == "")),
    Case(12, "service-a-head-too-long", bytes_to(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"), gives(lambda line: "200" not in line)),
    Case(12, "app-any-host", app(hosts=["*"]), refused("hosts")),
    Case(12, "app-an-address-for-a-host", app(hosts=["http://kit.example"]), refused("hosts")),
    Case(12, "app-of-numbers", app(0, 1), refused("label_names")),
    Case(12, "app-of-half-characters", app("a", "\ud800"), refused("label_names")),
    Case(12, "app-of-no-kind", app(problem_type="regression"), refused("problem_type")),
    Case(12, "limits-zero", limits(per_second=0), refused("per_second")),
    Case(12, "limits-nan", limits(seconds=NAN), refused("seconds")),
    Case(12, "limits-minus", limits(body_bytes=-1), refused("body_bytes")),
    Case(12, "limits-of-no-connection", limits(connections=0), refused("connections")),
    Case(12, "serve-no-bundle", serve(lambda p: p.out("none")), refused("none")),
    Case(12, "serve-everybody", serve("x", "--host", "0.0.0.0"), refused("--allow-host")),
    Case(12, "serve-a-port-beyond", serve(lambda p: p.shop.bundle, "--port", "70000"), refused("port", "70000")),
    Case(12, "page-index", page("/index.html"), gives((200, "no-cache"))),
    Case(12, "page-no-list", page("/inside/"), gives(lambda f: f[0] == 404)),
    Case(12, "page-above", page("/../outside.txt"), gives(lambda f: f[0] == 404)),
    Case(12, "page-above-in-code", page("/%2e%2e/outside.txt"), gives(lambda f: f[0] == 404)),
    Case(12, "page-a-zero-byte", page("/a%00b"), gives(lambda f: f[0] in (400, 404))),
    Case(12, "page-another-host", page("/index.html", Host="evil.example"), gives(lambda f: f[0] == 400)),
    Case(12, "page-of-no-folder", lambda p: page_server(p.out("none")), refused("none")),
    Case(12, "page-port-taken", lambda p: page_server(p.folder, paged(p.shop)), refused("port")),
    Case(12, "export-of-no-bundle", exported(lambda p: p.out("none")), refused("none")),
    Case(12, "export-to-a-wrong-server", exported(lambda p: p.shop.bundle, server="kit.example"), refused("server", "kit.example")),
    Case(12, "export-with-a-script-for-a-server", exported(lambda p: p.shop.bundle, server="javascript:alert(1)"), refused("server")),
    Case(12, "export-with-a-threshold-above-1", exported(lambda p: p.shop.bundle, threshold=1.5), refused("threshold", "1.5")),
    Case(12, "export-without-a-runtime", exported(lambda p: p.shop.bundle, runtime="no/where"), refused("no/where|fetch")),
    Case(12, "export-over-another", lambda p: exported_over(p), refused("page", "exists")),
    # ---------------------------------------------------------------------- kind 13
    unfit("empty", ""),
    unfit("binary", b"\xff\xfe\x00\x80" * 40),
    unfit("of-the-future", '{"format": 99}'),
    unfit("huge", "x" * 5_000_000),
    unfit("unfinished", "unfinished\n"),
    Case(13, "stamp-a-folder", started(lambda p: p.out(".venv/distill-setup.txt").mkdir(parents=True), lambda s: s.stamped()), gives("")),
    Case(13, "stamp-a-loop", started(lambda p: (p.out(".venv").mkdir(), p.out(".venv/distill-setup.txt").symlink_to("distill-setup.txt")), lambda s: s.stamped()), gives("")),
    no_environment("a-file", lambda p: p.write(".venv", "mine"), "is a file", "call again"),
    no_environment("a-link-to-nowhere", link_away, "link", "call again"),
    no_environment("a-folder-of-the-readers", lambda p: p.write(".venv/thesis.txt", "mine"), "no virtual environment", "call again"),
    no_environment("a-folder-for-a-stamp", lambda p: p.write(".venv/distill-setup.txt/x", "mine"), "call again"),
    Case(13, "environment-empty", started(lambda p: p.out(".venv").mkdir(), lambda s: s.refuse_what_is_no_environment()), gives(lambda found: found is None)),
    Case(13, "environment-not-there", started(lambda p: None, lambda s: (s.is_ready(), s.made_by(), s.installed(), s.has_pip())), gives((False, None, [], False))),
    Case(13, "config-of-another-python", cfg("home = /x\nversion = 3.9.1\n"), gives((3, 9))),
    Case(13, "config-of-uv", cfg("home = /x\nversion_info = 3.12.3.final.0\n"), gives((3, 12))),
    Case(13, "config-empty", cfg(""), gives(lambda found: found is None)),
    Case(13, "config-binary", cfg(b"\xff\xfe\x00" * 99), gives(lambda found: found is None)),
    Case(13, "package-whole", torn("tool.py,sha256=x,3\n", "tool.py"), gives([False])),
    Case(13, "package-half", torn("tool.py,sha256=x,9\n", "tool.py"), gives([True])),
    Case(13, "package-gone", torn("tool.py,sha256=x,3\n"), gives([True])),
    Case(13, "package-without-list", torn(None), gives([True])),
    Case(13, "package-list-binary", torn(b"\xff\x00" * 50), gives([True])),
    Case(13, "package-list-of-words", torn("tool.py,sha256=x,many\n", "tool.py"), gives([True])),
    Case(13, "python-that-says-nothing", fake_python("exit 0"), gives(lambda found: found is None)),
    Case(13, "python-that-fails", fake_python("exit 9"), gives(lambda found: found is None)),
    Case(13, "python-that-says-nonsense", fake_python("echo hello"), gives(lambda found: found is None)),
    Case(13, "python-that-says-a-list", fake_python("echo '[]'"), gives(lambda found: found is None)),
    Case(13, "python-that-says-null", fake_python("echo null"), gives(lambda found: found is None)),
    Case(13, "python-that-is-not-there", lambda p: start_module().ask(p.out("python")), gives(lambda found: found is None)),
    Case(13, "python-that-may-not-run", lambda p: start_module().ask(p.write("python", "x")), gives(lambda found: found is None)),
    Case(13, "python-that-is-a-folder", lambda p: start_module().ask(p.folder), gives(lambda found: found is None)),
]  # fmt: skip


def page_server(folder, port=0):
    from distill_helpers.export.browser import PageServer

    return PageServer(folder, port)


def exported_over(place):
    place.write("page/index.html", "mine")
    return exported(lambda p: p.shop.bundle)(place)
