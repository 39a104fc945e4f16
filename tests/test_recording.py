"""Long recordings in blocks and spans: nothing lost, flaws told, every container read."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from conftest import speech

from data.recording import Recording, SpanReader
from vits.audio import Audio, read_audio, write_audio
from vits.errors import UserError


def film(path: Path, audio: Audio, codec: str) -> Path:
    """A sound in a container for films, without a picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=audio.sample_rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(audio.samples[None], format="flt", layout="mono")
        frame.sample_rate = audio.sample_rate
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=stream.rate)
        for part in resampler.resample(frame) + resampler.resample(None):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".m4a", ".opus"])
def test_blocks_together_are_the_whole_sound(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a 'b' 录音 🎤{suffix}"
    write_audio(path, speech(25.0))
    recording = Recording(path)
    samples = np.concatenate(list(recording.blocks()))
    whole = read_audio(path)
    assert recording.sample_rate == whole.sample_rate
    assert recording.seconds == pytest.approx(whole.duration_s)
    np.testing.assert_allclose(samples, whole.samples, atol=1e-4)
    assert not recording.flaw


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "aac"),
        (".mov", "aac"),
        (".mkv", "libopus"),
        (".webm", "libopus"),
        (".ogg", "libopus"),
    ],
)
def test_films_give_their_sound(tmp_path: Path, suffix: str, codec: str) -> None:
    path = film(tmp_path / f"film{suffix}", Audio(speech(5.0, 48000).samples, 48000), codec)
    recording = Recording(path)
    samples = np.concatenate(list(recording.blocks()))
    assert len(samples) / recording.sample_rate == pytest.approx(5.0, abs=0.1)


def test_stereo_is_mixed_as_for_a_whole_file(tmp_path: Path) -> None:
    import soundfile

    left = speech(12.0).samples
    for name, right in {"same": left, "against": -left, "silent": 0 * left}.items():
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.stack([left, right], 1), 22050, subtype="FLOAT")
        samples = np.concatenate(list(Recording(path).blocks()))
        np.testing.assert_allclose(samples, read_audio(path).samples, atol=1e-5)


def test_spans_are_what_they_name(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    write_audio(path, speech(32.0))
    whole = read_audio(path).samples
    reader = SpanReader(path)
    for start_s, end_s in [(0.5, 1.5), (1.0, 4.0), (19.0, 29.0), (20.0, 21.0), (31.0, 40.0)]:
        found = reader.read(start_s, end_s)
        expected = whole[round(start_s * 22050) : round(end_s * 22050)]
        np.testing.assert_array_equal(found.samples, expected)
    reader.close()


def test_a_truncated_recording_is_read_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_audio(path, speech(20.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    recording = Recording(path)
    list(recording.blocks())
    assert recording.seconds == pytest.approx(10, abs=0.1)
    assert "truncated" in recording.flaw


@pytest.mark.parametrize("seconds", [5.0, 45.0])
def test_a_flac_file_that_breaks_off_is_read_as_far_as_it_goes(
    tmp_path: Path, seconds: float
) -> None:
    path = tmp_path / "a.flac"
    write_audio(path, speech(seconds))
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    recording = Recording(path)
    samples = np.concatenate(list(recording.blocks()))
    assert 0.4 * seconds < len(samples) / 22050 < 0.7 * seconds
    assert recording.seconds == pytest.approx(len(samples) / 22050)
    assert "damaged" in recording.flaw or "truncated" in recording.flaw


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_sound_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.wav"):
        list(Recording(path).blocks())


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UserError, match="no sound track"):
        list(Recording(path).blocks())
