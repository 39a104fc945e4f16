"""Is a data set enough, and what would help most: the verdict on the whole."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from data.making import Record
from data.people import OTHER_PERSON
from data.transcribe import NO_WORDS

ENOUGH_S, GOOD_S = 120.0, 300.0  # of clean speech of one person
FEWEST_CLIPS = 20
QUIET_DB, REVERBERANT_S, NARROW_HZ = 28.0, 0.6, 7000
OFTEN = 0.2  # share of the clips from which a fault is worth a word


def advise(records: Sequence[Record]) -> list[str]:
    """Sentences, the weightiest first: the verdict on each speaker, then what to do."""
    used = [record for record in records if record.verdict != "drop"]
    people: dict[str, list[Record]] = defaultdict(list)
    for record in used:
        people[record.speaker].append(record)
    lines = [_verdict(name, own, len(people) > 1) for name, own in sorted(people.items())]
    sounding = [record for record in records if record.wav]
    return lines + [line for line in _faults(used, sounding) if line]


def _verdict(name: str, records: Sequence[Record], several: bool) -> str:
    seconds = sum(record.used_s for record in records)
    who = f"{name}: " if several else ""
    amount = f"{len(records)} clips, {_minutes(seconds)} of speech"
    if seconds >= GOOD_S:
        return f"{who}{amount}: plenty."
    if seconds >= ENOUGH_S and len(records) >= FEWEST_CLIPS:
        return f"{who}{amount}: enough. More, up to {GOOD_S / 60:.0f} minutes, makes it better."
    missing = max(1, math.ceil((ENOUGH_S - seconds) / 60))
    more = f"record {missing} more minute{'s' if missing > 1 else ''}"
    if seconds >= ENOUGH_S:
        more = f"{FEWEST_CLIPS} clips are better than a few long ones"
    return f"{who}{amount}: not enough yet; {more} (clone-voice script prints what to read)."


def _faults(used: Sequence[Record], sounding: Sequence[Record]) -> Iterable[str]:
    if not used:
        return
    wordless = sum(NO_WORDS in record.reason for record in used)
    if wordless:
        yield f"{wordless} clips have no words, so they teach nothing: write them (--review)."
    if np.median([record.snr_db for record in used]) < QUIET_DB:
        yield "The recordings are noisy: go closer to the microphone, and turn off what hums."
    rooms = [record.reverberation_s for record in used if record.reverberation_s]
    if rooms and np.median(rooms) > REVERBERANT_S:
        yield "The room sounds on: record where there are curtains, carpets and cushions."
    if np.median([record.bandwidth_hz for record in used]) < NARROW_HZ:
        yield "The sound is that of a telephone: record with an app that keeps high sounds."
    if _share(sounding, "clipped") > OFTEN:
        yield "Many clips are too loud and cut off: turn the recording level down."
    if _share(sounding, OTHER_PERSON) > OFTEN:
        yield "Others speak in a good part of it: record one person alone."
    if _share(sounding, "fit its transcript") > OFTEN:
        yield "Many texts do not fit what is said: read them again beside the sound (--review)."
    if _share(sounding, "without a pause") > OFTEN:
        yield "There are few pauses to cut at: leave a second of silence between sentences."


def _share(records: Sequence[Record], words: str) -> float:
    return sum(words in record.reason for record in records) / max(1, len(records))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"
