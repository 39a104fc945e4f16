"""What is heard besides the words: one loudness for every scene, room tone, and a bed of music.

Scenes are brought to one loudness before they are joined (BS.1770, as the whole is afterwards);
their ends are faded for some milliseconds, so that nothing clicks. Room tone is a soft noise, the
same in speech and pauses, for which the ear is grateful: digital silence sounds like a fault.
Music goes down while somebody speaks, softly, and out at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vits.loudness import Meter

SCENE_LUFS = -20.0
MOST_GAIN_DB = 9.0
EDGE_S = 0.006  # of fade at both ends of a line
ROOM_DB = -68.0  # RMS below full scale
MUSIC_DB = -30.0  # between words
DUCKED_DB = -13.0  # further down under words
RAMP_S = 0.5
MUSIC_IN_S, MUSIC_OUT_S = 1.5, 3.0

Samples = NDArray[np.float32]


def scene_gain(lines: Sequence[Samples], sample_rate: int) -> float:
    """The factor that brings a scene's lines to one loudness; 1 for what is too short or silent."""
    joined = np.concatenate([np.zeros(0, np.float32), *lines])
    if len(joined) < 0.5 * sample_rate:
        return 1.0
    meter = Meter(sample_rate)
    meter.add(joined)
    if not np.isfinite(meter.lufs):
        return 1.0
    wanted = float(np.clip(SCENE_LUFS - meter.lufs, -MOST_GAIN_DB, MOST_GAIN_DB))
    peak = float(np.abs(joined).max())
    return float(min(10 ** (wanted / 20), 0.95 / max(peak, 1e-6)))


def eased(samples: Samples, sample_rate: int) -> Samples:
    """The samples with their first and last milliseconds faded."""
    count = min(len(samples) // 2, round(EDGE_S * sample_rate))
    if not count:
        return samples
    result, ramp = samples.copy(), np.linspace(0, 1, count, dtype=np.float32)
    result[:count] *= ramp
    result[-count:] *= ramp[::-1]
    return result


@dataclass(frozen=True)
class Bed:
    """What lies under the words. `speech` are their spans in samples; `music` is at the rate."""

    sample_rate: int
    length: int
    speech: Sequence[tuple[int, int]] = ()
    music: Samples | None = None
    room_db: float = ROOM_DB

    def laid(self, pieces: Iterator[Samples], at: int = 0) -> Iterator[Samples]:
        """The pieces, from sample `at` on, with the bed under them.

        Room tone begins with the pieces: a scene sounds the same wherever it stands.
        """
        room = np.random.default_rng(0)
        last = np.zeros(1, np.float32)
        for piece in pieces:
            noise = room.standard_normal(len(piece)).astype(np.float32)
            smooth = (noise + np.concatenate([last, noise[:-1]])) / np.float32(np.sqrt(2))
            last = noise[-1:] if len(noise) else last
            result = piece + smooth * np.float32(10 ** (self.room_db / 20))
            if self.music is not None:
                result += self._music(at, len(piece))
            yield np.clip(result, -1, 1).astype(np.float32)
            at += len(piece)

    def _music(self, start: int, count: int) -> Samples:
        assert self.music is not None
        where = (np.arange(start, start + count)) % len(self.music)
        gain: Samples = self.music[where] * self.gain(start, count)
        return gain

    def gain(self, start: int, count: int) -> Samples:
        """The factor on the music for samples `start` and on: low under words, soft at the ends."""
        now = np.arange(start, start + count, dtype=np.float64)
        ramp = RAMP_S * self.sample_rate
        quiet = np.zeros(count)
        for first, end in self.speech:
            if end + ramp < start or first - ramp > start + count:
                continue
            away = np.maximum(np.maximum(first - now, now - end), 0)
            quiet = np.maximum(quiet, np.clip(1 - away / ramp, 0, 1))
        ends = np.clip(now / (MUSIC_IN_S * self.sample_rate), 0, 1)
        ends *= np.clip((self.length - now) / (MUSIC_OUT_S * self.sample_rate), 0, 1)
        smooth = quiet * quiet * (3 - 2 * quiet)
        return (10 ** (DUCKED_DB * smooth / 20) * ends).astype(np.float32)


def read_music(path: Path, sample_rate: int) -> Samples:
    """A file of music, mono, at the rate and the level of a bed. UserError if it is none."""
    from vits.audio import read_audio, resample
    from vits.errors import UserError

    samples = resample(read_audio(path), sample_rate).samples
    level = float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
    if level < 1e-5:
        raise UserError(f"{path} is silent.", "Give another piece of music.")
    return (samples * (10 ** (MUSIC_DB / 20) / level)).astype(np.float32)
