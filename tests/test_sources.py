"""What a user hands over, and who speaks in which of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.sources import find_sources
from vits.errors import UserError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def test_files_and_folders_of_strange_names_are_found(tmp_path: Path) -> None:
    names = ['it\'s a "memo".m4a', "录音/第 1 段.mp3", "🎤 take.opus", "deep/er/still.mkv", "x.MP4"]
    folder = touch(tmp_path / "in", *names, ".hidden.wav", "notes.txt")
    found = find_sources([folder, touch(tmp_path, "alone.wav") / "alone.wav"])
    assert {item.path.name for item in found.found} == {Path(n).name for n in names} | {"alone.wav"}
    assert all(item.text == "" for item in found.found)
    assert found.layout == "one"


def test_subtitles_beside_a_film_are_its_words(tmp_path: Path) -> None:
    folder = touch(tmp_path, "a.mp4", "a.srt", "b.mkv", "b.zh.ass", "c.wav", "c.txt", "d.mov")
    found = {item.name: item for item in find_sources([folder]).found}
    assert found["a.mp4"].subtitles == folder / "a.srt"
    assert found["b.mkv"].subtitles == folder / "b.zh.ass"
    assert found["c.wav"].text == "c.txt"
    assert found["d.mov"].subtitles is None


def test_a_list_keeps_its_words_and_the_others_have_none(tmp_path: Path) -> None:
    folder = touch(tmp_path, "a.wav", "b.wav")
    (folder / "metadata.csv").write_text("a|Hello there.\n", encoding="utf-8")
    assert [(i.name, i.text) for i in find_sources([folder]).found] == [
        ("a.wav", "Hello there."),
        ("b.wav", ""),
    ]


def test_folders_of_people(tmp_path: Path) -> None:
    folder = touch(tmp_path, "Anna/1.wav", "Anna/wavs/2.wav", "小红/a.mp3", "小红/b.mp3")
    found = find_sources([folder])
    assert found.layout == "folders"
    assert [item.speaker for item in found.found] == ["Anna", "Anna", "小红", "小红"]
    assert {i.speaker for i in find_sources([folder], speaker="one").found} == {""}


def test_names_with_numbers_are_people_when_there_are_several(tmp_path: Path) -> None:
    folder = touch(tmp_path / "a", "Anna_1.wav", "Anna_2.mp4", "Ben Li_1.wav", "Ben Li_2.wav")
    found = find_sources([folder])
    assert found.layout == "names"
    assert [item.speaker for item in found.found] == ["Anna", "Anna", "Ben Li", "Ben Li"]
    alone = touch(tmp_path / "b", "clip_1.wav", "clip_2.wav", "clip_3.wav")
    assert find_sources([alone]).layout == "one"


def test_protected_files_and_what_is_not_there(tmp_path: Path) -> None:
    folder = touch(tmp_path / "a", "a.wav", "song.m4p", "book.aax")
    assert [str(item) for item in find_sources([folder]).dropped] == [
        "book.aax is protected (DRM)",
        "song.m4p is protected (DRM)",
    ]
    with pytest.raises(UserError, match="no folder or file"):
        find_sources([folder, tmp_path / "nowhere"])
    with pytest.raises(UserError, match="no recordings"):
        find_sources([touch(tmp_path / "empty", "readme.md")])


def test_one_file_under_two_sources_is_one(tmp_path: Path) -> None:
    folder = touch(tmp_path, "in/a.wav")
    assert len(find_sources([folder / "in", folder / "in/a.wav"]).found) == 1
