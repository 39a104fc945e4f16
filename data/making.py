"""One clip of a dataset: its sound checked, cleaned and written, and a record of all that.

The output folder is a workshop while it is made: every record goes into a journal at once, so that
a kill loses the clip in work, and what an earlier run made is kept where its source is the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from data import checks
from data.checks import Check, Measures, Verdict
from data.cleaning import Cleaned, cleaned
from data.clips import ASIDE, REPORT, WAVS
from data.intake import Found
from vits.audio import Audio, read_audio, write_audio
from vits.errors import UserError
from vits.files import cannot_write

log = logging.getLogger(__name__)

VERSION = 2  # of what is done to a clip: raise it when the result changes
RESAMPLER_SLOPE = 0.96
DEFAULT_SPEAKER = "speaker"
JOURNAL = ".journal.jsonl"
WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$", re.I)


@dataclass(frozen=True)
class Record:
    """What became of one source, as the report and the journal keep it."""

    key: str  # hash of all that decides the rest
    source: str
    text: str
    language: str
    verdict: Verdict
    reason: str
    wav: str = ""
    sha256: str = ""
    seconds: float = 0.0
    source_rate: int = 0
    source_seconds: float = 0.0
    loudness_lufs: float = 0.0
    snr_db: float = 0.0
    clipped: float = 0.0
    bandwidth_hz: int = 0
    letters_per_second: float = 0.0
    speaker: str = DEFAULT_SPEAKER
    # a piece of a longer recording: its span there, and the part of it that was kept
    recording: str = ""
    start_s: float = 0.0
    end_s: float = 0.0
    kept_start_s: float = 0.0
    kept_end_s: float = 0.0
    # what its sound alone says, before words, speakers and other clips are looked at
    sound_verdict: Verdict = "use"
    sound_reason: str = ""
    cleaning: str = ""  # what was done about noise, or why not
    reverberation_s: float = 0.0
    speaking_rate: float = 0.0  # letters in a second of speech, without the pauses
    similarity: float | None = None  # to the main speaker
    confidence: float | None = None  # of the words: the recogniser's or the alignment's
    words_from: str = ""
    # what a person cut off its ends; the uncut sound stays aside
    cut_wav: str = ""
    cut_start_s: float = 0.0
    cut_end_s: float = 0.0

    @property
    def used_wav(self) -> str:
        """The sound that counts."""
        return self.cut_wav or self.wav

    @property
    def used_s(self) -> float:
        """Seconds of it."""
        return self.cut_end_s - self.cut_start_s if self.cut_wav else self.seconds


# ---------------------------------------------------------------- one clip


class Suppression(Protocol):
    """Takes noise out of a clip, or says why it did not (see `data.suppression`)."""

    @property
    def name(self) -> str: ...

    def __call__(self, audio: Audio) -> tuple[Audio, str]: ...


class Workshop:
    """The output folder while it is made: names given, sources seen, results kept."""

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.folder, self.sample_rate = folder, sample_rate
        self.known = {record.key: record for record in self._kept()}
        self.before = {record.wav for record in self.known.values() if record.wav}
        self.names: set[str] = set()
        self.seen: dict[str, str] = {}  # hash of a recording -> the name it came by first

    def prepare(self, found: Found) -> tuple[Record, bool]:
        """The record of one clip, and whether an earlier run had made it."""
        name = self._wav_name(found.name)
        try:
            content = file_hash(found.path)
        except OSError as error:
            return _dropped("", found, f"cannot be read ({error.strerror})"), False
        decides = [VERSION, content, name, found.text, found.language, self.sample_rate]
        key = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
        first = self.seen.setdefault(content, found.name)
        if first != found.name:
            return _dropped(key, found, f"is the same recording as {first}"), False
        speaker = found.speaker or DEFAULT_SPEAKER
        record = self.known.get(key)
        if record and self._is_there(record):
            return replace(record, source=found.name, speaker=speaker), True
        record = replace(self._make(key, found, name), speaker=speaker)
        self._append(record)
        return record, False

    def make_piece(
        self,
        found: Found,
        content: str,
        span: tuple[float, float],
        doubt: str,
        read: Callable[[], Audio],
        *,
        whole: bool,
        suppress: Suppression | None = None,
    ) -> tuple[Record, bool]:
        """The record of a piece of a recording, by its sound alone, and whether it was there.

        `content` is the hash of the recording, `span` where the piece lies (`whole`: all of it),
        and `read` gives its sound if it is needed.
        """
        stem = str(PurePosixPath(found.name).with_suffix(""))
        name = self._wav_name(
            f"{stem}.wav" if whole else f"{stem[-50:]}-{span[0]:08.2f}".replace(".", "_") + ".wav"
        )
        how = suppress.name if suppress else ""
        decides = [VERSION, content, name, [*span], doubt, self.sample_rate, how]
        key = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
        record = self.known.get(key)
        if record and self._is_there(record):
            made = True
            record = replace(record, verdict=record.sound_verdict, reason=record.sound_reason)
        else:
            made, record = False, self._piece(key, found, name, span, doubt, read(), suppress)
            self._append(record)
        label = found.name if whole else f"{found.name} at {clock(span[0])}"
        return replace(
            record,
            source=label,
            text=found.text,
            language=found.language,
            speaker=found.speaker or DEFAULT_SPEAKER,
            recording=found.name,
            similarity=None,
            confidence=None,
            words_from="",
        ), made

    def _piece(
        self,
        key: str,
        found: Found,
        name: str,
        span: tuple[float, float],
        doubt: str,
        audio: Audio,
        suppress: Suppression | None,
    ) -> Record:
        blank = replace(
            _dropped(key, found, ""), start_s=span[0], end_s=span[1], sound_verdict="drop"
        )
        if not len(audio.samples):
            return replace(blank, reason="holds no sound", sound_reason="holds no sound")
        measures = checks.measure(audio)
        check = checks.together([checks.check_sound(measures), checks.check_room(measures)])
        if check.verdict == "drop":
            return replace(blank, reason=check.reason, sound_reason=check.reason)
        how = ""
        if suppress:
            audio, how = suppress(audio)
        made = cleaned(audio, self.sample_rate)
        cut = [Check("doubt", doubt)] if doubt else []
        check = checks.together([check, *cut, checks.check_length(made.audio.duration_s)])
        if check.verdict == "drop":
            return replace(blank, reason=check.reason, sound_reason=check.reason)
        record = self._written(key, found, name, audio, measures, made, check)
        return replace(
            record,
            start_s=span[0],
            end_s=span[1],
            kept_start_s=round(span[0] + made.start_s, 3),
            kept_end_s=round(min(span[1], span[0] + made.end_s), 3),
            cleaning=how,
        )

    def _make(self, key: str, found: Found, name: str) -> Record:
        text_check = checks.check_text(found.text, found.language)
        if text_check.verdict == "drop":
            return _dropped(key, found, text_check.reason)
        try:
            audio = read_audio(found.path)
        except UserError as error:
            return _dropped(key, found, error.cause.removeprefix(f"{found.path} ").rstrip("."))
        if audio.duration_s > checks.RECORDING_S:
            minutes = f"{audio.duration_s / 60:.0f} minutes"
            return _dropped(key, found, f"is a recording of {minutes}, not a clip")
        measures = checks.measure(audio)
        sound_check = checks.check_sound(measures)
        if sound_check.verdict == "drop":
            return _dropped(key, found, sound_check.reason)
        made = cleaned(audio, self.sample_rate)
        fit = checks.check_cleaned(found.text, found.language, made.audio.duration_s)
        check = checks.together([text_check, sound_check, fit])
        if check.verdict == "drop":
            return _dropped(key, found, check.reason)
        return self._written(key, found, name, audio, measures, made, check)

    def _written(
        self,
        key: str,
        found: Found,
        name: str,
        audio: Audio,
        measures: Measures,
        made: Cleaned,
        check: Check,
    ) -> Record:
        """Write the clip; its record."""
        path = self.folder / WAVS / name
        write_audio(path, made.audio)
        rate = checks.letters_per_second(found.text, made.audio.duration_s)
        return Record(
            key=key,
            source=found.name,
            text=found.text,
            language=found.language,
            verdict=check.verdict,
            reason=check.reason,
            wav=f"{WAVS}/{name}",
            sha256=file_hash(path),
            seconds=round(made.audio.duration_s, 3),
            source_rate=audio.sample_rate,
            source_seconds=round(audio.duration_s, 3),
            loudness_lufs=round(measures.loudness_lufs, 1),
            snr_db=round(measures.snr_db, 1),
            clipped=round(measures.clipped, 5),
            bandwidth_hz=self._bandwidth_hz(measures.bandwidth_hz),
            letters_per_second=round(rate, 1),
            sound_verdict=check.verdict,
            sound_reason=check.reason,
            reverberation_s=round(measures.reverberation_s, 2),
        )

    def _bandwidth_hz(self, measured: int) -> int:
        """That of the source, within the new rate; a resampler's own slope is not a loss."""
        half = self.sample_rate // 2
        return measured if measured < RESAMPLER_SLOPE * half else half

    def _wav_name(self, name: str) -> str:
        """A name for the clip that every file system takes, and no other clip has."""
        stem = unicodedata.normalize("NFC", re.sub(r"\.[^./]*$", "", name))
        stem = re.sub(r"[^\w-]+", "_", stem).strip("_")[:60] or "clip"
        stem = f"{stem}_" if WINDOWS_NAMES.match(stem) else stem
        number, unique = 2, stem
        while unique.casefold() in self.names:
            number, unique = number + 1, f"{stem}-{number}"
        self.names.add(unique.casefold())
        return f"{unique}.wav"

    def _is_there(self, record: Record) -> bool:
        if not record.wav:
            return True
        path = sound_path(self.folder, record)
        return path.is_file() and file_hash(path) == record.sha256

    def _kept(self) -> Iterator[Record]:
        """Records of the last whole run and of one that was killed since."""
        for name in (REPORT, JOURNAL):
            path = self.folder / name
            if not path.is_file():
                continue
            try:
                text = path.read_text(encoding="utf-8")
                lines: list[Any] = (
                    json.loads(text)["records"] if name == REPORT else text.splitlines()
                )
            except (OSError, ValueError, KeyError, TypeError):
                log.warning("%s cannot be read and is made again", path)
                continue
            for line in lines:
                try:
                    yield Record(**(json.loads(line) if isinstance(line, str) else line))
                except (ValueError, TypeError):  # cut off by a kill, or of another version
                    continue

    def _append(self, record: Record) -> None:
        path = self.folder / JOURNAL
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", newline="\n") as file:
                # the newline first: it parts the line from one that a kill cut off
                file.write("\n" + json.dumps(asdict(record)))
        except OSError as error:
            raise cannot_write(path, error) from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sound_path(folder: Path, record: Record) -> Path:
    """Where the sound of a record is now: among the clips that are used, or aside."""
    path = folder / record.wav
    places = (path, folder / WAVS / path.name, folder / ASIDE / path.name)
    return next((place for place in places if place.is_file()), path)


def clock(seconds: float) -> str:
    """A place in a recording: 3:05.2, 1:02:03.4."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def _dropped(key: str, found: Found, reason: str) -> Record:
    return Record(key, found.name, found.text, found.language, "drop", reason)
