"""The sounds of sentences are kept whole, through kills and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.assets import asset_key
from pipelines.books.packs import MAGIC, Packs

RATE = 22050
KEYS = [asset_key("sentence", 1, {"n": n}) for n in range(4)]


def sound(seed: int) -> np.ndarray:
    return (0.3 * np.random.default_rng(seed).standard_normal(2000)).clip(-1, 1).astype(np.float32)


def filled(folder: Path) -> Packs:
    packs = Packs(folder)
    with packs.writer("a") as writer:
        for seed, key in enumerate(KEYS[:3]):
            writer.add(key, sound(seed), RATE)
    return packs


def test_what_was_written_is_read_by_everybody(tmp_path: Path) -> None:
    for packs in (filled(tmp_path), Packs(tmp_path)):
        packs.refresh()
        for seed, key in enumerate(KEYS[:3]):
            read = packs.read(key)
            assert read is not None
            assert np.abs(read - sound(seed)).max() < 1 / 16000
        assert packs.read(KEYS[3]) is None


@pytest.mark.parametrize("lost", [1, 20, 500, 1500])
def test_a_torn_record_at_the_end_is_cut_off_and_the_others_stay(tmp_path: Path, lost: int) -> None:
    filled(tmp_path)
    path = tmp_path / "a.pack"
    path.write_bytes(path.read_bytes()[:-lost])
    packs = Packs(tmp_path)
    packs.refresh()
    with packs.writer("a") as writer:
        writer.add(KEYS[3], sound(3), RATE)
    after = Packs(tmp_path)
    after.refresh()
    assert [key in after for key in KEYS] == [True, True, False, True]
    assert all(after.read(key) is not None for key in (KEYS[0], KEYS[1], KEYS[3]))


def test_every_place_of_a_kill_leaves_a_pack_that_can_be_gone_on_with(tmp_path: Path) -> None:
    filled(tmp_path / "whole")
    whole = (tmp_path / "whole" / "a.pack").read_bytes()
    for end in range(0, len(whole), 331):
        (tmp_path / "cut").mkdir(exist_ok=True)
        (tmp_path / "cut" / "a.pack").write_bytes(whole[:end])
        packs = Packs(tmp_path / "cut")
        with packs.writer("a") as writer:
            writer.add(KEYS[3], sound(3), RATE)
        again = Packs(tmp_path / "cut")
        again.refresh()
        assert again.read(KEYS[3]) is not None


def test_a_changed_byte_is_noticed_and_not_heard(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "a.pack"
    data = bytearray(path.read_bytes())
    data[len(MAGIC) + 300] ^= 0xFF
    path.write_bytes(data)
    packs = Packs(tmp_path)
    packs.refresh()
    assert packs.read(KEYS[0]) is None
    assert packs.read(KEYS[1]) is not None


def test_a_reader_sees_what_is_added_later(tmp_path: Path) -> None:
    packs, reader = filled(tmp_path), Packs(tmp_path)
    reader.refresh()
    with packs.writer("b") as writer:
        writer.add(KEYS[3], sound(3), RATE)
    reader.refresh()
    assert reader.read(KEYS[3]) is not None
