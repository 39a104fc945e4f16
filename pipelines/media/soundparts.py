"""The sound of a told story in parts, each encoded once and then joined or bound as it is.

Parts of a film's sound are cut on a grid on which frames of film (25 a second) and packets of AAC
(1024 samples at 48 kHz) begin together. A part is encoded with some sound on both sides of it,
whose packets are thrown away: the transform of AAC overlaps, and so the joined packets are within
rounding what one encoder would have made of the whole. A part's name is the hash of the sound it
is made of; where in the story it stands does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipelines.assets import Assets, asset_key
from pipelines.media import loudness
from pipelines.media.timeline import GRID_S, Timeline

RATE = 48_000  # of a film's sound: every player knows it
BIT_RATE = 96_000
PACKET = 1024  # samples of AAC
GRID_PACKETS = round(GRID_S * RATE / PACKET)
VERSION = 1  # of everything between the track and its packets

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """A stretch of the track in samples, and how many packets of the film are before it."""

    start: int
    stop: int
    packet: int


def film_parts(timeline: Timeline) -> list[Part]:
    """The whole track, cut where scenes begin (on the grid's nearest line)."""
    total, rate = loudness.sample_count(timeline.audio), loudness.sample_rate(timeline.audio)
    grid = Fraction(GRID_S).limit_denominator(1000) * rate
    if grid.denominator != 1:  # a rate that no packet and no frame fits into
        return [Part(0, total, 0)]
    lines = {round(scene.start_s / GRID_S) for scene in timeline.scenes}
    inner = sorted(n for n in lines if 0 < n * grid < total)
    numbers = [0, *inner]
    edges = [*(n * int(grid) for n in numbers), total]
    return [
        Part(start, stop, n * GRID_PACKETS)
        for n, (start, stop) in zip(numbers, pairwise(edges), strict=True)
    ]


@dataclass(frozen=True)
class Sound:
    """A story's sound track at its level, and where its encoded parts are kept."""

    track: Path
    assets: Assets

    def of_film(self, timeline: Timeline) -> list[tuple[Part, Path]]:
        """The film's sound, encoded where it is not there."""
        return [(part, self.film_part(part)) for part in film_parts(timeline)]

    def film_part(self, part: Part) -> Path:
        """The part's AAC packets, in a file."""
        context = round(GRID_S * self._rate)
        facts = {"bit_rate": BIT_RATE, "rate": RATE, **self._facts(part, context)}
        key = asset_key("film sound", VERSION, facts)
        return self.assets.get_or_make(key, ".nut", lambda path: self._film(part, path))

    def mp3_part(self, part: Part) -> Path:
        """The part as an mp3 by itself, without a label: it belongs to something that has one."""
        from vits.audio import AudioWriter

        def write(path: Path) -> None:
            with AudioWriter(path, self._rate, quick=True) as writer:
                for piece in loudness.told(self.track, part.start, part.stop):
                    writer.write(piece)

        key = asset_key("mp3 part", VERSION, self._facts(part, 0))
        return self.assets.get_or_make(key, ".mp3", write)

    @property
    def _rate(self) -> int:
        return loudness.sample_rate(self.track)

    def _facts(self, part: Part, context: int) -> dict[str, object]:
        """What decides the sound of a part: its samples, those near it, and the level."""
        reach = context + loudness.reach_samples(self._rate)
        total = loudness.sample_count(self.track)
        start, stop = max(0, part.start - reach), min(total, part.stop + reach)
        digest = hashlib.sha256()
        for piece in loudness.read_pieces(self.track, start, stop):
            digest.update(piece.tobytes())
        return {
            "sound": digest.hexdigest(),
            "around": [part.start - start, stop - part.stop],
            "rate_in": self._rate,
            "gain_db": loudness.told_gain_db(self.track),
        }

    def _film(self, part: Part, path: Path) -> None:
        context = round(GRID_S * self._rate)
        start = max(0, part.start - context)
        stop = min(loudness.sample_count(self.track), part.stop + context)
        before = GRID_PACKETS if start < part.start else 0
        first = before if part.packet else -1  # the very first packet only fills the decoder
        is_last = stop == part.stop
        count = round((part.stop - part.start) * RATE / self._rate) // PACKET
        with av.open(str(path), "w", format="nut", container_options=_EXACT) as container:
            stream = _stream(container)
            told = loudness.told(self.track, start, stop)
            for number, packet in _encoded(stream, told, self._rate):
                if number >= first and (is_last or number < before + count):
                    container.mux(packet)


_EXACT = {"fflags": "+bitexact"}


def _stream(container: Any) -> Any:
    stream = container.add_stream("aac", rate=RATE, options={"flags": "+bitexact"})
    stream.layout = "mono"
    stream.bit_rate = BIT_RATE
    stream.codec_context.flags |= av.codec.context.Flags.global_header
    return stream


def _encoded(stream: Any, pieces: Iterator[Samples], rate: int) -> Iterator[tuple[int, Any]]:
    """(number, packet) of the sound; the encoder's first packet has number -1."""
    written = 0
    for piece in _resampled(pieces, rate):
        frame = av.AudioFrame.from_ndarray(piece[None, :], format="fltp", layout="mono")
        frame.sample_rate = RATE
        frame.pts, frame.time_base = written, Fraction(1, RATE)
        written += len(piece)
        yield from _numbered(stream.encode(frame))
    yield from _numbered(stream.encode(None))


def _numbered(packets: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    return ((round(p.pts * p.time_base * RATE) // PACKET, p) for p in packets)


def _resampled(pieces: Iterator[Samples], rate: int) -> Iterator[Samples]:
    """The sound at the film's rate in pieces of at most a second."""
    import soxr

    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        for start in range(0, len(piece), rate):
            yield from _some(stream.resample_chunk(piece[start : start + rate]))
    yield from _some(stream.resample_chunk(np.zeros(0, np.float32), last=True))


def _some(samples: Samples) -> Iterator[Samples]:
    if len(samples):
        yield np.clip(samples, -1.0, 1.0)


def packets(parts: Sequence[tuple[Part, Path]], stream: Any) -> Iterator[Any]:
    """The packets of all parts on the film's clock, for `stream`."""
    for part, path in parts:
        at = part.packet if part.packet else -1  # the first one comes before all sound
        with av.open(str(path)) as container:
            for packet in container.demux(container.streams.audio[0]):
                if not packet.size:
                    continue
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base = stream, Fraction(1, RATE)
                copy.pts = copy.dts = at * PACKET
                copy.duration = PACKET
                copy.is_keyframe = True
                at += 1
                yield copy


def write_m4a(parts: Sequence[tuple[Part, Path]], path: Path) -> None:
    """The film's sound alone, in a plain file to be joined into something with tags."""
    with av.open(str(path), "w", format="ipod", container_options=_EXACT) as container:
        with av.open(str(parts[0][1])) as first:
            stream = container.add_stream_from_template(first.streams[0])
        for packet in packets(parts, stream):
            container.mux(packet)
