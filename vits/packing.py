"""A voice as one file to hand on, NAME.voice: a zip of known files, none of them pickled.

The same voice gives the same bytes. What comes in is checked before it appears: names, sizes and
checksums of the files, then the weights against their configuration.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import zipfile
from pathlib import Path
from typing import Any

from vits import library
from vits.card import CARD
from vits.errors import UserError
from vits.files import atomic_file

SUFFIX = ".voice"
FORMAT = "clone-voice pack 1"
INDEX = "pack.json"
WEIGHTS, CONFIG, CRITICS = "voice.safetensors", "config.json", "discriminators.safetensors"
GRAPH = library.GRAPH  # of voices that have no weights
# Largest sizes in bytes. The paper's model has 80 MB, its discriminators 94 MB.
LARGEST = {WEIGHTS: 1 << 30, GRAPH: 1 << 30, CRITICS: 1 << 30,
           CONFIG: 4 << 20, CARD: 4 << 20, INDEX: 1 << 20}  # fmt: skip
LARGEST_SAMPLE = 64 << 20
MOST_SAMPLES = 200
SAMPLE = re.compile(r"samples/[\w(][\w .,()+-]*\.(wav|flac|mp3|opus|m4a|png|txt|json)")
_REMEDY = "Get the voice again from whoever made it; nothing was added."


def pack_voice(name: str, output: Path | None = None) -> Path:
    """Write the voice `name` as one file, NAME.voice here unless `output` says otherwise.

    Only the files that belong to a voice go in. Raises UserError if there is no such voice, it
    does not load, or the file cannot be written.
    """
    folder = library.find_voice(name)
    library.check_voice(folder)
    output = output or Path(f"{folder.name}{SUFFIX}")
    if output.is_dir():
        output = output / f"{folder.name}{SUFFIX}"
    files = _files(folder)
    index = {
        "format": FORMAT,
        "name": folder.name,
        "sha256": {inside: _digest(path) for inside, path in files.items()},
    }
    with atomic_file(output) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(index, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        archive.writestr(_member(INDEX), text.encode("utf-8"))
        for inside, path in files.items():
            with path.open("rb") as source, archive.open(_member(inside), "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    return output


def add_voice(path: Path, *, name: str | None = None, force: bool = False) -> Path:
    """Take a packed voice into the library, under its own name or `name`; its folder there.

    Raises UserError, and leaves the library as it was, if the file is not a packed voice, holds
    anything it should not, is damaged, does not load, or if the name is taken and not `force`.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"There is no file {path}.", "Check the path.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(archive, path)
            index = _index(archive, path)
            target = library.check_name(name or str(index["name"]))
            library.refuse_taken(target, force)
            with library.incoming() as place:
                for inside, member in members.items():
                    _extract(archive, member, place / inside, index["sha256"].get(inside), path)
                library.check_voice(place)
                return library.publish(place, target, force)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        cause = f"{path} is not a packed voice, or is damaged ({error})."
        raise UserError(cause, _REMEDY) from error


def _files(folder: Path) -> dict[str, Path]:
    """What belongs to a voice, by name inside the pack, in a settled order."""
    own = [n for n in (WEIGHTS, GRAPH, CONFIG, CARD, CRITICS) if (folder / n).is_file()]
    samples = sorted(f"samples/{p.name}" for p in folder.glob("samples/*") if p.is_file())
    return {n: folder / n for n in own + [s for s in samples if SAMPLE.fullmatch(s)]}


def _member(inside: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(inside, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # the same bytes on every system
    info.external_attr = 0o644 << 16
    return info


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The members by name, without the index. Raises UserError for any that has no place here."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        inside = info.filename
        largest = LARGEST.get(inside, LARGEST_SAMPLE if SAMPLE.fullmatch(inside) else None)
        if largest is None or stat.S_ISLNK(info.external_attr >> 16):
            raise UserError(f"{path} holds {inside!r}, which is no part of a voice.", _REMEDY)
        if inside in members:
            raise UserError(f"{path} holds {inside!r} twice.", _REMEDY)
        if info.flag_bits & 1:
            raise UserError(f"{path} is encrypted.", "Ask for one without a password.")
        if info.file_size > largest:
            raise UserError(
                f"{path}: {inside} has {info.file_size} bytes, more than a voice's {largest}.",
                _REMEDY,
            )
        members[inside] = info
    weights = GRAPH if GRAPH in members else WEIGHTS
    missing = [name for name in (INDEX, weights, CONFIG) if name not in members]
    if missing:
        raise UserError(f"{path} is not a packed voice: no {', '.join(missing)} in it.", _REMEDY)
    if len(members) > len(LARGEST) + MOST_SAMPLES:
        raise UserError(f"{path} holds {len(members)} files, too many for a voice.", _REMEDY)
    del members[INDEX]
    return members


def _index(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        index = json.loads(archive.read(INDEX))
    except (ValueError, RecursionError):
        index = None
    settled = isinstance(index, dict) and index.get("format") == FORMAT
    if not settled or not isinstance(index.get("sha256"), dict) or "name" not in index:
        raise UserError(f"{path} was not packed by this program, or by a later version.", _REMEDY)
    return dict(index)


def _extract(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, digest: object, path: Path
) -> None:
    target.parent.mkdir(exist_ok=True)
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    if _digest(target) != digest:
        raise UserError(f"{path} is damaged: {member.filename} is not what was packed.", _REMEDY)
