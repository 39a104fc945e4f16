"""Packed recordings through a narrow door: parts of at most 60 MB, and whole again behind it.

    python recipes/parts.py split WORK/packed -o PARTS [--megabytes 60]
    python parts.py join PARTS -o WORK/packed

A part is a row of compressed blocks; `parts.json` says which block belongs where in which file, and
the SHA-256 of every part and every file. Samples of 16 bits are kept as second differences, high
and low bytes apart, before they are compressed, without loss. The receiving side needs this one
file, Python and numpy; training from the folder needs torch and safetensors besides. Parts may
arrive in any order and one by one: `join` says which are missing or damaged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

FORMAT = "clone-voice parts 1"
INDEX = "parts.json"
MEGABYTE = 1_000_000
BLOCK = 4 * 1024 * 1024  # bytes of a file that are compressed together
SAMPLES = ".i16"  # files of 16-bit samples
LEVEL = 6


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    cut = commands.add_parser("split", help="a folder into parts")
    cut.add_argument("folder", type=Path)
    cut.add_argument("-o", "--output", type=Path, required=True)
    cut.add_argument("--megabytes", type=float, default=60.0)
    whole = commands.add_parser("join", help="parts into a folder")
    whole.add_argument("parts", type=Path)
    whole.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "split":
            split(asked.folder, asked.output, asked.megabytes)
        else:
            join(asked.parts, asked.output)
    except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        sys.exit(f"parts: {error}")


# ---------------------------------------------------------------- there


def split(folder: Path, output: Path, megabytes: float = 60.0) -> list[Path]:
    """Write the files of a folder as parts of at most so many megabytes; the paths of the parts.

    Raises ValueError for an empty folder and for parts that could not hold a block.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    limit = int(megabytes * MEGABYTE)
    if not files:
        raise ValueError(f"{folder} holds no files")
    if limit < BLOCK + BLOCK // 100:
        raise ValueError(f"a part must be larger than {BLOCK / MEGABYTE:.0f} MB")
    output.mkdir(parents=True, exist_ok=True)
    writer = _Parts(output, limit)
    told = [_one_file(path, path.relative_to(folder).as_posix(), writer) for path in files]
    writer.close()
    index = {"format": FORMAT, "files": told, "parts": writer.told}
    part = output / f"{INDEX}.part"
    part.write_text(json.dumps(index), encoding="utf-8")
    os.replace(part, output / INDEX)
    return [output / row["name"] for row in writer.told]


def _one_file(path: Path, name: str, writer: _Parts) -> dict[str, Any]:
    digest, blocks = hashlib.sha256(), []
    with path.open("rb") as file:
        while data := file.read(BLOCK):
            digest.update(data)
            as_samples = path.suffix == SAMPLES and len(data) % 2 == 0
            packed = zlib.compress(_differences(data) if as_samples else data, LEVEL)
            part, at = writer.add(packed)
            blocks.append([part, at, len(packed), len(data), int(as_samples)])
    size = path.stat().st_size
    return {"name": name, "bytes": size, "sha256": digest.hexdigest(), "blocks": blocks}


class _Parts:
    """Parts as they fill up. A part that is being written has a temporary name."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.told: list[dict[str, Any]] = []
        self._held = bytearray()

    def add(self, data: bytes) -> tuple[int, int]:
        """The number of the part that takes these bytes, and where in it they begin."""
        if self._held and len(self._held) + len(data) > self.limit:
            self.close()
        at = len(self._held)
        self._held += data
        return len(self.told), at

    def close(self) -> None:
        """Write the part that is open."""
        name = f"part-{len(self.told) + 1:04d}.bin"
        temporary = self.folder / f"{name}.part"
        temporary.write_bytes(self._held)
        os.replace(temporary, self.folder / name)
        digest = hashlib.sha256(self._held).hexdigest()
        self.told.append({"name": name, "bytes": len(self._held), "sha256": digest})
        self._held = bytearray()


# ---------------------------------------------------------------- here


def join(parts: Path, output: Path) -> None:
    """Put the files together again, each checked.

    Raises ValueError naming the parts that are missing or damaged, before anything is written.
    """
    index = json.loads((parts / INDEX).read_text(encoding="utf-8"))
    if index.get("format") != FORMAT:
        raise ValueError(f"{parts / INDEX} is of another version")
    wrong = [text for row in index["parts"] if (text := _wrong(parts, row))]
    if wrong:
        raise ValueError("; ".join(wrong))
    for file in index["files"]:
        target = _inside(output, file["name"])
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.part")
        digest = hashlib.sha256()
        with temporary.open("wb") as stream:
            for data in _blocks(parts, index, file):
                digest.update(data)
                stream.write(data)
        if digest.hexdigest() != file["sha256"]:
            temporary.unlink()
            raise ValueError(f"{file['name']} is not what was packed")
        os.replace(temporary, target)


def _wrong(folder: Path, row: dict[str, Any]) -> str:
    """What is wrong with a part, '' if nothing."""
    path = _inside(folder, row["name"])
    if not path.is_file():
        return f"{row['name']} is missing"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return "" if digest == row["sha256"] else f"{row['name']} is damaged"


def _inside(folder: Path, name: str) -> Path:
    """A path below a folder. Raises ValueError for one that leaves it."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name or not pure.parts:
        raise ValueError(f"{name!r} is no name within the folder")
    return folder.joinpath(*pure.parts)


def _blocks(parts: Path, index: dict[str, Any], file: dict[str, Any]) -> Iterator[bytes]:
    for number, at, size, raw, as_samples in file["blocks"]:
        with _inside(parts, index["parts"][number]["name"]).open("rb") as stream:
            stream.seek(at)
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(stream.read(size), min(raw, BLOCK) + 1)
        data = _sums(data) if as_samples else data
        if len(data) != raw:
            raise ValueError(f"a block of {file['name']} has another length")
        yield data


# ---------------------------------------------------------------- samples


def _differences(data: bytes) -> bytes:
    """Second differences of 16-bit samples, all high bytes before all low ones."""
    samples = np.frombuffer(data, "<u2")
    once = np.diff(samples, prepend=np.zeros(1, "<u2"))  # wraps around, and back again
    twice = np.diff(once, prepend=np.zeros(1, "<u2")).astype("<u2")
    return twice.view(np.uint8).reshape(-1, 2).T[::-1].tobytes()


def _sums(data: bytes) -> bytes:
    """`_differences` undone."""
    planes = np.frombuffer(data, np.uint8).reshape(2, -1)[::-1]
    twice = np.ascontiguousarray(planes.T).view("<u2").reshape(-1)
    once = np.cumsum(twice, dtype=np.uint16)
    return np.cumsum(once, dtype=np.uint16).astype("<u2").tobytes()


if __name__ == "__main__":
    main()
