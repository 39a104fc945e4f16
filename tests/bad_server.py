"""A server on the loopback that answers as it is told: well, badly, late, half or not at all.

    with Server(failure(429), completion("Hello.")) as server:
        ...
    server.seen[0].json

Every request gets the next answer; the last one is given again and again.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer. `missing` bytes are promised and not sent; `hangs` sends nothing at all."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0
    hangs: bool = False


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def json_answer(data: object, status: int = 200, **headers: str) -> Answer:
    """Any object as JSON."""
    return Answer(json.dumps(data).encode(), status, headers=headers)


def failure(status: int, words: str = "no", **headers: str) -> Answer:
    """An error as such servers tell it."""
    return json_answer({"error": {"message": words}}, status, **headers)


def page() -> Answer:
    """A web page where JSON was wanted, as a proxy's login sends it."""
    return Answer(b"<html><body>Please log in</body></html>", kind="text/html")


def hanging() -> Answer:
    """Nothing, until the server is closed."""
    return Answer(hangs=True)


def completion(text: str, *, finish: str = "stop", read: int = 10, written: int = 5) -> Answer:
    """A chat completion that says `text`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return json_answer(_chat("chat.completion", choice | {"finish_reason": finish}, usage))


def cut(answer: Answer) -> Answer:
    """The first half of an answer, after which the line goes dead."""
    half = len(answer.body) // 2
    return Answer(answer.body[:half], answer.status, answer.kind, missing=half)


def truncated(answer: Answer) -> Answer:
    """The first half of an answer, sent as if it were the whole."""
    return Answer(answer.body[: len(answer.body) // 2], answer.status, answer.kind)


def streamed(*pieces: str, end: bool = True) -> Answer:
    """A chat completion in pieces; without `end` the line goes dead after them."""
    events = [_chat("chat.completion.chunk", {"index": 0, "delta": {"content": p}}) for p in pieces]
    if end:
        events.append(_chat("chat.completion.chunk", None, _USED))
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    body = "".join([*lines, "data: [DONE]\n\n"] if end else lines).encode()
    return Answer(body, kind="text/event-stream", missing=0 if end else 10)


_USED = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def _chat(kind: str, choice: object, usage: object = None) -> dict[str, object]:
    choices = [] if choice is None else [choice]
    whole = {"id": "1", "object": kind, "created": 0, "model": "m", "choices": choices}
    return whole | {"usage": usage} if usage else whole


class Server:
    """Serves while the block runs. `url` has no path; `seen` lists the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [failure(404)]
        self.seen: list[Request] = []
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_answer(self, request: Request) -> Answer:
        """What this request gets. A subclass may look at it."""
        with self._lock:
            self.seen.append(request)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command, self.path, dict(self.headers), self.rfile.read(length)
                )
                answer = server.next_answer(request)
                if answer.hangs:
                    server._closed.wait(30)
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body) + answer.missing))
                self.send_header("Connection", "close")
                for name, value in answer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = True

            do_GET = do_POST = handle_any

            def log_message(self, *_: object) -> None:
                pass

        return Handler
