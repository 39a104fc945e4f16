"""What language models are told: a Markdown file for each task, which a user can replace.

A file has the sections Role, Task, Knowledge, Steps, Examples, Input and Output; `{name}` is
filled in. HOME/instructions/TASK.md is taken instead of the one that ships, and what stands in
HOME/instructions/TASK.examples.md is added to its examples. Input stands between `<input>` and
`</input>`; whatever a text says, it cannot close that itself.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from pipelines.llm import Message, system, user
from vits.errors import UserError
from vits.library import home

_FIELD = re.compile(r"\{(\w+)\}")
_INPUT = re.compile(r"^# Input\s*$", re.MULTILINE)
_EXAMPLES = re.compile(r"^# Examples\s*$", re.MULTILINE)
_TAG = re.compile(r"</?\s*input\s*>", re.IGNORECASE)


def messages(task: str, **fields: object) -> list[Message]:
    """The conversation that asks for `task`: the file's sections as the system's words, its
    Input as the user's.

    UserError for a user's file that lacks its Input or names a field that there is not.
    """
    text, name = _text(task)
    text = _with_examples(text, task)
    found = _INPUT.search(text)
    if found is None:
        raise UserError(f"{name} has no section '# Input'.", "Add it; see the one that ships.")
    told = {key: clean(str(value)) for key, value in fields.items()}

    def filled(part: str) -> str:
        return _FIELD.sub(lambda match: _value(match, told, name), part).strip()

    return [system(filled(text[: found.start()])), user(filled(text[found.end() :]))]


def clean(text: str) -> str:
    """A text that cannot close the input it stands in."""
    return _TAG.sub("", text)


def user_folder() -> Path:
    """Where a user's own instructions and examples are."""
    return home() / "instructions"


def _text(task: str) -> tuple[str, str]:
    own = user_folder() / f"{task}.md"
    if own.is_file():
        return _read(own), str(own)
    shipped = files("pipelines.story.instructions").joinpath(f"{task}.md")
    return shipped.read_text("utf-8"), task


def _with_examples(text: str, task: str) -> str:
    own = user_folder() / f"{task}.examples.md"
    if not own.is_file():
        return text
    added = _read(own).strip()
    place = _EXAMPLES.search(text)
    if place is None:
        return _INPUT.sub(lambda m: f"# Examples\n\n{added}\n\n{m[0]}", text, count=1)
    return f"{text[: place.end()]}\n\n{added}\n{text[place.end() :]}"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}).", "Save it as UTF-8.") from error


def _value(match: re.Match[str], told: dict[str, str], name: str) -> str:
    if match[1] not in told:
        raise UserError(
            f"{name} names the field {match[0]}, which there is not.",
            f"Fields are: {', '.join(sorted(told))}.",
        )
    return told[match[1]]
