"""Noise suppression: better by measure, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import require
from voices import RATE, reader

from data.checks import snr_db
from data.suppression import Guarded, Spectral, suppression
from vits.audio import Audio
from vits.errors import UserError


def noisy(level: float = 0.01) -> Audio:
    clip = reader(2)[1][0]
    quiet = np.zeros(RATE // 2, np.float32)
    samples = np.concatenate([quiet, clip.samples, quiet])
    noise = np.random.default_rng(0).normal(0, level, len(samples))
    return Audio((samples + noise).astype(np.float32), RATE)


def test_spectral_suppression_takes_noise_and_leaves_the_voice() -> None:
    audio = noisy()
    made, how = Guarded(Spectral())(audio)
    assert len(made.samples) == len(audio.samples)
    assert snr_db(made) > snr_db(audio) + 6
    assert "spectral" in how
    clean = np.pad(reader(2)[1][0].samples, RATE // 2)
    assert np.corrcoef(made.samples, clean)[0, 1] > np.corrcoef(audio.samples, clean)[0, 1]


def test_a_clean_clip_stays_as_it_is() -> None:
    random = np.random.default_rng(0)
    burst = np.where(np.arange(2 * RATE) % RATE < RATE // 2, random.normal(0, 0.1, 2 * RATE), 0)
    audio = Audio(burst.astype(np.float32), RATE)
    assert Guarded(Spectral())(audio) == (audio, "was clean")


@dataclass(frozen=True)
class Harmful:
    """Something that makes clips worse in one of two ways."""

    way: str
    name: str = "harmful"

    def suppress(self, audio: Audio) -> Audio:
        if self.way == "noise":
            noise = np.random.default_rng(1).normal(0, 0.05, len(audio.samples))
            return Audio((audio.samples + noise).astype(np.float32), audio.sample_rate)
        t = np.arange(len(audio.samples)) / audio.sample_rate
        return Audio((np.sin(900 * t) * (t % 1 < 0.5) * 0.3).astype(np.float32), audio.sample_rate)


@pytest.mark.parametrize(("way", "told"), [("noise", "no better"), ("tone", "took speech away")])
def test_what_makes_it_worse_is_not_kept_and_says_so(way: str, told: str) -> None:
    audio = noisy(0.003)
    made, how = Guarded(Harmful(way))(audio)
    assert made is audio
    assert told in how


def test_a_named_model_does_the_work(tmp_path: Path) -> None:
    require(find_spec("onnx"), "the extra onnx is not installed")
    from onnx import TensorProto, helper, save_model

    gate = helper.make_node("Mul", ["wave", "mask"], ["clean"])
    size = helper.make_node("Abs", ["wave"], ["size"])
    over = helper.make_node("Greater", ["size", "limit"], ["loud"])
    mask = helper.make_node("Cast", ["loud"], ["mask"], to=TensorProto.FLOAT)
    wave, clean = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "T"])
        for name in ("wave", "clean")
    )
    limit = helper.make_tensor("limit", TensorProto.FLOAT, [], [0.02])
    graph = helper.make_graph([size, over, mask, gate], "gate", [wave], [clean], [limit])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    save_model(model, str(tmp_path / "model.onnx"))
    (tmp_path / "config.json").write_text(json.dumps({"sample_rate": 16000}))
    guarded = suppression(str(tmp_path))
    assert guarded is not None
    made = guarded.suppressor.suppress(noisy(0.003))
    assert len(made.samples) == len(noisy().samples)
    assert snr_db(made) > snr_db(noisy(0.003))


def test_wishes_that_cannot_be_are_told(tmp_path: Path) -> None:
    assert suppression("off") is None
    with pytest.raises(UserError, match="no folder"):
        suppression("strong")
    (tmp_path / "model.onnx").write_bytes(b"none")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be used"):
        suppression(str(tmp_path))
