"""Who speaks which span of a text, by a language model that cannot change the text.

Paragraphs are cut into numbered spans at their quotation marks; the model names the speaker of
spans and nothing else. The text is put together again by position: joined, the pieces of a
paragraph are the paragraph, byte for byte. What the model leaves out is the narrator's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, Field

from pipelines.llm import ChatOptions, LanguageModel, ask
from pipelines.llm.structured import Refused
from pipelines.story.dialogue import Piece
from pipelines.story.instructions import messages
from pipelines.story.script import NARRATOR

log = logging.getLogger(__name__)

SPANS_AT_ONCE = 60
CHARS_AT_ONCE = 6_000
# what may be somebody's words: between quotation marks of any kind, or a line after a dash
_SPOKEN = re.compile(
    r"“[^”]*”|\"[^\"]*\"|„[^“”]*[“”]|»[^«]*«|«[^»]*»|「[^」]*」|『[^』]*』|(?:^|(?<=\n))[—–-]\s[^\n]+"
)


class Label(BaseModel):
    """One span and who speaks it."""

    span: int = Field(ge=1)
    speaker: str = Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f<>{}\[\]]+$")


class Labels(BaseModel):
    """The spans that somebody speaks."""

    labels: Annotated[list[Label], Field(max_length=SPANS_AT_ONCE)]


def label_paragraphs(
    paragraphs: Sequence[str], model: LanguageModel, *, seed: int = 0
) -> list[list[Piece]]:
    """The pieces of every paragraph, each with its speaker; joined they are the paragraph.

    A model that does not answer in form leaves its part of the text to the narrator.
    """
    spans = [_spans(paragraph) for paragraph in paragraphs]
    numbered = [(p, s) for p, parts in enumerate(spans) for s in range(len(parts))]
    speakers: dict[tuple[int, int], str] = {}
    known: dict[str, str] = {}
    for batch in _batches(numbered, spans):
        texts = [spans[p][s] for p, s in batch]
        if not any(_SPOKEN.fullmatch(text) for text in texts):
            continue
        for index, name in _asked(texts, model, list(known.values()), seed).items():
            if _SPOKEN.fullmatch(texts[index]):
                speakers[batch[index]] = known.setdefault(name.casefold(), name)
    return [
        list(_pieces(parts, [speakers.get((p, s), NARRATOR) for s in range(len(parts))]))
        for p, parts in enumerate(spans)
    ]


def _spans(paragraph: str) -> list[str]:
    """The paragraph cut before and behind everything that may be speech."""
    edges = {0, len(paragraph)}
    for match in _SPOKEN.finditer(paragraph):
        edges |= set(match.span())
    cuts = sorted(edges)
    return [paragraph[a:b] for a, b in pairwise(cuts)] or [paragraph]


def _batches(
    numbered: Sequence[tuple[int, int]], spans: Sequence[Sequence[str]]
) -> Iterator[list[tuple[int, int]]]:
    batch: list[tuple[int, int]] = []
    size = 0
    for place in numbered:
        length = len(spans[place[0]][place[1]])
        if batch and (len(batch) == SPANS_AT_ONCE or size + length > CHARS_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += length
    if batch:
        yield batch


def _asked(
    texts: Sequence[str], model: LanguageModel, known: Sequence[str], seed: int
) -> dict[int, str]:
    """Speakers by the index of their span."""
    listed = "\n".join(f"[{n}] {' '.join(text.split())}" for n, text in enumerate(texts, 1))
    told = messages("label", spans=listed, speakers=", ".join(known) or "none yet")
    options = ChatOptions(temperature=0.0, max_tokens=24 * len(texts) + 100, seed=seed)
    try:
        found = ask(model, told, Labels, options)
    except Refused as error:
        log.warning("the narrator reads a part of the text alone, since %s", error.cause)
        return {}
    return {
        label.span - 1: label.speaker.strip()
        for label in found.labels
        if label.span <= len(texts) and label.speaker.strip().casefold() != NARRATOR
    }


def _pieces(parts: Sequence[str], speakers: Sequence[str]) -> Iterator[Piece]:
    """Neighbours of one speaker joined."""
    text, who = "", ""
    for part, speaker in zip(parts, speakers, strict=True):
        if text and speaker != who:
            yield Piece(who, text)
            text = ""
        text, who = text + part, speaker
    yield Piece(who or NARRATOR, text)
