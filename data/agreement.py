"""Do the words of a clip and its sound agree: script, pace, alignment; and several takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from data import checks
from data.checks import Check
from data.events import OnStage, StageEvent
from data.kept import Kept
from data.making import Record, sound_path
from data.speech import speech_seconds
from data.transcribe import with_check
from data.words import said
from vits.audio import read_audio

LEAST_SURE, SURE = 0.25, 0.52  # confidence of an alignment (`data.longalign`): other words; perhaps
CHUNK = 64


def agree(records: Sequence[Record], folder: Path, kept: Kept, tell: OnStage) -> list[Record]:
    """The records with their words checked against their sound."""
    used = [record for record in records if record.verdict != "drop" and record.text]
    spoken = _spoken(used, folder, kept, tell)
    checked = {record.key: _checked(record, spoken[record.key]) for record in used}
    return _takes([checked.get(record.key, record) for record in records])


def _spoken(records: Sequence[Record], folder: Path, kept: Kept, tell: OnStage) -> dict[str, float]:
    """Seconds of speech in each clip, without its pauses."""
    seconds: dict[str, float] = {}
    for start in range(0, len(records), CHUNK):
        tell(StageEvent("check", start, len(records), "clips"))
        chunk = records[start : start + CHUNK]

        def make(chunk: Sequence[Record] = chunk) -> list[float]:
            return [round(speech_seconds(read_audio(sound_path(folder, r))), 3) for r in chunk]

        found = kept.get_or_make("spoken", [record.sha256 for record in chunk], make)
        seconds |= {record.key: value for record, value in zip(chunk, found, strict=True)}
    tell(StageEvent("check", len(records), len(records), "clips"))
    return seconds


def _checked(record: Record, spoken_s: float) -> Record:
    rate = checks.letters_per_second(record.text, max(record.seconds, 0.1))
    pace = checks.letters_per_second(record.text, max(spoken_s, 0.1))
    record = replace(record, letters_per_second=round(rate, 1), speaking_rate=round(pace, 1))
    language = record.language or checks.guess_language([record.text])
    record = replace(record, language=language)
    record = with_check(record, checks.check_text(record.text, language))
    record = with_check(record, checks.check_fit(record.text, language, record.seconds))
    return with_check(record, _aligned(record))


def _aligned(record: Record) -> Check:
    if record.words_from not in ("transcript", "subtitles") or record.confidence is None:
        return Check()
    if record.confidence < LEAST_SURE:
        return Check("drop", f"does not fit its transcript (alignment {record.confidence:.0%})")
    if record.confidence < SURE:
        return Check("doubt", f"may not fit its transcript (alignment {record.confidence:.0%})")
    return Check()


def _takes(records: Sequence[Record]) -> list[Record]:
    """Of several takes of one sentence the cleanest is used without doubt."""
    takes: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.verdict != "drop" and record.text:
            key = (record.speaker, said(record.text, record.language))
            takes.setdefault(key, []).append(record)
    doubts = {}
    for group in takes.values():
        best = int(np.argmax([(r.verdict == "use") * 100 + r.snr_db for r in group]))
        for index, record in enumerate(group):
            if index != best:
                check = Check("doubt", f"is another take of {group[best].source}")
                doubts[record.key] = with_check(record, check)
    return [doubts.get(record.key, record) for record in records]
