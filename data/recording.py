"""Long recordings, piece by piece: hours of sound in the memory of a minute.

A recording is read in blocks from its beginning, mixed to one channel as `vits.audio` does, or in
spans of it that do not run backwards. WAV, FLAC and Ogg are sought in by libsndfile; everything
else is decoded in order by FFmpeg through PyAV.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vits.audio import (
    DAMAGED_PACKETS,
    SNDFILE_SUFFIXES,
    Audio,
    Samples,
    check_readable,
    check_wav_is_whole,
    declared_duration_s,
    downmix,
    unreadable,
    within_range,
)
from vits.errors import UserError

BLOCK_S = 10.0
LOST_S = 1.0  # a declared length may be off by this much


@dataclass
class Recording:
    """A sound file to be read in order. `sample_rate` and `seconds` are known once it was read.

    `flaw` says what is wrong with a recording of which most can be used.
    """

    path: Path
    sample_rate: int = 0
    seconds: float = 0.0
    flaw: str = ""
    _channel: int | None = field(default=None, repr=False)

    def blocks(self) -> Generator[Samples, None, None]:
        """Blocks (T,) of about ten seconds, the whole recording.

        Raises UserError, which names file and cause, if it cannot be read or holds no sound.
        """
        check_readable(self.path)
        read = 0
        for channels in self._channels():
            if not np.isfinite(channels).all():
                raise unreadable(self.path, "holds samples that are not numbers")
            read += len(channels)
            yield self._mono(channels)
        self.seconds = read / max(1, self.sample_rate)
        if not read:
            raise unreadable(self.path, "is not a sound file that can be read, or holds no sound")

    def _channels(self) -> Iterator[Samples]:
        if self.path.suffix.lower() in SNDFILE_SUFFIXES:
            import soundfile

            try:
                file = soundfile.SoundFile(str(self.path))
            except (soundfile.LibsndfileError, RuntimeError):
                return (yield from self._pyav())
            with file:
                self.sample_rate = int(file.samplerate)
                return (yield from self._sndfile(file))
        yield from self._pyav()

    def _sndfile(self, file: Any) -> Iterator[Samples]:
        import soundfile

        try:
            check_wav_is_whole(self.path)
        except UserError as error:
            self.flaw = error.cause.removeprefix(f"{self.path} ").rstrip(".")
        size, read = int(BLOCK_S * self.sample_rate), 0
        try:
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                yield block
                read += len(block)
        except (soundfile.LibsndfileError, RuntimeError):
            if not read:  # FFmpeg goes on where libsndfile gives up
                return (yield from self._pyav())
            self.flaw = f"is damaged after {read / self.sample_rate:.0f} seconds; the rest is lost"

    def _pyav(self) -> Iterator[Samples]:
        """Blocks (T, channels) of the first audio stream."""
        import av

        try:
            with self.path.open("rb") as file, av.open(file) as container:
                if not container.streams.audio:
                    raise unreadable(self.path, "is not a sound file or has no sound track")
                stream = container.streams.audio[0]
                if stream.codec_context is None:
                    raise unreadable(self.path, "is protected (DRM) or of a kind nobody can decode")
                self.sample_rate = int(stream.rate)
                yield from self._frames(container, stream)
        except (av.FFmpegError, EOFError) as error:
            raise unreadable(self.path, "is not a sound file that can be read") from error

    def _frames(self, container: Any, stream: Any) -> Iterator[Samples]:
        import av

        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        held: list[Samples] = []
        size, read, damaged, total = 0, 0, 0, 0

        def packets() -> Iterator[Any]:
            nonlocal damaged, total
            for packet in container.demux(stream):
                total += 1
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    damaged += 1

        for frame in itertools.chain(packets(), [None]):
            for part in resampler.resample(frame):
                held.append(part.to_ndarray().astype(np.float32, copy=False).T)
                size += len(held[-1])
            if held and (frame is None or size >= BLOCK_S * self.sample_rate):
                yield np.concatenate(held)
                read, size, held = read + size, 0, []
        self._judge(damaged, total, read / self.sample_rate, declared_duration_s(container, stream))

    def _judge(self, damaged: int, total: int, read_s: float, declared_s: float) -> None:
        if damaged > max(1, 0.5 * total) or (damaged and not read_s):
            raise unreadable(
                self.path,
                f"is protected (DRM) or damaged: {damaged} of {total} packets cannot be decoded",
            )
        if damaged > max(1, DAMAGED_PACKETS * total):
            self.flaw = f"is damaged: {damaged} of {total} packets are left out"
        elif read_s < 0.95 * declared_s - LOST_S:
            self.flaw = f"is truncated: {read_s:.1f} of {declared_s:.1f} seconds are there"

    def _mono(self, channels: Samples) -> Samples:
        """One way of mixing for the whole recording, chosen at the first sound in it."""
        if channels.shape[1] == 1:
            return np.ascontiguousarray(channels[:, 0])
        if self._channel is None and np.any(np.abs(channels) > 1e-3):
            cancelled = not np.allclose(downmix(channels), channels.mean(axis=1), atol=1e-6)
            self._channel = int(np.square(channels).mean(axis=0).argmax()) if cancelled else -1
        if self._channel is None or self._channel < 0:
            return channels.mean(axis=1, dtype=np.float32)
        return np.ascontiguousarray(channels[:, self._channel])


class SpanReader:
    """Gives the sound of spans of a recording, which must not begin before an earlier one.

    Nothing is decoded before the first span is asked for. Memory: a block and the longest span.
    """

    def __init__(self, path: Path) -> None:
        self._recording = Recording(path)
        self._blocks = self._recording.blocks()
        self._held, self._offset = np.zeros(0, np.float32), 0

    def read(self, start_s: float, end_s: float) -> Audio:
        """From `start_s` to `end_s`, or to the end of the recording, at its own rate."""
        while not self._rate or self._offset + len(self._held) < round(end_s * self._rate):
            block = next(self._blocks, None)
            if block is None:
                break
            self._forget(start_s)
            self._held = np.concatenate([self._held, block])
        self._forget(start_s)
        begin = round(start_s * self._rate) - self._offset
        assert begin >= 0 or not self._rate, "spans run backwards"
        piece = self._held[max(0, begin) : max(0, round(end_s * self._rate) - self._offset)]
        return Audio(within_range(piece.copy()), self._rate)

    @property
    def _rate(self) -> int:
        return self._recording.sample_rate

    def _forget(self, start_s: float) -> None:
        """Let go of what is before `start_s`."""
        done = max(0, min(len(self._held), round(start_s * self._rate) - self._offset))
        self._held, self._offset = self._held[done:], self._offset + done

    def close(self) -> None:
        self._blocks.close()
