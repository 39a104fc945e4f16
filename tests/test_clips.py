from __future__ import annotations

from pathlib import Path

import pytest

from data.clips import Clip, read_clips, write_ljspeech, write_manifest
from data.intake import find_clips
from vits.errors import UserError


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Two clips of a folder; their files hold nothing, since nobody listens here."""
    (tmp_path / "wavs").mkdir()
    for name in ("一 a.wav", "b.wav"):
        (tmp_path / "wavs" / name).write_bytes(b"")
    return [
        Clip(tmp_path / "wavs/一 a.wav", 'He said "no".', "anna", "en", 2.5, 11025, source="a.mp3"),
        Clip(tmp_path / "wavs/b.wav", "b", "bo", "zh", 3.125, 4000, "doubt", "is noisy", "b.wav"),
    ]


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path, clips: list[Clip]) -> None:
    write_manifest(tmp_path, clips)
    assert read_clips(tmp_path) == clips
    text = (tmp_path / "manifest.tsv").read_bytes().decode("utf-8")
    assert text.startswith("path\ttext\tspeaker\tlanguage\tverdict\t")
    assert "wavs/一 a.wav\t" in text
    assert "\r" not in text


def test_a_manifest_edited_on_windows_is_read(tmp_path: Path, clips: list[Clip]) -> None:
    write_manifest(tmp_path, clips)
    path = tmp_path / "manifest.tsv"
    path.write_bytes(path.read_text(encoding="utf-8").replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_clips(tmp_path) == clips


def test_a_clip_that_a_person_marked_drop_is_not_used(tmp_path: Path, clips: list[Clip]) -> None:
    write_manifest(tmp_path, clips)
    path = tmp_path / "manifest.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("doubt", "drop"), encoding="utf-8")
    assert read_clips(tmp_path) == clips[:1]


def test_tabs_and_newlines_in_a_text_do_not_break_its_line(
    tmp_path: Path, clips: list[Clip]
) -> None:
    text = "one\ttwo\nthree"
    write_manifest(tmp_path, [Clip(clips[0].path, text, "s", "en", 1.0, 8000)])
    assert read_clips(tmp_path)[0].text == "one two three"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\tuse\t", "\tperhaps\t", "line 2.*perhaps"),
        ("\t2.500\t", "\tlong\t", "line 2.*long"),
        ("bandwidth_hz", "width", "no column 'bandwidth_hz'"),
        ("wavs/b.wav", "wavs/c.wav", "line 3: there is no file"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_line(
    tmp_path: Path, clips: list[Clip], old: str, new: str, message: str
) -> None:
    write_manifest(tmp_path, clips)
    path = tmp_path / "manifest.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read_clips(tmp_path)


def test_a_folder_without_a_manifest_is_not_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no manifest\.tsv"):
        read_clips(tmp_path)


def test_ljspeech_is_written_as_it_is_read(tmp_path: Path, clips: list[Clip]) -> None:
    write_ljspeech(tmp_path, [*clips[:1], Clip(clips[1].path, "a|b", "s", "en", 1.0, 8000)])
    assert [(found.path, found.text) for found in find_clips(tmp_path).found] == [
        (clips[0].path, clips[0].text),
        (clips[1].path, "a,b"),
    ]
