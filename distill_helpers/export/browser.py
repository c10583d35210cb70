"""A folder that any static server can serve: the student in a page.

The page is plain HTML and JavaScript and asks nobody but its own server. What
runs the model, ONNX Runtime for the web and a tokeniser, is not part of the
kit: it is installed once with npm from the list in ``browser/package.json``,
and copied beside the page with its licences.

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
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..arguments import check_number, check_whole
from ..data.labels import SEVERAL_LABELS
from ..files import whole_folder
from ..places import BROWSER_RUNTIME, NO_CLONE
from .bundle import ABOUT, MODEL, TOKENIZER, listed, read_about
from .hosts import LOOPBACK, why_not

PAGE = Path(__file__).resolve().parent / "page"
ASSETS = ("style.css", "icon.svg", "app.js", "classifier.js", "cleaning.js")
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


def to_browser(
    bundle: str | Path,
    folder: str | Path,
    *,
    server: str = "",
    threshold: float = 0.0,
    runtime: str | Path = BROWSER_RUNTIME,
) -> Path:
    """Make a page of a bundle.

    Parameters
    ----------
    bundle : str or Path
        From :func:`~distill_helpers.export.bundle.write_bundle`.
    folder : str or Path
        Must not exist yet, or be empty; appears whole or not at all.
    server : str, optional
        Address of a service that the page may ask, such as
        ``"http://127.0.0.1:8000/"``; without one the page asks nobody.
    threshold : float, default 0.0
        Probability below which an answer is marked as unsure; 0 for a bundle of
        several labels, each of which shows its own probability.
    runtime : str or Path
        See :func:`runtime_files`.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    FileExistsError
        If the folder holds something.
    RuntimeMissingError
        If the runtime has not been installed.
    ValueError
        If `server` is no http address, `threshold` out of range, or above 0 for
        a bundle of several labels.
    """
    check_number("threshold", threshold, least=0, most=1)
    origin = _origin(server)
    about = read_about(bundle)
    if threshold and about["problem_type"] == SEVERAL_LABELS:
        raise ValueError(
            f"threshold must be 0 for a bundle of several labels, got {threshold!r}:"
            " there is no single answer that could be unsure, each label has a"
            " probability of its own"
        )
    found = runtime_files(runtime)
    settings = {"server": server, "threshold": threshold, "timeout_ms": 5000}
    with whole_folder(folder) as made:
        parts = made / "parts"
        _copy(parts, Path(bundle), found)
        read_about(parts / "student")  # what was copied, not only what was there
        files = {name: listed(parts / name) for name in _names(parts)}
        version = _version(files, settings)
        parts.rename(made / version)
        content = settings | {"version": version, "files": files}
        (made / LIST).write_text(json.dumps(content), "utf-8")
        (made / LICENCES).write_text(runtime_licences(Path(runtime)), "utf-8")
        policy = {"%SERVER%": origin and f" {origin}", "%VERSION%": version}
        _fill_in(INDEX, made, policy)
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


def _copy(made: Path, bundle: Path, runtime: dict[str, Path]) -> None:
    (made / "runtime").mkdir(parents=True)
    (made / "student").mkdir()
    for name in ASSETS:
        shutil.copyfile(PAGE / name, made / name)
    for name in (MODEL, TOKENIZER, ABOUT):
        shutil.copyfile(bundle / name, made / "student" / name)
    for name, path in runtime.items():
        shutil.copyfile(path, made / name)


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
