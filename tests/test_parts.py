"""Packed recordings in parts: whole again to the byte, small enough, nothing believed unseen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import speech

from recipes import parts

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "BLOCK", 64 * 1024)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    folder = tmp_path / "packed"
    (folder / "more").mkdir(parents=True)
    samples = np.concatenate([speech(4.0, seed=i).samples for i in range(3)])
    (folder / "audio.i16").write_bytes((samples * 32767).astype("<i2").tobytes())
    (folder / "odd.i16").write_bytes(np.random.default_rng(0).bytes(70_001))
    (folder / "more" / "index.json").write_text('{"rows": []}', encoding="utf-8")
    (folder / "empty").write_bytes(b"")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_what_was_split_is_whole_again_and_no_part_is_too_large(
    packed: Path, tmp_path: Path
) -> None:
    made = parts.split(packed, tmp_path / "parts", megabytes=0.12)
    assert len(made) > 2
    assert all(path.stat().st_size <= 120_000 for path in made)
    parts.join(tmp_path / "parts", tmp_path / "again")
    assert content(tmp_path / "again") == content(packed)


def test_samples_become_smaller_than_by_compression_alone(packed: Path) -> None:
    import zlib

    data = (packed / "audio.i16").read_bytes()
    assert len(zlib.compress(parts._differences(data), 6)) < 0.9 * len(zlib.compress(data, 6))
    assert parts._sums(parts._differences(data)) == data


def test_the_same_folder_gives_the_same_parts(packed: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        parts.split(packed, tmp_path / name, megabytes=0.12)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_missing_and_damaged_parts_are_named_and_nothing_is_written(
    packed: Path, tmp_path: Path
) -> None:
    first, second, *_ = parts.split(packed, tmp_path / "parts", megabytes=0.12)
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=r"part-0001\.bin is missing; part-0002\.bin is damaged"):
        parts.join(tmp_path / "parts", tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "c:\\out"])
def test_no_name_leads_out_of_the_folder(packed: Path, tmp_path: Path, name: str) -> None:
    parts.split(packed, tmp_path / "parts")
    path = tmp_path / "parts" / "parts.json"
    index = json.loads(path.read_text("utf-8"))
    index["files"][0]["name"] = name
    path.write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ValueError, match="no name within the folder"):
        parts.join(tmp_path / "parts", tmp_path / "again")
    assert not (tmp_path / "out").exists()


def test_the_receiving_side_needs_the_one_file(packed: Path, tmp_path: Path) -> None:
    parts.split(packed, tmp_path / "parts")
    lone = tmp_path / "elsewhere" / "parts.py"
    lone.parent.mkdir()
    lone.write_bytes((ROOT / "recipes" / "parts.py").read_bytes())
    words = [sys.executable, "-I", str(lone), "join", str(tmp_path / "parts"), "-o", "again"]
    subprocess.run(words, check=True, cwd=tmp_path)
    assert content(tmp_path / "again") == content(packed)
    bad = subprocess.run([*words[:4], "nothing", "-o", "x"], cwd=tmp_path, capture_output=True)
    assert bad.returncode == 1
    assert b"Traceback" not in bad.stderr
