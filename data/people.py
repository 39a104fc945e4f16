"""Who speaks in which clip: the main speaker is found, and other people's clips are set aside.

Every clip has a speaker-verification embedding (`data.speaker`). The main speaker is where most
seconds of speech lie close together; a clip whose similarity to the centre of theirs is below
`OTHERS_BELOW` is another person's. The threshold was chosen on nine speakers of three corpora
against 740 clips of others (`python -m bench people` measures it again): of their own clips of 1.5
to 10 s none lies below 0.78, of other people's 0.6 % lie above 0.76.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.checks import Check
from data.events import OnStage, StageEvent
from data.kept import Kept
from data.making import DEFAULT_SPEAKER, Record, sound_path
from data.speaker import EMBEDDING_SIZE, centroid, hear_clips, similarity
from data.transcribe import with_check
from vits.audio import read_audio

OTHERS_BELOW, DOUBT_BELOW = 0.75, 0.78
CLOSE = 0.80  # two clips this similar are taken for one person's when the main speaker is sought
SAME_PERSON = 0.88  # of the centres of two folders
FEWEST_TO_JUDGE = 4
CHUNK = 64
DIGITS = 4
OTHER_PERSON = "is another speaker"
# log-odds that two people speak at once (`data.overlap`)
TWO_AT_ONCE, PERHAPS_TWO = 2.0, 0.5
HEARING = 2  # version of what is heard of a clip

Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class Voices:
    """The embeddings (N, 256) of N clips that have sound, and how much each sounds like two."""

    records: tuple[Record, ...]
    vectors: Embeddings
    overlaps: tuple[float, ...]

    def of(self, records: Sequence[Record]) -> Voices:
        """The same of those records, by key, that are still used, as they are now."""
        now = {record.key: record for record in records if record.verdict != "drop"}
        own = [i for i, record in enumerate(self.records) if record.key in now]
        return Voices(
            tuple(now[self.records[i].key] for i in own),
            self.vectors[own],
            tuple(self.overlaps[i] for i in own),
        )


def tell_apart(
    records: Sequence[Record],
    folder: Path,
    kept: Kept,
    layout: str,
    speaker: str,
    tell: OnStage,
) -> tuple[list[Record], list[str]]:
    """The records with their speakers settled, and notes for the report.

    Clips of other people are dropped with a reason; where the files say who speaks, each speaker's
    are looked at by themselves. With `speaker` 'all' nobody is set aside.
    """
    if speaker not in ("auto", "one", "all", "folders", "names"):
        records = [replace(record, speaker=speaker) for record in records]
    voices = _voices(records, folder, kept, tell)
    alone = {
        r.key: _alone(r, value) for r, value in zip(voices.records, voices.overlaps, strict=True)
    }
    records = [alone.get(record.key, record) for record in records]
    if speaker == "all":
        return records, []
    voices = voices.of(records)
    notes: list[str] = []
    if layout in ("folders", "names") and speaker == "auto":
        records, notes = _merged(records, voices)
        voices = voices.of(records)
    judged: dict[str, Record] = {}
    for name in sorted({record.speaker for record in voices.records}):
        own = [i for i, record in enumerate(voices.records) if record.speaker == name]
        judged |= _judged([voices.records[i] for i in own], voices.vectors[own])
    return [judged.get(record.key, record) for record in records], notes


def _voices(records: Sequence[Record], folder: Path, kept: Kept, tell: OnStage) -> Voices:
    sounding = tuple(record for record in records if record.wav and record.verdict != "drop")
    vectors: list[Any] = []
    overlaps: list[float] = []
    for start in range(0, len(sounding), CHUNK):
        tell(StageEvent("voices", start, len(sounding), "clips"))
        chunk = sounding[start : start + CHUNK]

        def make(chunk: Sequence[Record] = chunk) -> list[list[float]]:
            found = hear_clips([read_audio(sound_path(folder, r)) for r in chunk], most_windows=4)
            rows = [[*one.embedding, one.overlap] for one in found]
            return [[round(float(x), DIGITS) for x in row] for row in rows]

        made = kept.get_or_make("voices", [HEARING, *(record.sha256 for record in chunk)], make)
        vectors += [row[:-1] for row in made]
        overlaps += [row[-1] for row in made]
    tell(StageEvent("voices", len(sounding), len(sounding), "clips"))
    found = np.array(vectors, np.float32).reshape(len(sounding), EMBEDDING_SIZE)
    return Voices(sounding, found, tuple(overlaps))


def main_speaker(vectors: Embeddings, seconds: NDArray[np.float64]) -> Embeddings:
    """The centre (256,) of the person who speaks most: (N, 256), (N,) -> (256,).

    It starts at the clip with the most seconds of similar clips around it, and moves to the centre
    of what is close to it until it stays.
    """
    close = vectors @ vectors.T >= CLOSE
    centre = vectors[int((close @ seconds).argmax())]
    members = np.zeros(len(vectors), bool)
    for _ in range(20):
        before, members = members, similarity(vectors, centre) >= OTHERS_BELOW
        if not members.any() or (members == before).all():
            break
        centre = centroid(vectors[members])
    return centre


def _judged(records: Sequence[Record], vectors: Embeddings) -> dict[str, Record]:
    if len(records) < FEWEST_TO_JUDGE:
        return {}
    seconds = np.array([record.seconds for record in records])
    similarities = similarity(vectors, main_speaker(vectors, seconds))
    return {
        record.key: with_check(replace(record, similarity=round(float(value), 3)), _check(value))
        for record, value in zip(records, similarities, strict=True)
    }


def _alone(record: Record, overlap: float) -> Record:
    """The record, less good where it sounds as if two people spoke at once."""
    if overlap >= TWO_AT_ONCE:
        return with_check(record, Check("drop", "holds two people who speak at once"))
    if overlap >= PERHAPS_TWO:
        return with_check(record, Check("doubt", "may hold two people who speak at once"))
    return record


def _check(value: float) -> Check:
    if value < OTHERS_BELOW:
        return Check("drop", f"{OTHER_PERSON} (similarity {value:.2f} to the main one)")
    if value < DOUBT_BELOW:
        return Check("doubt", f"may be another speaker (similarity {value:.2f})")
    return Check()


def _merged(records: Sequence[Record], voices: Voices) -> tuple[list[Record], list[str]]:
    """Folders or names that sound like one person are put together, and a note says so."""
    names = sorted({record.speaker for record in voices.records})
    centres = {}
    for name in names:
        own = [i for i, record in enumerate(voices.records) if record.speaker == name]
        seconds = np.array([voices.records[i].seconds for i in own])
        centres[name] = main_speaker(voices.vectors[own], seconds)
    if len(names) < 2:
        return list(records), []
    first = names[0]
    if any(float(centres[first] @ centres[name]) < SAME_PERSON for name in names[1:]):
        return list(records), []
    note = (
        f"{', '.join(names[:8])} sound like one person and were put together; "
        "--speaker folders or names keeps them apart."
    )
    return [replace(record, speaker=DEFAULT_SPEAKER) for record in records], [note]
