"""Voices as one file: the same bytes each time, and nothing unexpected gets in."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vits import library as lib
from vits import packing
from vits.audio import write_audio
from vits.card import Card, read_card, write_card
from vits.checkpoint import load_config, save_critics
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.packing import add_voice, pack_voice


@pytest.fixture(scope="module")
def packed(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice with everything a voice may have, packed."""
    from conftest import speech

    folder = shutil.copytree(tiny_voice, tmp_path_factory.mktemp("whole") / "whole")
    write_card(folder, Card(name="whole", who="Me", consent="I agree."))
    save_critics(folder, Discriminators(load_config(folder).discriminators))
    (folder / "samples").mkdir()
    write_audio(folder / "samples" / "hello 1.wav", speech(0.5))
    (folder / "private.txt").write_text("stays at home")
    return pack_voice(str(folder), folder.parent / "whole.voice")


@pytest.fixture
def rebuilt(packed: Path, tmp_path: Path) -> Callable[..., Path]:
    """The packed voice with members changed, added (bytes) or left out (None)."""

    def build(index: dict[str, object] | None = None, **changes: bytes | None) -> Path:
        members = {i: packed_bytes(packed, i) for i in zipfile.ZipFile(packed).namelist()}
        for name, data in changes.items():
            if data is None:
                members.pop(name)
            else:
                members[name] = data
        if index is not None:
            members["pack.json"] = json.dumps(index).encode()
        path = tmp_path / "rebuilt.voice"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return build


def packed_bytes(path: Path, inside: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(inside)


def assert_refused(path: Path, library: Path, message: str) -> None:
    def files() -> list[str]:
        return sorted(str(p) for p in library.rglob("*") if p.is_file() and p.name != ".lock")

    before = files()
    with pytest.raises(UserError, match=message):
        add_voice(path)
    assert files() == before


def test_a_packed_voice_arrives_as_it_left(packed: Path, library: Path) -> None:
    folder = add_voice(packed)
    assert folder == library / "voices" / "whole"
    assert read_card(folder).consent == "I agree."
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert names == sorted(
        ["voice.safetensors", "config.json", "card.json", "discriminators.safetensors",
         str(Path("samples/hello 1.wav"))]
    )  # fmt: skip
    lib.check_voice(folder)


def test_the_same_voice_is_the_same_bytes(packed: Path, library: Path, tmp_path: Path) -> None:
    add_voice(packed)
    again = pack_voice("whole", tmp_path)
    assert again == tmp_path / "whole.voice"
    assert again.read_bytes() == packed.read_bytes()


def test_a_pack_is_a_plain_zip_without_anything_private(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        assert not [n for n in archive.namelist() if "private" in n or n.endswith((".pt", ".pkl"))]


def test_a_voice_may_be_taken_in_under_another_name_and_replaced_with_force(
    packed: Path, library: Path
) -> None:
    assert add_voice(packed, name="mine").name == "mine"
    with pytest.raises(UserError, match="already a voice 'mine'"):
        add_voice(packed, name="mine")
    add_voice(packed, name="mine", force=True)
    with pytest.raises(UserError, match=r"cannot be called '\.\./x'"):
        add_voice(packed, name="../x")


def test_a_voice_that_does_not_load_is_not_packed(tiny_voice: Path, tmp_path: Path) -> None:
    bad = shutil.copytree(tiny_voice, tmp_path / "bad")
    (bad / "voice.safetensors").write_bytes(b"x")
    with pytest.raises(UserError, match="cannot be read"):
        pack_voice(str(bad), tmp_path / "bad.voice")
    assert not (tmp_path / "bad.voice").exists()


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "samples/../../evil.wav", "C:\\evil", "samples\\x.wav", "state.pt",
     "samples/x.pkl", "samples/deep/x.wav", "samples/.x.wav", "VOICE.SAFETENSORS", "samples/"],
)  # fmt: skip
def test_no_file_but_those_of_a_voice_gets_in(
    rebuilt: Callable[..., Path], library: Path, name: str
) -> None:
    assert_refused(rebuilt(**{name: b"evil"}), library, "no part of a voice")


def test_links_and_doubles_are_refused(packed: Path, library: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("samples/link.wav")
    link.external_attr = 0o120777 << 16
    double = zipfile.ZipInfo("config.json")
    for info, message in ((link, "no part of a voice"), (double, "twice")):
        path = Path(shutil.copy(packed, tmp_path / "x.voice"))
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
            warnings.simplefilter("ignore")  # of the double
            archive.writestr(info, b"/etc/passwd")
        assert_refused(path, library, message)


def test_files_that_are_too_large_or_too_many_are_refused(
    rebuilt: Callable[..., Path], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "LARGEST_SAMPLE", 10)
    assert_refused(rebuilt(), library, "more than a voice's 10")
    monkeypatch.undo()
    monkeypatch.setenv("CLONE_VOICE_HOME", str(library))
    monkeypatch.setattr(packing, "MOST_SAMPLES", 3)
    many = {f"samples/{i}.wav": b"x" for i in range(9)}
    assert_refused(rebuilt(**many), library, "too many")


def test_what_was_changed_on_the_way_is_refused(
    rebuilt: Callable[..., Path], packed: Path, library: Path
) -> None:
    assert_refused(rebuilt(**{"card.json": b"{}"}), library, r"card\.json is not what was packed")
    assert_refused(rebuilt(**{"samples/new.wav": b"x"}), library, "not what was packed")
    data = bytearray(packed.read_bytes())
    data[len(data) // 2] ^= 1
    torn = packed.parent / "torn.voice"
    torn.write_bytes(bytes(data))
    assert_refused(torn, library, "damaged")
    torn.write_bytes(packed.read_bytes()[:-500])
    assert_refused(torn, library, "not a packed voice, or is damaged")


def test_what_is_no_packed_voice_is_refused(
    rebuilt: Callable[..., Path], packed: Path, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.voice").write_text("hello")
    assert_refused(tmp_path / "text.voice", library, "not a packed voice")
    assert_refused(rebuilt(**{"config.json": None}), library, r"no config\.json in it")
    assert_refused(rebuilt({"format": "other"}), library, "not packed by this program")
    assert_refused(rebuilt(**{"pack.json": b"[" * 100_000}), library, "not packed by this program")
    with pytest.raises(UserError, match="There is no file"):
        add_voice(tmp_path / "nothing.voice")


def test_weights_that_do_not_fit_are_refused_though_the_pack_is_whole(
    rebuilt: Callable[..., Path], packed: Path, library: Path
) -> None:
    index = json.loads(packed_bytes(packed, "pack.json"))
    config = json.loads(packed_bytes(packed, "config.json"))
    config["model"]["flow_layers"] = 3
    data = json.dumps(config).encode()
    index["sha256"]["config.json"] = hashlib.sha256(data).hexdigest()
    assert_refused(rebuilt(index, **{"config.json": data}), library, "does not fit")


def test_a_name_in_the_pack_is_checked_as_any_other(
    rebuilt: Callable[..., Path], packed: Path, library: Path
) -> None:
    index = json.loads(packed_bytes(packed, "pack.json"))
    for name in ("../../evil", "base", "con"):
        assert_refused(rebuilt(index | {"name": name}), library, "cannot be called")


def test_a_disk_that_fills_up_leaves_the_library_as_it_was(
    packed: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: io.RawIOBase, target: io.RawIOBase, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing.shutil, "copyfileobj", full)
    assert_refused(packed, library, "disk is full")
