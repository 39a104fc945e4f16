"""One chapter, from text to encoded sound: the item of work that a worker does.

    work/texts/<key of the text>.json         what was found out about it, last of all
    work/chapters/<key of the sound>.m4a ...  encoded, joined into books without encoding again
    work/sentences/<key of the text>.pack     its sentences

A kill at any moment loses the sentence in work; the chapter goes on from there. Two runs do not
work on one chapter: the second is told that it is busy.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import asset_key
from pipelines.books import levels
from pipelines.books.book import Block
from pipelines.books.hearing import Heard, listen
from pipelines.books.manner import Manner, speaker_of
from pipelines.books.packs import Packs, PackWriter
from pipelines.books.sentences import (
    LEAD_S,
    TAIL_S,
    Sentence,
    Unreadable,
    plan_chapter,
)
from pipelines.books.speakers import Labels
from pipelines.executors import NotNow
from pipelines.media.m4b import BIT_RATE
from vits.audio import Audio, AudioWriter
from vits.files import cannot_write, temporary_name, write_text

VERSION = 1  # of everything between a chapter's text and its encoded sound
BATCHES = {"cuda": 32}  # sentences in one pass, by the kind of device; others take one
TRIES = 3  # with other seeds, before a sentence is listed as faulty
SUFFIXES = {"m4b": ".m4a", "mp4": ".m4a", "mp3": ".mp3", "opus": ".opus", "epub": ".mp3"}
BIT_RATES = {".m4a": BIT_RATE, ".mp3": 64_000, ".opus": 32_000}

Samples = NDArray[np.float32]
OnSentence = Callable[[int, int], object]  # done, in all


@dataclass(frozen=True)
class ChapterWork:
    """A chapter to make, as plain values. `folder` is the book's work folder."""

    folder: str
    number: int
    title: str
    blocks: tuple[Block, ...]
    manner: Manner
    suffixes: tuple[str, ...] = (".m4a",)
    level: levels.Level = field(default_factory=levels.Level)
    asr: bool = False
    heard_title: str = ""  # what is said as the title; empty: nothing
    speakers: Labels | None = None  # of dialogue, by a language model; None: by rules

    @property
    def key(self) -> str:
        """Of the text and all that decides how it sounds."""
        decides: dict[str, Any] = {
            "title": self.heard_title,
            "blocks": [[block.kind, block.text] for block in self.blocks],
            "manner": self.manner.facts,
            "level": dataclasses.asdict(self.level),
            "suffixes": list(self.suffixes),
            "asr": self.asr,
        }
        if self.speakers is not None:
            decides["speakers"] = self.speakers
        return asset_key("chapter text", VERSION, decides)

    @property
    def note(self) -> Path:
        return Path(self.folder, "texts", f"{self.key}.json")

    def made(self) -> MadeChapter | None:
        """The chapter as it was made before, None if it is not (wholly) there."""
        try:
            data = json.loads(self.note.read_text("utf-8"))
            made = MadeChapter(self.folder, self.number, **data)
        except (OSError, ValueError, TypeError):
            return None
        files = (made.file(suffix) for suffix in self.suffixes)
        return made if all(path.is_file() for path in files) else None


@dataclass(frozen=True)
class MadeChapter:
    """What is known of a made chapter. `sentences` are [block, text, start_s, end_s] in order.

    `faults` are [block, text, what is wrong]; `spoken` counts sentences that were made now, `kept`
    those that were there.
    """

    folder: str
    number: int
    sound: str
    sample_rate: int
    samples: int
    rms_db: float
    peak_db: float
    lufs: float
    sentences: Sequence[Sequence[Any]]
    faults: Sequence[Sequence[Any]]
    spoken: int = 0
    kept: int = 0

    @property
    def duration_s(self) -> float:
        return self.samples / self.sample_rate

    def file(self, suffix: str) -> Path:
        return Path(self.folder, "chapters", f"{self.sound}{suffix}")


def make_chapter(
    work: ChapterWork, voices: Mapping[str, Any], on_sentence: OnSentence = lambda done, total: None
) -> MadeChapter:
    """Make a chapter, or what of it is not there.

    Raises NotNow where another run makes it, and UserError for a full disk.
    """
    from filelock import FileLock, Timeout

    folder = Path(work.folder)
    lock = FileLock(folder / "locks" / f"{work.key}.lock", timeout=0)
    try:
        for part in ("locks", "texts", "chapters", "sentences"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        with lock:
            made = work.made() or _make(work, voices, on_sentence)
    except Timeout as error:
        raise NotNow(work.key) from error
    except OSError as error:
        if error.filename in (None, str(folder)) or str(error.filename).startswith(str(folder)):
            raise cannot_write(folder, error) from error
        raise
    return made


def _make(work: ChapterWork, voices: Mapping[str, Any], on_sentence: OnSentence) -> MadeChapter:
    planned = list(_planned(work, voices))
    sentences = [part for part in planned if isinstance(part, Sentence)]
    faults = [[p.block, p.text[:120], p.reason] for p in planned if isinstance(p, Unreadable)]
    speaker = _Speaker(work, voices)
    packs = Packs(Path(work.folder, "sentences"))
    packs.refresh()
    with packs.writer(work.key) as writer:
        todo = list({s.key: s for s in sentences if s.key not in packs}.values())
        done = len(sentences) - len(todo)
        for batch in speaker.batches(todo):
            on_sentence(done, len(sentences))
            speaker.speak_all(batch, writer)
            done += len(batch)
    for s in sentences:
        faults += [[s.block, s.text[:120], fault] for fault in packs.faults(s.key)]
    rate = _sample_rate(work, voices)
    sound = _Sound(work, sentences, packs, speaker, rate)
    made = sound.encode(faults)
    write_text(work.note, json.dumps(_facts(made), ensure_ascii=False))
    on_sentence(len(sentences), len(sentences))
    return made


def _planned(work: ChapterWork, voices: Mapping[str, Any]) -> Iterator[Sentence | Unreadable]:
    return plan_chapter(work.heard_title, work.blocks, work.manner, voices, work.speakers)


def _facts(made: MadeChapter) -> dict[str, Any]:
    facts = dataclasses.asdict(made)
    for name in ("folder", "number", "spoken", "kept"):  # not of the chapter but of this run
        facts.pop(name)
    return facts


def _sample_rate(work: ChapterWork, voices: Mapping[str, Any]) -> int:
    voice, _ = speaker_of(voices, work.manner.voice)
    return int(voice.sample_rate)


# ---------------------------------------------------------------- speaking


@dataclass
class _Speaker:
    """Speaks sentences, listens to them, and keeps them."""

    work: ChapterWork
    voices: Mapping[str, Any]
    spoken: int = 0

    def batches(self, sentences: Sequence[Sentence]) -> Iterator[Sequence[Sentence]]:
        """Sentences to be spoken together: one by one on a CPU, which gains nothing from more,
        else of one voice and about one length, so that little is padded."""
        device = str(getattr(next(iter(self.voices.values())), "device", "cpu"))
        size = BATCHES.get(device.partition(":")[0], 1)
        if size == 1:
            yield from ([sentence] for sentence in sentences)
            return
        alike = sorted(sentences, key=lambda s: (s.spec, len(s.utterance.symbols)))
        for _, group in groupby(alike, key=lambda s: s.spec):
            of_voice = list(group)
            for start in range(0, len(of_voice), size):
                yield of_voice[start : start + size]

    def speak_all(self, sentences: Sequence[Sentence], writer: PackWriter) -> None:
        """Speak and keep sentences of one voice, in one pass; those with faults again, alone."""
        if len(sentences) == 1:
            self.speak(sentences[0], writer)
            return
        for sentence, speech in zip(sentences, self._together(sentences), strict=True):
            if speech.unknown or not self._listen(sentence, speech.audio).fine:
                self.speak(sentence, writer)
                continue
            writer.add(sentence.key, speech.audio.samples, speech.audio.sample_rate)
            self.spoken += 1

    def _together(self, sentences: Sequence[Sentence]) -> list[Any]:
        manner = self.work.manner
        voice, speaker = speaker_of(self.voices, sentences[0].spec)
        planned = voice.plan_utterances(
            [sentence.utterance for sentence in sentences],
            speaker=speaker,
            speed=sentences[0].speed,
            noise=manner.noise,
            noise_duration=manner.noise_duration,
            seed=manner.seed,
        )
        return list(voice.speak_planned(planned))

    def speak(self, sentence: Sentence, writer: PackWriter) -> None:
        best: tuple[int, Audio, Heard] | None = None
        unknown: tuple[str, ...] = ()
        for attempt in range(TRIES):
            audio, unknown = self._once(sentence, attempt)
            heard = self._listen(sentence, audio)
            if best is None or len(heard.faults) < len(best[2].faults):
                best = attempt, audio, heard
            if heard.fine:
                break
        assert best is not None
        _, audio, heard = best
        faults = [*heard.faults, *([f"not spoken: {' '.join(unknown)}"] if unknown else [])]
        writer.add(sentence.key, audio.samples, audio.sample_rate, faults)
        self.spoken += 1

    def _once(self, sentence: Sentence, attempt: int) -> tuple[Audio, tuple[str, ...]]:
        manner = self.work.manner
        voice, speaker = speaker_of(self.voices, sentence.spec)
        speech = next(
            voice.speak_utterances(
                [sentence.utterance],
                speaker=speaker,
                speed=sentence.speed,
                noise=manner.noise,
                noise_duration=manner.noise_duration,
                seed=manner.seed + attempt,
            )
        )
        return speech.audio, speech.unknown

    def _listen(self, sentence: Sentence, audio: Audio) -> Heard:
        language = sentence.utterance.language
        recogniser = None
        if self.work.asr:
            from pipelines.evaluate import recogniser as find

            recogniser = find(language)
        return listen(
            audio,
            sentence.utterance.symbols,
            speed=sentence.speed,
            text=sentence.text,
            language=language,
            recogniser=recogniser,
        )


# ---------------------------------------------------------------- encoding


@dataclass
class _Sound:
    """The chapter's sound: sentences with their silences, levelled, encoded."""

    work: ChapterWork
    sentences: Sequence[Sentence]
    packs: Packs
    speaker: _Speaker
    rate: int
    times: list[list[Any]] = field(default_factory=list)
    samples: int = 0

    @property
    def key(self) -> str:
        decides = {
            "sentences": [[s.key, s.pause_s, s.block, s.text] for s in self.sentences],
            "level": dataclasses.asdict(self.work.level),
            "rate": self.rate,
            "bit_rates": [[suffix, BIT_RATES[suffix]] for suffix in self.work.suffixes],
        }
        return asset_key("chapter", VERSION, decides)

    def encode(self, faults: Sequence[Sequence[Any]]) -> MadeChapter:
        folder = Path(self.work.folder, "chapters")
        paths = [folder / f"{self.key}{suffix}" for suffix in self.work.suffixes]
        raw = temporary_name(folder / f"{self.key}.wav")
        try:
            with AudioWriter(raw, self.rate) as writer:
                for piece in self._pieces():
                    writer.write(piece)
            meter = self._encode_levelled(raw, paths)
        finally:
            raw.unlink(missing_ok=True)
        return MadeChapter(
            folder=self.work.folder,
            number=self.work.number,
            sound=self.key,
            sample_rate=self.rate,
            samples=self.samples,
            rms_db=round(meter.rms_db, 2),
            peak_db=round(meter.peak_db, 2),
            lufs=round(meter.lufs, 2),
            sentences=self.times,
            faults=[*map(list, faults)],
            spoken=self.speaker.spoken,
            kept=len(self.sentences) - self.speaker.spoken,
        )

    def _encode_levelled(self, raw: Path, paths: Sequence[Path]) -> levels.Meter:
        from contextlib import ExitStack

        meter = levels.Meter(self.rate)
        with ExitStack() as stack:
            writers = [
                stack.enter_context(AudioWriter(p, self.rate, bit_rate=BIT_RATES[p.suffix]))
                for p in paths
            ]
            for piece in meter.through(levels.levelled(raw, self.work.level)):
                for writer in writers:
                    writer.write(piece)
        return meter

    def _pieces(self) -> Iterator[Samples]:
        """The whole chapter, sentence by sentence; when each was is noted in `times`."""
        yield self._silence(LEAD_S)
        for sentence in self.sentences:
            samples = self._read(sentence)
            start = self.samples
            self.samples += len(samples)
            yield samples
            rate = self.rate
            self.times.append(
                [
                    sentence.block,
                    sentence.text,
                    round(start / rate, 4),
                    round(self.samples / rate, 4),
                ]
            )
            yield self._silence(sentence.pause_s)
        yield self._silence(TAIL_S)

    def _silence(self, seconds: float) -> Samples:
        count = round(seconds * self.rate)
        self.samples += count
        return np.zeros(count, np.float32)

    def _read(self, sentence: Sentence) -> Samples:
        samples = self.packs.read(sentence.key)
        if samples is None:  # damaged on the disk since it was written
            with self.packs.writer(self.work.key) as writer:
                self.speaker.speak(sentence, writer)
            samples = self.packs.read(sentence.key)
            assert samples is not None, "what was just written can be read"
        voice, _ = speaker_of(self.speaker.voices, sentence.spec)
        if voice.sample_rate == self.rate:
            return samples
        from vits.audio import resample

        return resample(Audio(samples, voice.sample_rate), self.rate).samples
