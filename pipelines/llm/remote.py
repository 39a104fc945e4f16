"""Language models on servers that speak the OpenAI way, by the openai client.

What passes by itself (429, 5xx, time-outs, broken answers) is tried again with growing pauses; a
parameter that a server does not know is left out from then on.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pipelines.llm.chat import ChatOptions, Message, Reply, Schema, Usage
from pipelines.llm.config import Server
from pipelines.llm.reasoning import answers, without_reasoning
from vits.errors import UserError

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

log = logging.getLogger(__name__)

T = TypeVar("T")
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
CONNECT_S = 10.0
NO_KEY = "none"  # servers that need no key still get a header
NO_VARIABLE = "the variable that key_env of the preset names"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Broken(Exception):
    """The server answered, but not with a completion."""


@dataclass
class RemoteModel:
    """A model on a server. UserError where the server cannot be used, with its own words.

    `sleep` is for tests that do not want to wait.
    """

    server: Server
    usage: Usage = field(default_factory=Usage)
    sleep: Callable[[float], None] = time.sleep
    _refused: set[str] = field(default_factory=set)  # parameters the server does not take

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
        listed = self._tried(lambda: [model.id for model in self.client.models.list()])
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
            max_retries=0,  # `_tried` sees more kinds of failure than the client does
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

        answer = self._tried(create)
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
            if "stream_options" not in self._refused:
                extra["stream_options"] = {"include_usage": True}
            pieces = self._pieces(self.client.chat.completions.create(**wish, **extra))
            return pieces, next(pieces, "")

        pieces, first = self._tried(begin)
        try:
            yield from answers(_joined(first, self._told(pieces)))
        finally:
            pieces.close()

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
        limit = "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"
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
        return {key: value for key, value in wish.items() if key not in self._refused}

    def _form(self, schema: Schema | None) -> dict[str, Any] | None:
        """How JSON is asked for: by its schema, or as any object where that is not understood."""
        if schema is None:
            return None
        if "json_schema" in self._refused:
            return {"type": "json_object"}
        named = {"name": "answer", "schema": dict(schema)}
        return {"type": "json_schema", "json_schema": named}

    # ------------------------------------------------------------ what comes back

    def _pieces(self, stream: Any) -> Iterator[str]:
        if isinstance(stream, str) or not hasattr(stream, "__iter__"):
            raise _Broken(_shown(str(stream)))
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
            raise _Broken("nothing")

    def _told(self, pieces: Iterator[str]) -> Iterator[str]:
        """The rest of a stream; what breaks it now can only be told."""
        try:
            yield from pieces
        except (UserError, GeneratorExit):
            raise
        except Exception as error:
            if not _passes(error):
                raise
            raise self._given_up(error) from error

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

    # ------------------------------------------------------------ what goes wrong

    def _tried(self, request: Callable[[], T]) -> T:
        """The request's result, tried again while it fails in a way that may pass."""
        from openai import APIStatusError

        failures = 0
        while True:
            try:
                return request()
            except UserError:
                raise
            except Exception as error:
                if isinstance(error, APIStatusError) and self._without_what_it_refuses(error):
                    continue
                if not _passes(error):
                    raise self._final(error) from error
                failures += 1
                if failures > self.server.retries:
                    raise self._given_up(error) from error
                wait = _wait_s(error, failures)
                log.warning("%s: %s; again in %.1f s", self.server.url, _cause(error), wait)
                self.sleep(wait)

    def _without_what_it_refuses(self, error: APIStatusError) -> bool:
        """Whether a refused parameter can be left out, and then it is from now on."""
        if error.status_code not in (400, 422):
            return False
        words = _words(error)
        suspects = {
            "json_schema": ("json_schema", "response_format", "schema"),
            "response_format": ("response_format", "json_object"),
            "stream_options": ("stream_options",),
            "seed": ("seed",),
            "max_tokens": ("max_tokens", "max_completion_tokens"),
            "temperature": ("temperature",),
            "top_p": ("top_p",),
        }
        for name, marks in suspects.items():
            if name not in self._refused and any(mark in words for mark in marks):
                if name == "max_tokens" and "context" in words:
                    return False  # not the parameter, but the length of the text
                self._refused.add(name)
                return True
        return False

    def _final(self, error: Exception) -> Exception:
        """What no second try mends, in the user's words; a bug stays what it is."""
        from openai import APIStatusError

        if not isinstance(error, APIStatusError):
            return error
        url, said = self.server.url, _shown(_words(error))
        if error.status_code in (401, 403):
            variable = self.server.key_env or NO_VARIABLE
            return UserError(
                f"The server {url} refuses the key ({error.status_code}).",
                f"Check the key in {variable}.",
            )
        if error.status_code == 402 or "insufficient_quota" in said:
            return UserError(f"The account at {url} is empty: {said}", "Fill it up.")
        if error.status_code == 404:
            return UserError(
                f"The server {url} knows no model '{self.server.model}', or no such address.",
                "Check the model's name and the address; it often ends in /v1.",
            )
        return UserError(
            f"The server {url} refuses the request ({error.status_code}): {said}",
            "Give less text at once, or choose another model.",
        )

    def _given_up(self, error: Exception) -> UserError:
        tries = self.server.retries + 1
        return UserError(
            f"The server {self.server.url} gave no usable answer in {tries} tries: "
            f"{_cause(error)}.",
            "Check that it runs and that the network is there; what is made so far is kept.",
        )


def _address(url: str) -> str:
    """The address with a scheme, and with /v1 where it has no path."""
    url = url if "://" in url else f"http://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"'{url}' is no address of a server.", "Write http://HOST:PORT/v1.")
    return url if parts.path.strip("/") else f"{url.rstrip('/')}/v1"


def _completion(answer: Any) -> Any:
    """The answer if it is a completion; web pages and cut objects are not."""
    choices = getattr(answer, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise _Broken(_shown(str(answer)))
    return answer


def _passes(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        status = error.status_code
        spent = status == 429 and "insufficient_quota" in _words(error)
        return not spent and (status in (408, 409, 425, 429) or status >= 500)
    if isinstance(error, APIConnectionError | APIError | _Broken):
        return True
    return isinstance(error, ValueError) or _is_transport(error)


def _is_transport(error: Exception) -> bool:
    import httpx

    return isinstance(error, httpx.HTTPError)


def _wait_s(error: Exception, failures: int) -> float:
    """The server's own wish, or twice as long each time, a little scattered."""
    response = getattr(error, "response", None)
    asked = response.headers.get("retry-after", "") if response is not None else ""
    if asked.replace(".", "", 1).isdigit():
        return min(float(asked), 2 * LONGEST_WAIT_S)
    wait = min(FIRST_WAIT_S * 2 ** (failures - 1), LONGEST_WAIT_S)
    return wait * random.uniform(0.75, 1.25)


def _words(error: APIStatusError) -> str:
    return " ".join(str(error).split()).lower()


def _cause(error: Exception) -> str:
    from openai import APIConnectionError, APITimeoutError

    if isinstance(error, APITimeoutError):
        return "it did not answer in time"
    if isinstance(error, APIConnectionError):
        return "it cannot be reached"
    if isinstance(error, _Broken):
        return f"it sent no completion but '{error}'"
    return _shown(" ".join(str(error).split()) or type(error).__name__)


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 200 else words[:199] + "…"


def _joined(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
