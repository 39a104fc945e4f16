"""JSON by schema: asked for, checked by pydantic, repaired once, else refused with the text shown.

A local model's words are masked so that the JSON is valid from the first try; a server may ignore
the schema it is sent, hence it stands in the prompt too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.llm.chat import ChatOptions, LanguageModel, Message, Schema, assistant, user
from vits.errors import UserError

T = TypeVar("T", bound=BaseModel)
Check = Callable[[T], str]  # what is wrong with an answer of the right form; '' if nothing is
SHOWN = 300  # characters of an answer in an error
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class Refused(UserError):
    """The model's answer was not what was asked for, twice. `text` is the whole of it."""

    def __init__(self, cause: str, remedy: str, text: str = "") -> None:
        super().__init__(cause, remedy)
        self.text = text

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str, str]]:  # type: ignore[override]
        return Refused, (self.cause, self.remedy, self.text)


def ask(
    model: LanguageModel,
    messages: Sequence[Message],
    kind: type[T],
    options: ChatOptions | None = None,
    *,
    check: Check[T] | None = None,
) -> T:
    """The model's answer as a `kind`.

    `check` looks at what no schema says; what it finds is sent back, as a broken schema is, once.
    Raises Refused, a UserError that shows the text, if the second answer is no better.
    """
    options = options or ChatOptions()
    schema = kind.model_json_schema()
    asked = [*messages[:-1], _with_schema(messages[-1], schema)]
    text, problem = "", ""
    for _ in range(2):
        if problem:
            asked += [assistant(text), user(_mend(problem))]
        reply = model.complete(asked, options, schema)
        text = reply.text
        found, problem = _parsed(text, kind, check)
        if found is not None:
            return found
        if reply.cut:
            problem += " The answer was cut off: it must be shorter."
    raise _refused(model, text, problem)


def _with_schema(message: Message, schema: Schema) -> Message:
    form = json.dumps(schema, ensure_ascii=False)
    words = f"Answer with one JSON object and nothing else. Its JSON Schema:\n{form}"
    return Message(message.role, f"{message.content}\n\n{words}")


def _parsed(text: str, kind: type[T], check: Check[T] | None) -> tuple[T | None, str]:
    """The answer and '', or None and what is wrong with it."""
    try:
        found = kind.model_validate_json(json_of(text))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:5]
        return None, "; ".join(_told(list(d["loc"]), d["msg"]) for d in details) + "."
    problem = check(found) if check else ""
    return (None, problem) if problem else (found, "")


def _told(location: list[object], message: str) -> str:
    where = ".".join(map(str, location))
    return f"{where}: {message}" if where else message


def _mend(problem: str) -> str:
    return (
        f"That answer cannot be used. {problem} "
        "Answer again with the whole JSON object, mended, and nothing else."
    )


def json_of(text: str) -> str:
    """The JSON object in an answer that may have prose or a fence around it."""
    fenced = _FENCE.search(text)
    text = fenced[1] if fenced else text
    start = text.find("{")
    if start < 0:
        return text
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except ValueError:
        return text[start:]
    return text[start:end]


def _refused(model: LanguageModel, text: str, problem: str) -> Refused:
    words = " ".join(text.split())
    shown = words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
    return Refused(
        f"{model.name} did not answer in the form asked for, twice ({problem}) It wrote: '{shown}'",
        "Try again, or choose a larger model with --llm.",
        text,
    )
