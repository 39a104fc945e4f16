"""The catalogues beside the messages: what lacks a translation, what is said no more, and mending.

A message keeps its translation when its fields are renamed in the code: what counts is its shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polib

from pipelines.i18n.catalogue import fields_of
from recipes.messages.code import ROOT
from recipes.messages.fields import shape
from recipes.messages.harvest import Message

LOCALE = ROOT / "pipelines" / "i18n" / "locale"
COMPLETE = ("zh",)  # the others say in English what they lack
METADATA = {"Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "8bit"}


@dataclass(frozen=True)
class Compared:
    """A catalogue against the code."""

    language: str
    missing: tuple[Message, ...]
    obsolete: tuple[str, ...]
    wrong: tuple[str, ...]  # translations whose fields are not those of their message

    @property
    def lines(self) -> Iterator[str]:
        for message in self.missing if self.language in COMPLETE else ():
            yield f"{self.language}: not translated: {message.places[0]}: {message.text!r}"
        yield from (f"{self.language}: said no more: {text!r}" for text in self.obsolete)
        yield from (f"{self.language}: other fields: {text!r}" for text in self.wrong)


def path_of(language: str, folder: Path = LOCALE) -> Path:
    return folder / f"{language}.po"


def compare(language: str, said: Sequence[Message], folder: Path = LOCALE) -> Compared:
    """What a catalogue lacks, and what it has too much or wrong."""
    entries = polib.pofile(str(path_of(language, folder)))
    done = {shape(entry.msgid) for entry in entries if entry.translated()}
    shapes = {message.shape for message in said}
    return Compared(
        language,
        tuple(message for message in said if message.shape not in done),
        tuple(entry.msgid for entry in entries if shape(entry.msgid) not in shapes),
        tuple(entry.msgid for entry in entries if entry.translated() and not _agree(entry)),
    )


def _agree(entry: polib.POEntry) -> bool:
    """Whether a translation has the fields of its message: each, and no others."""
    try:
        return set(fields_of(entry.msgid)) == set(fields_of(entry.msgstr)) and ":" not in "".join(
            part.split("}")[0] for part in entry.msgstr.replace("{{", "").split("{")[1:]
        )
    except ValueError:
        return False


def write(language: str, said: Sequence[Message], folder: Path = LOCALE) -> None:
    """The catalogue with an entry for each message, in the order of the files, and no others."""
    path = path_of(language, folder)
    before = polib.pofile(str(path)) if path.exists() else polib.POFile()
    known = {shape(entry.msgid): entry for entry in before}
    after = polib.POFile(wrapwidth=100)
    after.header = before.header
    after.metadata = before.metadata or {**METADATA, "Language": language}
    for message in said:
        entry = known.get(message.shape)
        if entry is None:
            entry = polib.POEntry(msgid=message.text)
        entry.occurrences = [(place, "") for place in message.places]
        if fields_of(entry.msgid) and "python-brace-format" not in entry.flags:
            entry.flags.append("python-brace-format")
        if entry.translated() or language in COMPLETE:
            after.append(entry)
    after.save(str(path), newline="\n")
