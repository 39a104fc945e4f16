"""A book becomes an audiobook; again it costs nothing, and an edit costs its sentence."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import av
import pytest
from book_files import PNG, page, simple_epub, write_epub
from click.testing import CliRunner

from cli import story
from pipelines.books import chapterwork
from pipelines.books.audiobook import Where, make_audiobook
from pipelines.books.book import Block
from pipelines.books.delivery import folder_of
from pipelines.books.manner import Manner
from pipelines.books.options import Options, options_from
from pipelines.books.production import Voices, produce
from pipelines.books.sentences import Sentence, Unreadable, plan_chapter
from pipelines.media import labels
from vits.audio import read_audio
from vits.errors import UserError

TEXT = """Title: The Lamp
Author: Ann Other

Chapter 1

The lamp burned all night. Nobody came.

“Who is there?” asked Anna. It was late.

Chapter 2

In the morning the boats went out again.

* * *

Then it was over.
"""
HERE = Where(workers=1)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.txt"
    path.write_text(TEXT, "utf-8")
    return path


def options(tiny_voice: Path, **changes: Any) -> Options:
    return options_from({"voice": str(tiny_voice), **changes}, Options(), "the test")


def chapters_of(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        found: list[Any] = container.chapters()
    return [chapter["metadata"]["title"] for chapter in found]


def encoded(out: Path) -> dict[str, int]:
    """Encoded chapters and when they were written."""
    return {p.name: p.stat().st_mtime_ns for p in out.glob(".shelf/*/work/chapters/*.m4a")}


def test_a_book_is_made_with_its_chapters_tags_and_labels(
    book: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    outcome = make_audiobook(book, tmp_path / "out", options(tiny_voice), HERE)
    assert outcome.delivered is not None
    m4b = tmp_path / "out" / "The Lamp.m4b"
    assert m4b in outcome.delivered.files
    assert chapters_of(m4b) == ["Chapter 1", "Chapter 2"]
    assert labels.read_marks(m4b).aigc is not None
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [chapter["lufs"] for chapter in report["chapters"]] == pytest.approx([-18, -18], abs=0.3)
    assert report["duration_s"] == pytest.approx(read_audio(m4b).duration_s, abs=0.3)


def test_again_nothing_is_spoken_encoded_or_written(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    make_audiobook(book, out, options(tiny_voice), HERE)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and p.name != "lock"}
    monkeypatch.setattr(chapterwork, "_make", lambda *args: pytest.fail("made again"))
    again = make_audiobook(book, out, options(tiny_voice), HERE)
    assert again.spoken == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_one_changed_sentence_is_one_sentence_spoken_and_one_chapter_encoded(
    book: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    make_audiobook(book, out, options(tiny_voice), HERE)
    before = encoded(out)
    book.write_text(TEXT.replace("Nobody came.", "Somebody came."), "utf-8")
    again = make_audiobook(book, out, options(tiny_voice), HERE)
    assert again.spoken == 1
    after = encoded(out)
    assert len(after) == 3
    assert before.items() <= after.items()


def test_the_same_book_gives_the_same_bytes_wherever_it_is_made(
    book: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        make_audiobook(book, tmp_path / name, options(tiny_voice), HERE)
    first, second = (tmp_path / name / "The Lamp.m4b" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_a_run_killed_in_a_chapter_goes_on_from_its_last_sentence(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def dying(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    voices = Voices()
    state = out / ".shelf" / "x"
    work = produce(book, options(tiny_voice), state, voices).works[0]
    with pytest.raises(KeyboardInterrupt):
        chapterwork.make_chapter(work, voices.loaded, dying)
    assert work.made() is None
    made = chapterwork.make_chapter(work, voices.loaded)
    assert (made.spoken, made.kept) == (2, 3)
    found = work.made()
    assert found is not None
    assert found.sound == made.sound


def test_every_format_is_delivered_and_read_by_its_reader(tiny_voice: Path, tmp_path: Path) -> None:
    source = simple_epub(tmp_path / "a.epub", chapters=2, words=20)
    wanted = options(tiny_voice, format=["m4b", "mp3", "opus", "epub"])
    made = make_audiobook(source, tmp_path / "out", wanted, HERE).delivered
    assert made is not None
    names = {path.relative_to(made.folder).as_posix() for path in made.files}
    assert {
        "A Book.m4b",
        "mp3/01 - Chapter 1.mp3",
        "opus/02 - Chapter 2.opus",
        "A Book.epub",
    } <= names
    for path in made.files:
        if path.suffix in (".mp3", ".opus", ".m4b"):
            assert read_audio(path).duration_s > 1
            marks = labels.read_marks(path)
            assert marks.aigc is not None
            assert marks.digital_source_type == labels.DIGITAL_SOURCE_TYPE


def test_audiobookshelf_finds_author_series_year_and_narrator_in_the_folders(
    tiny_voice: Path, tmp_path: Path
) -> None:
    source = simple_epub(tmp_path / "a.epub", title="The Sea: A Tale?")
    wanted = options(
        tiny_voice,
        layout="audiobookshelf",
        series="Lights",
        series_index=2,
        year=1994,
        narrator="Pat",
    )
    production = produce(source, wanted, tmp_path / "state", Voices())
    folder = folder_of(production, Path("shelf"))
    assert folder.as_posix() == "shelf/Ann Other/Lights/Vol 2 - 1994 - The Sea A Tale {Pat}"


def test_a_long_book_is_split_at_chapters(tiny_voice: Path, tmp_path: Path) -> None:
    from pipelines.books.delivery import split

    made = [
        chapterwork.MadeChapter("", n, "", 100, 100 * seconds, 0, 0, 0, (), ())
        for n, seconds in enumerate([40, 40, 40, 200, 10], 1)
    ]
    assert [[c.number for c in group] for group in split(made, 100)] == [[1, 2], [3], [4], [5]]
    assert len(split(made, 0)) == 1


def test_acx_levels_are_kept(book: Path, tiny_voice: Path, tmp_path: Path) -> None:
    make_audiobook(book, tmp_path / "out", options(tiny_voice, loudness="acx"), HERE)
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    for chapter in report["chapters"]:
        assert -23 <= chapter["rms_db"] <= -18
        assert chapter["peak_db"] <= -3


def test_a_cover_travels_from_the_book_into_the_m4b(tiny_voice: Path, tmp_path: Path) -> None:
    pages = {"c.xhtml": page("<h1>Chapter 1</h1><p>The lamp burned.</p>")}
    source = write_epub(tmp_path / "a.epub", pages, extra={"OEBPS/cover.png": PNG},
                        cover="cover.png")  # fmt: skip
    made = make_audiobook(source, tmp_path / "out", options(tiny_voice), HERE).delivered
    assert made is not None
    with av.open(str(tmp_path / "out" / "A Book.m4b")) as container:
        assert container.streams.video[0].codec_context.name == "mjpeg"
    assert (tmp_path / "out" / "cover.jpg").is_file()


# ---------------------------------------------------------------- sentences


def planned(tiny_voice: Path, *blocks: Block, **manner: Any) -> list[Sentence | Unreadable]:
    voices = Voices()
    ready = voices.check(Manner(voice=str(tiny_voice), **manner))
    return list(plan_chapter("A Title", blocks, ready, voices.loaded))


def test_titles_paragraphs_breaks_and_verse_have_their_pauses(tiny_voice: Path) -> None:
    parts = planned(
        tiny_voice,
        Block("text", "One sentence. Another one."),
        Block("text", "The last before a break."),
        Block("break", ""),
        Block("verse", "A line of verse\nand one more"),
    )
    pauses = [part.pause_s for part in parts if isinstance(part, Sentence)]
    assert pauses == [1.6, 0.35, 0.7, 2.0, 0.4, 0.7]


def test_quotations_go_to_the_cast_and_the_words_stay(tiny_voice: Path) -> None:
    cast = {"anna": f"{tiny_voice}:Ben"}
    parts = planned(
        tiny_voice, Block("text", "“Who is there?” asked Anna. It was late."), cast=cast
    )
    spoken = [
        (p.spec.rpartition(":")[2] == "Ben", p.text) for p in parts if isinstance(p, Sentence)
    ]
    assert spoken[1] == (True, "“Who is there?”")
    assert all(not ben for ben, text in spoken[2:])
    assert " ".join(text for _, text in spoken[1:]) == "“Who is there?” asked Anna. It was late."


def test_what_nobody_can_read_is_listed_and_the_rest_is_read(tiny_voice: Path) -> None:
    parts = planned(tiny_voice, Block("text", "A word. Одно предложение. Another word."))
    assert [p.text for p in parts if isinstance(p, Unreadable)] == ["Одно предложение."]
    assert [p.text for p in parts if isinstance(p, Sentence)][1:] == ["A word.", "Another word."]


def test_markup_in_a_book_is_no_mark_for_the_voice(tiny_voice: Path) -> None:
    parts = planned(tiny_voice, Block("text", "He wrote [pause:999] into it."))
    assert len(parts) == 2


def test_a_sentence_of_twenty_thousand_characters_is_cut(tiny_voice: Path) -> None:
    parts = planned(tiny_voice, Block("text", "word and " * 2222), Block("text", "x" * 2000))
    assert max(len(p.utterance.symbols) for p in parts if isinstance(p, Sentence)) < 2000


def test_the_same_sentence_has_the_same_key_wherever_it_stands(tiny_voice: Path) -> None:
    parts = planned(tiny_voice, Block("text", "It was late. It was cold. It was late."))
    keys = [part.key for part in parts if isinstance(part, Sentence)][1:]
    assert keys[0] == keys[2] != keys[1]


def test_a_lexicon_changes_only_the_sentences_with_its_words(tiny_voice: Path) -> None:
    block = Block("text", "Anna came. It was late.")
    plain, taught = (planned(tiny_voice, block, lexicon=text) for text in ("", "Anna\tanner"))
    same = [a.key == b.key for a, b in zip(plain, taught, strict=True)
            if isinstance(a, Sentence) and isinstance(b, Sentence)]  # fmt: skip
    assert same == [True, False, True]


# ---------------------------------------------------------------- faults and errors


def test_a_sentence_that_fails_is_spoken_again_and_then_listed(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.books.hearing import Heard

    tried: list[str] = []

    def strict(audio: Any, symbols: Any, *, text: str = "", **more: Any) -> Heard:
        tried.append(text)
        return Heard(("silent",) if "Nobody" in text else (), audio.duration_s)

    monkeypatch.setattr(chapterwork, "listen", strict)
    made = make_audiobook(book, tmp_path / "out", options(tiny_voice), HERE).delivered
    assert made is not None
    assert tried.count("Nobody came.") == chapterwork.TRIES
    assert made.faults == ("Chapter 1: silent: Nobody came.",)
    book.write_text(TEXT.replace("It was late.", "It was early."), "utf-8")
    again = make_audiobook(book, tmp_path / "out", options(tiny_voice), HERE)
    assert again.spoken == 1
    assert again.delivered is not None
    assert again.delivered.faults == made.faults  # of a sentence that was kept


def test_a_full_disk_is_one_clear_line_and_nothing_is_lost(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from pipelines.books.packs import PackWriter

    real, count = PackWriter.add, [0]

    def full(self: PackWriter, *args: Any) -> None:
        count[0] += 1
        if count[0] > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, *args)

    monkeypatch.setattr(PackWriter, "add", full)
    with pytest.raises(UserError, match="disk is full"):
        make_audiobook(book, tmp_path / "out", options(tiny_voice), HERE)
    monkeypatch.setattr(PackWriter, "add", real)
    assert make_audiobook(book, tmp_path / "out", options(tiny_voice), HERE).spoken == 4


@pytest.mark.parametrize("now", [0.0, 4e9])
def test_a_clock_that_jumps_makes_nothing_again(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    out = tmp_path / "out"
    make_audiobook(book, out, options(tiny_voice), HERE)
    before = (out / "The Lamp.m4b").read_bytes()
    for path in (book, *out.rglob("*")):
        os.utime(path, (now, now))
    monkeypatch.setattr(time, "time", lambda: now)
    assert make_audiobook(book, out, options(tiny_voice), HERE).spoken == 0
    assert (out / "The Lamp.m4b").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"format": ["wma"]}, "format cannot be 'wma'"),
        ({"speed": 9.0}, "speed of 9.0"),
        ({"loudness": "loud"}, "loudness of 'loud'"),
        ({"voise": "x"}, "did you mean 'voice'"),
        ({"split": True}, "split cannot be True"),
        ({"keep": ["noise"]}, "keep cannot be 'noise'"),
    ],
)
def test_settings_that_cannot_be_are_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        options_from(given, Options(), "jobs.jsonl:3")


def test_a_language_that_the_voice_does_not_speak_is_told(tiny_voice: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("第一章\n那天夜里下着大雨。" * 9, "utf-8")
    with pytest.raises(UserError, match="does not speak the book's language, zh"):
        make_audiobook(tmp_path / "a.txt", tmp_path / "out", options(tiny_voice), HERE)


def test_the_command_makes_a_book_and_says_where(
    book: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    words = [
        "audiobook",
        str(book),
        "-v",
        str(tiny_voice),
        "-o",
        str(tmp_path / "o"),
        "--workers=1",
    ]
    planned_only = CliRunner().invoke(story, [*words, "--plan"])
    assert "2 chapters (0 made already)" in planned_only.output
    made = CliRunner().invoke(story, [*words, "--json"])
    assert made.exit_code == 0, made.output
    told = json.loads(made.output.splitlines()[-1])
    assert (told["event"], told["chapters"], told["spoken"]) == ("result", 2, 8)
