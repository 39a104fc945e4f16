"""Written text -> spoken words, each of which keeps its span in the source."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"(?P<word>[^\W\d_]+(?:['’\-][^\W\d_]+)*['’]?)|(?P<dash>--+|\s[-–]\s|[—–])|(?P<mark>\.\.\.|[.,!?;:…])")
_MARKS = {"...": "…"}


@dataclass(frozen=True)
class Token:
    """One written word, or one punctuation mark, as it is spoken.

    `spoken` are the words espeak gets ('1999' -> 'nineteen', 'ninety-nine'), empty for a mark;
    `char_start`, `char_end` its half-open span in the source text.
    """

    spoken: tuple[str, ...]
    mark: str
    char_start: int
    char_end: int


def tokenize(text: str) -> list[Token]:
    """The words and punctuation marks of `text`, in order."""
    tokens = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if match["word"]:
            tokens.append(Token((match["word"].replace("’", "'"),), "", start, end))
        elif match["dash"]:
            tokens.append(Token((), "—", start, end))
        else:
            tokens.append(Token((), _MARKS.get(match["mark"], match["mark"]), start, end))
    return tokens
