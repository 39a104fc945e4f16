from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import make_tiny_voice, own_voice

from pipelines.intonation import WIDEST, _drawn, _octaves, _spread, intoned
from pipelines.pace import length_scale
from vits.checkpoint import Speaker, VoiceConfig, load_config, load_voice, save_config
from vits.config import IstftConfig
from vits.errors import UserError
from vits.model import Batch, Vits
from vits.source import MIDDLE_HZ
from vits.voice import Voice

SOURCE = IstftConfig(
    channels=16, intermediate_channels=32, n_layers=2, source_channels=4, source_bands=9
)
TEXT = "A long way home, and nobody there who could tell her where it was."
CLAUSE = "A long way home."  # nothing to begin early with
FRAMES = 12  # of a symbol


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Vits, VoiceConfig]:
    folder = make_tiny_voice(tmp_path_factory.mktemp("melody") / "tiny", istft=SOURCE)
    model, config = load_voice(folder)
    with torch.no_grad():
        assert model.source is not None
        flat = _spread(torch.log2(_drawn(model, config, clip(config), seed=0).abs() + 1))
        model.source.post.weight[0] *= 0.5 / flat  # about half an octave
        model.source.post.bias[1] = 20.0  # a voice throughout
    return folder, model, config


def clip(config: VoiceConfig, pitch: torch.Tensor | None = None) -> Batch:
    ids = torch.tensor([config.front_end.ids(config.front_end.lines([TEXT], "en")[0])])
    durations = torch.full_like(ids, FRAMES)
    n = int(durations.sum())
    return Batch(
        ids, torch.tensor([ids.shape[1]]), torch.zeros(1, 1, n), torch.tensor([n]),
        torch.zeros(1, 1), torch.tensor([11025.0]), speaker=torch.tensor([0]), durations=durations,
        pitch=pitch,
    )  # fmt: skip


def test_the_range_makes_up_for_what_the_network_flattens(
    tiny: tuple[Path, Vits, VoiceConfig],
) -> None:
    _, model, config = tiny
    own = _drawn(model, config, clip(config), seed=0)
    octaves = torch.log2(own / MIDDLE_HZ)
    real = MIDDLE_HZ * torch.exp2(0.5 + 1.2 * octaves)
    found = intoned(config.speakers[0], model, config, [clip(config, real)])
    assert found.pitch_range == pytest.approx(1.2, abs=0.01)
    assert found.pitch_hz == pytest.approx(float(own.median()), rel=0.01)
    assert model.source is not None
    table = replace(config, speakers=(found, *config.speakers[1:])).melodies()
    assert table is not None
    one = clip(config)
    latents = model.latents(
        one.ids, one.id_lengths, torch.tensor([0]), durations=one.durations,
        noise_scale=config.noise_scale, generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    with torch.inference_mode():
        wide = model.source.pitch(latents.z, latents.g, melody=table[[0]])
        narrow = model.source.pitch(latents.z, latents.g)
    ratio = _spread(_octaves(wide)) / _spread(_octaves(narrow))
    assert ratio == pytest.approx(1.2, abs=0.02)


def test_a_range_is_bounded_and_never_flatter(tiny: tuple[Path, Vits, VoiceConfig]) -> None:
    _, model, config = tiny
    octaves = torch.log2(_drawn(model, config, clip(config), seed=0) / MIDDLE_HZ)
    for factor, wanted in ((5.0, WIDEST), (0.2, 1.0)):
        real = MIDDLE_HZ * torch.exp2(factor * octaves)
        assert (
            intoned(config.speakers[0], model, config, [clip(config, real)]).pitch_range == wanted
        )


def test_without_a_source_or_a_voice_nothing_changes(
    tiny: tuple[Path, Vits, VoiceConfig], tmp_path: Path
) -> None:
    _, model, config = tiny
    speaker = config.speakers[0]
    silent = clip(config, torch.full((1, int(clip(config).durations.sum())), -120.0))  # type: ignore[union-attr]
    assert intoned(speaker, model, config, [silent]) == speaker
    assert intoned(speaker, model, config, []) == speaker
    plain, its = load_voice(make_tiny_voice(tmp_path / "plain"))
    loud = clip(its, torch.full((1, 9), 120.0))
    assert intoned(its.speakers[0], plain, its, [loud]) == its.speakers[0]


def test_what_is_found_can_be_learned_on_from(tiny: tuple[Path, Vits, VoiceConfig]) -> None:
    _, model, config = tiny
    pitch = torch.full((1, int(clip(config).durations.sum())), 180.0)  # type: ignore[union-attr]
    model.requires_grad_(True)  # as in a training, where autograd is on
    length_scale(model, config, [clip(config, pitch)])
    intoned(config.speakers[0], model, config, [clip(config, pitch)])
    model.requires_grad_(False)


def sung(folder: Path, wider: float) -> Voice:
    """The tiny voice as it was written, its first speaker with a wider pitch."""
    config = load_config(folder)
    first = replace(config.speakers[0], pitch_hz=200.0, pitch_range=wider)
    save_config(folder, replace(config, speakers=(first, *config.speakers[1:])))
    return Voice.load(str(folder))


def test_a_voice_speaks_with_its_speakers_range_whole_and_in_pieces(tmp_path: Path) -> None:
    folder = make_tiny_voice(tmp_path / "tiny", istft=SOURCE)
    flat = next(iter(sung(folder, 1.0).speak(TEXT))).audio.samples
    voice = sung(folder, 1.3)
    wide = next(iter(voice.speak(TEXT))).audio.samples
    assert len(flat) == len(wide)
    assert np.abs(flat - wide).max() > 1e-3
    whole = next(iter(voice.speak(CLAUSE))).audio.samples
    pieces = np.concatenate([piece.samples for piece in voice.stream_audio(CLAUSE)])
    assert np.abs(pieces - whole).max() < 1e-4
    other = next(iter(voice.speak(TEXT, speaker="Ben"))).audio.samples
    same = next(iter(sung(folder, 1.0).speak(TEXT, speaker="Ben"))).audio.samples
    assert np.abs(other - same).max() < 1e-5


def test_its_graph_sings_as_it_does(tmp_path: Path) -> None:
    folder = own_voice(tmp_path / "tiny")
    flat = next(iter(sung(folder, 1.0).speak(CLAUSE))).audio.samples
    voice = sung(folder, 1.3)
    by_graph = Voice.load(str(folder), engine="onnx")
    for speaker in ("Anna", "Ben"):
        wanted = next(iter(voice.speak(CLAUSE, speaker=speaker))).audio.samples
        found = next(iter(by_graph.speak(CLAUSE, speaker=speaker))).audio.samples
        assert np.abs(found - wanted).max() < 1e-3
        if speaker == "Anna":
            assert np.abs(found - flat).max() > 0.01


@pytest.mark.parametrize(
    "wrong", [{"pitch_hz": 0.0}, {"length_scale": -1.0}, {"pitch_range": -1.0}]
)
def test_a_configuration_that_cannot_be_is_refused(
    tiny: tuple[Path, Vits, VoiceConfig], wrong: dict[str, float]
) -> None:
    config = tiny[2]
    with pytest.raises(UserError, match="pace or pitch"):
        replace(config, speakers=(Speaker("Anna", **wrong), *config.speakers[1:]))
