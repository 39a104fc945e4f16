"""What --help says: every command's paragraphs and every option, read from the commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from recipes.messages.code import ROOT
from recipes.messages.harvest import Message


def help_messages() -> Iterator[Message]:
    import cli

    for group in (cli.clone_voice, cli.story, cli.digital_human):
        yield Message(" ".join((group.help or "").split()), ("cli.py",))
        for command in group.commands.values():
            yield from _of_command(command)


def _of_command(command: click.Command) -> Iterator[Message]:
    callback = inspect.unwrap(command.callback) if command.callback else help_messages
    file = Path(inspect.getsourcefile(callback) or "").resolve()
    place = (file.relative_to(ROOT).as_posix(),)
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        yield Message(_escaped(" ".join(paragraph.split())), place)
    for option in command.params:
        if isinstance(option, click.Option) and (option.help or "").strip():
            yield from (Message(_escaped(text), place) for text in _texts(option.help or ""))


def _texts(text: str) -> Iterator[str]:
    """An option's help, and what its own `[default: ...]` says."""
    text, _, extra = text.partition("[default: ") if text.startswith("[") else text.partition("  [")
    if text.strip():
        yield " ".join(text.split())
    value = extra.rstrip("]").removeprefix("default: ")
    if any(char.isalpha() for char in value):
        yield value


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
