"""Packed recordings and the order they are heard in: nothing lost, any place again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import speech
from hypothesis import given, settings
from hypothesis import strategies as st

from data.dataset import BucketSampler, CropSampler, PackedDataset, Utterance, pack
from vits.config import AudioConfig
from vits.errors import UserError
from vits.spectral import spectrogram

HOP = AudioConfig().hop_length


def recordings() -> list[Utterance]:
    """Three recordings of 20, 35 and 50 frames; the second has no text, the third an alignment."""
    sound = (speech(3.0).samples * 32767).astype(np.int16)
    rng = np.random.default_rng(0)
    found = []
    for i, (frames, n_ids) in enumerate(((20, 5), (35, 0), (50, 8))):
        found.append(
            Utterance(
                name=f"clip {i}",
                speaker=i % 2,
                language="en",
                samples=sound[i * 9000 :][: frames * HOP],
                ids=rng.integers(1, 50, n_ids).astype(np.int32),
                embedding=rng.normal(size=256).astype(np.float32),
                bandwidth_hz=(4000.0, 8000.0, 11025.0)[i],
            )
        )
    aligned = np.array([6, 6, 6, 6, 6, 6, 6, 8], dtype=np.int32)
    return [*found[:2], replace(found[2], durations=aligned)]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedDataset:
    folder = tmp_path_factory.mktemp("packed")
    pack(iter(recordings()), folder, speakers=["a", "b"], symbols=["_", "x"])
    return PackedDataset(folder)


# ---------------------------------------------------------------- packed folder


def test_what_is_packed_comes_back(packed: PackedDataset) -> None:
    assert len(packed) == 3
    assert packed.speakers == ["a", "b"]
    assert packed.symbols == ["_", "x"]
    for i, wanted in enumerate(recordings()):
        samples = (packed.waveform(i).numpy() * 32768).astype(np.int16)
        assert np.array_equal(samples, wanted.samples)
        assert packed.frames(i) == len(wanted.samples) // HOP
        assert packed.text_ids(i).tolist() == wanted.ids.tolist()
        assert packed.rows[i].name == wanted.name
        assert np.array_equal(packed.embeddings[i], wanted.embedding)
        assert packed.bandwidths[i] == wanted.bandwidth_hz
    assert packed.known_durations(0) is None
    assert packed.known_durations(1) is None
    assert packed.known_durations(2).tolist() == [6, 6, 6, 6, 6, 6, 6, 8]


def test_a_piece_of_a_recording_is_its_frames(packed: PackedDataset) -> None:
    whole = packed.waveform(2)
    assert torch.equal(packed.waveform(2, 7, 4), whole[7 * HOP : 11 * HOP])


def test_spectrograms_are_kept_only_when_asked(packed: PackedDataset) -> None:
    first = packed.spec(0)
    assert packed.spec(0) is not first
    kept = packed.spec(0, keep=True)
    assert packed.spec(0) is kept
    assert torch.equal(first, kept)


def test_a_batch_is_whole_utterances_padded_with_zeros(packed: PackedDataset) -> None:
    batch = packed.batch([2, 0])
    assert batch.spec_lengths.tolist() == [50, 20]
    assert batch.spec.shape == (2, 513, 50)
    assert batch.waveform.shape == (2, 50 * HOP)
    assert batch.id_lengths.tolist() == [8, 5]
    assert not batch.ids[1, 5:].any()
    assert not batch.spec[1, :, 20:].any()
    assert not batch.waveform[1, 20 * HOP :].any()
    assert torch.equal(batch.spec[1, :, :20], packed.spec(0))
    assert batch.speaker.tolist() == [0, 0]
    assert batch.bandwidth.tolist() == [11025.0, 4000.0]
    assert torch.equal(batch.embedding, torch.from_numpy(packed.embeddings[[2, 0]]))
    assert batch.durations is None


def test_durations_come_along_where_all_of_a_batch_have_them(packed: PackedDataset) -> None:
    assert packed.batch([2, 2], aligned=True).durations.sum(1).tolist() == [50, 50]
    assert packed.batch([2, 0], aligned=True).durations is None


def test_crops_are_segments_without_text(packed: PackedDataset) -> None:
    batch = packed.crops([0, 2], [3, 40], 10)
    assert batch.ids.shape == (2, 0)
    assert batch.waveform.shape == (2, 10 * HOP)
    assert torch.equal(batch.waveform[1], packed.waveform(2)[40 * HOP : 50 * HOP])
    assert torch.equal(batch.spec, spectrogram(batch.waveform, AudioConfig()))


def test_a_folder_that_was_not_packed_to_its_end_is_not_read(tmp_path: Path) -> None:
    def torn() -> object:
        yield recordings()[0]
        raise KeyboardInterrupt

    pack(recordings(), tmp_path, speakers=["a", "b"], symbols=["_"])
    PackedDataset(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        pack(torn(), tmp_path, speakers=["a", "b"], symbols=["_"])
    with pytest.raises(UserError, match="holds no packed recordings"):
        PackedDataset(tmp_path)


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"format": "other"}', "utf-8")
    with pytest.raises(UserError, match="another version"):
        PackedDataset(tmp_path)


# ---------------------------------------------------------------- order


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=60),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 5),
    epoch=st.integers(0, 3),
)
def test_an_epoch_has_every_utterance_once(
    lengths: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    batches = BucketSampler(lengths, batch_size, seed).epoch(epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)


def test_any_epoch_can_be_had_again_and_none_is_like_another() -> None:
    lengths = list(np.random.default_rng(1).integers(10, 400, 100))
    sampler = BucketSampler(lengths, 4, seed=7)
    epochs = [sampler.epoch(n) for n in range(3)]
    assert BucketSampler(lengths, 4, seed=7).epoch(2) == epochs[2]
    assert epochs[0] != epochs[1]
    assert BucketSampler(lengths, 4, seed=8).epoch(0) != epochs[0]
    stream = iter(sampler)
    assert [next(stream) for _ in range(3)] == epochs


def test_a_batch_holds_utterances_of_like_length() -> None:
    lengths = list(np.random.default_rng(1).integers(10, 400, 400))
    batches = BucketSampler(lengths, 8, seed=0).epoch(0)
    waste = np.mean(
        [max(lengths[i] for i in b) - np.mean([lengths[i] for i in b]) for b in batches]
    )
    unsorted = np.random.default_rng(2).permutation(400).reshape(-1, 8)
    before = np.mean(
        [max(lengths[i] for i in b) - np.mean([lengths[i] for i in b]) for b in unsorted]
    )
    assert waste < 0.3 * before


def test_weights_repeat_and_thin() -> None:
    weights = [2.0, 1.0, 0.5, 0.0]
    heard: Counter[int] = Counter()
    for epoch in range(200):
        batches = BucketSampler([10] * 4, 3, seed=0, weights=weights).epoch(epoch)
        heard.update(i for batch in batches for i in batch)
    assert (heard[0], heard[1], heard[3]) == (400, 200, 0)
    assert heard[2] == pytest.approx(100, abs=25)


def test_crops_lie_inside_their_utterances_and_follow_from_seed_and_step() -> None:
    frames = [20, 64, 65, 500]
    sampler = CropSampler(frames, batch_size=32, n_frames=64, seed=3)
    heard: Counter[int] = Counter()
    for step in range(30):
        members, starts = sampler.step(step)
        assert (members, starts) == CropSampler(frames, 32, 64, 3).step(step)
        assert all(0 <= s <= frames[i] - 64 for i, s in zip(members, starts, strict=True))
        heard.update(members)
    assert set(heard) <= {2, 3}  # too short for a choice: heard as whole utterances only
    assert heard[3] > 100 * heard[2]
    with pytest.raises(ValueError, match="no utterance is longer"):
        CropSampler([10, 20], 4, 64, 0)
