"""What a text sounds like on paper: the symbols that a voice, or a language's reader, gives it."""

from __future__ import annotations

from dataclasses import dataclass

from data.checks import guess_language, scripts
from vits.checkpoint import load_config
from vits.library import find_voice, parse_voice
from vits.text import plan


@dataclass(frozen=True)
class Reading:
    """One utterance: its place in the text, the symbols it is spoken with, what has no sound."""

    text: str
    char_start: int
    char_end: int
    language: str
    symbols: str
    unknown: tuple[str, ...]


def read(text: str, *, voice: str | None = None, language: str | None = None) -> list[Reading]:
    """Read `text` as `voice` does, or as `language` is read; guessed where neither says.

    Raises UserError for a voice that is not there and a language that cannot be read.
    """
    if voice is not None and language is None:
        languages = load_config(find_voice(parse_voice(voice)[0])).languages
        language = _language(text)
        language = language if language in languages else languages[0]
    spoken = plan(text, language=language or _language(text))
    return [
        Reading(u.text, u.char_start, u.char_end, u.language, "".join(u.symbols), u.unknown)
        for u in spoken
        if u.symbols or u.unknown
    ]


def _language(text: str) -> str:
    """The language of a text by its letters; one with a few characters among Latin words is
    Chinese or Japanese, whose readers know English words too."""
    found = scripts(text)
    if found["Hiragana"] + found["Katakana"]:
        return "ja"
    return "zh" if found["Han"] else guess_language([text])
