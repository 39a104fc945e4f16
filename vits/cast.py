"""A voice and whoever a text names: `[voice:NAME] ... [/voice]` is spoken by NAME.

NAME is a speaker of the voice itself, or a voice of the library as VOICE or VOICE:SPEAKER.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from vits.audio import resample
from vits.text import passages
from vits.voice import Planned, Speech, Voice


@dataclass(frozen=True)
class Part:
    """Who speaks a passage: a voice, which of its speakers, and a speed of their own."""

    voice: Voice
    speaker: str | None = None
    speed: float | None = None


@dataclass
class Cast:
    """Speaks like its `voice`, but for passages that are marked as somebody else's.

    `find` says who a name is, where it is more than the library that knows; `load` loads a voice.
    """

    voice: Voice
    find: Callable[[str], Part | None] = lambda name: None
    load: Callable[[str], Voice] | None = None
    _parts: dict[str, Part] = field(default_factory=dict)

    @property
    def voices(self) -> list[Voice]:
        """The voice and those that were named so far, each once."""
        all_voices = [self.voice, *(part.voice for part in self._parts.values())]
        return list({voice.folder: voice for voice in all_voices}.values())

    def part(self, name: str) -> Part:
        """Who `name` is. Raises UserError, with who there is, for nobody."""
        if name not in self._parts:
            self._parts[name] = self.find(name) or self._speaker(name) or self._in_library(name)
        return self._parts[name]

    def speak(
        self, text: str | Iterable[str], *, soon: bool = False, **manner: Any
    ) -> Iterator[Speech]:
        """As `Voice.speak` with the same settings, at the rate of `voice`.

        A speaker who is named in a mark keeps a speed of their own if they have one.
        """
        for part, planned, start in self.plan(text, soon=soon, **manner):
            yield self._moved(part.voice.speak_planned([planned])[0], start)

    def plan(
        self, text: str | Iterable[str], *, soon: bool = False, **manner: Any
    ) -> Iterator[tuple[Part, Planned, int]]:
        """What `speak` would say, and who: utterance by utterance, with the place in the text
        from which it counts its characters."""
        chunks = [text] if isinstance(text, str) else text
        grouped = itertools.groupby(passages(chunks), key=lambda piece: piece[0])
        for passage, pieces in grouped:
            words = (piece for _, piece in pieces)
            part, own = Part(self.voice), manner
            if passage.name is not None:
                part = self.part(passage.name)
                own = manner | {"speaker": part.speaker}
                own |= {} if part.speed is None else {"speed": part.speed}
            for planned in part.voice.plan(words, soon=soon, **own):
                soon = False
                yield part, planned, passage.start

    def _speaker(self, name: str) -> Part | None:
        names = {s.name.casefold(): s.name for s in self.voice.speakers}
        found = names.get(name.casefold())
        return Part(self.voice, found) if found else None

    def _in_library(self, name: str) -> Part:
        voice = self.load(name) if self.load else Voice.load(name, self.voice.device)
        return Part(voice, voice.speaker.name)

    def _moved(self, speech: Speech, start: int) -> Speech:
        """The speech in its place in the whole text, at the rate of `voice`."""
        words = tuple(
            replace(w, char_start=w.char_start + start, char_end=w.char_end + start)
            for w in speech.words
        )
        return replace(
            speech,
            audio=resample(speech.audio, self.voice.sample_rate),
            words=words,
            char_start=speech.char_start + start,
            char_end=speech.char_end + start,
        )
