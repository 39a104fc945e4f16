"""Sound in and out of files: one channel of float32 samples together with their rate.

WAV, FLAC and Ogg are read by libsndfile, everything else (mp3, m4a, opus, webm, the sound track
of a film) by FFmpeg through PyAV. WAV is written here, the compressed formats by PyAV. Resampling
is soxr.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vits.errors import UserError
from vits.files import atomic_file
from vits.loudness import Meter

log = logging.getLogger(__name__)

SNDFILE_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".aiff", ".aif", ".au", ".caf", ".w64")
SOUND_SUFFIXES = (".mp3", ".m4a", ".m4b", ".aac", ".opus", ".wma", ".amr", ".ac3")
FILM_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".flv", ".3gp", ".mpg", ".mpeg")
AUDIO_SUFFIXES = (*SNDFILE_SUFFIXES, *SOUND_SUFFIXES, *FILM_SUFFIXES)  # what is looked for
WRITE_SUFFIXES = (".wav", ".mp3", ".flac", ".opus", ".m4a")

PEAK_LIMIT = 0.95
WAV_SLACK_BYTES = 1024  # headers of careless writers are off by a few bytes
WAV_LARGEST_BYTES = 2**32 - 2**16  # a WAV's lengths are 32 bits
DAMAGED_PACKETS = 0.02  # a compressed file may lose this share of its packets
CANCELLED_DB = -20.0  # a downmix this far below its channels has cancelled itself

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Audio:
    """Sound of one channel: `samples` (T,) float32 in [-1, 1] at `sample_rate` Hz."""

    samples: Samples
    sample_rate: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate


# ---------------------------------------------------------------- reading


def read_audio(path: str | Path) -> Audio:
    """The sound of a file, mixed to one channel, at the file's own rate.

    Floating-point files that go beyond [-1, 1] are scaled down to it. Raises UserError, which
    names the file and the cause, if there is no such file or it is empty, truncated, damaged, or
    holds no sound.
    """
    path = Path(path)
    check_readable(path)
    if path.suffix.lower() in SNDFILE_SUFFIXES:
        check_wav_is_whole(path)
        channels, sample_rate = _read_sndfile(path) or _read_pyav(path)
    else:
        channels, sample_rate = _read_pyav(path)
    if channels.size == 0:
        raise unreadable(path, "holds no sound")
    if not np.isfinite(channels).all():
        raise unreadable(path, "holds samples that are not numbers")
    return Audio(within_range(downmix(channels)), sample_rate)


def check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be opened ({error.strerror}).", "Name a sound file that you may read."
        ) from error
    if empty:
        raise unreadable(path, "is empty (0 bytes)")


def unreadable(path: Path, cause: str) -> UserError:
    return UserError(f"{path} {cause}.", "Record or export the file again, or leave it out.")


def _read_sndfile(path: Path) -> tuple[Samples, int] | None:
    """Samples (T, channels) and rate, or None where libsndfile cannot read the file."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            expected = file.frames
            samples = file.read(dtype="float32", always_2d=True)
            sample_rate = int(file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError):
        return None
    if len(samples) < expected:
        raise unreadable(path, f"is truncated: {len(samples)} of {expected} samples are there")
    return samples, sample_rate


def check_wav_is_whole(path: Path) -> None:
    """Compare the length in a WAV's header with the file: libsndfile passes over a difference.

    Programs that write to a pipe leave 0 or the largest number there; those files are accepted.
    """
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                break
            file.seek(size + size % 2, 1)
        else:
            raise unreadable(path, "is truncated: it ends before its sound begins")
        there = path.stat().st_size - file.tell()
    if 0 < size < 0x7FFF0000 and there < size - WAV_SLACK_BYTES:
        raise unreadable(path, f"is truncated: {there} of {size} bytes of sound are there")


def _read_pyav(path: Path) -> tuple[Samples, int]:
    """Samples (T, channels) and rate of the first audio stream."""
    import av

    try:
        # a file object, since FFmpeg would take "a:b.mp3" for a protocol
        with path.open("rb") as file, av.open(file) as container:
            if not container.streams.audio:
                raise unreadable(path, "is not a sound file or has no sound track")
            stream = container.streams.audio[0]
            blocks = list(_decode(path, container, stream))
            declared_s = declared_duration_s(container, stream)
            sample_rate = int(stream.rate)
    except (av.FFmpegError, EOFError) as error:
        raise unreadable(path, "is not a sound file that can be read") from error
    if not blocks:
        raise unreadable(path, "is not a sound file that can be read, or holds no sound")
    samples = np.concatenate(blocks, axis=1).T
    if len(samples) / sample_rate < 0.95 * declared_s - 0.5:
        there = f"{len(samples) / sample_rate:.1f} of {declared_s:.1f} seconds are there"
        raise unreadable(path, f"is truncated: {there}")
    return samples, sample_rate


def _decode(path: Path, container: Any, stream: Any) -> Iterator[Samples]:
    """Blocks (channels, T) of planar float; a few damaged packets are passed over and logged."""
    import av

    resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    total = damaged = 0
    for packet in container.demux(stream):
        total += 1
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            damaged += 1
            continue
        for frame in itertools.chain.from_iterable(resampler.resample(f) for f in frames):
            yield frame.to_ndarray().astype(np.float32, copy=False)
    for frame in resampler.resample(None):
        yield frame.to_ndarray().astype(np.float32, copy=False)
    if damaged > max(1, DAMAGED_PACKETS * total):
        raise unreadable(path, f"is damaged: {damaged} of {total} packets cannot be decoded")
    if damaged:
        log.warning("%s: %d of %d packets are damaged and left out", path, damaged, total)


def declared_duration_s(container: Any, stream: Any) -> float:
    """Seconds by the header, 0 for the formats that only guess (mp3, say)."""
    exact = {"mov", "mp4", "flac", "wav"}
    if not exact & set(container.format.name.split(",")) or not stream.duration:
        return 0.0
    return float(stream.duration * stream.time_base)


def downmix(channels: Samples) -> Samples:
    """(T, channels) -> (T,): their mean, or the loudest one if they cancel each other."""
    if channels.shape[1] == 1:
        return np.ascontiguousarray(channels[:, 0])
    mono = channels.mean(axis=1, dtype=np.float32)
    power = np.square(channels, dtype=np.float64).mean(axis=0)
    if np.square(mono, dtype=np.float64).mean() < power.max() * 10 ** (CANCELLED_DB / 10):
        return np.ascontiguousarray(channels[:, int(power.argmax())])
    return mono


def within_range(samples: Samples) -> Samples:
    """The samples, scaled down where they go beyond [-1, 1]."""
    peak = float(np.abs(samples).max(initial=0.0))
    return samples if peak <= 1.0 else (samples / peak).astype(np.float32)


# ---------------------------------------------------------------- rate and loudness


def resample(audio: Audio, sample_rate: int) -> Audio:
    """The same sound at another rate; frequencies above the new half rate are removed."""
    if audio.sample_rate == sample_rate:
        return audio
    import soxr

    samples = soxr.resample(audio.samples, audio.sample_rate, sample_rate, quality="HQ")
    return Audio(np.clip(samples, -1.0, 1.0).astype(np.float32), sample_rate)


def loudness_lufs(audio: Audio) -> float:
    """Integrated loudness by ITU-R BS.1770-4; -inf for silence."""
    meter = Meter(audio.sample_rate)
    meter.add(audio.samples)
    return meter.lufs


def with_loudness(audio: Audio, lufs: float, *, peak: float = PEAK_LIMIT) -> Audio:
    """The same sound at `lufs`, or as near to it as a highest sample of `peak` allows.

    One gain for the whole sound, no limiter: nothing is distorted. Silence stays as it is.
    """
    loudness = loudness_lufs(audio)
    if not np.isfinite(loudness):
        return audio
    gain = 10 ** ((lufs - loudness) / 20)
    gain = min(gain, peak / float(np.abs(audio.samples).max()))
    return Audio((audio.samples * np.float32(gain)).astype(np.float32), audio.sample_rate)


# ---------------------------------------------------------------- writing


class _Encoder(Protocol):
    def write(self, samples: Samples) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...  # after an error: let go, whatever becomes of the file


class AudioWriter:
    """Writes sound to a file piece by piece; the suffix chooses the format.

        with AudioWriter("story.mp3", 22050, metadata={"title": "Story"}) as writer:
            for speech in voice.speak(text):
                writer.write(speech.audio.samples)

    The file appears under its name when the block ends; if the block raises, or the program is
    killed, what was there before stays. The same samples give the same bytes. `metadata` goes
    into the file's own tags; in WAV and m4a, which know few names, the others go into the
    comment. `bit_rate`, of lossy formats, is theirs unless given; `quick` lets an mp3's encoder
    think half as long. Raises UserError for an unknown suffix, a folder that cannot be written, a
    full disk.
    """

    def __init__(
        self,
        path: str | Path,
        sample_rate: int,
        *,
        metadata: Mapping[str, str] | None = None,
        bit_rate: int | None = None,
        quick: bool = False,
    ) -> None:
        self.path = Path(path)
        self.sample_rate = sample_rate
        self.bit_rate = bit_rate
        self.quick = quick
        self.metadata = dict(metadata or {})
        if self.path.suffix.lower() not in WRITE_SUFFIXES:
            raise UserError(
                f"{self.path.name}: sound cannot be written as '{self.path.suffix}'.",
                f"Choose one of {' '.join(WRITE_SUFFIXES)}.",
            )
        self._scope = contextlib.ExitStack()
        self._encoder: _Encoder | None = None

    def __enter__(self) -> AudioWriter:
        file = self._scope.enter_context(atomic_file(self.path))
        try:
            if self.path.suffix.lower() == ".wav":
                self._encoder = _WavEncoder(file, self.path, self.sample_rate, self.metadata)
            else:
                suffix = self.path.suffix.lower()
                self._encoder = PyavEncoder(
                    file,
                    suffix,
                    self.sample_rate,
                    self.metadata,
                    bit_rate=self.bit_rate,
                    quick=self.quick,
                )
        except BaseException as error:
            self._scope.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, samples: NDArray[Any]) -> None:
        """Append `samples` (T,) in [-1, 1]; what lies outside is clipped."""
        assert self._encoder is not None, "write() belongs inside the with block"
        if len(samples):
            self._encoder.write(np.clip(samples, -1.0, 1.0).astype(np.float32))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        encoder, self._encoder = self._encoder, None
        assert encoder is not None
        with self._scope:  # after the encoder, the file: renamed or removed
            try:
                if error is not None:
                    raise error
                encoder.close()
            except BaseException:
                encoder.abandon()
                raise


def write_audio(
    path: str | Path, audio: Audio, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a whole sound: `AudioWriter` in one call."""
    with AudioWriter(path, audio.sample_rate, metadata=metadata) as writer:
        writer.write(audio.samples)


# names that every format knows, with those that WAV has for them
_TAGS = {
    "title": b"INAM",
    "artist": b"IART",
    "album": b"IPRD",
    "genre": b"IGNR",
    "date": b"ICRD",
    "copyright": b"ICOP",
    "comment": b"ICMT",
}


def _others_in_comment(metadata: Mapping[str, str]) -> dict[str, str]:
    """Tags for a format with a closed list of names: the others are lines of the comment."""
    tags = {name: text for name, text in metadata.items() if name in _TAGS}
    other = [f"{name}={text}" for name, text in metadata.items() if name not in _TAGS]
    if other:
        tags["comment"] = "\n".join(filter(None, [tags.get("comment", ""), *other]))
    return tags


class _WavEncoder:
    """16-bit PCM. Written here, since libsndfile does not say that the disk is full."""

    def __init__(
        self, file: IO[bytes], path: Path, sample_rate: int, metadata: dict[str, str]
    ) -> None:
        self.file, self.path, self.sample_rate = file, path, sample_rate
        self.info = self._info_chunk(metadata)
        self.data_bytes = 0
        file.write(self._header())

    def _info_chunk(self, metadata: dict[str, str]) -> bytes:
        chunk = b""
        for name, text in _others_in_comment(metadata).items():
            value = text.encode("utf-8") + b"\0"
            chunk += struct.pack("<4sI", _TAGS[name], len(value)) + value
            chunk += b"\0" * (len(value) % 2)
        return struct.pack("<4sI4s", b"LIST", len(chunk) + 4, b"INFO") + chunk if chunk else b""

    def _header(self) -> bytes:
        rate = self.sample_rate
        size = 4 + 24 + len(self.info) + 8 + self.data_bytes
        riff = struct.pack("<4sI4s", b"RIFF", size, b"WAVE")
        fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
        return riff + fmt + self.info + struct.pack("<4sI", b"data", self.data_bytes)

    def write(self, samples: Samples) -> None:
        self.data_bytes += 2 * len(samples)
        if self.data_bytes > WAV_LARGEST_BYTES:
            raise UserError(
                f"{self.path.name}: a WAV file cannot hold more than 4 GB.",
                "Write .flac, .opus or .mp3.",
            )
        self.file.write(np.minimum(np.rint(samples * 32768), 32767).astype("<i2").tobytes())

    def close(self) -> None:
        self.file.seek(0)
        self.file.write(self._header())
        self.file.flush()

    def abandon(self) -> None:
        pass


@dataclass(frozen=True)
class _Codec:
    container: str
    encoder: str
    sample_format: str
    bit_rate: int | None  # for one voice, where nothing more is heard
    rates: tuple[int, ...] = ()  # those it can do; another is resampled to the last one


_CODECS = {
    ".mp3": _Codec("mp3", "libmp3lame", "fltp", 96_000, (16000, 22050, 24000, 32000, 48000, 44100)),
    ".opus": _Codec("opus", "libopus", "flt", 64_000, (48000,)),
    ".m4a": _Codec("ipod", "aac", "fltp", 96_000, (16000, 22050, 24000, 32000, 48000, 44100)),
    ".aac": _Codec("adts", "aac", "fltp", 96_000, (16000, 22050, 24000, 32000, 48000, 44100)),
    ".flac": _Codec("flac", "flac", "s16", None),
}


class PyavEncoder:
    """FFmpeg's encoders, told to leave out versions, times and random stream numbers.

    `file` needs no more than `write` if it is to be a stream; `options` are the container's.
    """

    def __init__(
        self,
        file: Any,
        suffix: str,
        sample_rate: int,
        metadata: Mapping[str, str],
        *,
        bit_rate: int | None = None,
        options: Mapping[str, str] | None = None,
        quick: bool = False,
    ) -> None:
        import av

        codec = _CODECS[suffix]
        self.sample_rate = sample_rate
        self.position = 0
        self.container = av.open(
            file,
            "w",
            format=codec.container,
            container_options={"fflags": "+bitexact", **(options or {})},
        )
        closed_list = codec.container == "ipod"
        tags = _others_in_comment(metadata) if closed_list else metadata
        self.container.metadata.update(tags)
        known = not codec.rates or sample_rate in codec.rates
        rate = sample_rate if known else codec.rates[-1]
        plain = {"flags": "+bitexact"}
        if quick and codec.encoder == "libmp3lame":
            plain["compression_level"] = "7"
        stream: Any = self.container.add_stream(codec.encoder, rate=rate, options=plain)
        stream.layout = "mono"
        stream.format = codec.sample_format
        if codec.bit_rate:
            stream.bit_rate = bit_rate or codec.bit_rate
        self.stream = stream

    def write(self, samples: Samples) -> None:
        import av

        frame = av.AudioFrame.from_ndarray(samples[None, :], format="flt", layout="mono")
        frame.sample_rate = self.sample_rate
        frame.pts = self.position
        frame.time_base = Fraction(1, self.sample_rate)
        self.position += len(samples)
        self.container.mux(self.stream.encode(frame))

    def close(self) -> None:
        self.container.mux(self.stream.encode(None))
        self.container.close()

    def abandon(self) -> None:
        import av

        with contextlib.suppress(OSError, av.FFmpegError):  # the end of the file fails as well
            self.container.close()
