"""What all tests share."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vits.audio import Audio


def require(condition: object, reason: str) -> None:
    """Skip the test where something it needs is missing; on CI, where nothing may be, fail it."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@functools.cache
def speech(seconds: float = 2.0, sample_rate: int = 22050, *, seed: int = 0) -> Audio:
    """Something with the outline of speech: syllables of voice and hiss, pauses, a quiet room.

    Syllables of 0.2 s, every fifth a pause, the voice's harmonics falling by 9 dB an octave up to
    half the rate; 50 dB above its noise.
    """
    random = np.random.default_rng(seed)
    count = int(seconds * sample_rate)
    t = np.arange(count) / sample_rate
    pitch = 130 + 30 * np.sin(2 * np.pi * 0.7 * t + seed)
    turn = np.exp(2j * np.pi * np.cumsum(pitch) / sample_rate)
    harmonic, voice = np.ones(count, np.complex128), np.zeros(count)
    for k in range(1, int(sample_rate / 2 / 165)):
        harmonic *= turn
        voice += (harmonic * np.exp(1j * k * k) * k**-1.5).imag
    hiss = random.normal(0, 0.15, count)
    syllable = (t / 0.2).astype(int)
    outline = np.sin(np.pi * (t / 0.2 - syllable)) ** 2 * (syllable % 5 != 4)
    sound = outline * np.where((t / 0.2 - syllable) < 0.7, voice, hiss)
    sound = 0.4 * sound / np.abs(sound).max() + random.normal(0, 3e-4, count)
    samples = sound.astype(np.float32)
    samples.flags.writeable = False  # the cached one is everybody's
    return Audio(samples, sample_rate)


def make_tiny_voice(folder: Path, *, seed: int = 1, **changes: Any) -> Path:
    """Write an untrained voice of a few kilobytes: speakers Anna and Ben, English and German.

    It babbles, about 5 frames a symbol, and everything of a voice is there but the card. `changes`
    are to the sizes in its VitsConfig.
    """
    import torch

    from vits.checkpoint import Speaker, VoiceConfig, save_voice
    from vits.config import AudioConfig, IstftConfig, VitsConfig
    from vits.model import Vits
    from vits.text import SYMBOLS

    sizes: dict[str, Any] = {
        "n_symbols": len(SYMBOLS),
        "n_speakers": 2,
        "gin_channels": 8,
        "inter_channels": 8,
        "hidden_channels": 16,
        "filter_channels": 32,
        "n_layers": 2,
        "posterior_hidden": 16,
        "posterior_layers": 2,
        "flow_hidden": 8,
        "flow_layers": 2,
        "n_flows": 2,
        "duration_channels": 16,
        "istft": IstftConfig(channels=16, intermediate_channels=32, n_layers=2),
    }
    config = VoiceConfig(
        model=VitsConfig(**(sizes | changes)),
        audio=AudioConfig(),
        symbols=SYMBOLS,
        languages=("en", "de"),
        speakers=(Speaker("Anna", "female", "en"), Speaker("Ben", "male", "de")),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Vits(config.model, config.audio)
        with torch.no_grad():
            for parameter in model.parameters():  # nothing is left at zero, where parts do nothing
                parameter.add_(0.05 * torch.randn_like(parameter))
            model.duration_predictor.proj.bias.fill_(1.6)
        save_voice(folder, model, config)
    return folder


def own_voice(folder: Path) -> Path:
    """An untrained voice with our own parts, a harmonic source among them, that is heard."""
    import torch

    from vits.checkpoint import load_voice, save_voice
    from vits.config import IstftConfig
    from vits.decoder import IstftDecoder

    make_tiny_voice(
        folder,
        istft=IstftConfig(
            channels=16, intermediate_channels=32, n_layers=2, source_channels=4, source_bands=9
        ),
    )
    model, config = load_voice(folder)
    assert isinstance(model.decoder, IstftDecoder)
    assert model.source is not None
    with torch.no_grad():
        model.source.post.bias[1] = 1.0  # a voice most of the time
        model.decoder.shape.bias[:9] -= 2.5  # at the level of speech
    save_voice(folder, model, config, torch.float32)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _nobodys_library(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the library of whoever runs it, or depends on their language."""
    os.environ["CLONE_VOICE_LANG"] = "en"
    os.environ.setdefault("CLONE_VOICE_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty library of voices of this test's own; CLONE_VOICE_HOME names it."""
    home = tmp_path / "home"
    monkeypatch.setenv("CLONE_VOICE_HOME", str(home))
    return home


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Read other programs' pickles without a process of their own, which takes seconds to start."""
    from vits.formats import unpickle
    from vits.formats.loading import Checkpoint, read_safetensors

    @contextlib.contextmanager
    def read(path: Path) -> Iterator[Checkpoint]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        unpickle.convert(path, folder)
        meta = json.loads((folder / unpickle.META).read_text("utf-8"))
        yield Checkpoint(read_safetensors(folder / unpickle.TENSORS).tensors, meta)

    monkeypatch.setattr("vits.formats.importer.read_pickle", read)


@pytest.fixture
def tiny_critics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the paper's discriminators be of the tiny sizes in tests/foreign.py."""
    from foreign import TINY_PERIOD, TINY_SCALE

    monkeypatch.setattr("vits.discriminators.PAPER_SCALE", TINY_SCALE)
    monkeypatch.setattr("vits.discriminators.PAPER_PERIOD", TINY_PERIOD)


@pytest.fixture(scope="session")
def tiny_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained voice, for `Voice.load(tiny_voice)`; nobody changes it."""
    return make_tiny_voice(tmp_path_factory.mktemp("voices") / "tiny")


def plain_ears(patch: pytest.MonkeyPatch) -> None:
    """Let evaluations listen to two sentences and without the costly ears, which have tests."""

    def two(language: str, purpose: str = "report") -> list[str]:
        from pipelines.evaluate.sentences import load_sentences

        return load_sentences(language, "select" if purpose == "select" else "report")[:2]

    patch.setattr("pipelines.evaluate.measure.load_sentences", two)
    patch.setattr("pipelines.newcomers.load_sentences", two)
    patch.setattr("pipelines.evaluate.measure.opinion", lambda audio: None)
    patch.setattr("pipelines.evaluate.delivery.pitch_track", lambda audio: np.zeros(0))
