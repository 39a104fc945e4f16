"""Clips with wrong words and strangers' clips are found among the others, and no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from data.dataset import PackedDataset, Utterance, pack
from pipelines.suspects import FEWEST_CLIPS, likenesses, suspects, word_gains
from vits.audio import Audio
from vits.model import Vits
from vits.voice import Voice

SYMBOLS = [str(i) for i in range(12)]
RATE, HOP, FRAMES = 22_050, 256, 6  # frames of each symbol
FIRST_BIN, BINS = 20, 12  # of the symbols' tones


class ToneReader:
    """A network that knows one thing: symbol k sounds as a tone in bin FIRST_BIN + BINS * k."""

    def parameters(self) -> Any:
        return iter([torch.zeros(1)])

    def eval(self) -> ToneReader:
        return self

    def condition(self, speaker: Any, embedding: Any) -> None:
        return None

    def text_encoder(self, ids: torch.Tensor, mask: Any) -> Any:
        m_p = 3.0 * torch.nn.functional.one_hot(ids, len(SYMBOLS)).float().transpose(1, 2)
        return None, m_p, torch.zeros_like(m_p)

    def posterior_encoder(self, spec: torch.Tensor, mask: Any, g: Any) -> Any:
        bands = torch.stack([spec[:, FIRST_BIN + BINS * k] for k in range(len(SYMBOLS))], dim=1)
        m_q = 3.0 * bands / bands.amax(1, keepdim=True).clamp(min=1e-3)
        return m_q, torch.zeros_like(m_q)

    def flow(self, z: torch.Tensor, mask: Any, g: Any) -> torch.Tensor:
        return z

    def align(self, *given: Any) -> torch.Tensor:
        return Vits.align(SimpleNamespace(), *given)  # type: ignore[arg-type]


def tones(ids: list[int]) -> np.ndarray:
    t = np.arange(FRAMES * HOP) / RATE
    hz = [(FIRST_BIN + BINS * k) * RATE / 1024 for k in ids]
    return np.concatenate([0.3 * np.sin(2 * np.pi * f * t) for f in hz])


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values)).astype(np.float32)


def dataset(
    folder: Path, *, wrong: tuple[int, ...] = (), strangers: tuple[int, ...] = (), count: int = 9
) -> PackedDataset:
    """Clips of random tones; those in `wrong` have the words of the next of them."""
    chance = np.random.default_rng(0)
    said = [chance.integers(0, len(SYMBOLS), 10).tolist() for _ in range(count)]
    written = list(said)
    for place, i in enumerate(wrong):
        written[i] = said[wrong[(place + 1) % len(wrong)]]
    person, other = unit(chance.normal(size=256)), unit(chance.normal(size=256))
    rows = []
    for i in range(count):
        near = unit((other if i in strangers else person) + 0.02 * chance.normal(size=256))
        samples = np.round(tones(said[i]) * 32767).astype(np.int16)
        ids = np.array(written[i], np.int32)
        rows.append(Utterance(f"{i}.wav", 0, "en", samples, ids, near, 11_025.0))
    pack(rows, folder, speakers=["anna"], symbols=SYMBOLS)
    return PackedDataset(folder)


def test_right_words_and_one_person_are_not_suspected(tmp_path: Path) -> None:
    checks = suspects(dataset(tmp_path), ToneReader())  # type: ignore[arg-type]
    assert [check.verdict for check in checks] == ["use"] * 9


def test_three_wrong_transcripts_are_found(tmp_path: Path) -> None:
    checks = suspects(dataset(tmp_path, wrong=(1, 4, 7)), ToneReader())  # type: ignore[arg-type]
    assert [i for i, check in enumerate(checks) if check.verdict == "drop"] == [1, 4, 7]
    assert checks[4].reason == "does not say what its transcript says"


def test_strangers_are_found_though_they_are_part_of_the_centre(tmp_path: Path) -> None:
    data = dataset(tmp_path, strangers=(0, 5))
    checks = suspects(data, ToneReader())  # type: ignore[arg-type]
    assert [i for i, check in enumerate(checks) if check.verdict == "drop"] == [0, 5]
    assert "another person" in checks[0].reason
    near = likenesses(data)
    assert all(value is not None and value > 0.85 for i, value in enumerate(near) if i % 5)


def test_a_clip_that_another_person_ends_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(1)
    person, other = unit(chance.normal(size=256)), unit(chance.normal(size=256))

    def embedded(parts: list[Audio]) -> np.ndarray:
        """The other person's samples are negative."""
        return np.stack([other if part.samples.mean() < 0 else person for part in parts])

    monkeypatch.setattr("pipelines.suspects.embed_clips", embedded)
    rows = []
    for i in range(8):
        samples = np.full(6 * RATE // HOP * HOP, 1000, np.int16)
        if i == 3:
            samples[4 * RATE :] = -1000
        nothing = np.zeros(0, np.int32)
        rows.append(Utterance(f"{i}.wav", 0, "en", samples, nothing, person, 11_025.0))
    pack(rows, tmp_path, speakers=["anna"], symbols=SYMBOLS)
    checks = suspects(PackedDataset(tmp_path), ToneReader())  # type: ignore[arg-type]
    assert [i for i, check in enumerate(checks) if check.verdict == "drop"] == [3]
    assert "more than one" in checks[3].reason


def test_of_a_few_clips_nothing_is_said(tmp_path: Path) -> None:
    data = dataset(tmp_path, wrong=(0, 1), strangers=(2,), count=FEWEST_CLIPS - 1)
    checks = suspects(data, ToneReader())  # type: ignore[arg-type]
    assert {check.verdict for check in checks} == {"use"}


def test_a_base_that_does_not_know_the_sounds_accuses_nobody(
    tmp_path: Path, tiny_voice: Path
) -> None:
    voice = Voice.load(tiny_voice)
    checks = suspects(dataset(tmp_path, wrong=(1, 4)), voice.model)
    assert {check.verdict for check in checks} == {"use"}


def test_gains_repeat(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    first, again = (word_gains(data, ToneReader()) for _ in range(2))  # type: ignore[arg-type]
    assert first == again
    assert all(gain == pytest.approx(np.median(first), rel=0.6) for gain in first)  # type: ignore[arg-type]
