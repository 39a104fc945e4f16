"""A chapter's blocks -> sentences to speak, each with its voice and the silence after it.

Sentences are planned by `vits.text`; what stands here is what a book adds: titles and scene breaks
have their pause, verse is read line by line, quotations go to the cast, a passage in another script
goes to the voice's other language, and what nobody can read is listed instead of stopping the book.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.assets import asset_key
from pipelines.books.book import Block
from pipelines.books.language import guess_language
from pipelines.books.manner import Manner
from pipelines.books.speakers import Labels
from pipelines.story.dialogue import attribute
from pipelines.story.script import NARRATOR
from vits.errors import UserError

if TYPE_CHECKING:
    from vits.text import Lexicon, Utterance

VERSION = 1  # of the sound of a sentence: another number speaks all anew

LEAD_S = 0.75  # of silence before a chapter's first word, as ACX asks for
TAIL_S = 1.5
TITLE_PAUSE_S = 1.6
HEADING_PAUSE_S = 1.1
PARAGRAPH_PAUSE_S = 0.7
TURN_PAUSE_S = 0.3  # between two speakers within a paragraph
ITEM_PAUSE_S = 0.5
VERSE_PAUSE_S = 0.4  # after a line; a stanza ends like a paragraph
BREAK_PAUSE_S = 2.0

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’»]*\s+|(?<=[。！？])[”’」』]*")
_MARKUP = re.compile(r"\[(?=(?:pause|break)\b)")
_OTHER_SCRIPT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
LANGUAGE_SHARE = 0.6  # of a paragraph's letters in another script, for it to be another language


@dataclass(frozen=True)
class Sentence:
    """One utterance of a chapter. `block` and `text` say where it stands; block -1 is the title.

    `key` names its sound: the same wherever the same sounds are spoken in the same way.
    """

    key: str
    block: int
    text: str
    spec: str
    speed: float
    pause_s: float
    utterance: Utterance
    paragraph_end: bool = False


@dataclass(frozen=True)
class Unreadable:
    """Words that no voice of the book can read, and why."""

    block: int
    text: str
    reason: str


def plan_chapter(
    title: str,
    blocks: Sequence[Block],
    manner: Manner,
    voices: Any,
    speakers: Labels | None = None,
) -> Iterator[Sentence | Unreadable]:
    """What is spoken of a chapter, in order; `speakers` say whose words the dialogue is."""
    from vits.text import Lexicon

    lexicon = Lexicon.parse(manner.lexicon, "the lexicon") if manner.lexicon else None
    labelled = None if speakers is None else dict(speakers)
    planner = _Planner(manner, voices, lexicon, labelled)
    if title:
        yield from planner.piece(-1, title, manner.voice, TITLE_PAUSE_S)
    for index, block in enumerate(blocks):
        if block.kind != "break":
            after = blocks[index + 1].kind if index + 1 < len(blocks) else ""
            yield from planner.block(index, block, after)


@dataclass(frozen=True)
class _Planner:
    manner: Manner
    voices: Any
    lexicon: Lexicon | None
    speakers: Mapping[int, Sequence[tuple[str, str]]] | None = None

    def block(self, index: int, block: Block, after: str) -> Iterator[Sentence | Unreadable]:
        pause_s = BREAK_PAUSE_S if after == "break" else _PAUSES.get(block.kind, PARAGRAPH_PAUSE_S)
        if block.kind == "verse":
            lines = block.text.split("\n")
            for number, line in enumerate(lines, 1):
                end = number == len(lines)
                yield from self.piece(
                    index, line, self.manner.voice, pause_s if end else VERSE_PAUSE_S, end
                )
            return
        pieces = list(self._cast(index, block))
        for number, (spec, text) in enumerate(pieces, 1):
            end = number == len(pieces)
            yield from self.piece(index, text, spec, pause_s if end else TURN_PAUSE_S, end)

    def _cast(self, index: int, block: Block) -> Iterator[tuple[str, str]]:
        """(voice, words) of each speaker in a paragraph."""
        if not self.manner.cast or block.kind == "heading":
            yield self.manner.voice, block.text
            return
        if self.speakers is not None:
            for who, words in self.speakers.get(index, (("", block.text),)):
                yield self.manner.voice_of(who), words
            return
        for piece in attribute(block.text):
            who = piece.speaker if piece.speaker != NARRATOR else ""
            yield self.manner.voice_of(who), piece.text

    def piece(
        self, block: int, text: str, spec: str, pause_s: float, end: bool = True
    ) -> Iterator[Sentence | Unreadable]:
        """The sentences of one speaker's words; the last has `pause_s` after it."""
        from vits.text import plan

        text = _MARKUP.sub("[ ", text)  # brackets of a book are no marks for a voice
        language = self._language(text, spec)
        try:
            utterances = list(plan(text, language=language, lexicon=self.lexicon))
        except UserError as error:
            parts = [part for part in _SENTENCE_END.split(text) if part.strip()]
            if len(parts) < 2:
                yield Unreadable(block, text, error.cause)
                return
            for number, part in enumerate(parts, 1):
                last = number == len(parts)
                yield from self.piece(block, part, spec, pause_s if last else 0.35, end and last)
            return
        spoken = [utterance for utterance in utterances if utterance.symbols]
        for number, utterance in enumerate(spoken, 1):
            last = number == len(spoken)
            pause = pause_s if last else utterance.pause_s
            yield self._sentence(block, utterance, spec, pause, end and last)

    def _sentence(
        self, block: int, utterance: Utterance, spec: str, pause_s: float, end: bool
    ) -> Sentence:
        from pipelines.books.manner import speaker_of

        voice, speaker = speaker_of(self.voices, spec)
        decides = {
            "voice": voice.hash,
            "speaker": speaker,
            "symbols": list(utterance.symbols),
            "speed": self.manner.speed,
            "noise": [self.manner.noise, self.manner.noise_duration],
            "seed": self.manner.seed,
        }
        key = asset_key("sentence", VERSION, decides)
        silent = dataclasses.replace(utterance, pause_s=0.0)
        return Sentence(key, block, utterance.text, spec, self.manner.speed, pause_s, silent, end)

    def _language(self, text: str, spec: str) -> str:
        """The book's language, or for a passage in another script the one the voice has for it."""
        from pipelines.books.manner import speaker_of

        language = self.manner.language
        voice, _ = speaker_of(self.voices, spec)
        if len(voice.languages) < 2:
            return language
        letters = len(re.findall(r"[^\W\d_]", text)) or 1
        asian = len(_OTHER_SCRIPT.findall(text)) / letters
        is_other = (
            asian < 1 - LANGUAGE_SHARE if language in ("zh", "ja") else asian > LANGUAGE_SHARE
        )
        if not is_other:
            return language
        other = guess_language([text])
        # a Chinese book with English in it is Chinese: only whole foreign passages change over
        return other if other in voice.languages and len(text) > 20 else language


_PAUSES = {"heading": HEADING_PAUSE_S, "item": ITEM_PAUSE_S}
