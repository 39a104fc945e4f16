"""What goes wrong with a server of language models: what passes is tried again, the rest is told.

Time-outs, 429, 5xx and broken answers are tried again with growing pauses; a parameter that a
server does not know is left out from then on.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pipelines.llm.config import Server
from vits.errors import UserError

if TYPE_CHECKING:
    from openai import APIStatusError

log = logging.getLogger(__name__)

T = TypeVar("T")
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
NO_VARIABLE = "the variable that key_env of the preset names"


class Broken(Exception):
    """The server answered, but not with a completion."""


@dataclass
class Attempts:
    """Requests to one server. `refused` are the parameters that it does not take."""

    server: Server
    sleep: Callable[[float], None] = time.sleep
    refused: set[str] = field(default_factory=set)

    def tried(self, request: Callable[[], T]) -> T:
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
                if not passes(error):
                    raise self._final(error) from error
                failures += 1
                if failures > self.server.retries:
                    raise self.given_up(error) from error
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
            "tools": ("tools", "tool_choice", "tool use", "tool call"),
            "seed": ("seed",),
            "max_tokens": ("max_tokens", "max_completion_tokens"),
            "temperature": ("temperature",),
            "top_p": ("top_p",),
        }
        for name, marks in suspects.items():
            if name not in self.refused and any(mark in words for mark in marks):
                if name == "max_tokens" and "context" in words:
                    return False  # not the parameter, but the length of the text
                self.refused.add(name)
                return True
        return False

    def _final(self, error: Exception) -> Exception:
        """What no second try mends, in the user's words; a bug stays what it is."""
        from openai import APIStatusError

        if not isinstance(error, APIStatusError):
            return error
        url, said = self.server.url, shown(_words(error))
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

    def given_up(self, error: Exception) -> UserError:
        tries = self.server.retries + 1
        return UserError(
            f"The server {self.server.url} gave no usable answer in {tries} tries: "
            f"{_cause(error)}.",
            "Check that it runs and that the network is there; what is made so far is kept.",
        )


def passes(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        status = error.status_code
        spent = status == 429 and "insufficient_quota" in _words(error)
        return not spent and (status in (408, 409, 425, 429) or status >= 500)
    if isinstance(error, APIConnectionError | APIError | Broken):
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
    if isinstance(error, Broken):
        return f"it sent no completion but '{error}'"
    return shown(" ".join(str(error).split()) or type(error).__name__)


def shown(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 200 else words[:199] + "…"
