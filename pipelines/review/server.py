"""The review page's server: this machine only, one secret, small JSON.

It binds to the loopback address. The page is opened with a secret in its address and sends it with
every request; a request without it, or for another host name (a page elsewhere that points its name
here), is refused. Decisions go through `data.report.refresh`, which writes the data set anew each
time.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from data.edits import Edit, apply_edits, clip_name, read_edits
from data.making import Record, sound_path
from data.report import read_report, refresh
from vits.errors import UserError

HOST = "127.0.0.1"
LARGEST_REQUEST = 65_536  # bytes: a sentence and two numbers


class ReviewServer(ThreadingHTTPServer):
    """Serves one data set. `url` opens the page."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.records = {clip_name(r): r for r in read_report(folder).records if r.wav}
        self.edits = read_edits(folder)
        self.token = secrets.token_urlsafe(24)
        self.lock = threading.Lock()
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/?token={self.token}"

    def wait(self) -> None:
        """Until Ctrl-C."""
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return

    def clips(self) -> list[dict[str, Any]]:
        """What the page shows of each clip, doubtful ones first."""
        order = {"doubt": 0, "drop": 1, "use": 2}
        rows = [self.clip(name) for name in self.records]
        return sorted(rows, key=lambda row: order[row["found"]])

    def clip(self, name: str) -> dict[str, Any]:
        """A clip as it was found and as it counts now."""
        record = self.records[name]
        edit = self.edits.get(name, Edit())
        uncut = replace(edit, cut=None)
        now = apply_edits(self.folder, [record], {name: uncut})[0]
        return {
            "name": name,
            "source": record.source,
            "speaker": record.speaker,
            "text": now.text,
            "found": record.verdict,
            "verdict": now.verdict,
            "reason": now.reason,
            "seconds": record.seconds,
            "cut": edit.cut,
            "edited": edit != Edit(),
        }

    def change(self, name: str, changes: dict[str, Any]) -> dict[str, Any]:
        """Keep a decision; the clip as it counts then."""
        with self.lock:
            edit = (
                Edit()
                if changes.get("undo")
                else self.edits.get(name, Edit()).with_changes(changes)
            )
            self.edits[name] = edit
            refresh(self.folder, name, edit)
            return self.clip(name)

    def sound(self, name: str) -> bytes:
        """The whole clip, uncut."""
        return sound_path(self.folder, self._record(name)).read_bytes()

    def _record(self, name: str) -> Record:
        return self.records[name]


@contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[ReviewServer]:
    """A server that runs while the block does. Raises UserError if `folder` is no data set."""
    try:
        server = ReviewServer(folder, port)
    except OSError as error:
        raise UserError(
            f"Port {port} cannot be opened ({error.strerror}).", "Try again."
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Refused(Exception):
    """A request that is not answered, and why."""

    def __init__(self, status: HTTPStatus, cause: str) -> None:
        super().__init__(cause)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server_version = "clone-voice"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    @property
    def _review(self) -> ReviewServer:
        return cast(ReviewServer, self.server)

    def _answer(self, made: Any) -> None:
        try:
            self._check()
            content, kind = made(urlsplit(self.path).path)
            self._send(HTTPStatus.OK, content, kind)
        except _Refused as error:
            self._fail(error.status, str(error))
        except UserError as error:
            self._fail(HTTPStatus.CONFLICT, str(error))
        except (FileNotFoundError, KeyError):
            self._fail(HTTPStatus.NOT_FOUND, "There is no such clip.")

    def _check(self) -> None:
        """Refuse whoever does not know the secret, and pages that came by another name."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in (HOST, "localhost"):
            raise _Refused(HTTPStatus.FORBIDDEN, "Open the address that was printed.")
        given = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        given = self.headers.get("X-Token", given)
        if not secrets.compare_digest(given.encode(), self._review.token.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "Open the whole address that was printed.")

    def _get(self, path: str) -> tuple[bytes, str]:
        if path == "/":
            return self._page(), "text/html; charset=utf-8"
        if path == "/clips":
            return _json(self._review.clips()), "application/json"
        if path.startswith("/sound/"):
            return self._review.sound(unquote(path.removeprefix("/sound/"))), "audio/wav"
        raise _Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _post(self, path: str) -> tuple[bytes, str]:
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST_REQUEST:
            self.close_connection = True
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too much for one clip.")
        body = self.rfile.read(size)
        if not path.startswith("/clips/") or "json" not in self.headers.get("Content-Type", ""):
            raise _Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")
        try:
            changes = json.loads(body)
        except ValueError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, "That is no JSON.") from error
        if not isinstance(changes, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, "That is no decision.")
        name = unquote(path.removeprefix("/clips/"))
        if name not in self._review.records:
            raise KeyError(name)
        return _json(self._review.change(name, changes)), "application/json"

    def _page(self) -> bytes:
        """The page with its style and script in it, under a policy that allows nothing else."""
        self._nonce = secrets.token_urlsafe(16)
        folder = files("pipelines.review")
        parts = {
            name: (folder / f"page.{name}").read_text("utf-8") for name in ("html", "css", "js")
        }
        page = parts["html"].replace("{nonce}", self._nonce)
        return page.replace("{css}", parts["css"]).replace("{js}", parts["js"]).encode()

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        nonce = getattr(self, "_nonce", "")
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "connect-src 'self'; media-src blob:; img-src data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
        )
        self.end_headers()
        self.wfile.write(content)

    def _fail(self, status: HTTPStatus, cause: str) -> None:
        self._send(status, _json({"error": cause}), "application/json")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests are no news."""


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
