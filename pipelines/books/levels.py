"""How loud a book is: the targets that publishers ask for, and what was measured in the end.

ACX asks for -23 to -18 dB RMS, peaks under -3 dB and noise under -60 dB; podcasts and most players
expect -18 LUFS (ITU-R BS.1770-4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media import loudness
from vits.errors import UserError
from vits.loudness import Meter as LoudnessMeter

ACX_RMS_DB, ACX_CEILING_DBTP = -20.0, -3.5
ACX_RMS_RANGE_DB = (-23.0, -18.0)
QUIETEST, LOUDEST = -35.0, -10.0  # LUFS that may be asked for

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """A target. `acx` is ACX's RMS, else `lufs`."""

    lufs: float = loudness.TARGET_LUFS
    acx: bool = False

    @property
    def ceiling_dbtp(self) -> float:
        return ACX_CEILING_DBTP if self.acx else loudness.CEILING_DBTP


def parse_level(text: str) -> Level:
    """'acx', or LUFS as '-18'. UserError for anything else."""
    if text.strip().lower() == "acx":
        return Level(acx=True)
    try:
        lufs = float(text)
    except ValueError:
        lufs = math.nan
    if not QUIETEST <= lufs <= LOUDEST:
        raise UserError(
            f"A loudness of {text!r} cannot be.",
            f"Give acx, or LUFS from {QUIETEST:.0f} to {LOUDEST:.0f}, such as -18.",
        )
    return Level(lufs)


@dataclass
class Meter:
    """What passes through, measured."""

    sample_rate: int
    sum_squares: float = 0.0
    count: int = 0
    peak: float = 0.0
    _loudness: LoudnessMeter = field(init=False)

    def __post_init__(self) -> None:
        self._loudness = LoudnessMeter(self.sample_rate)

    def through(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        """The pieces as they are."""
        for piece in pieces:
            self.sum_squares += float(np.square(piece, dtype=np.float64).sum())
            self.count += len(piece)
            self.peak = max(self.peak, float(np.abs(piece).max()) if len(piece) else 0.0)
            self._loudness.add(piece)
            yield piece

    @property
    def lufs(self) -> float:
        return self._loudness.lufs

    @property
    def rms_db(self) -> float:
        return 10 * math.log10(self.sum_squares / max(1, self.count) + 1e-12)

    @property
    def peak_db(self) -> float:
        return 20 * math.log10(self.peak + 1e-9)


def levelled(path: Path, level: Level) -> Iterator[Samples]:
    """The sound of a file at its level, piece by piece."""
    lufs = level.lufs
    if level.acx:
        measured = loudness.track_loudness(path)
        lufs = measured + ACX_RMS_DB - _rms_db(path) if math.isfinite(measured) else lufs
    return loudness.levelled(path, lufs=lufs, ceiling_dbtp=level.ceiling_dbtp)


def _rms_db(path: Path) -> float:
    import soundfile

    with soundfile.SoundFile(str(path)) as file:
        meter = Meter(int(file.samplerate))
        blocks: Any = file.blocks(blocksize=1 << 18, dtype="float32")
        for _ in meter.through(blocks):
            pass
    return meter.rms_db


def faults_of(rms_db: float, peak_db: float, level: Level) -> list[str]:
    """What ACX would send back, in words."""
    if not level.acx:
        return []
    low, high = ACX_RMS_RANGE_DB
    faults = [] if low <= rms_db <= high else [f"{rms_db:.1f} dB RMS is not from {low} to {high}"]
    return faults if peak_db <= -3.0 else [*faults, f"peaks of {peak_db:.1f} dB are over -3"]
