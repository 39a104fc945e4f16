"""The forms in which a language model hands in its parts of a story, and what they may hold.

Patterns keep markup and control characters out: a local model cannot even write them. Who speaks
and where is an enumeration made for the story at hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from pipelines.story.script import NARRATOR
from vits.errors import UserError

NAMED = {"en": "English", "de": "German", "zh": "Chinese", "ja": "Japanese"}
_LATIN = "A-Za-zÀ-ɏ"
_MARKS = r" !$%'(),./0-9:;=?@^~‘’“”„«»–—…€-"  # no markup, no double quotation marks
_PATTERNS = {
    "en": rf"^[{_LATIN}‘“0-9][{_LATIN}{_MARKS}]*$",
    "zh": r"^[^\x00-\x20#*<>{}\[\]|\\_`「」][^\x00-\x1f#*<>{}\[\]|\\_`]*$",
}
_CJK = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_GERMAN = re.compile(r"\b(?:der|die|das|und|ist|nicht|ein|eine|sie|ich|mit)\b", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(?:the|and|is|not|a|an|she|he|i|with|of|to)\b", re.IGNORECASE)


def check_language(language: str) -> None:
    """UserError for a language that stories cannot be in."""
    if language not in NAMED:
        raise UserError(f"Stories cannot be in '{language}'.", f"Choose among: {', '.join(NAMED)}.")


_model: Any = create_model  # its types do not know what is made here at run time


def _list(kind: Any, least: int, most: int) -> Any:
    return Annotated[list[kind], Field(min_length=least, max_length=most)]


def pattern(language: str) -> str:
    """What a plain text in `language` looks like, as a regular expression."""
    return _PATTERNS["zh" if language in ("zh", "ja") else "en"]


def text_type(language: str, longest: int) -> Any:
    """A plain text in one line, for a schema."""
    return Annotated[str, Field(min_length=1, max_length=longest, pattern=pattern(language))]


def outline_kind(language: str, hashtags: int) -> type[BaseModel]:
    """Title, characters, places and style."""
    figure: Any = _model(
        "Figure",
        name=(text_type(language, 24), ...),
        gender=(Literal["female", "male"], ...),
        age=(Literal["child", "young", "adult", "old"], ...),
        look=(text_type(language, 160), ...),
    )
    spot: Any = _model(
        "Spot", name=(text_type(language, 40), ...), look=(text_type(language, 160), ...)
    )
    fields: dict[str, Any] = {
        "title": (text_type(language, 60), ...),
        "style": (text_type(language, 60), ...),
        "figures": (_list(figure, 1, 5), ...),
        "places": (_list(spot, 1, 4), ...),
    }
    if hashtags:
        tag: Any = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[\w]+$")]
        fields["hashtags"] = (
            _list(tag, 1, hashtags),
            ...,
        )
    return _model("Outline", **fields)


def sketches_kind(language: str, count: int, places: Sequence[str]) -> type[BaseModel]:
    """Exactly `count` scenes, each at one of the places."""
    sketch: Any = _model(
        "Sketch",
        title=(text_type(language, 60), ...),
        place=(Literal[tuple(places)], ...),
        happens=(text_type(language, 400), ...),
        picture=(text_type(language, 240), ...),
    )
    scenes = _list(sketch, count, count)
    return _model("Sketches", scenes=(scenes, ...))


def lines_kind(language: str, speakers: Sequence[str], words: int) -> type[BaseModel]:
    """The lines of a scene of about `words` words, each by one of the speakers."""
    line: Any = _model(
        "Spoken",
        speaker=(Literal[(NARRATOR, *speakers)], ...),
        text=(text_type(language, max(120, 4 * words)), ...),
    )
    most = max(4, words // 4)
    return _model(
        "Lines",
        lines=(_list(line, 1, most), ...),
    )


def review_kind(language: str, count: int) -> type[BaseModel]:
    """What contradicts what, three things at most."""
    finding: Any = _model(
        "Finding",
        scene=(Annotated[int, Field(ge=1, le=count)], ...),
        change=(text_type(language, 240), ...),
    )
    return _model(
        "Review",
        findings=(_list(finding, 0, 3), ...),
    )


def summary_kind(language: str) -> type[BaseModel]:
    """A part of a long text in few words."""
    return _model("Summary", summary=(text_type(language, 1600), ...))


def translation_kind(language: str, lines: int) -> type[BaseModel]:
    """A scene in another language, line for line; marks for the voice may be in it."""
    line: Any = Annotated[str, Field(min_length=1, max_length=2000)]
    return _model(
        "Translation",
        title=(Annotated[str, Field(max_length=200)], ...),
        lines=(_list(line, lines, lines), ...),
    )


def wrong_language(text: str, language: str) -> str:
    """What is wrong with the language of a text, '' if nothing is; short texts pass."""
    letters = re.sub(r"[\W\d_]", "", text)
    if len(letters) < 8:
        return ""
    asian, kana = len(_CJK.findall(letters)), len(_KANA.findall(letters))
    share = (asian + kana) / len(letters)
    found = ""
    if language in ("zh", "ja"):
        if share < 0.5:
            found = "letters of another script"
        elif language == "zh" and kana > 0.1 * len(letters):
            found = "Japanese"
        elif language == "ja" and not kana and asian > 30:
            found = "Chinese"
    elif share > 0.2:
        found = "Chinese or Japanese characters"
    elif len(text) > 200:
        german, english = len(_GERMAN.findall(text)), len(_ENGLISH.findall(text))
        if language == "en" and german > 3 * english + 3:
            found = "German"
        elif language == "de" and english > 3 * german + 3:
            found = "English"
    return f"It must be in {NAMED[language]}, but has {found}." if found else ""
