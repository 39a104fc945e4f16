from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from vits.audio import (
    WRITE_SUFFIXES,
    Audio,
    AudioWriter,
    loudness_lufs,
    read_audio,
    resample,
    with_loudness,
    write_audio,
)
from vits.errors import UserError

RATE = 22050


def tone(seconds: float = 1.0, sample_rate: int = RATE, level: float = 0.3) -> Audio:
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    return Audio((level * np.sin(2 * np.pi * 440 * t)).astype(np.float32), sample_rate)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Highest normalised cross-correlation: 1 where one is the other, shifted and scaled."""
    size = 2 ** int(np.ceil(np.log2(len(a) + len(b))))
    product = np.fft.rfft(a, size) * np.fft.rfft(b, size).conj()
    return float(np.fft.irfft(product).max() / (np.linalg.norm(a) * np.linalg.norm(b)))


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_what_is_written_can_be_read_again(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE)
    low = np.convolve(noise, np.hanning(40) / 20, "same").astype(np.float32)
    write_audio(tmp_path / f"a{suffix}", Audio(low, RATE))
    back = resample(read_audio(tmp_path / f"a{suffix}"), RATE)
    assert abs(back.duration_s - 1.0) < 0.03
    assert similarity(back.samples, low) > 0.99


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_the_same_samples_give_the_same_bytes_in_whatever_pieces(
    tmp_path: Path, suffix: str
) -> None:
    samples = tone(1.3).samples
    for name, pieces in (("a", 3), ("b", 3)):
        with AudioWriter(tmp_path / f"{name}{suffix}", RATE) as writer:
            for piece in np.array_split(samples, pieces):
                writer.write(piece)
    a, b = (tmp_path / f"{name}{suffix}" for name in "ab")
    assert a.read_bytes() == b.read_bytes()


def test_sixteen_bit_sound_survives_wav_and_flac_bit_for_bit(tmp_path: Path) -> None:
    steps = np.arange(-32768, 32768, dtype=np.int64)
    samples = (steps / 32768).astype(np.float32)
    for suffix in (".wav", ".flac"):
        write_audio(tmp_path / f"a{suffix}", Audio(samples, RATE))
        assert np.array_equal(read_audio(tmp_path / f"a{suffix}").samples, samples)


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100, 48000])
def test_every_format_takes_every_rate(tmp_path: Path, suffix: str, sample_rate: int) -> None:
    sound = tone(0.5, sample_rate)
    write_audio(tmp_path / f"a{suffix}", sound)
    back = read_audio(tmp_path / f"a{suffix}")
    assert abs(back.duration_s - sound.duration_s) < 0.05
    peak_hz = np.abs(np.fft.rfft(back.samples)).argmax() / back.duration_s
    assert abs(peak_hz - 440) < 5


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_tags_are_in_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_audio(path, tone(), metadata={"title": "Ein Märchen 故事", "AIGC": "yes"})
    with av.open(str(path)) as container:
        tags = {**container.metadata, **container.streams[0].metadata}
    assert tags["title"] == "Ein Märchen 故事"
    assert tags.get("AIGC") == "yes" or tags["comment"] == "AIGC=yes"


@pytest.mark.parametrize(
    ("subtype", "sample_rate", "channels"),
    [
        ("PCM_16", 8000, 1),
        ("PCM_24", 44100, 2),
        ("FLOAT", 96000, 1),
        ("PCM_U8", 16000, 1),
        ("DOUBLE", 48000, 6),
    ],
)
def test_depths_rates_and_channels_are_accepted(
    tmp_path: Path, subtype: str, sample_rate: int, channels: int
) -> None:
    sound = tone(1.0, sample_rate)
    many = np.stack([sound.samples] * channels, axis=1)
    soundfile.write(tmp_path / "a.wav", many, sample_rate, subtype=subtype)
    back = read_audio(tmp_path / "a.wav")
    assert back.sample_rate == sample_rate
    assert back.samples.dtype == np.float32
    assert np.abs(back.samples - sound.samples).max() < 0.01


def test_stereo_that_cancels_itself_keeps_its_louder_channel(tmp_path: Path) -> None:
    left = tone().samples
    soundfile.write(tmp_path / "a.wav", np.stack([left, -0.9 * left], axis=1), RATE)
    assert np.abs(read_audio(tmp_path / "a.wav").samples).max() == pytest.approx(0.3, abs=0.01)


def test_float_samples_beyond_one_are_scaled_down(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 10 * tone().samples, RATE, subtype="FLOAT")
    samples = read_audio(tmp_path / "a.wav").samples
    assert np.abs(samples).max() == pytest.approx(1.0)
    assert similarity(samples, tone().samples) > 0.9999  # scaled, not clipped


def test_the_sound_track_of_a_film_is_read(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=5)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(video.encode(picture))
        frame = av.AudioFrame.from_ndarray(tone().samples[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    assert read_audio(path).duration_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    "name", ["with space.wav", "录音 一.flac", "\N{MICROPHONE}.mp3", "a:b.m4a", "50%d.opus"]
)
def test_names_are_only_names(tmp_path: Path, name: str) -> None:
    write_audio(tmp_path / name, tone())
    assert read_audio(tmp_path / name).duration_s == pytest.approx(1.0, abs=0.03)


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".m4a"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_audio(path, tone(5))
    cut(path, 0.5)
    with pytest.raises(UserError, match=rf"a{suffix} is (truncated|not a sound file)"):
        read_audio(path)


def test_a_film_moved_to_stream_from_the_web_is_refused_when_truncated(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(5).samples[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    cut(path, 0.5)
    with pytest.raises(UserError, match="truncated"):
        read_audio(path)


def test_a_wav_written_to_a_pipe_has_no_length_and_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_audio(path, tone())
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert read_audio(path).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".m4a"])
def test_a_text_file_with_the_name_of_a_sound_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("This is a text, whatever its name says.\n" * 50, encoding="utf-8")
    with pytest.raises(UserError, match=f"a{suffix} is not a sound file"):
        read_audio(path)


def test_a_file_with_the_wrong_suffix_is_read_for_what_it_is(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.m4a", tone())
    (tmp_path / "a.m4a").rename(tmp_path / "a.wav")
    assert read_audio(tmp_path / "a.wav").duration_s == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("content", "cause"), [(b"", "is empty"), (b"RIFF\x24\0\0\0WAVE", "is truncated")]
)
def test_an_empty_file_says_so(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(UserError, match=cause):
        read_audio(tmp_path / "a.wav")


def test_a_sound_without_samples_or_with_samples_that_are_no_numbers_says_so(
    tmp_path: Path,
) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), RATE, subtype="FLOAT")
    with pytest.raises(UserError, match="holds no sound"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(UserError, match="not numbers"):
        read_audio(tmp_path / "nan.wav")


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(UserError, match="cannot be opened"):
        read_audio(tmp_path)


def test_resampling_keeps_the_pitch_and_the_duration() -> None:
    low = resample(tone(1.0, 48000), RATE)
    assert low.sample_rate == RATE
    assert len(low.samples) == RATE
    assert np.abs(low.samples - tone().samples)[1000:-1000].max() < 1e-3


def test_loudness_is_that_of_the_standard() -> None:
    # EBU Tech 3341: a 1 kHz sine at -23 dBFS in both channels reads -23 LUFS, in one 3 less
    t = np.arange(48000 * 5) / 48000
    sine = Audio((10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * t)).astype(np.float32), 48000)
    assert loudness_lufs(sine) == pytest.approx(-26.0, abs=0.1)


def test_loudness_is_set_and_the_peak_is_kept() -> None:
    assert loudness_lufs(with_loudness(tone(2), -23)) == pytest.approx(-23, abs=0.05)
    loud = with_loudness(tone(2), -3)
    assert np.abs(loud.samples).max() == pytest.approx(0.95, abs=1e-3)


def test_silence_and_very_short_sounds_have_a_loudness() -> None:
    silence = Audio(np.zeros(RATE, np.float32), RATE)
    assert loudness_lufs(silence) == float("-inf")
    assert with_loudness(silence, -23) is silence
    assert loudness_lufs(tone(0.1)) == pytest.approx(loudness_lufs(tone(2)), abs=1)


def test_an_unknown_suffix_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.wav \.mp3 \.flac \.opus \.m4a"):
        AudioWriter(tmp_path / "new" / "a.xyz", RATE)
    assert not (tmp_path / "new").exists()


def test_when_writing_fails_the_old_file_stays_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    write_audio(path, tone())
    before = path.read_bytes()

    def interrupted() -> None:
        with AudioWriter(path, RATE) as writer:
            writer.write(tone().samples)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class FullDisk(io.FileIO):
    """A disk with room for 4000 bytes."""

    def write(self, data: Any) -> int:
        if self.tell() + len(memoryview(data)) > 4000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(Path, "open", lambda self, mode: FullDisk(str(self), mode))
    with pytest.raises(UserError, match="disk is full"):
        write_audio(tmp_path / f"a{suffix}", tone(30))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        write_audio(tmp_path / "file" / "a.wav", tone())
