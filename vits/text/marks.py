"""Marks in a text that say how to speak and are not words.

`[pause:2.5]` is that many seconds of silence, `[break]` that of a paragraph (both are heard by
`sentences.py`); `[voice:NAME] ... [/voice]` is spoken by another voice (`vits/cast.py`);
`[emphasis] ... [/emphasis]` is said more slowly and a little louder (`vits/voice.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vits.errors import UserError

PAUSE_PATTERN = r"\[(?:pause|break)(?::[ ]?[^\]\s]{0,12}(?:[ ]?m?s)?)?\]"
LONGEST_PAUSE_MARK = 25
LONGEST_VOICE_MARK = 120

_VOICE = re.compile(r"\[voice:\s*(?P<name>[^\[\]\n]{1,100}?)\s*\]|\[/voice\]")
_OPENINGS = ("[voice:", "[/voice]")
# Where a mark stands between two spaces, one of them goes with it.
MARK = re.compile(
    rf"\s*{PAUSE_PATTERN}"
    r"|(?<=\s)\[voice:[^\[\]\n]{1,100}\]\s+|\[voice:[^\[\]\n]{1,100}\]"
    r"|\s+\[/voice\](?=\s)|\[/voice\]"
    r"|(?<=\s)\[/?emphasis\]\s+|\[/?emphasis\]"
)
_EMPHASIS = re.compile(r"\[(/?)emphasis\]")
_LONGEST_EMPHASIS = len("[/emphasis]")


def without_marks(text: str) -> str:
    """`text` as it is read with the eyes."""
    return MARK.sub("", text).strip()


def voice_names(text: str) -> tuple[str, ...]:
    """The names in the voice marks of a text, in order, each once."""
    return tuple(dict.fromkeys(m["name"] for m in _VOICE.finditer(text) if m["name"]))


@dataclass(frozen=True)
class Passage:
    """A stretch of text that one voice speaks: `name` is None where no mark says whose.

    `start` is the place of its first character in the whole text.
    """

    name: str | None
    start: int


def passages(chunks: Iterable[str]) -> Iterator[tuple[Passage, str]]:
    """The pieces of a text that comes in chunks, each with the passage it belongs to.

    A piece is passed on as soon as it can be no mark's beginning. A mark that is never closed
    holds to the end of the text. Raises UserError for a mark inside another and for an end without
    a beginning.
    """
    buffer, position = "", 0
    passage = Passage(None, 0)
    for chunk in _ended(chunks):
        buffer += chunk or ""
        safe = len(buffer) if chunk is None else _mark_begins(buffer)
        done = 0
        for match in _VOICE.finditer(buffer):
            if match.start() > done:
                yield passage, buffer[done : match.start()]
            done = match.end()
            passage = _next_passage(passage, match, position)
        if done < safe:
            yield passage, buffer[done:safe]
        done = max(done, safe)
        buffer, position = buffer[done:], position + done


def _ended(chunks: Iterable[str]) -> Iterator[str | None]:
    yield from chunks
    yield None


def _next_passage(passage: Passage, match: re.Match[str], position: int) -> Passage:
    at = position + match.start()
    if match["name"] and passage.name is not None:
        raise UserError(
            f"{match[0]} at character {at} begins inside of [voice:{passage.name}].",
            "End the first one with [/voice] before it.",
        )
    if not match["name"] and passage.name is None:
        raise UserError(
            f"[/voice] at character {at} ends nothing.", "Begin with [voice:NAME], or leave it out."
        )
    return Passage(match["name"], position + match.end())


def _mark_begins(buffer: str) -> int:
    """Where an unfinished voice mark begins at the end of `buffer`; its length if none does."""
    at = buffer.rfind("[")
    if at < 0 or len(buffer) - at > LONGEST_VOICE_MARK:
        return len(buffer)
    tail = buffer[at:]
    begun = any(tail.startswith(o) or o.startswith(tail) for o in _OPENINGS)
    return at if begun and "]" not in tail and "\n" not in tail else len(buffer)


@dataclass
class Emphasis:
    """Finds what is to be emphasised in a text that comes in chunks.

    `spans` are places in the text, known for everything that `blanked` has passed on; one that is
    never closed holds to the end.
    """

    spans: list[tuple[int, float]] = field(default_factory=list)

    def blanked(self, chunks: Iterable[str]) -> Iterator[str]:
        """The text with spaces where the marks were: every character keeps its place."""
        buffer, position = "", 0
        for chunk in _ended(chunks):
            buffer += chunk or ""
            safe = len(buffer) if chunk is None else _emphasis_begins(buffer)
            clear, buffer = buffer[:safe], buffer[safe:]
            for match in _EMPHASIS.finditer(clear):
                self._note(match, position)
            if clear:
                yield _EMPHASIS.sub(lambda match: " " * len(match[0]), clear)
            position += safe

    def has(self, start: int, end: int) -> bool:
        """Whether some of the characters from `start` to `end` are emphasised."""
        return any(a < end and start < b for a, b in self.spans)

    def _note(self, match: re.Match[str], position: int) -> None:
        if not match[1]:
            self.spans.append((position + match.end(), float("inf")))
        elif self.spans and self.spans[-1][1] == float("inf"):
            self.spans[-1] = (self.spans[-1][0], position + match.start())


def _emphasis_begins(buffer: str) -> int:
    """Where an unfinished mark of emphasis begins at the end of `buffer`; its length if none."""
    at = buffer.rfind("[", max(0, len(buffer) - _LONGEST_EMPHASIS))
    if at < 0:
        return len(buffer)
    tail = buffer[at:]
    return (
        at
        if any(m.startswith(tail) for m in ("[emphasis]", "[/emphasis]"))
        and tail not in ("[emphasis]", "[/emphasis]")
        else len(buffer)
    )
