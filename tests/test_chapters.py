"""Chapters are found in books that other programs wrote, and in lines that look like headings."""

from __future__ import annotations

from pathlib import Path

import pytest
from book_files import page, prose, write_epub, write_pdf

from bench.chapters import chapters, score, shelf
from bench.settings import Settings
from pipelines.books.book import Block, Book
from pipelines.books.guesses import guess_headings
from pipelines.books.reading import read_book

SHELF = shelf()


def titles(book: Book) -> list[str]:
    return [chapter.title for chapter in book.chapters if chapter.read]


@pytest.mark.parametrize("name", SHELF)
def test_books_of_other_programs_have_their_chapters(name: str) -> None:
    found = score(name, SHELF[name])
    assert not found.wrong
    assert found.right == found.chapters >= 3


def test_the_bench_counts_what_is_missing_read_or_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = {"chapters": [["CHAPTER I", "Nothing begins so."]], "unheard": ["harbours"]}
    found = score("war.docx", truth)
    assert (found.right, found.chapters) == (0, 15)
    assert [line.split(" ")[0] for line in found.wrong] == ["no", "'harbours'", "14"]
    monkeypatch.setattr("bench.chapters.shelf", lambda: {"war.docx": truth})
    assert [row.value for row in chapters(Settings())] == [0.0, 0.0]


def headings(texts: list[str], prominent: set[int] | None = None) -> list[str]:
    blocks = [Block("text", text) for text in texts]
    guess_headings(blocks, prominent or set())
    return [block.text for block in blocks if block.kind == "heading"]


def below(*titles: str) -> list[str]:
    """Each title with three paragraphs under it."""
    return [text for title in titles for text in (title, *[prose(30)] * 3)]


def test_numbers_count_again_in_each_part() -> None:
    parts = [*["— I —", *below("1", "2", "3")], *["— II —", *below("1", "2", "3")]]
    assert headings(parts) == ["— I —", "1", "2", "3", "— II —", "1", "2", "3"]


def test_a_list_within_a_chapter_does_not_stop_the_counting() -> None:
    texts = [
        *below("1. Dawn", "2. Noon"),
        "1. Eggs",
        "2. Milk",
        "3. Tea",
        *below("3. Dusk", "4. Night"),
    ]
    assert headings(texts) == ["1. Dawn", "2. Noon", "3. Dusk", "4. Night"]


def test_lines_that_stand_out_are_headings_only_as_a_row_of_different_ones() -> None:
    names = ["The Shore", "The Sea", "The Island"]
    places = {0, 4, 8}
    assert headings(below(*names), places) == names
    assert headings(below(*names[:2]), {0, 4}) == []
    assert headings(below("So it goes", "So it goes", "So it goes"), places) == []
    assert headings(below("Sentences.", "End with,", "a full stop."), places) == []
    assert headings(below(*(name.upper() for name in names))) == [n.upper() for n in names]


def test_a_sentence_about_a_chapter_is_no_heading() -> None:
    said = "Chapter nine was the worst of them all, he said."
    assert headings([*below("Chapter 1", "Chapter 2"), said]) == ["Chapter 1", "Chapter 2"]


def test_titles_that_a_contents_names_are_found_below_it(tmp_path: Path) -> None:
    names = ["Economy", "Where I Lived", "Reading"]
    text = "Walden\n\nContents\n\n" + "\n".join(f"{n} .... {i}" for i, n in enumerate(names, 1))
    for name in names:
        text += f"\n\n{name}\n\n{prose(40)}\n\n{prose(40)}"
    (tmp_path / "a.txt").write_text(text, "utf-8")
    assert titles(read_book(tmp_path / "a.txt")) == names


def test_a_cover_without_words_makes_nothing_front_matter(tmp_path: Path) -> None:
    pages = {
        "cover.xhtml": page('<div><img src="c.png"/></div>', ' epub:type="cover"'),
        "c1.xhtml": page(f"<h1>One</h1><p>{prose(40)}</p>"),
        "c2.xhtml": page(f"<h1>Two</h1><p>{prose(40)}</p>"),
    }
    nav = '<li><a href="c1.xhtml">One</a></li><li><a href="c2.xhtml">Two</a></li>'
    assert titles(read_book(write_epub(tmp_path / "a.epub", pages, nav=nav))) == ["One", "Two"]


def test_an_entry_that_points_to_a_wrong_page_means_its_heading(tmp_path: Path) -> None:
    pages = {f"c{n}.xhtml": page(f"<h1>Tale {n}</h1><p>{prose(40)}</p>") for n in (1, 2, 3)}
    wrong = '<li><a href="c1.xhtml">Tale {}</a></li>'
    nav = '<li><a href="c1.xhtml">Tale 1</a></li>' + wrong.format(2) + wrong.format(3)
    book = read_book(write_epub(tmp_path / "a.epub", pages, nav=nav))
    assert titles(book) == ["Tale 1", "Tale 2", "Tale 3"]


def test_pdf_bookmarks_within_a_page_begin_where_their_heading_stands(tmp_path: Path) -> None:
    line = ("The river ran along the old walls of the city and carried leaves.", 11.0)
    pages = [[("The Shore", 11.0), *[line] * 4, ("The Sea", 11.0), *[line] * 4], [line] * 5]
    path = write_pdf(tmp_path / "a.pdf", pages, outline=[("The Shore", 0), ("The Sea", 0)])
    book = read_book(path)
    assert titles(book) == ["The Shore", "The Sea"]
    first, second = (book.words(chapter) for chapter in book.chapters)
    assert second > first > 0
