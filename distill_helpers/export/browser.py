"""A folder that any static server can serve: the student in a page.

The page is plain HTML and JavaScript and asks nobody but its own server. What
runs an ONNX model, ONNX Runtime for the web and a tokeniser, is not part of the
kit: it is installed once with npm from the list in ``browser/package.json``,
and copied beside the page with its licences. A packed student
(:class:`~distill_helpers.students.pocket.PocketStudent`) needs nothing of this: a
few hundred lines of JavaScript read its file.

All files but the page, its worker and its list lie in a folder that is named by
their content, so that two exports are never mixed, whoever keeps copies. A server
of your own should send ``index.html``, ``worker.js`` and ``page.json`` with
``Cache-Control: no-cache``; the rest may be kept for ever.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import re
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from distill_helpers import __version__

from ..arguments import check_number, check_whole
from ..data.labels import ONE_LABEL, SEVERAL_LABELS
from ..files import whole_folder
from ..places import BROWSER_RUNTIME, NO_CLONE
from ..students.pocket import PocketStudent
from .bundle import ABOUT, MODEL, TOKENIZER, listed, read_about
from .hosts import LOOPBACK, why_not

PAGE = Path(__file__).resolve().parent / "page"
ASSETS = ("style.css", "icon.svg", "app.js", "answers.js", "cleaning.js")
PACKED = "student.safetensors"
"""What the file of a packed student is called in its page."""
INDEX, WORKER, LIST, LICENCES = "index.html", "worker.js", "page.json", "licences.txt"
"""What keeps its name when a page is made again."""
_PACKAGES = {
    "onnxruntime-web": (
        "dist/ort.wasm.min.mjs",
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
    ),
    "@huggingface/tokenizers": ("dist/tokenizers.min.mjs",),
}


class RuntimeMissingError(FileNotFoundError):
    """What runs a model in a browser has not been installed."""


def runtime_files(folder: str | Path = BROWSER_RUNTIME) -> dict[str, Path]:
    """Find what the page needs to run a model.

    Parameters
    ----------
    folder : str or Path
        Holds ``package.json``, the pinned versions, and ``node_modules``.

    Returns
    -------
    dict of str to Path
        By the name beside the page.

    Raises
    ------
    RuntimeMissingError
        If something is missing or of another version; the message says how to
        install it.
    """
    folder = Path(folder)
    cure = "install it once with 'python start.py fetch-browser' (needs npm)"
    if not (folder / "package.json").is_file():
        raise RuntimeMissingError(f"{folder} has no package.json: {NO_CLONE}")
    pinned = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    found = {}
    for package, names in _PACKAGES.items():
        home = folder / "node_modules" / package
        about = home / "package.json"
        if not about.is_file():
            raise RuntimeMissingError(f"{package} is not installed: {cure}")
        version = json.loads(about.read_text("utf-8"))["version"]
        if version != pinned[package]:
            raise RuntimeMissingError(
                f"{package} must have version {pinned[package]}, got {version}: {cure}"
            )
        for name in names:
            if not (home / name).is_file():
                raise RuntimeMissingError(f"{package} lacks {name}: {cure}")
            found[f"runtime/{Path(name).name}"] = home / name
    return found


@dataclass(frozen=True)
class _Kind:
    """What the page of one kind of student is made of besides what all have.

    `scripts` are those that read the student, the first of them by the page's call;
    `student` and `runtime` are files by their name in the page.
    """

    scripts: tuple[str, ...]
    student: Mapping[str, Path]
    runtime: Mapping[str, Path]
    licences: str
    problem_type: str
    policy: str = ""


def _kind_of(bundle: Path, runtime: Path) -> _Kind:
    """Look at a student, and refuse one that is damaged."""
    if bundle.is_file():
        PocketStudent.load(bundle)
        return _Kind(
            ("packed_classifier.js", "packed.js"),
            {f"student/{PACKED}": bundle},
            {},
            _OWN_LICENCE,
            ONE_LABEL,
        )
    kind = read_about(bundle)["problem_type"]
    parts = {f"student/{name}": bundle / name for name in (MODEL, TOKENIZER, ABOUT)}
    found = runtime_files(runtime)
    licences = runtime_licences(runtime)
    return _Kind(
        ("classifier.js",), parts, found, licences, kind, " 'wasm-unsafe-eval'"
    )


def to_browser(
    bundle: str | Path,
    folder: str | Path,
    *,
    server: str = "",
    threshold: float = 0.0,
    runtime: str | Path = BROWSER_RUNTIME,
) -> Path:
    """Make a page of a student.

    Parameters
    ----------
    bundle : str or Path
        A folder from :func:`~distill_helpers.export.bundle.write_bundle`, or a file
        from :meth:`~distill_helpers.students.pocket.PocketStudent.save`.
    folder : str or Path
        Must not exist yet, or be empty; appears whole or not at all.
    server : str, optional
        Address of a service that the page may ask, such as
        ``"http://127.0.0.1:8000/"``; without one the page asks nobody.
    threshold : float, default 0.0
        Probability below which an answer is marked as unsure; 0 for a bundle of
        several labels, each of which shows its own probability.
    runtime : str or Path
        See :func:`runtime_files`; the page of a packed student has none.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    FileExistsError
        If the folder holds something.
    FileNotFoundError
        If there is no such bundle or file.
    RuntimeMissingError
        If the runtime has not been installed.
    ValueError
        If `server` is no http address, `threshold` out of range, or above 0 for
        a bundle of several labels; or if the student is damaged.
    """
    check_number("threshold", threshold, least=0, most=1)
    origin = _origin(server)
    kind = _kind_of(Path(bundle), Path(runtime))
    if threshold and kind.problem_type == SEVERAL_LABELS:
        raise ValueError(
            f"threshold must be 0 for a bundle of several labels, got {threshold!r}:"
            " there is no single answer that could be unsure, each label has a"
            " probability of its own"
        )
    settings = {
        "reader": kind.scripts[0],
        "server": server,
        "threshold": threshold,
        "timeout_ms": 5000,
    }
    with whole_folder(folder) as made:
        parts = made / "parts"
        _copy(parts, kind)
        copied = parts / "student"  # looked at as well, not only what was there
        _kind_of(copied if Path(bundle).is_dir() else copied / PACKED, Path(runtime))
        files = {name: listed(parts / name) for name in _names(parts)}
        version = _version(files, settings)
        parts.rename(made / version)
        content = settings | {"version": version, "files": files}
        (made / LIST).write_text(json.dumps(content), "utf-8")
        (made / LICENCES).write_text(kind.licences, "utf-8")
        policy = {"%SERVER%": origin and f" {origin}", "%WASM%": kind.policy}
        _fill_in(INDEX, made, policy | {"%VERSION%": version})
        kept = {name: listed(made / name) for name in (INDEX, LIST, LICENCES)}
        kept |= {f"{version}/{name}": entry for name, entry in files.items()}
        sums = {f"./{name}": entry["sha256"] for name, entry in kept.items()}
        sums["./"] = sums[f"./{INDEX}"]
        filled = {"/*%SUMS%*/": json.dumps(sums)[1:-1], "%VERSION%": version}
        _fill_in(WORKER, made, filled)
    return Path(folder)


def _names(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def _version(files: dict, settings: dict) -> str:
    """Name what a page is made of: the same parts and settings, the same name."""
    content = json.dumps([files, settings], sort_keys=True)
    return f"v-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def _fill_in(name: str, made: Path, values: dict[str, str]) -> None:
    text = (PAGE / name).read_text("utf-8")
    for place, value in values.items():
        text = text.replace(place, value)
    (made / name).write_text(text, "utf-8")


def _origin(server: str) -> str:
    if not server:
        return ""
    parts = urlsplit(server)
    plain = re.fullmatch(r"[\w.-]+(:\d+)?|\[[\da-f:]+\](:\d+)?", parts.netloc)
    if parts.scheme not in ("http", "https") or not plain:
        raise ValueError(f"server must be an http or https address, got {server!r}")
    return f"{parts.scheme}://{parts.netloc}"


def _copy(made: Path, kind: _Kind) -> None:
    files = {name: PAGE / name for name in (*ASSETS, *kind.scripts)}
    for name, path in {**files, **kind.student, **kind.runtime}.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, made / name)


_OWN_LICENCE = f"""All that runs in this page is part of distill-helpers {__version__},
which comes under the Apache License, Version 2.0:
https://www.apache.org/licenses/LICENSE-2.0
"""


def runtime_licences(runtime: Path) -> str:
    """Return the licences of what runs a model in a page."""
    texts = []
    for package in _PACKAGES:
        home = runtime / "node_modules" / package
        about = json.loads((home / "package.json").read_text("utf-8"))
        head = f"{package} {about['version']}: {about['license']}"
        full = next((p for p in sorted(home.glob("LICENSE*"))), None)
        body = full.read_text("utf-8") if full else "See the package's own pages."
        texts.append(f"{head}\n{'=' * len(head)}\n\n{body.strip()}\n")
    return "\n\n".join(texts)


def download_bytes(folder: str | Path) -> dict[str, int]:
    """Add up what a page's visitor loads: the student, the code, the runtime.

    Returns
    -------
    dict of str to int
        Bytes of ``"student"``, ``"code"`` and ``"runtime"``.
    """
    totals = {"student": 0, "code": 0, "runtime": 0}
    for path in Path(folder).rglob("*"):
        if path.is_file():
            above = path.relative_to(folder).parts[:-1]
            kind = next((name for name in above if name in totals), "code")
            totals[kind] += path.stat().st_size
    return totals


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    timeout = 20  # seconds; who says nothing for so long is hung up on

    def send_head(self):
        """Answer who calls this machine by its own name, and nobody else."""
        reason = why_not(self.headers.get("Host"), LOOPBACK)
        if reason:
            self.send_error(400, "Wrong host", reason)
            return None
        if "\0" in unquote(self.path):  # no path of any file
            self.send_error(404, "File not found")
            return None
        return super().send_head()

    def list_directory(self, path) -> None:
        """Show no lists of folders."""
        self.send_error(404, "File not found")

    def end_headers(self) -> None:
        """Let nobody show a copy before asking whether it is still the newest."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_) -> None:
        """Say nothing of single requests."""


class PageServer:
    """Serves a page on this machine alone, until it is closed.

    Parameters
    ----------
    folder : str or Path
        From :func:`to_browser`.
    port : int, default 0
        0 takes a free one.

    Attributes
    ----------
    address : str
        On the loopback interface; under other names it is not answered.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    OSError
        If the port is taken.
    ValueError
        If there is no such port.
    """

    def __init__(self, folder: str | Path, port: int = 0) -> None:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"there is no folder {str(folder)!r} to serve")
        check_whole("port", port, least=0, most=65_535)
        handler = functools.partial(_Quiet, directory=str(folder))
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError as error:
            raise OSError(
                f"port {port} of 127.0.0.1 cannot be used, name another one: {error}"
            ) from error
        self._server = server
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> PageServer:
        return self

    def __exit__(self, *_) -> None:
        self.close()
