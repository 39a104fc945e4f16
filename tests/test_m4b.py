"""Parts encoded once become a book: chapters, cover, tags, labels, and no encoding again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from conftest import require, speech
from PIL import Image

from pipelines.media import labels
from pipelines.media.m4b import Tags, cover_jpeg, duration_s, write_m4b
from vits.audio import AudioWriter, read_audio
from vits.errors import UserError

RATE = 22050
TAGS = Tags(
    "Die Lampe 灯", "Ann Other", "base", year="1994", series="Lights", series_index="2",
    description="About a lamp.", language="de",
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    made = []
    for seed, seconds in ((1, 2.0), (2, 3.0), (3, 1.0)):
        path = folder / f"{seed}.m4a"
        with AudioWriter(path, RATE, bit_rate=64_000) as writer:
            writer.write(speech(seconds, RATE, seed=seed).samples)
        made.append(path)
    return made


@pytest.fixture(scope="module")
def book(parts: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.m4b"
    cover = cover_jpeg(Image.new("RGB", (3000, 2000), "navy"))
    write_m4b(path, parts, TAGS, titles=["One", "Zwei", "三"], cover=cover)
    return path


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


def test_sound_is_copied_and_not_encoded_again(parts: list[Path], book: Path) -> None:
    assert packets(book) == [packet for part in parts for packet in packets(part)]


def test_chapters_begin_where_their_parts_do(parts: list[Path], book: Path) -> None:
    with av.open(str(book)) as container:
        chapters: list[Any] = container.chapters()
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["One", "Zwei", "三"]
    starts = [float(chapter["start"] * chapter["time_base"]) for chapter in chapters]
    lengths = [duration_s(part) for part in parts]
    assert starts == pytest.approx([0, lengths[0], lengths[0] + lengths[1]], abs=0.002)


def test_the_sound_of_a_chapter_is_heard_at_its_place(parts: list[Path], book: Path) -> None:
    whole, second = read_audio(book).samples, read_audio(parts[1]).samples
    start = round(duration_s(parts[0]) * RATE)
    middle = second[RATE : 2 * RATE]
    near = whole[start + RATE - 3000 : start + 2 * RATE + 3000]
    scores = np.correlate(near, middle, "valid")
    best = near[int(scores.argmax()) :][: len(middle)]
    assert np.corrcoef(best, middle)[0, 1] > 0.999


def test_tags_cover_and_labels_are_all_there(book: Path) -> None:
    with av.open(str(book)) as container:
        tags = dict(container.metadata)
        video = container.streams.video[0]
        assert (video.codec_context.name, video.width, video.height) == ("mjpeg", 1400, 933)
        assert container.streams.audio[0].metadata["language"] == "deu"
    assert (tags["title"], tags["artist"], tags["composer"]) == (
        "Die Lampe 灯",
        "Ann Other",
        "base",
    )
    assert (tags["genre"], tags["date"], tags["SERIES"]) == ("Audiobook", "1994", "Lights")
    marks = labels.read_marks(book)
    assert marks.aigc is not None
    assert marks.aigc["Label"] == "1"
    assert marks.digital_source_type == labels.DIGITAL_SOURCE_TYPE


def test_the_index_stands_before_the_sound(book: Path) -> None:
    data = book.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_same_parts_give_the_same_bytes(parts: list[Path], tmp_path: Path, book: Path) -> None:
    cover = cover_jpeg(Image.new("RGB", (3000, 2000), "navy"))
    write_m4b(tmp_path / "again.m4b", parts, TAGS, titles=["One", "Zwei", "三"], cover=cover)
    assert (tmp_path / "again.m4b").read_bytes() == book.read_bytes()


def test_a_part_that_is_no_sound_is_named(parts: list[Path], tmp_path: Path) -> None:
    (tmp_path / "bad.m4a").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad\.m4a cannot be read"):
        write_m4b(tmp_path / "b.m4b", [*parts, tmp_path / "bad.m4a"], TAGS, titles=["a"] * 4)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.m4a"]


@pytest.mark.tool
def test_ffprobe_finds_nothing_wrong(book: Path) -> None:
    require(shutil.which("ffprobe"), "ffprobe is not installed")
    told = subprocess.run(
        # what it warns of stands in every such file: a cover without a clock, a track of titles
        ["ffprobe", "-v", "error", "-show_chapters", "-show_format", str(book)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stderr == ""
    assert told.stdout.count("[CHAPTER]") == 3
