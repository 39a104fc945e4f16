"""What a text sounds like on paper: the symbols that a voice, or a language's reader, gives it."""

from __future__ import annotations

from dataclasses import dataclass

from data.checks import guess_language, scripts
from vits.checkpoint import load_config
from vits.errors import UserError
from vits.library import find_voice, parse_voice
from vits.text import plan
from vits.text.legacy import CLEANERS, joined


@dataclass(frozen=True)
class Reading:
    """One utterance: its place in the text, the symbols it is spoken with, what has no sound."""

    text: str
    char_start: int
    char_end: int
    language: str
    symbols: str
    unknown: tuple[str, ...]


def read(
    text: str,
    *,
    voice: str | None = None,
    cleaner: str | None = None,
    language: str | None = None,
) -> list[Reading]:
    """Read `text` as `voice` does, or a cleaner, or as `language` is read; guessed where none says.

    Raises UserError for a voice that is not there and a language that cannot be read.
    """
    if cleaner is not None:
        return [_cleaned(text, cleaner, language or _language(text))]
    if voice is not None:
        config = load_config(find_voice(parse_voice(voice)[0]))
        guessed = language or _language(text)
        spoken_in = guessed if guessed in config.languages else config.languages[0]
        spoken = config.front_end.plan(text, language or spoken_in)
    else:
        spoken = plan(text, language=language or _language(text))
    return [
        Reading(u.text, u.char_start, u.char_end, u.language, "".join(u.symbols), u.unknown)
        for u in spoken
        if u.symbols or u.unknown
    ]


def _cleaned(text: str, cleaner: str, language: str) -> Reading:
    """The whole text by a cleaner of fast-fine-tuning's, exactly as its voices were trained."""
    if cleaner not in CLEANERS:
        raise UserError(f"There is no cleaner {cleaner!r}.", f"There are {', '.join(CLEANERS)}.")
    pieces = CLEANERS[cleaner].pieces(text, language)
    unknown = tuple(dict.fromkeys(char for piece in pieces for char in piece.unknown))
    return Reading(text, 0, len(text), language, joined(pieces), unknown)


def _language(text: str) -> str:
    """The language of a text by its letters; one with a few characters among Latin words is
    Chinese or Japanese, whose readers know English words too."""
    found = scripts(text)
    if found["Hiragana"] + found["Katakana"]:
        return "ja"
    return "zh" if found["Han"] else guess_language([text])
