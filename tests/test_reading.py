"""Books of every kind are read as a listener wants them, and hostile ones are refused."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path
from textwrap import fill

import pytest
from book_files import FB2, PNG, page, prose, simple_epub, write_epub, write_pdf

from data.encodings import decode
from pipelines.books.book import Book
from pipelines.books.language import guess_language
from pipelines.books.planfile import with_plan, write_plan
from pipelines.books.reading import read_book
from vits.errors import UserError


def titles(book: Book) -> list[str]:
    """Of the chapters that are read."""
    return [chapter.title for chapter in book.chapters if chapter.read]


def heard(book: Book, *keep: str) -> str:
    return "\n\n".join(book.text(c, keep) for c in book.keeping(keep).chapters if c.read)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


# ---------------------------------------------------------------- plain text

GUTENBERG = f"""The Project Gutenberg eBook of The Lamp, by Ann Other

Title: The Lamp

Author: Ann Other

Language: English

*** START OF THE PROJECT GUTENBERG EBOOK THE LAMP ***

THE LAMP

by Ann Other

CONTENTS

CHAPTER I. The Shore
CHAPTER II. The Sea

CHAPTER I.
The Shore

{fill(prose(200, "shore"), 70)}

A word was wrap-
ped at the end of the line.[1]

[1] This is a footnote.

[Illustration: The lamp]

CHAPTER II. The Sea

Chapter nine was the worst of them all, he said, and sighed.

{fill(prose(200, "sea"), 70)}

*** END OF THE PROJECT GUTENBERG EBOOK THE LAMP ***

Licence of many words.
"""


def test_gutenberg_text_gives_its_chapters_and_nothing_of_its_licence(tmp_path: Path) -> None:
    book = read_book(write(tmp_path / "pg1.txt", GUTENBERG))
    assert (book.meta.title, book.meta.author) == ("The Lamp", "Ann Other")
    assert book.meta.language == "en"
    assert titles(book) == ["CHAPTER I. The Shore", "CHAPTER II. The Sea"]
    text = heard(book)
    assert "Licence" not in text
    assert "footnote" not in text
    assert "Illustration" not in text
    assert "A word was wrapped at the end of the line." in text
    assert "Chapter nine was the worst" in text


def test_what_is_left_out_can_be_kept(tmp_path: Path) -> None:
    book = read_book(write(tmp_path / "pg1.txt", GUTENBERG))
    assert "This is a footnote." in heard(book, "footnotes")
    assert "Illustration: The lamp" in heard(book, "captions")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk", "big5"]
)
def test_chinese_novels_are_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    body = "那天夜里下着大雨，他一个人走在路上，心里想着很多事情。" * 40
    if encoding == "big5":
        body = "那天夜裡下著大雨，他一個人走在路上，心裡想著很多事情。" * 40
    chapters = "\n".join(f"第{n}章 夜雨\n　　{body}\n　　他走了。" for n in "一二三")
    book = read_book(write(tmp_path / "novel.txt", f"夜雨\n作者：王明\n\n{chapters}", encoding))
    assert titles(book) == ["第一章 夜雨", "第二章 夜雨", "第三章 夜雨"]
    assert book.meta.language == "zh"
    assert (book.meta.title, book.meta.author) == ("夜雨", "王明")
    assert heard(book).count("他走了。") == 3


@pytest.mark.parametrize(("encoding", "word"), [("cp1251", "Однажды"), ("cp1252", "Größe")])
def test_other_encodings_are_told_by_their_letters(encoding: str, word: str) -> None:
    russian = f"{word} весною, в час небывало жаркого заката, в Москве появились два человека. "
    german = f"Die {word} des Hauses überraschte ihn, und er öffnete zögernd die schwere Tür. "
    text = (russian if encoding == "cp1251" else german) * 30
    assert word in decode(text.encode(encoding), "a.txt")


@pytest.mark.parametrize("forms", [["1", "2", "3"], ["I.", "II.", "III."], ["一", "二", "三"]])
def test_numbers_that_count_up_are_chapters(tmp_path: Path, forms: list[str]) -> None:
    text = "\n\n".join(f"{form}\n\n" + "\n\n".join([prose(60)] * 5) for form in forms)
    assert titles(read_book(write(tmp_path / "a.txt", f"A Book\n\n{text}"))) == forms


def test_a_list_of_numbered_items_is_no_list_of_chapters(tmp_path: Path) -> None:
    text = f"{prose(300)}\n\n1. Eggs\n\n2. Milk\n\n3. Tea\n\n{prose(300)}"
    assert len(titles(read_book(write(tmp_path / "a.txt", text)))) == 1


def test_a_book_without_headings_is_cut_by_length_at_paragraphs(tmp_path: Path) -> None:
    paragraphs = [prose(100, f"para{i}") for i in range(200)]
    book = read_book(write(tmp_path / "a.txt", "\n\n".join(paragraphs)))
    assert titles(book) == ["Part 1", "Part 2", "Part 3", "Part 4", "Part 5"]
    assert heard(book).split("\n\n") == paragraphs
    lengths = [book.words(chapter) for chapter in book.chapters]
    assert max(lengths) < 1.2 * min(lengths)


def test_markdown_has_its_headings_and_head(tmp_path: Path) -> None:
    text = (
        "---\ntitle: The Lamp\nauthor: Ann Other\nlanguage: en\nseries: Lights\n---\n\n"
        f"# One\n\nSome *words* and `code`[^1].\n\n```\nprint(1)\n```\n\n## A section\n\n"
        f"{prose(40)}\n\n"
        f"# Two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{prose(40)}\n\n[^1]: A note.\n"
    )
    book = read_book(write(tmp_path / "a.md", text))
    assert titles(book) == ["One", "Two"]
    assert book.meta.series == "Lights"
    assert "Some words and code." in heard(book)
    assert "print" not in heard(book)
    assert "1, 2" in heard(book, "tables")
    assert "A note." not in heard(book)


# ---------------------------------------------------------------- HTML and EPUB


def test_html_keeps_paragraphs_and_drops_what_is_not_prose(tmp_path: Path) -> None:
    body = (
        "<h1>The Lamp</h1><h2>Chapter 1</h2><p>One<br>two<sup><a href='#n1'>1</a></sup>.</p>"
        "<script>var x;</script><nav>menu</nav><table><tr><td>a</td><td>b</td></tr></table>"
        f"<p>{prose(60)}</p><h2>Chapter 2</h2><pre>code</pre><p>Three.</p><hr><p>Four.</p>"
        "<div class='footnote' id='n1'><p>A note.</p></div>"
    )
    book = read_book(write(tmp_path / "a.html", f"<html lang='en'><body>{body}</body></html>"))
    assert titles(book) == ["Chapter 1", "Chapter 2"]
    assert book.meta.title == "The Lamp"
    assert heard(book).startswith("One\ntwo.")
    for word in ("var x", "menu", "a, b", "code", "A note"):
        assert word not in heard(book)
    assert "A note." in heard(book, "footnotes")


def test_epub_chapters_are_those_of_its_navigation(tmp_path: Path) -> None:
    book = read_book(simple_epub(tmp_path / "a.epub"))
    assert titles(book) == ["Chapter 1", "Chapter 2", "Chapter 3"]
    assert book.meta.authors == ("Ann Other",)
    assert heard(book).startswith("Tale1 word0")  # the title is said, and not the heading again


def test_epub_front_and_back_matter_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    pages = {
        "cover.xhtml": page("<p>A cover of words.</p>", ' epub:type="cover"'),
        "copy.xhtml": page("<h1>Copyright</h1><p>All rights reserved.</p>"),
        "toc.xhtml": page("<ul>" + "<li><a href='c.xhtml'>Chapter One</a></li>" * 4 + "</ul>"),
        "ded.xhtml": page("<section epub:type='dedication'><p>For Ben.</p></section>"),
        "c.xhtml": page(f"<h1>Chapter One</h1><p>{prose(100)}</p>"),
        "notes.xhtml": page("<h1>Notes</h1><p>A note at the end.</p>"),
    }
    nav = (
        '<li><a href="copy.xhtml">Copyright</a></li><li><a href="c.xhtml">Chapter One</a></li>'
        '<li><a href="notes.xhtml">Notes</a></li>'
    )
    book = read_book(write_epub(tmp_path / "a.epub", pages, nav=nav))
    assert titles(book) == ["Chapter One"]
    assert heard(book) == prose(100)
    assert "All rights reserved." in heard(book, "front")
    assert "A note at the end." in heard(book, "back")


def test_epub_parts_give_way_to_their_chapters_and_sections_do_not(tmp_path: Path) -> None:
    pages = {
        "p1.xhtml": page("<h1>Part One</h1>"),
        "c1.xhtml": page(
            f"<h2>The Shore</h2><p>{prose(900)}</p><h3 id='s'>Later</h3><p>{prose(90)}</p>"
        ),
        "c2.xhtml": page(f"<h2>The Sea</h2><p>{prose(900)}</p>"),
    }
    nav = (
        '<li><a href="p1.xhtml">Part One</a><ol><li><a href="c1.xhtml">The Shore</a>'
        '<ol><li><a href="c1.xhtml#s">Later</a></li></ol></li>'
        '<li><a href="c2.xhtml">The Sea</a></li></ol></li>'
    )
    book = read_book(write_epub(tmp_path / "a.epub", pages, nav=nav))
    assert titles(book) == ["Part One: The Shore", "The Sea"]
    assert "Later" in heard(book)


def test_epub_2_is_read_by_its_ncx_and_several_chapters_of_one_file_are_told_apart(
    tmp_path: Path,
) -> None:
    body = "".join(f"<h2 id='c{n}'>{n}</h2><p>{prose(80, f'tale{n}')}</p>" for n in (1, 2, 3))
    ncx = "".join(
        f"<navPoint><navLabel><text>Tale {n}</text></navLabel>"
        f'<content src="all.html#c{n}"/></navPoint>'
        for n in (1, 2, 3)
    )
    book = read_book(write_epub(tmp_path / "a.epub", {"all.html": page(body)}, ncx=ncx))
    assert titles(book) == ["Tale 1", "Tale 2", "Tale 3"]
    assert book.text(book.chapters[1]) == prose(80, "tale2")


def test_epub_without_navigation_is_cut_at_its_headings(tmp_path: Path) -> None:
    pages = {"a.xhtml": page("".join(f"<h1>Chapter {n}</h1><p>{prose(50)}</p>" for n in (1, 2)))}
    assert titles(read_book(write_epub(tmp_path / "a.epub", pages))) == ["Chapter 1", "Chapter 2"]


def test_epub_footnotes_and_page_numbers_are_not_read_aloud(tmp_path: Path) -> None:
    body = (
        '<p>A sentence<a epub:type="noteref" href="#n">1</a> goes '
        '<span epub:type="pagebreak" id="p5" title="5"/>on<sup>2</sup>, '
        "and H<sub>2</sub>O stays.</p>"
        '<aside epub:type="footnote" id="n"><p>The note.</p></aside>'
    )
    book = read_book(write_epub(tmp_path / "a.epub", {"a.xhtml": page(body)}))
    assert heard(book) == "A sentence goes on, and H2O stays."
    assert "The note." in heard(book, "footnotes")


def test_epub_tells_series_and_cover(tmp_path: Path) -> None:
    metadata = (
        '<dc:title>The Sea</dc:title><dc:creator opf:role="aut">Ann Other</dc:creator>'
        '<dc:creator opf:role="ill">Ben Painter</dc:creator><dc:date>1994-05-01</dc:date>'
        '<meta name="calibre:series" content="Lights"/><meta name="cover" content="img"/>'
        '<meta name="calibre:series_index" content="2.0"/>'
    )
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": page("<p>Text.</p>")}, metadata=metadata,
                      extra={"OEBPS/cover.png": PNG})  # fmt: skip
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    opf = members["OEBPS/content.opf"].replace(
        b"</manifest>", b'<item id="img" href="cover.png" media-type="image/png"/></manifest>'
    )
    with zipfile.ZipFile(path, "w") as new:
        for name, data in {**members, "OEBPS/content.opf": opf}.items():
            new.writestr(name, data)
    book = read_book(path)
    assert (book.meta.series, book.meta.series_index, book.meta.year) == ("Lights", "2", "1994")
    assert book.meta.authors == ("Ann Other",)
    assert book.cover == PNG


# ---------------------------------------------------------------- PDF, DOCX, FB2


def test_pdf_lines_become_paragraphs_without_running_heads(tmp_path: Path) -> None:
    pages = []
    for number in range(1, 7):
        lines = [("THE LAMP by Ann Other", 9.0)]
        if number % 2:
            lines.append((f"Chapter {number // 2 + 1}", 18.0))
        lines += [("The river ran along the old walls of the city and it carried", 11.0)] * 3
        lines += [("leaves to the sea.", 11.0), ("* A small note.", 7.0), (str(number), 9.0)]
        pages.append(lines)
    book = read_book(write_pdf(tmp_path / "a.pdf", pages))
    assert titles(book) == ["Chapter 1", "Chapter 2", "Chapter 3"]
    text = heard(book)
    assert "THE LAMP" not in text
    assert "small note" not in text
    assert "it carried leaves to the sea." in text
    assert not any(line.strip().isdigit() for line in text.split("\n"))


def test_pdf_bookmarks_are_its_chapters(tmp_path: Path) -> None:
    pages = [[(f"Sentence number {n} of this page is here.", 11.0)] * 8 for n in range(4)]
    path = write_pdf(tmp_path / "a.pdf", pages, outline=[("The Shore", 0), ("The Sea", 2)])
    assert titles(read_book(path)) == ["The Shore", "The Sea"]


def test_pdf_of_scans_says_that_it_has_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no text: its 3 pages are pictures"):
        read_book(write_pdf(tmp_path / "a.pdf", [[], [], []]))


def test_docx_styles_say_what_is_what(tmp_path: Path) -> None:
    import docx

    document = docx.Document()
    document.core_properties.author = "Ann Other"
    document.add_paragraph("The Lamp", "Title")
    for number in (1, 2):
        document.add_heading(f"Tale {number}", 1)
        document.add_paragraph(prose(60, f"tale{number}"))
    document.add_paragraph("Figure 1", "Caption")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "a", "b"
    document.save(str(tmp_path / "a.docx"))
    book = read_book(tmp_path / "a.docx")
    assert titles(book) == ["Tale 1", "Tale 2"]
    assert (book.meta.title, book.meta.author) == ("The Lamp", "Ann Other")
    assert "Figure" not in heard(book)
    assert "a, b" in heard(book, "tables")


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_fb2_is_read_with_its_sections_notes_and_cover(tmp_path: Path, encoding: str) -> None:
    body = "".join(
        f"<section><title><p>Глава {n}</p></title><p>Слова<a type='note' l:href='#n1'>[1]</a> тут."
        f"</p><poem><stanza><v>Раз,</v><v>два.</v></stanza></poem></section>"
        for n in (1, 2)
    )
    cover = base64.b64encode(PNG).decode()
    text = FB2.format(encoding=encoding, title="Дама", language="ru", body=body, cover=cover)
    book = read_book(write(tmp_path / "a.fb2", text, encoding))
    assert titles(book) == ["Глава 1", "Глава 2"]
    assert book.text(book.chapters[0]) == "Слова тут.\n\nРаз,\nдва."
    assert (book.meta.author, book.meta.series, book.cover) == ("Anton Tschechow", "Tales", PNG)
    with zipfile.ZipFile(tmp_path / "a.fb2.zip", "w") as archive:
        archive.write(tmp_path / "a.fb2", "a.fb2")
    assert read_book(tmp_path / "a.fb2.zip") == book


# ---------------------------------------------------------------- hostile and broken


def repacked(path: Path, target: Path, **changes: bytes | str) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, data in changes.items():
            new.writestr(name.replace("__", "/"), data)
    return target


def test_drm_is_named_and_obfuscated_fonts_are_none(tmp_path: Path) -> None:
    plain = simple_epub(tmp_path / "a.epub")
    note = '<e><EncryptedData><EncryptionMethod Algorithm="{}"/></EncryptedData></e>'
    fonts = repacked(plain, tmp_path / "b.epub", **{
        "META-INF__encryption.xml": note.format("http://www.idpf.org/2008/embedding")})  # fmt: skip
    assert len(titles(read_book(fonts))) == 3
    locked = repacked(plain, tmp_path / "c.epub", **{
        "META-INF__encryption.xml": note.format("http://www.w3.org/2001/04/xmlenc#aes256-cbc"),
        "META-INF__rights.xml": "<rights/>"})  # fmt: skip
    with pytest.raises(UserError, match=r"DRM \(Adobe ADEPT\)"):
        read_book(locked)


def test_zip_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    plain = simple_epub(tmp_path / "a.epub")
    bomb = repacked(plain, tmp_path / "b.epub", **{"OEBPS__x.xhtml": b"\0" * (64 << 20)})
    with pytest.raises(UserError, match="zip bomb"):
        read_book(bomb)


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil", "OEBPS/../../evil", "C:\\evil"])
def test_names_that_climb_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    path = simple_epub(tmp_path / "a.epub")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "evil")
    with pytest.raises(UserError, match="leads out of the archive"):
        read_book(path)


def test_links_that_climb_out_of_the_archive_lead_nowhere(tmp_path: Path) -> None:
    nav = '<li><a href="../../../etc/passwd">Secret</a></li><li><a href="a.xhtml">One</a></li>'
    book = read_book(write_epub(tmp_path / "a.epub", {"a.xhtml": page("<p>Text.</p>")}, nav=nav))
    assert titles(book) == ["One"]


ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entity_bombs_are_refused(tmp_path: Path, encoding: str) -> None:
    bomb = ENTITIES + '<html xmlns="http://www.w3.org/1999/xhtml"><body>&b;</body></html>'
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": page("x")},
                      extra={"OEBPS/a.xhtml": bomb.encode(encoding)})  # fmt: skip
    with pytest.raises(UserError, match="entities"):
        read_book(path)
    with pytest.raises(UserError, match="entities"):
        read_book(write(tmp_path / "a.fb2", ENTITIES + "<FictionBook>&b;</FictionBook>", encoding))


def test_external_entities_read_no_local_files(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "secret words")
    text = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]><FictionBook>&s;</FictionBook>'
    with pytest.raises(UserError, match="entities"):
        read_book(write(tmp_path / "a.fb2", text))


def test_damaged_books_say_so(tmp_path: Path) -> None:
    whole = simple_epub(tmp_path / "a.epub").read_bytes()
    (tmp_path / "cut.epub").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.epub").write_bytes(b"")
    (tmp_path / "lies.pdf").write_bytes(b"not a pdf at all")
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.4\n1 0 obj <<")
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "book.mobi").write_bytes(b"BOOKMOBI")
    with zipfile.ZipFile(tmp_path / "none.epub", "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
    for name in ("cut.epub", "empty.epub", "lies.pdf", "cut.pdf", "noise.txt", "book.mobi",
                 "none.epub", "absent.epub", "x" * 300 + ".txt"):  # fmt: skip
        with pytest.raises(UserError) as told:
            read_book(tmp_path / name)
        assert told.value.remedy, name


def test_a_flipped_bit_is_damage_and_no_traceback(tmp_path: Path) -> None:
    raw = bytearray(simple_epub(tmp_path / "a.epub", chapters=2, words=2000).read_bytes())
    for place in range(100, len(raw), 97):
        broken = bytearray(raw)
        broken[place] ^= 0x55
        (tmp_path / "b.epub").write_bytes(broken)
        try:
            read_book(tmp_path / "b.epub")
        except UserError:
            continue


def test_a_page_named_and_missing_is_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    path = simple_epub(tmp_path / "a.epub")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.epub", "w") as new:
        for name in old.namelist():
            if "c2" not in name:
                new.writestr(name, old.read(name))
    book = read_book(tmp_path / "b.epub")
    assert titles(book) == ["Chapter 1", "Chapter 3"]
    assert "c2.xhtml" in book.notes[0]


def test_three_thousand_chapters_and_one_of_four_hundred_pages(tmp_path: Path) -> None:
    many = "\n\n".join(f"Chapter {n}\n\nText of it." for n in range(1, 3001))
    assert len(titles(read_book(write(tmp_path / "many.txt", many)))) == 3000
    one = "Chapter 1\n\n" + "\n\n".join(prose(100) for _ in range(1200))
    book = read_book(write(tmp_path / "one.txt", one))
    assert len(titles(book)) == 30
    assert titles(book)[1] == "Chapter 1, Part 2"


def test_five_scripts_and_no_spaces_are_text_too(tmp_path: Path) -> None:
    scripts = ["Ein Satz.", "一句话。", "ひとつの文です。", "Одно предложение.", "문장 하나."]
    book = read_book(write(tmp_path / "five.txt", "Five\n\n" + "\n\n".join(scripts)))
    assert heard(book).split("\n\n") == scripts
    assert read_book(write(tmp_path / "long.txt", "x" * 20_000)).words is not None


# ---------------------------------------------------------------- the plan


def test_a_plan_that_is_not_edited_changes_nothing(tmp_path: Path) -> None:
    book = read_book(simple_epub(tmp_path / "a.epub"))
    write_plan(book, tmp_path / "plan.yaml", "a.epub")
    assert with_plan(book, tmp_path / "plan.yaml") == book


def test_an_edited_plan_renames_joins_splits_and_leaves_out(tmp_path: Path) -> None:
    paragraphs = [prose(20, f"para{i}") for i in range(4)]
    text = "Chapter 1\n\n" + "\n\n".join(paragraphs[:2]) + "\n\nChapter 2\n\n"
    text += "\n\n".join(paragraphs[2:]) + "\n\nChapter 3\n\nThe end."
    book = read_book(write(tmp_path / "a.txt", text))
    plan = write(
        tmp_path / "plan.yaml",
        "title: Other\nchapters:\n- {title: First, begins: 0}\n"
        "- {title: Half, begins: Para1 word0}\n"
        "- {title: Last, begins: 6, read: false}\n",
    )
    edited = with_plan(book, plan)
    assert [c.title for c in edited.chapters] == ["First", "Half", "Last"]
    assert titles(edited) == ["First", "Half"]
    assert edited.text(edited.chapters[0]) == paragraphs[0]
    assert edited.text(edited.chapters[1]).endswith(paragraphs[3])
    assert edited.meta.title == "Other"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chapters: []", "lists no chapters"),
        ("chapters: [{title: x}]", "entry 1 has no 'begins'"),
        ("chapters: [{begins: 99}]", "nowhere in the book"),
        ("chapters: [{begins: 4}, {begins: 0}]", "entry 2 begins before"),
        ("chapters: [{begins: 0, loud: 1}]", "loud, which means nothing"),
        ("chapters: [", "not YAML"),
    ],
)
def test_a_plan_that_does_not_fit_says_where(tmp_path: Path, text: str, said: str) -> None:
    book = read_book(simple_epub(tmp_path / "a.epub"))
    with pytest.raises(UserError, match=said):
        with_plan(book, write(tmp_path / "plan.yaml", text))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The cat sat on the mat and it was happy.", "en"),
        ("Der Hund ist nicht in dem Haus und die Katze auch.", "de"),
        ("那天夜里下着大雨。", "zh"),
        ("ある日の暮方の事である。", "ja"),
        ("Однажды весною", "ru"),
        ("12345", "en"),
    ],
)
def test_the_language_is_guessed_by_script_and_small_words(text: str, language: str) -> None:
    assert guess_language([text]) == language
