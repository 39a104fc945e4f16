"""Told lines as markup that page and book share: safe text, and an element for every word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from pipelines.media.phrases import phrase, primary
from pipelines.media.timeline import TimedLine, writable

NARRATORS = frozenset({"", "narrator"})  # speakers whose lines need no name above them
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def plain(text: str) -> str:
    """`text` for an element or an attribute, XML or HTML."""
    return escape(writable(text))


def language_tag(tag: str) -> str:
    """A BCP 47 tag that is safe in an attribute; empty (unknown) for anything else."""
    tag = tag.replace("_", "-")
    return tag if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag) else ""


def direction(tag: str) -> str:
    """'rtl' for a language that is written from the right, else 'ltr'."""
    return "rtl" if primary(tag) in RIGHT_TO_LEFT else "ltr"


def byline(author: str, narrator: str, language: str) -> str:
    """'by A. Writer · read by anna', of what is known. Safe text."""
    named = [("by", author), ("told", narrator)]
    parts = [phrase(language, key).format(plain(name)) for key, name in named if name.strip()]
    return " · ".join(parts)


def with_names(
    lines: Sequence[TimedLine], narrator: str, speaker: str = ""
) -> Iterator[tuple[TimedLine, bool]]:
    """Each line, and whether the name of who speaks it should stand above it.

    `speaker` is who spoke last before them.
    """
    silent = NARRATORS | {narrator.casefold()}
    for line in lines:
        yield line, line.speaker != speaker and line.speaker.casefold() not in silent
        speaker = line.speaker


def line_markup(line: TimedLine, *, named: bool, prefix: str = "") -> str:
    """A paragraph with a span of class `w` for each word.

    With a `prefix` they have ids: the paragraph `prefix`, its words `prefix`-1, -2, ...
    """
    parts = [f'<span class="speaker">{plain(line.speaker)}</span>' if named else ""]
    at = 0
    for number, word in enumerate(line.words, start=1):
        spoken = plain(line.text[word.char_start : word.char_end])
        name = f' id="{prefix}-{number}"' if prefix else ""
        parts += [
            plain(line.text[at : word.char_start]),
            f'<span{name} class="w">{spoken}</span>',
        ]
        at = word.char_end
    parts.append(plain(line.text[at:]))
    name = f' id="{prefix}"' if prefix else ""
    return f'<p{name} class="line">{"".join(parts)}</p>\n'
