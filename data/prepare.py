"""A person's recordings -> a dataset folder: find, read, check, clean, write, report.

Everything is decided by the content of the sources, so the same clips give the same bytes. What
was made before is kept where its source has not changed, and a kill loses the clip in work.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data import checks
from data.checks import Verdict
from data.cleaning import clean
from data.clips import (
    MANIFEST,
    METADATA,
    REPORT,
    WAVS,
    Clip,
    write_ljspeech,
    write_manifest,
    write_report,
)
from data.intake import NO_TRANSCRIPT, Dropped, Found, Intake, find_clips, language_code
from vits.audio import AUDIO_SUFFIXES, read_audio, write_audio
from vits.errors import UserError
from vits.files import cannot_write

log = logging.getLogger(__name__)

VERSION = 1  # of what is done to a clip: raise it when the result changes
FEWEST_CLIPS = 2
LEAST_SECONDS = 10.0
REASONS_SHOWN = 3
RESAMPLER_SLOPE = 0.96
DEFAULT_SPEAKER = "speaker"
JOURNAL = ".journal.jsonl"
WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$", re.I)


@dataclass(frozen=True)
class ClipEvent:
    """Progress: one more clip has its verdict. `reused` if it was made in an earlier run."""

    done: int
    total: int
    name: str
    verdict: Verdict
    reason: str
    reused: bool


@dataclass(frozen=True)
class PreparedClips:
    """A dataset folder as it was written. `seconds` and `language` are of the clips in use."""

    folder: Path
    clips: tuple[Clip, ...]
    dropped: tuple[Dropped, ...]
    seconds: float
    language: str


@dataclass(frozen=True)
class _Record:
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


def prepare_clips(
    source: str | Path,
    out_dir: str | Path,
    *,
    sample_rate: int = 22050,
    language: str | None = None,
    on_event: Callable[[ClipEvent], None] | None = None,
) -> PreparedClips:
    """Make a dataset folder of the clips in `source`, in any form that `data.intake` knows.

    `language` is that of clips whose list does not say; without it it is guessed from the text.
    Raises UserError if there are no clips, fewer than two can be used, or less than 10 seconds of
    them (report.json then tells of each), and for an output folder that cannot be written.
    """
    source, out_dir = Path(source), Path(out_dir)
    if source.exists() and out_dir.exists() and source.samefile(out_dir):
        raise UserError(
            f"{source} cannot be both the clips and where they are prepared.",
            "Name another folder for the result.",
        )
    intake = find_clips(source, without=out_dir)
    if not intake.found and not intake.dropped:
        raise _no_clips(source)
    intake = _with_languages(intake, language)
    work = _Work(out_dir, sample_rate)
    records = []
    for done, found in enumerate(intake.found, 1):
        record, reused = work.prepare(found)
        records.append(record)
        if on_event:
            total = len(intake.found)
            event = ClipEvent(done, total, found.name, record.verdict, record.reason, reused)
            on_event(event)
    return _finish(source, work, records, intake.dropped)


def _with_languages(intake: Intake, language: str | None) -> Intake:
    texts = [found.text for found in intake.found if not found.language]
    default = language_code(language) if language else checks.guess_language(texts)
    found = [replace(found, language=found.language or default) for found in intake.found]
    return replace(intake, found=tuple(found))


# ---------------------------------------------------------------- one clip


class _Work:
    """The output folder while it is made: names given, sources seen, results kept."""

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.folder, self.sample_rate = folder, sample_rate
        self.known = {record.key: record for record in self._kept()}
        self.before = {record.wav for record in self.known.values() if record.wav}
        self.names: set[str] = set()
        self.seen: dict[str, str] = {}  # hash of a recording -> the name it came by first

    def prepare(self, found: Found) -> tuple[_Record, bool]:
        """The record of one clip, and whether an earlier run had made it."""
        name = self._wav_name(found.name)
        try:
            content = hashlib.sha256(found.path.read_bytes()).hexdigest()
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

    def _make(self, key: str, found: Found, name: str) -> _Record:
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
        cleaned = clean(audio, self.sample_rate)
        check = checks.together(
            [
                text_check,
                sound_check,
                checks.check_cleaned(found.text, found.language, cleaned.duration_s),
            ]
        )
        if check.verdict == "drop":
            return _dropped(key, found, check.reason)
        path = self.folder / WAVS / name
        write_audio(path, cleaned)
        rate = checks.letters_per_second(found.text, cleaned.duration_s)
        return _Record(
            key=key,
            source=found.name,
            text=found.text,
            language=found.language,
            verdict=check.verdict,
            reason=check.reason,
            wav=f"{WAVS}/{name}",
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            seconds=round(cleaned.duration_s, 3),
            source_rate=audio.sample_rate,
            source_seconds=round(audio.duration_s, 3),
            loudness_lufs=round(measures.loudness_lufs, 1),
            snr_db=round(measures.snr_db, 1),
            clipped=round(measures.clipped, 5),
            bandwidth_hz=self._bandwidth_hz(measures.bandwidth_hz),
            letters_per_second=round(rate, 1),
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

    def _is_there(self, record: _Record) -> bool:
        if record.verdict == "drop":
            return True
        path = self.folder / record.wav
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == record.sha256

    def _kept(self) -> Iterator[_Record]:
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
                    yield _Record(**(json.loads(line) if isinstance(line, str) else line))
                except (ValueError, TypeError):  # cut off by a kill, or of another version
                    continue

    def _append(self, record: _Record) -> None:
        path = self.folder / JOURNAL
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", newline="\n") as file:
                # the newline first: it parts the line from one that a kill cut off
                file.write("\n" + json.dumps(asdict(record)))
        except OSError as error:
            raise cannot_write(path, error) from error


def _dropped(key: str, found: Found, reason: str) -> _Record:
    return _Record(key, found.name, found.text, found.language, "drop", reason)


# ---------------------------------------------------------------- the whole


def _finish(
    source: Path, work: _Work, records: list[_Record], dropped: tuple[Dropped, ...]
) -> PreparedClips:
    folder = work.folder
    used = [record for record in records if record.verdict != "drop"]
    clips = [_clip(folder, record) for record in used]
    seconds = round(sum(clip.seconds for clip in clips), 3)
    rejected = [Dropped(r.source, r.reason, r.text) for r in records if r.verdict == "drop"]
    all_dropped = (*rejected, *dropped)
    languages: Counter[str] = Counter()
    for clip in clips:
        languages[clip.language] += round(1000 * clip.seconds)
    language = languages.most_common(1)[0][0] if languages else ""
    problem = _too_few(source, clips, seconds, all_dropped)
    try:
        for name in (MANIFEST, METADATA) if problem else ():
            (folder / name).unlink(missing_ok=True)  # that of an earlier run is no longer true
        for wav in work.before - {record.wav for record in used}:
            (folder / wav).unlink(missing_ok=True)
        write_report(folder, _report(work, records, all_dropped, seconds, language))
        if not problem:
            write_ljspeech(folder, clips)
            write_manifest(folder, clips)
        (folder / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    if problem:
        raise problem
    return PreparedClips(folder, tuple(clips), all_dropped, seconds, language)


def _clip(folder: Path, record: _Record) -> Clip:
    return Clip(
        path=folder / record.wav,
        text=record.text,
        speaker=record.speaker,
        language=record.language,
        seconds=record.seconds,
        bandwidth_hz=record.bandwidth_hz,
        verdict=record.verdict,
        reason=record.reason,
        source=record.source,
    )


def _report(
    work: _Work,
    records: list[_Record],
    dropped: tuple[Dropped, ...],
    seconds: float,
    language: str,
) -> dict[str, Any]:
    verdicts = Counter(record.verdict for record in records)
    return {
        "version": VERSION,
        "sample_rate": work.sample_rate,
        "language": language,
        "seconds": seconds,
        "clips": {"use": verdicts["use"], "doubt": verdicts["doubt"], "drop": len(dropped)},
        "doubts": [{"name": r.source, "reason": r.reason} for r in records if r.verdict == "doubt"],
        "dropped": [asdict(item) for item in dropped],
        "records": [asdict(record) for record in records],
    }


def _no_clips(source: Path) -> UserError:
    return UserError(
        f"There are no clips in {source}.",
        "Put about 20 recordings of 2 to 10 seconds there "
        f"({' '.join(AUDIO_SUFFIXES[:3])} .mp3 .m4a ...), each with its words in a .txt of the "
        "same name, or a list of them (metadata.csv, manifest.tsv).",
    )


def _too_few(
    source: Path, clips: list[Clip], seconds: float, dropped: tuple[Dropped, ...]
) -> UserError | None:
    if len(clips) >= FEWEST_CLIPS and seconds >= LEAST_SECONDS:
        return None
    if not clips:
        cause = f"None of the clips in {source} can be used"
    elif len(clips) == 1:
        cause = f"Only one clip in {source} can be used, and a voice needs about 20"
    else:
        cause = (
            f"The {len(clips)} clips in {source} that can be used last {seconds:.1f} s in all, "
            f"and a voice needs {LEAST_SECONDS:.0f} s, better two minutes"
        )
    reasons = "; ".join(map(str, dropped[:REASONS_SHOWN]))
    if len(dropped) > REASONS_SHOWN:
        reasons += f"; and {len(dropped) - REASONS_SHOWN} more"
    if dropped and all(item.reason == NO_TRANSCRIPT for item in dropped):
        remedy = "Write the words of each clip into a .txt of the same name."
    else:
        remedy = "Add recordings of 2 to 10 seconds, or mend those that were dropped."
    return UserError(f"{cause}: {reasons}." if reasons else f"{cause}.", remedy)
