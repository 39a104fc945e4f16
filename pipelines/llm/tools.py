"""Function calling: a model chooses among tools, and what it chooses is checked before it is done.

A server is asked by its own `tools`; a model of this machine (and a server that knows no tools)
writes its choice as JSON by schema. A call is only ever taken from there: what stands in a text,
however much it looks like a call, is none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError, create_model

from pipelines.llm.chat import ChatOptions, LanguageModel, Message
from pipelines.llm.structured import Refused, ask

log = logging.getLogger(__name__)

NONE = "none"
CHOOSING = ChatOptions(temperature=0.0, max_tokens=400)


class Arguments(BaseModel):
    """What a tool takes; nothing else than what it names."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Tool:
    """What a model may call: its name, what it does, and what it takes."""

    name: str
    description: str
    takes: type[Arguments]


@dataclass(frozen=True)
class Call:
    """A call that was chosen, with its arguments checked."""

    name: str
    arguments: Arguments


@runtime_checkable
class CallsTools(Protocol):
    """A model with tools of its own kind."""

    def calls(
        self, messages: Sequence[Message], tools: Sequence[Tool], options: ChatOptions
    ) -> list[tuple[str, str]] | None:
        """(name, arguments as JSON) of each; None where it has no tools after all."""
        ...


def choose(model: LanguageModel, messages: Sequence[Message], tools: Sequence[Tool]) -> Call | None:
    """The one call that the model wants made first; None for none. Only of `tools`."""
    if isinstance(model, CallsTools):
        chosen = model.calls(messages, tools, CHOOSING)
        if chosen is not None:
            return next(filter(None, (_checked(tools, *call) for call in chosen)), None)
    try:
        found: Any = ask(model, _told(messages, tools), _choice(tools), CHOOSING)
    except Refused as error:
        log.info("no tool was chosen: %s", error)
        return None
    choice = found.root
    return None if choice.tool == NONE else Call(choice.tool, choice.arguments)


def _checked(tools: Sequence[Tool], name: str, arguments: str) -> Call | None:
    """A call, if it is of a tool that is allowed and fits its form."""
    for tool in tools:
        if tool.name == name:
            try:
                return Call(name, tool.takes.model_validate_json(arguments or "{}"))
            except ValidationError as error:
                log.info("a call of %s was not as it takes it: %s", name, error)
    return None


def _told(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The conversation with the tools named at its end."""
    lines = [f"- {tool.name}: {tool.description}" for tool in tools]
    words = (
        "Before you answer you may call one of these tools, if the answer needs it:\n"
        + "\n".join(lines)
        + f'\nIf none is needed, choose "{NONE}".'
    )
    return [*messages[:-1], Message(messages[-1].role, f"{messages[-1].content}\n\n{words}")]


def _choice(tools: Sequence[Tool]) -> type[RootModel[Any]]:
    """One of the tools with its arguments, or none, as a form."""
    make: Callable[..., Any] = create_model
    kinds: list[Any] = [make("NoTool", __base__=Arguments, tool=(Literal[NONE], ...))]
    for tool in tools:
        fields = {"tool": (Literal[tool.name], ...), "arguments": (tool.takes, ...)}
        kinds.append(make(f"Call_{tool.name}", __base__=Arguments, **fields))
    union: Any = kinds[0]
    for kind in kinds[1:]:
        union = union | kind
    return make("Choice", __base__=RootModel[union])
