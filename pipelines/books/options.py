"""What may be asked for of an audiobook: the settings of the commands and of a job's line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pipelines.books.book import KEEPABLE
from pipelines.books.levels import parse_level
from vits.errors import UserError

FORMATS = ("m4b", "mp3", "opus", "epub", "mp4")
ILLUSTRATED = ("mp4", "epub")  # what a book with pictures is made as, beside what is asked for
LAYOUTS = ("plain", "audiobookshelf")
_CHOICES: dict[str, tuple[str, ...]] = {
    "format": FORMATS,
    "layout": LAYOUTS,
    "keep": KEEPABLE,
    "check": ("fast", "asr"),
    "illustrate": ("", "chapter", "scene"),
}


@dataclass(frozen=True)
class Options:
    """One book's settings; `check_options` has seen them."""

    voice: str = "base"
    language: str = ""  # the book's unless given
    speed: float = 1.0
    noise: float | None = None
    noise_duration: float | None = None
    seed: int = 0
    lexicon: tuple[str, ...] = ()  # the series' first, the book's last
    cast: str = ""  # a file of names and voices
    llm: str = ""  # the language model that says who of them speaks; rules without one
    chapters: str = ""  # a plan, as `story chapters` writes it
    keep: tuple[str, ...] = ()
    format: tuple[str, ...] = ("m4b",)
    loudness: str = "-18"
    layout: str = "plain"
    split: float = 0.0  # hours at most in one m4b; 0: the whole book
    check: str = "fast"
    illustrate: str = ""  # a picture for each chapter or scene: a film, and pages with pictures
    illustrator: str = "collage"
    draw: tuple[str, ...] = ()  # KEY=VALUE, for an image model
    title: str = ""
    author: str = ""
    narrator: str = ""
    series: str = ""
    series_index: str = ""
    year: str = ""


_TUPLES = ("lexicon", "keep", "format", "draw")
_NUMBERS = ("speed", "noise", "noise_duration", "split")


def options_from(given: Mapping[str, Any], defaults: Options, where: str) -> Options:
    """`defaults` with what `given` overrides. UserError, naming `where`, for what cannot be."""
    known = {field.name for field in fields(Options)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        key = name.replace("-", "_")
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            raise UserError(
                f"{where}: '{name}' is no setting of a book{hint}.",
                f"Known are {', '.join(sorted(known))}.",
            )
        values[key] = _typed(key, value, where)
    return check_options(_whole(replace(defaults, **values)), where)


def _whole(options: Options) -> Options:
    """A book with pictures is a film and pages too."""
    if not options.illustrate:
        return options
    return replace(options, format=tuple(dict.fromkeys((*options.format, *ILLUSTRATED))))


def _typed(key: str, value: Any, where: str) -> Any:
    if key in _TUPLES:
        parts = [value] if isinstance(value, str) else value
        if isinstance(parts, (list, tuple)) and all(isinstance(part, str) for part in parts):
            return tuple(parts)
    elif key in _NUMBERS:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif key == "seed":
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
            return value
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise UserError(f"{where}: {key} cannot be {value!r}.", "See 'story audiobook --help'.")


def check_options(options: Options, where: str = "The settings") -> Options:
    """The same options. UserError for values that cannot be."""
    for name, allowed in _CHOICES.items():
        value = getattr(options, name)
        for part in value if isinstance(value, tuple) else (value,):
            if part not in allowed:
                raise UserError(
                    f"{where}: {name} cannot be '{part}'.",
                    f"Choose among: {', '.join(filter(None, allowed))}.",
                )
    if options.llm and not options.cast:
        raise UserError(
            f"{where}: a language model says who speaks, and there is no cast.",
            "Name the voices: --cast FILE with lines 'Name: VOICE'.",
        )
    if "mp4" in options.format and not options.illustrate:
        raise UserError(
            f"{where}: a film needs pictures.", "Say --illustrate chapter, or --illustrate scene."
        )
    if wrong := [text for text in options.draw if "=" not in text]:
        raise UserError(f"'{wrong[0]}' is no KEY=VALUE.", "Write it as in --draw steps=20.")
    if not options.format:
        raise UserError(f"{where}: no format is asked for.", f"Choose among: {', '.join(FORMATS)}.")
    if not 0.5 <= options.speed <= 2.0:
        raise UserError(f"{where}: a speed of {options.speed} cannot be.", "Choose 0.5 to 2.0.")
    if not (options.split == 0 or 0.1 <= options.split <= 100):
        raise UserError(
            f"{where}: a split of {options.split} hours cannot be.", "Choose 0.1 to 100 hours."
        )
    parse_level(options.loudness)
    return options
