"""Sound as a stream of bytes: what can be heard before its end is known.

The formats are those of OpenAI's speech API. Each begins with the mark that a machine made it,
where it has a place for one: raw samples have none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipelines.media import id3, labels
from pipelines.media.labels import DEFAULT_LABEL
from vits.audio import PyavEncoder, Samples

PCM_RATE = 24_000  # what callers of that API take raw samples for
UNKNOWN_LENGTH = 0xFFFFFFFF  # of a WAV that is not finished
PIPE_OPTIONS = {
    ".mp3": {"write_xing": "0", "id3v2_version": "0"},
    ".opus": {"page_duration": "200000"},  # microseconds: the first page soon
    ".flac": {},
    ".aac": {},
}


class Encoder(Protocol):
    """Bytes for sound: `begin` once, `feed` for each piece (T,) in [-1, 1], `end` once.

    `n_samples` is how many will come, where that is known.
    """

    def begin(self, sample_rate: int, n_samples: int | None = None) -> bytes: ...
    def feed(self, samples: Samples) -> bytes: ...
    def end(self) -> bytes: ...


class WavEncoder:
    """16-bit PCM; the marks stand before the sound, and the length is open unless it is known."""

    def begin(self, sample_rate: int, n_samples: int | None = None) -> bytes:
        marks = labels.wav_chunks()
        size = UNKNOWN_LENGTH if n_samples is None else n_samples * 2
        whole = UNKNOWN_LENGTH if n_samples is None else 4 + 24 + len(marks) + 8 + size
        fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, sample_rate * 2, 2, 16)
        head = struct.pack("<4sI4s", b"RIFF", whole, b"WAVE")
        return head + fmt + marks + struct.pack("<4sI", b"data", size)

    def feed(self, samples: Samples) -> bytes:
        return _int16(samples)

    def end(self) -> bytes:
        return b""


class PcmEncoder:
    """Signed 16-bit little-endian samples at 24 kHz, nothing else."""

    def __init__(self) -> None:
        self._resampler: Any = None

    def begin(self, sample_rate: int, n_samples: int | None = None) -> bytes:
        import soxr

        if sample_rate != PCM_RATE:
            self._resampler = soxr.ResampleStream(sample_rate, PCM_RATE, 1, quality="HQ")
        return b""

    def feed(self, samples: Samples) -> bytes:
        return self._moved(samples, last=False)

    def end(self) -> bytes:
        return self._moved(np.zeros(0, np.float32), last=True)

    def _moved(self, samples: Samples, last: bool) -> bytes:
        if self._resampler is None:
            return _int16(samples)
        return _int16(self._resampler.resample_chunk(samples, last=last))


class PipeEncoder:
    """A compressed format by FFmpeg, its bytes taken as they come."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._out = bytearray()
        self._encoder: PyavEncoder | None = None

    def write(self, data: bytes) -> int:
        """FFmpeg's: all that it asks of a file."""
        self._out += data
        return len(data)

    def begin(self, sample_rate: int, n_samples: int | None = None) -> bytes:
        in_tag = self._suffix in (".mp3", ".aac")  # the others have comments of their own
        self._encoder = PyavEncoder(
            self,
            self._suffix,
            sample_rate,
            {} if in_tag else labels.comments(),
            options=PIPE_OPTIONS[self._suffix],
        )
        return _id3_label() if in_tag else self._taken()

    def feed(self, samples: Samples) -> bytes:
        assert self._encoder is not None, "begin() comes first"
        self._encoder.write(np.clip(samples, -1.0, 1.0).astype(np.float32))
        return self._taken()

    def end(self) -> bytes:
        assert self._encoder is not None, "begin() comes first"
        self._encoder.close()
        return self._taken()

    def _taken(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data


@dataclass(frozen=True)
class Format:
    """A format by its name in the API."""

    media_type: str
    encoder: Callable[[], Encoder]


FORMATS = {
    "mp3": Format("audio/mpeg", lambda: PipeEncoder(".mp3")),
    "opus": Format("audio/ogg", lambda: PipeEncoder(".opus")),
    "aac": Format("audio/aac", lambda: PipeEncoder(".aac")),
    "flac": Format("audio/flac", lambda: PipeEncoder(".flac")),
    "wav": Format("audio/wav", WavEncoder),
    "pcm": Format(f"audio/pcm;rate={PCM_RATE};channels=1", PcmEncoder),
}


def _id3_label() -> bytes:
    private = {"XMP": labels.xmp_packet()}
    return id3.tag({}, own_texts={"AIGC": DEFAULT_LABEL.json}, private=private)


def _int16(samples: Samples) -> bytes:
    whole = np.minimum(np.rint(np.clip(samples, -1.0, 1.0) * 32768), 32767)
    return whole.astype("<i2").tobytes()
