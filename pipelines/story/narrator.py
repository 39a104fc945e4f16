"""Who reads the lines of a story aloud, and what was read kept as sound and word times.

A line is spoken once: its sound (FLAC) and its words (JSON) are assets named by everything that
decides them, so that an edited line is spoken again and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipelines.assets import Assets, asset_key
from pipelines.story.script import NARRATOR, Line, Story
from vits.errors import UserError
from vits.text.marks import voice_names

if TYPE_CHECKING:  # a voice needs torch; what was spoken before does not
    from vits.cast import Part
    from vits.text import Lexicon
    from vits.voice import Speech, Voice, WordTiming

VERSION = 1  # of all code between a line's text and its sound: another number speaks all anew
SILENCE_S = 0.5  # stands for a line in which there is nothing to say
DEFAULT_RATE = 22_050  # Hz, of that silence
SUFFIXES = (".flac", ".json")


class Narrator(Protocol):
    """Speaks lines; who of the cast speaks how is the narrator's business."""

    @property
    def name(self) -> str:
        """Whose voice tells the story, for the credits."""
        ...

    def speak(self, line: Line) -> Iterator[Speech]:
        """The line as utterances in order, their character spans those of `line.text`."""
        ...

    def fingerprint(self, line: Line) -> dict[str, object]:
        """Everything that decides the sound of `line`, as plain JSON values."""
        ...


@dataclass
class VoiceNarrator:
    """A cast of voices from the library (or folders). `voice` is everybody's who has none.

    A voice is loaded when its first line is asked for. UserError for a voice or a speaker that is
    not there, and for a voice that does not speak the story's language.
    """

    story: Story
    voice: str = "base"
    device: str = "cpu"
    load: Callable[..., Voice] | None = None  # Voice.load unless a test knows better
    _voices: dict[str, Voice] = field(default_factory=dict)

    @property
    def name(self) -> str:
        voice, speaker = self._voice(self._role(NARRATOR)[0])
        return speaker if len(voice.speakers) > 1 else voice.name

    def speak(self, line: Line) -> Iterator[Speech]:
        from vits.cast import Cast

        spec, speed = self._role(line.speaker)
        voice, speaker = self._voice(spec)
        cast = Cast(voice, find=self._part) if voice_names(line.text) else voice
        return cast.speak(
            line.text,
            speaker=speaker,
            language=self.story.language,
            speed=speed,
            seed=self._seed(line),
            lexicon=story_lexicon(self._said(line)),
        )

    def fingerprint(self, line: Line) -> dict[str, object]:
        spec, speed = self._role(line.speaker)
        voice, speaker = self._voice(spec)
        decides: dict[str, object] = {
            "voice": voice.hash,
            "speaker": speaker,
            "language": self.story.language,
            "speed": speed,
            "seed": self._seed(line),
            "text": line.text,
            **({"lexicon": said} if (said := self._said(line)) else {}),
        }
        return decides | self._marked(line, voice)

    def _marked(self, line: Line, voice: Voice) -> dict[str, object]:
        """Who else speaks in the line, by its marks."""
        names = voice_names(line.text)
        if not names:
            return {}
        from vits.cast import Cast

        parts = {name: Cast(voice, find=self._part).part(name) for name in names}
        told = {name: [p.voice.hash, p.speaker, p.speed] for name, p in parts.items()}
        return {"marked": told}

    def _part(self, name: str) -> Part | None:
        """Somebody of the cast; None leaves the name to the line's voice and the library."""
        from vits.cast import Part

        for who, role in self.story.cast.items():
            if who.casefold() == name.casefold():
                voice, speaker = self._voice(self._role(who)[0])
                return Part(voice, speaker, role.speed)
        return None

    def note_made(self, files: Iterable[Path]) -> None:
        """Let the library know what was made with its voices."""
        from vits.library import record_made

        made = list(files)
        for voice in self._voices.values():
            record_made(voice.name, made)

    def _role(self, speaker: str) -> tuple[str, float]:
        role = self.story.role(speaker)
        return role.voice or self.story.role(NARRATOR).voice or self.voice, role.speed

    def _said(self, line: Line) -> dict[str, str]:
        """Those entries of the story's lexicon that the line has: no other can change it."""
        text = line.text.casefold()
        return {word: how for word, how in self.story.lexicon.items() if word.casefold() in text}

    def _seed(self, line: Line) -> int:
        return self.story.seed if line.seed is None else line.seed

    def _voice(self, spec: str) -> tuple[Voice, str]:
        """The voice that 'NAME:SPEAKER' means, and its speaker as the voice writes the name."""
        from vits.library import parse_voice, unknown

        name, asked = parse_voice(spec)
        if name not in self._voices:
            self._voices[name] = self._loaded(name)
        voice = self._voices[name]
        speakers = {speaker.name.casefold(): speaker.name for speaker in voice.speakers}
        if asked is None:
            return voice, voice.speaker.name
        if asked.casefold() not in speakers:
            raise unknown("speaker", asked, list(speakers.values()))
        return voice, speakers[asked.casefold()]

    def _loaded(self, name: str) -> Voice:
        from vits.voice import Voice

        voice = (self.load or Voice.load)(name, device=self.device)
        if self.story.language not in voice.languages:
            spoken = ", ".join(voice.languages)
            raise UserError(
                f"The voice '{name}' does not speak the story's language, {self.story.language}.",
                f"It speaks {spoken}: name another voice, or set 'language' in the story.",
            )
        return voice


def story_lexicon(said: Mapping[str, str]) -> Lexicon | None:
    """A story's own words as a voice takes them. UserError for one that cannot be spoken."""
    from vits.text import Lexicon

    if not said:
        return None
    rows = "\n".join(f"{word}\t{how}" for word, how in said.items())
    return Lexicon.parse(rows, "the story's lexicon")


BUILTINS: dict[str, Callable[..., Narrator]] = {"voice": VoiceNarrator}


# ---------------------------------------------------------------- what was spoken


@dataclass(frozen=True)
class Narration:
    """One line as it was spoken. Word times are from the start of `audio`, spans of the text.

    `unknown` lists the characters and sounds that the voice could not speak.
    """

    audio: Path
    sample_rate: int
    duration_s: float
    words: tuple[WordTiming, ...]
    unknown: tuple[str, ...] = ()


def narration_key(narrator: Narrator, line: Line) -> str:
    """Name of the spoken line among the assets."""
    return asset_key("narration", VERSION, narrator.fingerprint(line))


def narrate(narrator: Narrator, line: Line, assets: Assets) -> Narration:
    """The line as sound and words, spoken if that was not done yet."""
    key = narration_key(narrator, line)
    audio, words = assets.get_or_make_all(
        key, SUFFIXES, lambda paths: _speak(narrator, line, *paths)
    )
    return read_narration(audio, words)


def read_narration(audio: Path, words: Path) -> Narration:
    """What `narrate` wrote."""
    from vits.voice import WordTiming

    facts = json.loads(words.read_text("utf-8"))
    rate = int(facts["sample_rate"])
    timings = tuple(WordTiming(**word) for word in facts["words"])
    return Narration(audio, rate, facts["samples"] / rate, timings, tuple(facts["unknown"]))


def _speak(narrator: Narrator, line: Line, audio: Path, words: Path) -> None:
    from vits.audio import AudioWriter

    speeches = narrator.speak(line)
    first = next(speeches, None)
    rate = first.audio.sample_rate if first else DEFAULT_RATE
    spoken: list[dict[str, Any]] = []
    unknown: dict[str, None] = {}
    samples = 0
    with AudioWriter(audio, rate) as writer:
        for speech in _again(first, speeches):
            writer.write(speech.audio.samples)
            spoken += (_later(word, samples / rate) for word in speech.words)
            samples += len(speech.audio.samples)
            unknown |= dict.fromkeys(speech.unknown)
        if not samples:
            samples = round(SILENCE_S * rate)
            writer.write(np.zeros(samples, np.float32))
    facts = {"sample_rate": rate, "samples": samples, "unknown": [*unknown], "words": spoken}
    words.write_text(json.dumps(facts, ensure_ascii=False, indent=1), "utf-8")


def _again(first: Speech | None, rest: Iterator[Speech]) -> Iterator[Speech]:
    if first is not None:
        yield first
        yield from rest


def _later(word: WordTiming, seconds: float) -> dict[str, Any]:
    return {
        "text": word.text,
        "char_start": word.char_start,
        "char_end": word.char_end,
        "start_s": round(word.start_s + seconds, 4),
        "end_s": round(word.end_s + seconds, 4),
    }
