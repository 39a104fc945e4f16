"""What every language model here can do, and what is said to it and by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]
Schema = Mapping[str, Any]  # JSON Schema, as pydantic's model_json_schema() writes it


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


def system(content: str) -> Message:
    """What the model is to be."""
    return Message("system", content)


def user(content: str) -> Message:
    """What is asked of it."""
    return Message("user", content)


def assistant(content: str) -> Message:
    """What it said before."""
    return Message("assistant", content)


@dataclass(frozen=True)
class ChatOptions:
    """How to answer. At temperature 0 the likeliest word is taken each time.

    `max_tokens` is for the answer alone; with a schema, a local model closes its JSON soon after.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    max_tokens: int = 2048
    seed: int = 0


@dataclass
class Usage:
    """What a model has read and written so far, and what that cost by the prices that are set."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    currency: str = ""

    @property
    def line(self) -> str:
        """In words: '3 requests, 1200 tokens read, 340 written, 0.0021 USD'."""
        words = (
            f"{self.requests} requests, {self.prompt_tokens} tokens read, "
            f"{self.completion_tokens} written"
        )
        return f"{words}, {self.cost:.4f} {self.currency}".rstrip() if self.cost else words


@dataclass(frozen=True)
class Reply:
    """An answer without the model's reasoning. `cut` if it ended at `max_tokens`, not by itself."""

    text: str
    cut: bool = False


class LanguageModel(Protocol):
    """Answers conversations. UserError where the model or its server cannot be used."""

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        ...

    @property
    def name(self) -> str:
        """What people call it, for credits and errors."""
        ...

    def fingerprint(self) -> dict[str, object]:
        """What decides its answers beside messages and options, as plain JSON values."""
        ...

    def complete(
        self,
        messages: Sequence[Message],
        options: ChatOptions = ...,
        schema: Schema | None = None,
    ) -> Reply:
        """The whole answer; with a schema it is asked for (a local model: made to be) such JSON.

        Whoever needs the JSON to be right calls `ask` of `structured.py`.
        """
        ...

    def stream(self, messages: Sequence[Message], options: ChatOptions = ...) -> Iterator[str]:
        """The answer piece by piece as it comes; closing the iterator stops the model."""
        ...
