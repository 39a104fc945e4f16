"""The doors before every route: who may come in, with how much, how often and how slowly.

Refused are names of a host that is not ours (a page elsewhere that points its name here), pages of
other origins, wrong keys, bodies that are too large or come too slowly, callers who ask too often,
and readers who stopped reading. Plain ASGI, so that it holds for whatever stands behind it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vits.errors import UserError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
KEY_VARIABLE = "CLONE_VOICE_KEY"
SHORTEST_KEY = 16  # characters
MOST_CALLERS = 10_000  # whose pace is remembered
HEALTH = "/health"  # answers without a key


@dataclass(frozen=True)
class Doors:
    """What is let in.

    host: the address that is listened on. key: asked of everybody, and needed for any address but
    this machine's own. origins: pages elsewhere that may call, as 'https://example.org'.
    body_bytes: of a request; `uploads` are paths, by their beginning, with limits of their own.
    per_minute: requests of one caller. patience_s: for a body, and for a reader. cookie: in which
    a page bears the key. open_paths: what answers without it.
    """

    host: str = "127.0.0.1"
    key: str = field(default="", repr=False)
    origins: tuple[str, ...] = ()
    body_bytes: int = 262_144
    uploads: tuple[tuple[str, int], ...] = ()
    per_minute: int = 600
    patience_s: float = 60.0
    cookie: str = ""
    open_paths: tuple[str, ...] = (HEALTH,)

    def __post_init__(self) -> None:
        if self.key and len(self.key) < SHORTEST_KEY:
            raise UserError(
                f"The key in {KEY_VARIABLE} is shorter than {SHORTEST_KEY} characters.",
                "Set a longer one: python -c 'import secrets; print(secrets.token_urlsafe(24))'.",
            )
        if not self.loopback and not self.key:
            raise UserError(
                f"On {self.host} others could use this server, and it has no key.",
                f"Set {KEY_VARIABLE} to a long random text, or leave --host out.",
            )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def most_bytes(self, path: str) -> int:
        """The largest body for a path."""
        return next((most for start, most in self.uploads if path.startswith(start)),
                    self.body_bytes)  # fmt: skip


class Refused(Exception):
    """A request that does not get in: status, one word for machines, a line for people."""

    def __init__(self, status: int, code: str, line: str, **headers: str) -> None:
        super().__init__(line)
        self.status, self.code, self.line, self.headers = status, code, line, headers


class Guard:
    """The doors as an ASGI application before another. `watch` hears of statuses and seconds."""

    def __init__(
        self,
        app: App,
        doors: Doors,
        watch: Callable[[str, str, int, float], None] = lambda *args: None,
    ) -> None:
        self.app, self.doors, self.watch = app, doors, watch
        self.pace = Pace(doors.per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        door = _Door(self, scope, receive, send)
        try:
            self._check(scope)
            if _preflight(scope):
                await door.allow()
            else:
                await self.app(scope, door.receive, door.send)
        except Refused as refused:
            door.refused = refused
        finally:
            if door.refused is not None:
                await door.refuse(door.refused)
            door.done()

    def _check(self, scope: Scope) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1")
                   for name, value in scope["headers"]}  # fmt: skip
        self._check_host(headers.get("host", ""))
        self._check_origin(headers)
        if scope["path"] not in self.doors.open_paths and not _preflight(scope):
            self._check_key(headers)
            caller = (scope.get("client") or ("",))[0]
            if (wait_s := self.pace.wait_s(caller)) > 0:
                line = "Too many requests from one address. Wait a little."
                raise Refused(429, "rate_limit_exceeded", line, **{"retry-after": str(wait_s)})
        if not scope["path"].startswith("/") or "\0" in scope["path"]:
            raise Refused(400, "bad_request", "That is no path.")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.doors.most_bytes(scope["path"]):
            raise _too_large(self.doors.most_bytes(scope["path"]))

    def _check_host(self, host: str) -> None:
        name = host.lower()
        name = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() else name
        if self.doors.loopback and name not in LOOPBACK_NAMES:
            line = "This server answers under its own address only, such as 127.0.0.1."
            raise Refused(403, "foreign_host", line)

    def _check_origin(self, headers: dict[str, str]) -> None:
        """A browser says whose page asks; programs say nothing."""
        origin = headers.get("origin")
        if origin is not None:
            same = urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
            if not same and origin not in self.doors.origins:
                raise Refused(403, "foreign_origin", "Pages of other sites may not call this.")
        elif headers.get("sec-fetch-site") == "cross-site" and (
            headers.get("sec-fetch-mode") != "navigate"
        ):
            raise Refused(403, "foreign_origin", "Pages of other sites may not call this.")

    def _check_key(self, headers: dict[str, str]) -> None:
        if not self.doors.key:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else self._cookie(headers)
        if not secrets.compare_digest(given.encode(), self.doors.key.encode()):
            line = "Send the key of this server: Authorization: Bearer KEY."
            raise Refused(401, "invalid_api_key", line, **{"www-authenticate": "Bearer"})

    def _cookie(self, headers: dict[str, str]) -> str:
        """The key in the page's cookie, or nothing."""
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if self.doors.cookie and name == self.doors.cookie:
                return value
        return ""


class _Door:
    """One request on its way through."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._most = guard.doors.most_bytes(scope["path"])
        self._patience_s = guard.doors.patience_s
        self.refused: Refused | None = None
        self._bytes = 0
        self._whole = False
        self._status = 0
        self._began = time.monotonic()

    async def receive(self) -> Message:
        if self._whole:  # what comes now is that the caller went away, whenever that is
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._patience_s)
        except TimeoutError:
            self.refused = Refused(408, "request_timeout", "The request came too slowly.")
            raise self.refused from None
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most:
            self.refused = _too_large(self._most)
            raise self.refused
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.refused is not None and not self._status:
            return  # what stands behind makes its own words of a refusal; ours are sent at the end
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = [(b"x-content-type-options", b"nosniff"), *self._cross_origin()]
            message = {**message, "headers": [*message.get("headers", []), *headers]}
        try:
            await asyncio.wait_for(self._send(message), self._patience_s)
        except TimeoutError:
            raise OSError("the caller stopped reading") from None

    async def refuse(self, refused: Refused) -> None:
        if self._status:  # an answer has begun; it can only be cut off
            raise refused
        self.refused = None
        body = error_body(refused.line, refused.code, refused.status)
        fields = {"content-type": "application/json", "content-length": str(len(body)),
                  "connection": "close", **refused.headers}  # fmt: skip
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        await self.send(
            {"type": "http.response.start", "status": refused.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": body})

    async def allow(self) -> None:
        """Tell a browser what a page that may call may ask for."""
        headers = [
            (b"access-control-allow-methods", b"GET, POST"),
            (b"access-control-allow-headers", b"authorization, content-type"),
        ]
        await self.send({"type": "http.response.start", "status": 204, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    def done(self) -> None:
        scope = self._scope
        route = scope.get("route")
        path = getattr(route, "path", "") or "other"
        seconds = time.monotonic() - self._began
        self._guard.watch(scope["method"], path, self._status, seconds)

    def _cross_origin(self) -> list[tuple[bytes, bytes]]:
        """What tells a browser that a page which may call here may read the answer."""
        given = dict(self._scope["headers"]).get(b"origin", b"")
        if given.decode("latin-1") not in self._guard.doors.origins:
            return []
        return [(b"access-control-allow-origin", given), (b"vary", b"Origin")]


class Pace:
    """How many requests of one caller in a minute: a bucket that fills evenly."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller: left, when

    def wait_s(self, caller: str) -> int:
        """0 where one more is within the pace, else the seconds until it is."""
        now = self._clock()
        left, before = self._left.pop(caller, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - before) * self._per_minute / 60)
        self._left[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return 0 if left >= 1 else max(1, round((1 - left) * 60 / self._per_minute))


def error_body(line: str, code: str, status: int, param: str | None = None) -> bytes:
    """An error as OpenAI's clients read it."""
    kind = "invalid_request_error" if 400 <= status < 500 else "server_error"
    error = {"message": line, "type": kind, "param": param, "code": code}
    return json.dumps({"error": error}, ensure_ascii=False).encode()


def _preflight(scope: Scope) -> bool:
    """Whether a browser asks, before a page's request, if the page may."""
    asked = b"access-control-request-method"
    return scope["method"] == "OPTIONS" and asked in dict(scope["headers"])


def _too_large(most: int) -> Refused:
    line = f"The request is larger than {most} bytes. Send less at a time."
    return Refused(413, "request_too_large", line)
