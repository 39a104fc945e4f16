"""Every second of every recording: what it was, and what became of it.

A recording is divided without gaps into shares: the pieces that are used, those that are not and
why, and between them silence, or sound in which nobody speaks. The shares of a recording add up to
its length by construction, and `check` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data.making import Record
from data.people import OTHER_PERSON
from data.speech import Span

USED, DOUBT, SILENCE, NO_SPEECH, OTHER_SPEAKER, REJECTED = (
    "used",
    "used with doubt",
    "silence",
    "no speech",
    "other speaker",
    "rejected",
)
UNREADABLE = "cannot be read"
KINDS = (USED, DOUBT, SILENCE, NO_SPEECH, OTHER_SPEAKER, REJECTED)


@dataclass(frozen=True)
class Share:
    """From `start_s` to `end_s` of a recording, and what became of it."""

    start_s: float
    end_s: float
    kind: str
    reason: str = ""

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def shares(seconds: float, records: Iterable[Record], sounding: Sequence[Span]) -> list[Share]:
    """The whole recording in order. `sounding`: where it is loud though nobody speaks."""
    result: list[Share] = []
    now = 0.0
    for record in sorted(records, key=lambda record: record.start_s):
        start_s, end_s = min(record.start_s, seconds), min(record.end_s, seconds)
        kept = record.verdict != "drop" and record.kept_end_s > record.kept_start_s
        if kept:
            start_s, end_s = record.kept_start_s, min(record.kept_end_s, seconds)
        start_s = max(start_s, now)
        result += _between(now, start_s, sounding)
        if end_s > start_s:
            result.append(Share(start_s, end_s, _kind(record), record.reason))
            now = end_s
    return [*result, *_between(now, seconds, sounding)]


def _kind(record: Record) -> str:
    if record.verdict != "drop":
        return USED if record.verdict == "use" else DOUBT
    return OTHER_SPEAKER if record.reason.startswith(OTHER_PERSON) else REJECTED


def _between(start_s: float, end_s: float, sounding: Sequence[Span]) -> list[Share]:
    """Silence, with the sounds in it."""
    result, now = [], start_s
    for span in sounding:
        begin, end = max(now, span.start_s), min(end_s, span.end_s)
        if end <= begin:
            continue
        result += [Share(now, begin, SILENCE)] if begin > now else []
        result.append(Share(begin, end, NO_SPEECH, "music, noise or something else"))
        now = end
    return [*result, Share(now, end_s, SILENCE)] if end_s > now else result


def check(seconds: float, found: Sequence[Share]) -> None:
    """Assert that the shares are the recording: no gap, no overlap, from beginning to end."""
    now = 0.0
    for share in found:
        assert abs(share.start_s - now) < 1e-6, (share, now)
        assert share.end_s >= share.start_s, share
        now = share.end_s
    assert abs(now - seconds) < 1e-6, (now, seconds)


def totals(found: Iterable[Share]) -> dict[str, float]:
    """Seconds of each kind, to the millisecond."""
    sums = dict.fromkeys(KINDS, 0.0)
    for share in found:
        sums[share.kind] += share.seconds
    return {kind: round(value, 3) for kind, value in sums.items()}
