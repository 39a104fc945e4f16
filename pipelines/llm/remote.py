"""Language models on servers that speak the OpenAI way, by the openai client.

What goes wrong is in `attempts.py`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.llm.attempts import Attempts, Broken, passes, shown
from pipelines.llm.chat import ChatOptions, Message, Reply, Schema, Usage
from pipelines.llm.config import Server
from pipelines.llm.reasoning import answers, without_reasoning
from vits.errors import UserError

if TYPE_CHECKING:
    from openai import OpenAI

    from pipelines.llm.tools import Tool

log = logging.getLogger(__name__)

CONNECT_S = 10.0
NO_KEY = "none"  # servers that need no key still get a header
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass
class RemoteModel:
    """A model on a server. UserError where the server cannot be used, with its own words.

    `sleep` is for tests that do not want to wait.
    """

    server: Server
    usage: Usage = field(default_factory=Usage)
    sleep: Callable[[float], None] = time.sleep
    _attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        self._attempts = Attempts(self.server, self.sleep)

    @property
    def name(self) -> str:
        return f"{self.model} at {urlsplit(self.server.url).netloc}"

    def fingerprint(self) -> dict[str, object]:
        return {"model": self.model, "url": self.server.url}

    @cached_property
    def model(self) -> str:
        """The model asked for, or the server's first."""
        if self.server.model:
            return self.server.model
        listed = self._attempts.tried(lambda: [model.id for model in self.client.models.list()])
        if not listed:
            raise UserError(f"The server {self.server.url} has no model.", "Load one there.")
        return listed[0]

    @cached_property
    def client(self) -> OpenAI:
        """The connection. UserError without the key or the package it needs."""
        try:
            import httpx
            from openai import OpenAI
        except ImportError as error:
            raise UserError(
                "Language models on servers need the openai package.",
                "Install it: pip install 'clone-voice[llm]'.",
            ) from error
        url = _address(self.server.url)
        return OpenAI(
            base_url=url,
            api_key=self._key(url),
            timeout=httpx.Timeout(self.server.timeout_s, connect=CONNECT_S),
            max_retries=0,  # `Attempts` sees more kinds of failure than the client does
        )

    def complete(
        self,
        messages: Sequence[Message],
        options: ChatOptions | None = None,
        schema: Schema | None = None,
    ) -> Reply:
        def create() -> Any:
            wish = self._wish(messages, options or ChatOptions(), schema)
            return _completion(self.client.chat.completions.create(**wish))

        answer = self._attempts.tried(create)
        self._count(answer.usage)
        choice = answer.choices[0]
        text = without_reasoning(choice.message.content or "")
        return Reply(text, choice.finish_reason == "length")

    def stream(
        self, messages: Sequence[Message], options: ChatOptions | None = None
    ) -> Iterator[str]:
        def begin() -> tuple[Any, str]:
            """The open stream and its first piece: before it everything may be tried again."""
            wish = self._wish(messages, options or ChatOptions(), None)
            extra: dict[str, Any] = {"stream": True}
            if "stream_options" not in self._attempts.refused:
                extra["stream_options"] = {"include_usage": True}
            pieces = self._pieces(self.client.chat.completions.create(**wish, **extra))
            return pieces, next(pieces, "")

        pieces, first = self._attempts.tried(begin)
        try:
            yield from answers(_joined(first, self._told(pieces)))
        finally:
            pieces.close()

    def calls(
        self, messages: Sequence[Message], tools: Sequence[Tool], options: ChatOptions
    ) -> list[tuple[str, str]] | None:
        """What the model wants called, (name, arguments as JSON); None if it knows no tools."""

        def create() -> Any:
            wish = self._wish(messages, options, None)
            if "tools" not in self._attempts.refused:
                wish["tools"] = [_function(tool) for tool in tools]
            return _completion(self.client.chat.completions.create(**wish))

        if "tools" in self._attempts.refused:
            return None
        answer = self._attempts.tried(create)
        self._count(answer.usage)
        if "tools" in self._attempts.refused:
            return None
        made = answer.choices[0].message.tool_calls or []
        return [(c.function.name, c.function.arguments) for c in made if c.type == "function"]

    # ------------------------------------------------------------ what is sent

    def _key(self, url: str) -> str:
        variable = self.server.key_env
        key = os.environ.get(variable, "") if variable else ""
        host = urlsplit(url).hostname or ""
        if variable and not key and host not in LOOPBACK:
            raise UserError(
                f"The server {url} needs a key, and {variable} is not set.",
                f"Set it in the environment: {variable}=YOUR_KEY.",
            )
        if key and url.startswith("http:") and host not in LOOPBACK:
            log.warning("the key in %s goes to %s without encryption", variable, url)
        return key or NO_KEY

    def _wish(
        self, messages: Sequence[Message], options: ChatOptions, schema: Schema | None
    ) -> dict[str, Any]:
        limit = "max_completion_tokens" if "max_tokens" in self._attempts.refused else "max_tokens"
        wish: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": options.seed,
            limit: options.max_tokens,
        }
        form = self._form(schema)
        if form:
            wish["response_format"] = form
        return {key: value for key, value in wish.items() if key not in self._attempts.refused}

    def _form(self, schema: Schema | None) -> dict[str, Any] | None:
        """How JSON is asked for: by its schema, or as any object where that is not understood."""
        if schema is None:
            return None
        if "json_schema" in self._attempts.refused:
            return {"type": "json_object"}
        named = {"name": "answer", "schema": dict(schema)}
        return {"type": "json_schema", "json_schema": named}

    # ------------------------------------------------------------ what comes back

    def _pieces(self, stream: Any) -> Iterator[str]:
        if isinstance(stream, str) or not hasattr(stream, "__iter__"):
            raise Broken(shown(str(stream)))
        empty = True
        try:
            for chunk in stream:
                empty = False
                if chunk.usage is not None:
                    self._count(chunk.usage)
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield text
        finally:
            stream.close()
        if empty:  # a web page has no events
            raise Broken("nothing")

    def _told(self, pieces: Iterator[str]) -> Iterator[str]:
        """The rest of a stream; what breaks it now can only be told."""
        try:
            yield from pieces
        except (UserError, GeneratorExit):
            raise
        except Exception as error:
            if not passes(error):
                raise
            raise self._attempts.given_up(error) from error

    def _count(self, used: Any) -> None:
        self.usage.requests += 1
        if used is None:
            return
        read, written = used.prompt_tokens or 0, used.completion_tokens or 0
        self.usage.prompt_tokens += read
        self.usage.completion_tokens += written
        price = read * self.server.input_price + written * self.server.output_price
        self.usage.cost += price / 1e6
        self.usage.currency = self.server.currency


def _address(url: str) -> str:
    """The address with a scheme, and with /v1 where it has no path."""
    url = url if "://" in url else f"http://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"'{url}' is no address of a server.", "Write http://HOST:PORT/v1.")
    return url if parts.path.strip("/") else f"{url.rstrip('/')}/v1"


def _function(tool: Tool) -> dict[str, Any]:
    """A tool as the API wants it."""
    about = {"name": tool.name, "description": tool.description}
    return {
        "type": "function",
        "function": about | {"parameters": tool.takes.model_json_schema()},
    }


def _completion(answer: Any) -> Any:
    """The answer if it is a completion; web pages and cut objects are not."""
    choices = getattr(answer, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise Broken(shown(str(answer)))
    return answer


def _joined(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
