"""Who speaks which words of a text: 'Name: words', and quotations with 'said Name' beside them.

The words are only cut and labelled, never changed: the pieces of a paragraph joined again are the
paragraph. What nobody can be found for is the narrator's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.story.script import NARRATOR

# a label at the start of a line: up to three words, the first of them with a capital or Asian
_LABEL = re.compile(
    r"^(?P<name>(?:[A-ZÀ-ÞĀ-Ž][\w'’.-]*(?: [\w'’.-]+){0,2}|[\u3040-\u30ff\u4e00-\u9fff]{1,8}))"
    r"\s?[:：]\s*(?P<words>\S.*)$",
    re.DOTALL,
)
# words with a colon that are no names, whatever they look like
_NO_NAME = re.compile(
    r"(?:note|warning|remember|moral|p\.?s\.?|n\.?b\.?|chapter|part|title|author|language|example"
    r"|hint|question|answer|first|second|finally)$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|„[^“”]*[“”]|»[^«]*«|«[^»]*»")
_VERB = (
    "(?:said|says|asked|asks|answered|answers|replied|replies|whispered|whispers|shouted|shouts"
    "|cried|cries|called|calls|muttered|murmured|sighed|laughed|giggled|grumbled|growled|squeaked"
    "|sang|exclaimed|added|began|continued"
    "|sagte|fragte|antwortete|flüsterte|rief|murmelte|seufzte|lachte|brummte)"
)
# 'the old keeper' is somebody, 'she' is not enough
_WHO = r"(?:(?:[Tt]he|[Dd]er|[Dd]ie|[Dd]as) (?:[a-zäöüß]+ )?\w+|[A-ZÀ-ÞĀ-Ž][\w'’-]+)"
_AFTER = re.compile(rf"^[,\s]*(?:{_VERB} (?P<a>{_WHO})|(?P<b>{_WHO}) {_VERB})\b")
_BEFORE = re.compile(rf"(?:^|[\s,;—])(?P<b>{_WHO}) {_VERB}[^.!?“\"„]*[,:]\s*$")
_PRONOUN = re.compile(r"(?:he|she|it|they|i|we|you|who|er|sie|es|wir|ihr|ich)$", re.IGNORECASE)
_MARKS = (",", ".", ";", ":", "!", "?")  # behind a quotation they stay with it
_ARTICLE = re.compile(r"^(?:the|der|die|das) ", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """Consecutive words of one speaker."""

    speaker: str
    text: str


def label_of(line: str) -> tuple[str, str] | None:
    """('Pim', 'Hello.') for the line 'Pim: Hello.', None for a line that has no such form."""
    match = _LABEL.match(line)
    if match is None or _NO_NAME.match(match["name"]):
        return None
    return match["name"], match["words"]


def speaker_labels(lines: Iterable[str]) -> frozenset[str]:
    """The labels, case folded, that are speakers: those of a script, or said more than once.

    A single 'Remember: ...' in a tale is a sentence; three labelled lines make a script.
    """
    counts = Counter(found[0].casefold() for line in lines if (found := label_of(line)))
    script = counts.total() >= 3
    return frozenset(name for name, count in counts.items() if script or count >= 2)


def attribute(paragraph: str) -> list[Piece]:
    """The paragraph cut at its quotations, each with its speaker where the words name one.

    One speaker a paragraph, as the custom is: a name beside one quotation holds for all of them.
    """
    quotes = [match.span() for match in _QUOTED.finditer(paragraph)]
    names = {name for span in quotes if (name := _speaker_beside(paragraph, span))}
    if len(names) != 1:
        return [Piece(NARRATOR, paragraph)]
    return list(_cut(paragraph, quotes, names.pop()))


def _speaker_beside(paragraph: str, span: tuple[int, int]) -> str:
    after = _AFTER.match(paragraph[span[1] :])
    match = after or _BEFORE.search(paragraph[: span[0]])
    if match is None:
        return ""
    who = next(group for group in match.groups() if group)
    return "" if _PRONOUN.match(who) else _as_name(who)


def _as_name(who: str) -> str:
    """'the old keeper' -> 'Old keeper'."""
    bare = _ARTICLE.sub("", who)
    return bare[0].upper() + bare[1:]


def _cut(paragraph: str, quotes: list[tuple[int, int]], speaker: str) -> Iterator[Piece]:
    at = 0
    for start, end in quotes:
        if before := paragraph[at:start].strip():
            yield Piece(NARRATOR, before)
        while paragraph[end : end + 1] in _MARKS:
            end += 1
        yield Piece(speaker, paragraph[start:end])
        at = end
    if rest := paragraph[at:].strip():
        yield Piece(NARRATOR, rest)
