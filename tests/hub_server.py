"""A loopback server that speaks as much of the Hub's protocol as is needed.

It serves one data set repository from a local folder: repository info, tree
and paths, and files with ETag, commit and byte ranges.
"""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

COMMIT = "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"


class HubServer:
    """Serve `folder` as the data set `repo` on a free loopback port."""

    def __init__(self, repo: str, folder: Path) -> None:
        self.repo, self.folder = repo, Path(folder)
        self.requests: list[tuple[str, str, str | None]] = []
        self.cut_after: int | None = None  # bytes, then the line drops once
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def entries(self, under: str = "") -> list[dict]:
        found = []
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if not name.startswith(under):
                continue
            if path.is_dir():
                found.append(
                    {"type": "directory", "oid": COMMIT, "size": 0, "path": name}
                )
            else:
                found.append(
                    {
                        "type": "file",
                        "oid": etag(path),
                        "size": path.stat().st_size,
                        "path": name,
                    }
                )
        return found

    def _handler(hub):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.answer(body=False)

            def do_GET(self):
                self.answer()

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                self.form = self.rfile.read(length).decode()
                self.answer()

            def answer(self, body: bool = True):
                path = unquote(urlparse(self.path).path)
                hub.requests.append((self.command, path, self.headers.get("Range")))
                api, files = (
                    f"/api/datasets/{hub.repo}",
                    f"/datasets/{hub.repo}/resolve/",
                )
                if path.startswith(files):
                    revision, _, name = path[len(files) :].partition("/")
                    return self.file(hub.folder / name, body)
                if path.startswith(f"{api}/tree/"):
                    under = path[len(f"{api}/tree/") :].partition("/")[2]
                    entries = hub.entries(under + "/" if under else "")
                    if (
                        "recursive=True" not in self.path
                        and "recursive=true" not in self.path
                    ):
                        depth = under.count("/") + 1 if under else 0
                        entries = [e for e in entries if e["path"].count("/") == depth]
                    return self.json(entries, body)
                if path.startswith(f"{api}/paths-info/"):
                    wanted = self.wanted_paths()
                    return self.json(
                        [e for e in hub.entries() if e["path"] in wanted], body
                    )
                if path == api or path.startswith(f"{api}/revision/"):
                    return self.json(self.info(), body)
                self.json({"error": "Entry not found"}, body, 404, "EntryNotFound")

            def wanted_paths(self) -> list[str]:
                try:
                    return json.loads(self.form)["paths"]
                except json.JSONDecodeError:
                    from urllib.parse import parse_qs

                    return parse_qs(self.form).get("paths", [])

            def info(self) -> dict:
                files = [e["path"] for e in hub.entries() if e["type"] == "file"]
                return {
                    "id": hub.repo,
                    "sha": COMMIT,
                    "private": False,
                    "gated": False,
                    "disabled": False,
                    "downloads": 0,
                    "likes": 0,
                    "tags": [],
                    "siblings": [{"rfilename": name} for name in files],
                }

            def json(self, content, body, status=200, code=None):
                raw = json.dumps(content).encode()
                self.send_response(status)
                if code:
                    self.send_header("X-Error-Code", code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                if body:
                    self.wfile.write(raw)

            def file(self, path: Path, body):
                if not path.is_file():
                    return self.json(
                        {"error": "Entry not found"}, body, 404, "EntryNotFound"
                    )
                raw = path.read_bytes()
                start, status = 0, 200
                wanted = self.headers.get("Range")
                if wanted:
                    first, _, last = wanted.removeprefix("bytes=").partition("-")
                    start, status = int(first), 206
                    end = int(last) + 1 if last else len(raw)
                else:
                    end = len(raw)
                self.send_response(status)
                self.send_header("ETag", f'"{etag(path)}"')
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(end - start))
                if wanted:
                    self.send_header(
                        "Content-Range", f"bytes {start}-{end - 1}/{len(raw)}"
                    )
                self.end_headers()
                if not body:
                    return
                if hub.cut_after is not None and end - start > hub.cut_after:
                    self.wfile.write(raw[start : start + hub.cut_after])
                    hub.cut_after = None
                    self.close_connection = True
                    self.connection.close()
                    return
                self.wfile.write(raw[start:end])

        return Handler


def etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()
