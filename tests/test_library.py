"""The library: voices found by name, listed, taken in whole, removed with all that is theirs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import make_tiny_voice

from vits import library as lib
from vits.card import CARD, Card, read_card, write_card
from vits.errors import UserError


@pytest.fixture
def mine(library: Path, tiny_voice: Path) -> Path:
    """A library with the voice 'mine'; its folder."""
    return lib.install_voice(tiny_voice, "mine")


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("voice", "parts"),
    [
        ("base", ("base", None)),
        ("base:Anna", ("base", "Anna")),
        ("声音:小明", ("声音", "小明")),
        ("base:", ("base", None)),
        (":Anna", (":Anna", None)),
        (r"C:\voices\mine", (r"C:\voices\mine", None)),
        (r"C:\voices\mine:Anna", (r"C:\voices\mine", "Anna")),
        ("C:/voices/mine", ("C:/voices/mine", None)),
        ("./mine:Anna", ("./mine", "Anna")),
        ("a:b:c", ("a:b", "c")),
    ],
)
def test_a_voice_and_its_speaker_are_told_apart(voice: str, parts: tuple[str, str | None]) -> None:
    assert lib.parse_voice(voice) == parts


@pytest.mark.parametrize("name", ["anna", "Anna 2", "声音", "Jürgen_v1.2", "a"])
def test_names_of_letters_in_any_script_are_good(name: str) -> None:
    assert lib.check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "  ", ".hidden", "-x", "a/b", "a\\b", "a:b", "a\nb", "con", "NUL.txt", "lpt1", "x.", "x ",
     "base", "Base", "..", "a" * 61, "wh*t?"],
)  # fmt: skip
def test_names_that_not_every_system_can_hold_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="cannot be called"):
        lib.check_name(name)


def test_a_name_is_the_same_however_its_accents_are_written(
    library: Path, tiny_voice: Path
) -> None:
    lib.install_voice(tiny_voice, "Ju\u0308rgen")
    assert lib.names()[-1] == "J\u00fcrgen"
    assert lib.find_voice("Ju\u0308rgen") == lib.find_voice("J\u00fcrgen")


# ---------------------------------------------------------------- finding


def test_home_is_where_the_environment_says(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lib.home() == library
    monkeypatch.delenv("CLONE_VOICE_HOME")
    assert lib.home().name == "clone-voice"


def test_a_voice_is_found_by_name_and_by_path(
    mine: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mine == library / "voices" / "mine"
    monkeypatch.chdir(library / "voices")
    for name in ("mine", str(mine), mine, "./mine"):
        assert lib.find_voice(name).resolve() == mine.resolve()


def test_the_library_comes_before_a_folder_of_the_same_name(
    mine: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_voice, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert lib.find_voice("mine") == mine
    assert lib.find_voice("./mine") == Path("mine")


def test_an_unknown_voice_is_refused_with_those_there_are(mine: Path) -> None:
    with pytest.raises(UserError, match=r"no voice 'mime'.*Did you mean mine\?"):
        lib.find_voice("mime")
    with pytest.raises(UserError, match=r"no voice 'zzz'.*mine"):
        lib.find_voice("zzz")


def test_where_there_is_no_voice_yet_this_is_said(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lib, "BASES", tmp_path / "none")
    assert lib.names() == []
    with pytest.raises(UserError, match="There are none yet"):
        lib.find_voice("x")
    with pytest.raises(UserError, match="no base voice"):
        lib.find_voice("base")


def test_a_path_that_is_no_folder_says_what_to_do(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "x.voice").write_bytes(b"")
    with pytest.raises(UserError, match=r"clone-voice add x\.voice"):
        lib.find_voice(str(tmp_path / "x.voice"))
    with pytest.raises(UserError, match="no voice folder"):
        lib.find_voice(tmp_path / "nowhere")


def test_the_base_ships_inside_the_package_and_comes_first(
    mine: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_voice, tmp_path / "bases" / "base")
    monkeypatch.setattr(lib, "BASES", tmp_path / "bases")
    entries = lib.list_voices()
    assert [(e.name, e.ships) for e in entries] == [("base", True), ("mine", False)]
    with pytest.raises(UserError, match="part of the program"):
        lib.remove_voice("base")


def test_listing_tells_languages_speakers_and_size_and_names_what_is_broken(
    mine: Path, library: Path
) -> None:
    broken = library / "voices" / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{", "utf-8")
    entries = {e.name: e for e in lib.list_voices() if not e.ships}
    assert entries["mine"].languages == ("en", "de")
    assert entries["mine"].speakers == ("Anna", "Ben")
    assert entries["mine"].bytes == sum(f.stat().st_size for f in mine.iterdir())
    assert entries["mine"].problem == ""
    assert "config.json cannot be read" in entries["broken"].problem


def test_listing_needs_no_torch(mine: Path) -> None:
    code = (
        "import sys; from vits import library; library.list_voices(); print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# ---------------------------------------------------------------- taking in


def test_a_name_that_is_taken_is_refused_unless_forced(mine: Path, tiny_voice: Path) -> None:
    (mine / "old").write_text("x")
    with pytest.raises(UserError, match=r"already a voice 'mine'.*--force"):
        lib.install_voice(tiny_voice, "mine")
    with pytest.raises(UserError, match="already a voice 'mine'"):
        lib.install_voice(tiny_voice, "Mine", force=True)  # one folder on some systems
    assert (mine / "old").exists()
    lib.install_voice(tiny_voice, "mine", force=True)
    assert not (mine / "old").exists()


def test_a_voice_that_does_not_load_never_appears(
    mine: Path, library: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    bad = shutil.copytree(tiny_voice, tmp_path / "bad")
    (bad / "voice.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="cannot be read"):
        lib.install_voice(bad, "mine", force=True)
    with pytest.raises(UserError, match="cannot be read"):
        lib.install_voice(bad, "other")
    assert sorted(p.name for p in (library / "voices").iterdir()) == ["mine"]
    lib.check_voice(mine)


def test_what_a_killed_run_left_is_swept_away(library: Path, tiny_voice: Path) -> None:
    left = library / "voices" / ".incoming"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    folder = lib.install_voice(tiny_voice, "mine")
    assert not (folder / "half").exists()
    assert not left.exists()


# ---------------------------------------------------------------- removing


def test_removing_takes_weights_samples_and_caches_and_tells_what_was_made(
    mine: Path, library: Path, tmp_path: Path
) -> None:
    training = lib.training_folder("mine")
    training.mkdir(parents=True)
    (training / "state.pt").write_bytes(b"x" * 100)
    film, gone = tmp_path / "film.mp4", tmp_path / "gone.wav"
    film.write_bytes(b"film")
    lib.record_made("mine", [film, gone])
    lib.record_made("mine", [film])  # again: noted once
    lib.record_made("other", [tmp_path / "other.wav"])
    size = lib.folder_bytes(mine) + 100
    removed = lib.remove_voice("mine")
    assert removed.made == (film,)
    assert removed.bytes == size
    assert set(removed.folders) == {mine, training}
    assert not mine.exists()
    assert not training.exists()
    assert film.exists()
    assert lib.made_with("mine") == []
    assert lib.made_with("other") == [tmp_path / "other.wav"]
    with pytest.raises(UserError, match="no voice 'mine'"):
        lib.remove_voice("mine")


def test_removing_asks_for_a_name_of_the_library(mine: Path) -> None:
    for name in (str(mine), "../voices/mine", "min"):
        with pytest.raises(UserError, match="There is no voice"):
            lib.remove_voice(name)
    assert mine.exists()


def test_what_was_made_is_a_line_of_json_each_and_bad_lines_are_passed_over(
    library: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lib.record_made("声音", [tmp_path / "a.wav", tmp_path / "b.wav"])
    note = library / "made.jsonl"
    rows = [json.loads(line) for line in note.read_text("utf-8").splitlines()]
    assert rows[0] == {"voice": "声音", "path": str(tmp_path / "a.wav")}
    note.write_text(note.read_text("utf-8") + "torn {\n", "utf-8")
    assert len(lib.made_with("声音")) == 2
    assert "cannot be read" in caplog.text


def test_a_library_that_cannot_be_written_does_not_stop_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CLONE_VOICE_HOME", str(tmp_path / "file"))
    lib.record_made("mine", [tmp_path / "a.wav"])
    assert "not noted" in caplog.text


# ---------------------------------------------------------------- cards


def test_a_card_comes_back_with_what_a_newer_version_wrote(tmp_path: Path) -> None:
    card = Card(
        name="mine",
        who="Me",
        consent="I agree.",
        clips=20,
        seconds=121.5,
        sources=({"name": "LJ Speech", "licence": "public domain"},),
        training={"steps": 100},
        scores={"cer": 0.2},
        others={"mood": ["calm"]},
    )
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card
    assert json.loads((tmp_path / CARD).read_text("utf-8"))["mood"] == ["calm"]


def test_a_voice_without_a_card_has_its_folders_name(tmp_path: Path) -> None:
    assert read_card(tmp_path) == Card(name=tmp_path.name)
    (tmp_path / CARD).write_text('{"seconds": 3}', "utf-8")
    assert read_card(tmp_path) == Card(name=tmp_path.name, seconds=3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "not a JSON object"),
        ('{"clips": "many"}', "'clips' should be a whole number"),
        ('{"clips": true}', "'clips' should be a whole number"),
        ('{"sources": {}}', "'sources' should be a list"),
        ('{"who": null}', "'who' should be a text"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / CARD).write_text(text, "utf-8")
    with pytest.raises(UserError, match=message):
        read_card(tmp_path)


def test_a_renamed_voice_is_the_same_voice_with_all_that_is_its(library: Path) -> None:
    make_tiny_voice(lib.voice_folder("anna"))
    write_card(lib.voice_folder("anna"), Card(name="anna", consent="yes"))
    before = lib.voice_hash(lib.voice_folder("anna"))
    lib.training_folder("anna").mkdir(parents=True)
    lib.record_made("anna", [library / "film.mp4"])
    assert lib.rename_voice("anna", "Anna").name == "Anna"  # of another case alone
    folder = lib.rename_voice("Anna", "grandma")
    assert lib.voice_hash(folder) == before
    assert read_card(folder).name == "grandma"
    assert lib.training_folder("grandma").is_dir()
    assert lib.made_with("grandma") == [library / "film.mp4"]
    assert lib.made_with("anna") == []
    make_tiny_voice(lib.voice_folder("ben"))
    for name, new in (("grandma", "ben"), ("grandma", "../x"), ("base", "x"), ("nobody", "x")):
        with pytest.raises(UserError):
            lib.rename_voice(name, new)
