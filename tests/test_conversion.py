"""Conversion: windows join to the whole, the length is kept, any file goes in, a stranger too."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from conftest import make_tiny_voice, speech

from cli import clone_voice
from pipelines import convert as pipeline
from vits import conversion
from vits.audio import Audio, read_audio, resample, write_audio
from vits.config import AudioConfig, HifiganConfig, IstftConfig
from vits.conversion import _Frames, frame_noise
from vits.spectral import spectrogram
from vits.voice import Voice, _finished

CLIPS = Path(__file__).parent.parent / "examples" / "clips" / "lj"
SOURCE = {
    "istft": IstftConfig(
        channels=16, intermediate_channels=32, n_layers=2, source_channels=6, source_bands=9
    )
}
HIFIGAN = {"decoder": "hifigan", "hifigan": HifiganConfig(initial_channels=16)}


def cut(samples: np.ndarray, sizes: Iterator[int]) -> Iterator[np.ndarray]:
    start = 0
    while start < len(samples):
        size = next(sizes)
        yield samples[start : start + size]
        start += size


@pytest.mark.parametrize("count", [1, 300, 1024, 5000, 22050])
@pytest.mark.parametrize("sizes", [(1,), (999_999,), (100, 3000, 7)])
def test_frames_of_pieces_are_those_of_the_whole(count: int, sizes: tuple[int, ...]) -> None:
    audio, samples = AudioConfig(), speech(1.0).samples[:count]
    if len(samples) > 2000 and sizes == (1,):
        sizes = (500,)
    frames = _Frames(cut(samples, itertools.cycle(sizes)), audio)
    wanted = max(1024, -(-count // 256) * 256)
    whole = spectrogram(torch.from_numpy(np.pad(samples, (0, wanted - count)))[None], audio)
    got = [frames.magnitudes(low, low + 5) for low in range(0, whole.shape[2], 5)]
    assert torch.allclose(torch.cat(got, dim=2), whole, atol=1e-4)
    assert frames.edged.length == count


def test_noise_is_the_same_wherever_it_is_cut() -> None:
    whole = frame_noise(3, 4, 0, 1000)
    assert torch.equal(frame_noise(3, 4, 250, 520), whole[..., 250:520])
    assert not torch.equal(frame_noise(4, 4, 0, 1000), whole)
    assert abs(float(whole.std()) - 1) < 0.05


@pytest.mark.parametrize("decoder", [{}, SOURCE, HIFIGAN])
def test_windows_join_to_what_the_whole_gives(
    decoder: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = Voice.load(make_tiny_voice(tmp_path / "tiny", **decoder))
    samples = speech(2.0).samples[:40_000]
    samples = np.pad(samples, (0, -len(samples) % 256))
    spec = spectrogram(torch.from_numpy(samples)[None], voice.config.audio)
    n_frames = spec.shape[2]
    whole = voice.model.convert(
        spec, torch.tensor([n_frames]), torch.tensor([1]), torch.tensor([0]),
        noise=frame_noise(0, voice.config.model.inter_channels, 0, n_frames),
    )[0].numpy()  # fmt: skip
    monkeypatch.setattr(conversion, "CHUNK_FRAMES", 30)
    pieces = cut(samples[:40_000], itertools.cycle((1000, 17, 9000)))
    joined = [p.samples for p in voice.convert_stream(pieces, source="Ben", target="Anna")]
    assert len(joined) == -(-n_frames // 30)
    got = np.concatenate(joined)
    assert len(got) == 40_000
    assert np.abs(whole).max() > 1e-3
    assert np.abs(got - _finished(whole[:40_000])).max() < 1e-4


def test_sound_without_end_is_converted_as_it_comes(tiny_voice: Path) -> None:
    taken = []

    def endless() -> Iterator[np.ndarray]:
        for i in itertools.count():
            taken.append(i)
            yield speech(1.0).samples

    stream = Voice.load(tiny_voice).convert_stream(endless(), source="Ben", target="Anna")
    first = next(stream)
    assert len(first.samples) == conversion.CHUNK_FRAMES * 256
    assert len(taken) < 12
    for _ in range(3):
        next(stream)
    assert len(taken) < 35


# ---------------------------------------------------------------- files


def converted(*arguments: str) -> dict[str, object]:
    run = CliRunner().invoke(clone_voice, ["convert", *arguments, "--device", "cpu", "--json"])
    assert run.exit_code == 0, run.output
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a"])
def test_any_file_is_said_again_as_long_as_it_was_and_says_that_a_machine_did(
    suffix: str, tiny_voice: Path, tmp_path: Path
) -> None:
    sound = speech(2.5, 44_100)
    write_audio(tmp_path / f"in{suffix}", sound)
    out = tmp_path / "out.wav"
    told = converted(
        str(tmp_path / f"in{suffix}"), "-v", f"{tiny_voice}:Anna", "-o", str(out), "--from", "Ben"
    )
    assert (told["speaker"], told["from_speaker"]) == ("Anna", "Ben")
    padding = 0 if suffix == ".wav" else 0.06  # encoders add silence at the ends
    assert read_audio(out).duration_s == pytest.approx(2.5, abs=1e-3 + padding)
    assert read_audio(out).sample_rate == 22_050
    assert b"trainedAlgorithmicMedia" in out.read_bytes()


def test_the_sound_of_a_film_is_converted_too(tiny_voice: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="stereo")
        one = (speech(2.0, 48_000).samples * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.stack([one, one], 1).reshape(1, -1), "s16", "stereo")
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    out = tmp_path / "out.flac"
    converted(str(film), "-v", f"{tiny_voice}:Ben", "-o", str(out))
    assert read_audio(out).duration_s == pytest.approx(2.0, abs=0.05)


def test_a_stranger_is_heard_all_over_a_long_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def embed(clips: list[Audio]) -> np.ndarray:
        kept.append(len(clips[0].samples))
        return np.full((1, 256), 1 / 16, np.float32)

    monkeypatch.setattr("data.speaker.embed_clips", embed)
    minutes = np.tile(speech(10.0, 8000).samples, 60)
    minutes[: 5 * 60 * 8000] = 0.0  # five minutes in which nobody speaks
    soundfile.write(tmp_path / "long.wav", minutes, 8000)
    assert pipeline.stranger(tmp_path / "long.wav").shape == (256,)
    blocks = kept[0] / 80_000
    assert pipeline.HEARD_BLOCKS <= blocks < 2 * pipeline.HEARD_BLOCKS


def test_a_real_reader_keeps_pitch_and_length_in_a_voice_of_the_base() -> None:
    """The voice that ships, and a clip that it never learned a speaker from."""
    clip = read_audio(sorted(CLIPS.glob("*.flac"))[0])
    clip = Audio(clip.samples[: 6 * clip.sample_rate], clip.sample_rate)
    base = Voice.load("base")
    from data.speaker import embed_clips

    who = embed_clips([clip])[0]
    said = base.convert(clip, source=who, target="kathleen", noise=pipeline.NOISE)
    assert said.duration_s == pytest.approx(clip.duration_s, abs=1e-3)
    before, after = pitch(clip), pitch(said)
    both = np.isfinite(before[: len(after)]) & np.isfinite(after[: len(before)])
    assert both.mean() > 0.3
    bent = 12 * np.log2(after[: len(before)][both] / before[: len(after)][both])  # semitones
    assert abs(np.median(bent)) < 1.0
    assert np.median(np.abs(bent)) < 1.5
    near = embed_clips([said])[0]
    names = [speaker.name for speaker in base.speakers]
    row = base.model.speakers.vectors[names.index("kathleen")].numpy()
    row = row / np.linalg.norm(row)
    assert near @ row > who @ row + 0.05  # nearer to the person who is to say it


def pitch(audio: Audio) -> np.ndarray:
    samples = resample(audio, 16_000).samples
    hz, _, _ = librosa.pyin(
        samples, fmin=60, fmax=500, sr=16_000, frame_length=1024, hop_length=160
    )
    return hz


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["in.wav", "-v", "{tiny}:Nobody"], "no speaker 'Nobody'"),
        (["in.wav", "-v", "{tiny}", "--from", "Nobody"], "no speaker 'Nobody'"),
        (["in.wav", "-v", "{table}"], "nothing says which of them"),
        (["in.wav", "-v", "{one}"], "has one speaker"),
        (["gone.wav", "-v", "{tiny}"], "gone.wav"),
        (["text.wav", "-v", "{tiny}"], "text.wav"),
        (["quiet.wav", "-v", "{tiny}"], "empty or silent"),
        (["in.wav", "-v", "{tiny}", "--noise", "9"], "noise of 9.0 cannot be"),
        (["in.wav", "-v", "{tiny}", "-o", "in.wav"], "the recording itself"),
        (["in.wav", "-v", "{tiny}", "-o", "out.doc"], ".doc"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    words: list[str],
    said: str,
    tiny_voice: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if "{table}" in words:
        make_tiny_voice(tmp_path / "table", speaker="table")
    if "{one}" in words:
        make_tiny_voice(tmp_path / "one", speaker="none", gin_channels=0)
    write_audio(tmp_path / "in.wav", speech(1.0))
    (tmp_path / "text.wav").write_text("Good evening.")
    soundfile.write(tmp_path / "quiet.wav", np.zeros(22_050), 22_050)
    places = {"tiny": tiny_voice, "table": "./table", "one": "./one"}
    given = [word.format(**places) for word in words]
    output = [] if "-o" in words else ["-o", "out.wav"]
    before = (tmp_path / "in.wav").read_bytes()
    run = CliRunner().invoke(clone_voice, ["convert", *given, *output, "--device", "cpu"])
    assert run.exit_code == 2, run.output
    line = run.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    assert said in line
    assert not (tmp_path / "out.wav").exists()
    assert (tmp_path / "in.wav").read_bytes() == before
