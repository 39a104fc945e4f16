"""The story as mp3 and wav."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest
import soundfile
from media_story import story
from PIL import Image

from pipelines.media import id3
from pipelines.media.audiofile import mp3_bytes, write_mp3, write_wav
from vits.audio import read_audio
from vits.errors import UserError


def test_an_mp3_has_title_chapters_cover_and_text(tmp_path: Path) -> None:
    told = story(tmp_path)
    write_mp3(told, tmp_path / "a.mp3")
    with av.open(tmp_path / "a.mp3") as container:
        tags = container.metadata
        chapters = container.chapters()
        cover = next(container.decode(video=0)).to_image()
    assert (tags["title"], tags["artist"], tags["composer"]) == (told.title, "A. Writer", "lj")
    assert tags["language"] == "eng"
    assert "The lamp went out at nine." in tags["lyrics-eng"]
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["The Lamp", "The Boat", "3"]
    ends = [float(chapter["end"] * chapter["time_base"]) for chapter in chapters]
    assert ends == pytest.approx([scene.end_s for scene in told.scenes], abs=0.002)
    assert cover.size == (960, 540)


def test_chapters_stand_in_a_table_of_contents() -> None:
    tag = id3.tag(
        {"TIT2": "Títle 狐", "TPE1": ""},
        own_texts={},
        private={},
        chapters=[id3.Chapter("One", 0.0, 1.5), id3.Chapter("Two", 1.5, 3.0)],
    )
    assert id3.tag_bytes(tag[:10]) == len(tag)
    assert b"CTOC" in tag
    assert b"toc\0\x03\x02ch1\0ch2\0" in tag
    assert b"TPE1" not in tag  # nothing to say, nothing said
    assert id3.tag_bytes(b"\xff\xfb\x90\x00" * 3) == 0


@pytest.mark.parametrize(("name", "write"), [("a.mp3", write_mp3), ("a.wav", write_wav)])
def test_the_sound_is_whole_and_levelled(tmp_path: Path, name: str, write) -> None:
    told = story(tmp_path, word_s=0.3)
    write(told, tmp_path / name)
    audio = read_audio(tmp_path / name)
    assert audio.duration_s == pytest.approx(told.duration_s, abs=0.1)
    meter = pyloudnorm.Meter(audio.sample_rate)
    assert meter.integrated_loudness(audio.samples.astype(np.float64)) == pytest.approx(-18, abs=1)


@pytest.mark.parametrize(("name", "write"), [("a.mp3", write_mp3), ("a.wav", write_wav)])
def test_the_same_story_gives_the_same_bytes(tmp_path: Path, name: str, write) -> None:
    told = story(tmp_path)
    digests = set()
    for folder in ("one", "two"):
        write(told, tmp_path / folder / name)
        digests.add(hashlib.sha256((tmp_path / folder / name).read_bytes()).hexdigest())
        assert [path.name for path in (tmp_path / folder).iterdir()] == [name]
    assert len(digests) == 1


def test_a_wav_with_labels_is_still_a_wav(tmp_path: Path) -> None:
    write_wav(story(tmp_path), tmp_path / "a.wav")
    data = (tmp_path / "a.wav").read_bytes()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert soundfile.info(io.BytesIO(data)).subtype == "PCM_16"


def test_the_mp3_of_a_page_has_no_second_copy_of_pictures_and_text(tmp_path: Path) -> None:
    told = story(tmp_path)
    data = mp3_bytes(told)
    assert b"APIC" not in data
    assert b"USLT" not in data
    assert b"CHAP" in data


def test_a_missing_first_picture_leaves_no_half_file(tmp_path: Path) -> None:
    told = story(tmp_path)
    told.scenes[0].picture.unlink()
    with pytest.raises(UserError, match=r"scene-0\.png cannot be read"):
        write_mp3(told, tmp_path / "out" / "a.mp3")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_cover_of_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    told = story(tmp_path)
    Image.new("RGB", (3000, 1500)).save(told.scenes[0].picture)
    write_mp3(told, tmp_path / "a.mp3")
    with av.open(tmp_path / "a.mp3") as container:
        assert next(container.decode(video=0)).to_image().size == (1000, 500)
