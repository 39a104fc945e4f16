"""Books that other programs wrote, to see whether their chapters are found: `bench chapters`.

The headings are those of books in the public domain; between them stand sentences that ship with
the project, so that the files are small and free. They were written by pandoc, calibre, ebooklib,
python-docx, reportlab, Chromium, and by hand in the shapes that people meet: this makes
`tests/books/` again, where those programs are there.

    python -m bench.bookshop FOLDER
"""

from __future__ import annotations

import html
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import Any

from pipelines.evaluate import load_sentences

# headings of the books, and the words that stand between them
KNOWN: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))


@dataclass(frozen=True)
class Tale:
    """A chapter: its heading as printed, its paragraphs."""

    heading: str
    paragraphs: list[str]
    part: str = ""  # the part that begins with it


@dataclass
class Volume:
    """A book before it is a file. `unheard` are words that nobody wants read aloud."""

    name: str
    title: str
    author: str
    language: str
    tales: list[Tale]
    unheard: list[str] = field(default_factory=list)


def volume(
    name: str,
    title: str,
    author: str,
    headings: Sequence[str],
    *,
    language: str = "en",
    words: int = 160,
    parts: dict[int, str] | None = None,
) -> Volume:
    """A book of these headings with `words` words (or twice as many characters) under each."""
    chance = random.Random(name)
    pairs = list(itertools.permutations(KNOWN["words"][language], 2))
    chance.shuffle(pairs)
    known = KNOWN["russian"] if language == "ru" else load_sentences(language)
    tales = []
    for number, heading in enumerate(headings):
        lead = KNOWN["leads"][language].format(*pairs[number % len(pairs)])
        if number >= len(pairs):
            lead = KNOWN["leads"][language].format(*pairs[number - len(pairs)]).upper()
        paragraphs = [lead, *_paragraphs(chance, known, words, language)]
        tales.append(Tale(heading, paragraphs, (parts or {}).get(number, "")))
    return Volume(name, title, author, language, tales)


def _paragraphs(
    chance: random.Random, known: Sequence[str], words: int, language: str
) -> list[str]:
    asian = language in ("zh", "ja")
    found: list[str] = []
    left = words * 2 if asian else words
    while left > 0:
        sentences = chance.sample(known, chance.randint(1, min(5, len(known))))
        text = ("" if asian else " ").join(sentences)
        if chance.random() < 0.2:
            text = f"「{text}」" if asian else f"“{text}”"
        left -= len(text) if asian else text.count(" ") + 1
        found.append(text)
    return found


# ---------------------------------------------------------------- writers


def markdown_of(book: Volume, level: int = 1, part_level: int = 1) -> str:
    lines = [
        "---",
        f"title: {json.dumps(book.title, ensure_ascii=False)}",
        f"author: {json.dumps(book.author, ensure_ascii=False)}",
        f"lang: {book.language}",
        "---",
        "",
    ]
    for tale in book.tales:
        if tale.part:
            lines += [f"{'#' * part_level} {tale.part}", ""]
        lines += [f"{'#' * level} {tale.heading}", "", *_apart(tale.paragraphs)]
    return "\n".join(lines)


def _apart(paragraphs: Sequence[str]) -> list[str]:
    return [line for text in paragraphs for line in (text, "")]


def pandoc(book: Volume, target: Path, source: str, *more: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "book.md")
        path.write_text(source, "utf-8")
        words = ["pandoc", str(path), "-f", "markdown-smart", "-o", str(target), *more]
        subprocess.run(words, check=True)


def calibre(source: Path, target: Path, *more: str) -> None:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        ["ebook-convert", str(source), str(target), *more],
        check=True,
        env=own,
        stdout=subprocess.DEVNULL,
    )


def html_of(book: Volume, heading: Callable[[Tale], str], head: str = "") -> str:
    body = [head]
    for tale in book.tales:
        body.append(heading(tale))
        body += [f"<p>{html.escape(text)}</p>" for text in tale.paragraphs]
    return (
        f'<html lang="{book.language}"><head><meta charset="utf-8">'
        f"<title>{html.escape(book.title)}</title></head><body>\n"
        + "\n".join(body)
        + "</body></html>"
    )


def chromium(source: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "book.html")
        path.write_text(source, "utf-8")
        subprocess.run(
            [
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--print-to-pdf={target}",
                path.as_uri(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def ebooklib(book: Volume, target: Path, pages: Sequence[tuple[str, str, str]], toc: Any) -> None:
    """`pages` are (file, title, body); `toc` makes what ebooklib takes from its items by file."""
    from ebooklib import epub  # type: ignore[import-not-found]

    made = epub.EpubBook()
    made.set_identifier(book.name)
    made.set_title(book.title)
    made.set_language(book.language)
    made.add_author(book.author)
    items = {}
    for file, title, body in pages:
        item = epub.EpubHtml(title=title, file_name=file, lang=book.language)
        item.content = f"<html><body>{body}</body></html>"
        made.add_item(item)
        items[file] = item
    made.toc = toc(items, epub)
    made.add_item(epub.EpubNcx())
    made.add_item(epub.EpubNav())
    made.spine = ["nav", *items.values()]
    epub.write_epub(str(target), made)


def reportlab(
    book: Volume, target: Path, *, outline: bool, breaks: bool, header: str = "", size: int = 16
) -> None:
    """A printed book: justified text, running head, page numbers, headings a little larger."""
    from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY  # type: ignore[import-untyped]
    from reportlab.lib.pagesizes import A5  # type: ignore[import-untyped]
    from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
    from reportlab.platypus import (  # type: ignore[import-untyped]
        Flowable,
        PageBreak,
        Paragraph,
        SimpleDocTemplate,
        Spacer,
    )

    text = ParagraphStyle(
        "t",
        fontName="Times-Roman",
        fontSize=10.5,
        leading=13,
        alignment=TA_JUSTIFY,
        firstLineIndent=14,
    )
    large = ParagraphStyle(
        "h",
        fontName="Times-Roman",
        fontSize=size,
        leading=size * 1.3,
        alignment=TA_CENTER,
        spaceAfter=10,
    )

    class Bookmark(Flowable):
        def __init__(self, title: str, key: str) -> None:
            super().__init__()
            self.title, self.key = title, key

        def wrap(self, *_: Any) -> tuple[float, float]:
            return 0, 0

        def draw(self) -> None:
            self.canv.bookmarkHorizontal(self.key, 0, 20)
            self.canv.addOutlineEntry(self.title, self.key, 0, 0)

    def edge(canvas: Any, document: Any) -> None:
        canvas.setFont("Times-Italic", 8)
        canvas.drawCentredString(A5[0] / 2, A5[1] - 30, header or book.title)
        canvas.drawCentredString(A5[0] / 2, 25, str(document.page))

    flow: list[Any] = []
    for number, tale in enumerate(book.tales):
        if breaks and number:
            flow.append(PageBreak())
        if outline:
            flow.append(Bookmark(tale.heading, f"c{number}"))
        for line in tale.heading.split("\n"):
            flow.append(Paragraph(line, large))
        flow += [Paragraph(html.escape(p), text) for p in tale.paragraphs]
        flow.append(Spacer(1, 24))
    document = SimpleDocTemplate(
        str(target),
        pagesize=A5,
        title=book.title,
        author=book.author,
        leftMargin=50,
        rightMargin=50,
        topMargin=55,
        bottomMargin=50,
    )
    document.build(flow, onFirstPage=lambda c, d: None, onLaterPages=edge)


# ---------------------------------------------------------------- the shelf

CN = "一二三四五六七八九"
NUMBERS = [*CN, "十", *(f"十{n}" for n in CN), "二十"]
ROMAN = [
    "I",
    "II",
    "III",
    "IV",
    "V",
    "VI",
    "VII",
    "VIII",
    "IX",
    "X",
    "XI",
    "XII",
    "XIII",
    "XIV",
    "XV",
    "XVI",
    "XVII",
    "XVIII",
    "XIX",
    "XX",
    "XXI",
    "XXII",
    "XXIII",
    "XXIV",
]
LICENCE = "Start of the licence: this eBook is for the use of anyone anywhere at no cost."


def alice(target: Path) -> Volume:
    """Project Gutenberg's text: contents, headings of two lines, wrapped, an illustration."""
    book = volume(
        target.name,
        "Alice’s Adventures in Wonderland",
        "Lewis Carroll",
        [f"CHAPTER {n}.\n{t}" for n, t in zip(ROMAN, KNOWN["alice"], strict=False)],
    )
    parts = [
        f"The Project Gutenberg eBook of {book.title}, by {book.author}",
        LICENCE,
        f"Title: {book.title}",
        f"Author: {book.author}",
        "Language: English",
        "*** START OF THE PROJECT GUTENBERG EBOOK ALICE’S ADVENTURES IN WONDERLAND ***",
        "[Illustration]",
        book.title,
        f"by {book.author}",
        "THE MILLENNIUM FULCRUM EDITION 3.0",
        "Contents\n\n"
        + "\n".join(f" CHAPTER {n}.   {t}" for n, t in zip(ROMAN, KNOWN["alice"], strict=False)),
    ]
    for tale in book.tales:
        parts += ["\n" + tale.heading + "\n", *(fill(p, 72) for p in tale.paragraphs)]
    parts += ["THE END", "*** END OF THE PROJECT GUTENBERG EBOOK ***", LICENCE]
    target.write_text("\n\n".join(parts), "utf-8")
    book.unheard = ["MILLENNIUM", "licence"]
    return book


def frankenstein(target: Path) -> Volume:
    names = [*(f"Letter {n}" for n in range(1, 5)), *(f"Chapter {n}" for n in range(1, 25))]
    book = volume(target.name, "Frankenstein", "Mary Shelley", names)
    pandoc(book, target, markdown_of(book), "-t", "epub3", "--toc")
    return book


def pride(target: Path) -> Volume:
    """61 chapters by calibre from a page of h2, as EPUB 2."""
    book = volume(
        target.name,
        "Pride and Prejudice",
        "Jane Austen",
        [f"Chapter {n}" for n in range(1, 62)],
        words=90,
    )
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "pride.html")
        page.write_text(html_of(book, lambda t: f"<h2>{t.heading}</h2>"), "utf-8")
        calibre(page, target, "--epub-version=2", "--authors=Jane Austen", "--language=en")
    return book


def sherlock(target: Path) -> Volume:
    """Numbered stories, the first of them with numbers of its own inside; anchors, a contents."""
    book = volume(
        target.name,
        "The Adventures of Sherlock Holmes",
        "Arthur Conan Doyle",
        [f"{n}. {t}" for n, t in zip(ROMAN, KNOWN["holmes"], strict=False)],
        words=260,
    )
    links = "".join(
        f'<tr><td>{n}.</td><td><a href="#c{n}">{t}</a></td></tr>'
        for n, t in zip(ROMAN, KNOWN["holmes"], strict=False)
    )
    head = f"<h1>{book.title}</h1><h2>by {book.author}</h2><h3>Contents</h3><table>{links}</table>"
    page = html_of(
        book,
        lambda t: (
            f'<div class="chapter"><h2><a id="c{t.heading.partition(".")[0]}">'
            f"</a>{t.heading.replace('. ', '.<br> ', 1)}</h2></div>"
        ),
        head,
    )
    for number in ("I", "II", "III"):  # within the first story
        place = page.index(book.tales[0].paragraphs[{"I": 0, "II": 2, "III": 4}[number]]) - 3
        page = page[:place] + f"<h3>{number}.</h3>" + page[place:]
    target.write_text(page, "utf-8")
    return book


def cities(target: Path) -> Volume:
    """Parts on pages of their own, nested in the navigation, by ebooklib."""
    parts = {
        0: "Book the First—Recalled to Life",
        6: "Book the Second—the Golden Thread",
        11: "Book the Third—the Track of a Storm",
    }
    numbers = [*ROMAN[:6], *ROMAN[:5], *ROMAN[:4]]
    book = volume(
        target.name,
        "A Tale of Two Cities",
        "Charles Dickens",
        [f"CHAPTER {n}. {t}" for n, t in zip(numbers, KNOWN["cities"], strict=True)],
        parts=parts,
    )
    pages = []
    for number, tale in enumerate(book.tales):
        if tale.part:
            pages.append((f"p{number}.xhtml", tale.part, f"<h1>{tale.part}</h1>"))
        number_of, _, name = tale.heading.partition(". ")
        body = f"<h2>{number_of}.<br/>{name}</h2>" + _ps(tale)
        pages.append((f"c{number}.xhtml", tale.heading, body))

    def toc(items: dict[str, Any], epub: Any) -> list[Any]:
        found: list[Any] = []
        for number, tale in enumerate(book.tales):
            if tale.part:
                found.append((epub.Section(tale.part, f"p{number}.xhtml"), []))
            found[-1][1].append(items[f"c{number}.xhtml"])
        return found

    ebooklib(book, target, pages, toc)
    return book


def _ps(tale: Tale) -> str:
    return "".join(f"<p>{html.escape(text)}</p>" for text in tale.paragraphs)


def war(target: Path) -> Volume:
    """Books that all begin with Chapter I, as a Word document of pandoc."""
    parts = {0: "BOOK ONE: 1805", 5: "BOOK TWO: 1805", 10: "BOOK THREE: 1805"}
    book = volume(
        target.name,
        "War and Peace",
        "Leo Tolstoy",
        [f"CHAPTER {n}" for _ in range(3) for n in ROMAN[:5]],
        parts=parts,
    )
    pandoc(book, target, markdown_of(book, level=2))
    return book


def heart(target: Path) -> Volume:
    """Roman numbers alone, centred by spaces, with a title and its author above."""
    book = volume(target.name, "Heart of Darkness", "Joseph Conrad", ROMAN[:3], words=900)
    lines = ["Heart of Darkness", "", "by Joseph Conrad", ""]
    for tale in book.tales:
        lines += [
            "",
            "",
            " " * 30 + tale.heading,
            "",
            *_apart([fill(p, 70) for p in tale.paragraphs]),
        ]
    target.write_text("\n".join(lines), "cp1252")
    return book


def west(target: Path) -> Volume:
    """Chinese, GBK, a line a paragraph, couplets as titles, advertisement lines between."""
    names = [f"第{n}回　{t}" for n, t in zip(NUMBERS, KNOWN["west"], strict=False)]
    book = volume(target.name, "西游记", "吴承恩", names, language="zh")
    lines = ["《西游记》", "作者：吴承恩", ""]
    for tale in book.tales:
        lines += [tale.heading, "", *(f"　　{p}" for p in tale.paragraphs), ""]
    target.write_bytes("\r\n".join(lines).encode("gbk"))
    return book


def dream(target: Path) -> Volume:
    """Chinese by calibre from GBK text, its chapters found by calibre itself or not."""
    names = [f"第{n}回 {t}" for n, t in zip(NUMBERS, KNOWN["dream"], strict=False)]
    book = volume(target.name, "红楼梦", "曹雪芹", names, language="zh")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "dream.txt")
        body = "\n\n".join(f"{t.heading}\n\n" + "\n\n".join(t.paragraphs) for t in book.tales)
        text.write_bytes(body.encode("gbk"))
        calibre(
            text,
            target,
            "--input-encoding=gbk",
            "--title=红楼梦",
            "--authors=曹雪芹",
            "--language=zh",
            "--epub-version=3",
        )
    return book


def marsh(target: Path) -> Volume:
    """Volumes and chapters in digits, a named prologue, GB 18030, no empty lines."""
    names = [
        "楔子　张天师祈禳瘟疫　洪太尉误走妖魔",
        *(f"第{n}章 {t}" for n, t in enumerate(KNOWN["marsh"], 1)),
    ]
    book = volume(
        target.name,
        "水浒传",
        "施耐庵",
        names,
        language="zh",
        parts={1: "第一卷 梁山", 3: "第二卷 江南"},
    )
    lines = ["书名：水浒传", "作者：施耐庵", "内容简介", "一百零八人的故事。"]
    for tale in book.tales:
        lines += [*([tale.part] if tale.part else []), tale.heading, *tale.paragraphs]
    target.write_bytes("\n".join(lines).encode("gb18030"))
    return book


def diary(target: Path) -> Volume:
    """Chinese numbers alone, UTF-16."""
    book = volume(target.name, "狂人日记", "鲁迅", NUMBERS[:13], language="zh", words=70)
    lines = ["狂人日记", "", "鲁迅", ""]
    for tale in book.tales:
        lines += [f"　　　　{tale.heading}", *(f"　　{p}" for p in tale.paragraphs)]
    target.write_text("\n".join(lines), "utf-16")
    return book


def ahq(target: Path) -> Volume:
    """Chinese EPUB 2 of pandoc."""
    names = [f"第{n}章　{t}" for n, t in zip(CN, KNOWN["ahq"], strict=True)]
    book = volume(target.name, "阿Q正传", "鲁迅", names, language="zh", words=200)
    pandoc(book, target, markdown_of(book), "-t", "epub2")
    return book


def metamorphosis(target: Path) -> Volume:
    """A printed page: Roman numbers in larger letters, no outline, running heads."""
    book = volume(target.name, "Metamorphosis", "Franz Kafka", ROMAN[:3], words=700)
    reportlab(book, target, outline=False, breaks=True)
    return book


def dracula(target: Path) -> Volume:
    """Printed to PDF from a browser."""
    book = volume(
        target.name,
        "Dracula",
        "Bram Stoker",
        [f"CHAPTER {n}. {t}" for n, t in zip(ROMAN, KNOWN["dracula"], strict=False)],
        words=330,
    )
    page = html_of(
        book,
        lambda t: "<h2>" + t.heading.replace(". ", "<br>", 1) + "</h2>",
        f"<h1>{book.title}</h1>",
    )
    chromium(page, target)
    return book


def machine(target: Path) -> Volume:
    """An outline whose entries begin in the middle of pages."""
    names = [f"{n}. {t}" for n, t in zip(ROMAN, KNOWN["machine"], strict=False)]
    book = volume(target.name, "The Time Machine", "H. G. Wells", names, words=300)
    reportlab(book, target, outline=True, breaks=False, size=12)
    return book


def candide(target: Path) -> Volume:
    names = [f"{n}. {t}" for n, t in zip(ROMAN, KNOWN["candide"], strict=False)]
    book = volume(target.name, "Candide", "Voltaire", names)
    pandoc(book, target, markdown_of(book), "-t", "fb2")
    return book


def kashtanka(target: Path) -> Volume:
    """Russian by hand in the old encoding, zipped: an epigraph, sections within sections."""
    names = [
        "Дурное поведение",
        "Таинственный незнакомец",
        "Новое, очень приятное знакомство",
        "Чудеса в решете",
        "Талант! Талант!",
        "Беспокойная ночь",
        "Неудачный дебют",
    ]
    numbers = ["первая", "вторая", "третья", "четвёртая", "пятая", "шестая", "седьмая"]
    heads = [f"Глава {n}. {t}" for n, t in zip(numbers, names, strict=True)]
    book = volume(target.name, "Каштанка", "Антон Чехов", heads, language="ru")
    body = "<title><p>Антон Чехов</p><p>Каштанка</p></title><epigraph><p>Рассказ.</p></epigraph>"
    for tale in book.tales:
        first, _, second = tale.heading.partition(". ")
        half = len(tale.paragraphs) // 2
        paragraphs = [f"<p>{p}</p>" for p in tale.paragraphs]
        body += (
            f"<section><title><p>{first}</p><p>{second}</p></title>"
            f"<section>{''.join(paragraphs[:half])}</section>"
            f"<section><title><p>*</p></title>{''.join(paragraphs[half:])}</section></section>"
        )
    text = (
        '<?xml version="1.0" encoding="windows-1251"?><FictionBook '
        'xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description><title-info><author>'
        "<first-name>Антон</first-name><last-name>Чехов</last-name></author><book-title>Каштанка"
        "</book-title><lang>ru</lang></title-info></description>"
        f"<body>{body}</body></FictionBook>"
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("kashtanka.fb2"), text.encode("cp1251"))
    return book


def effi(target: Path) -> Volume:
    """A Word document of somebody who does not know styles: bold lines, empty paragraphs."""
    import docx
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    book = volume(
        target.name,
        "Effi Briest",
        "Theodor Fontane",
        [f"{n} Kapitel" for n in KNOWN["german"]],
        language="de",
    )
    document = docx.Document()
    document.add_paragraph().add_run("Effi Briest").bold = True
    document.add_paragraph("von Theodor Fontane")
    for tale in book.tales:
        document.add_paragraph()
        line = document.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.add_run(tale.heading).bold = True
        document.add_paragraph()
        for text in tale.paragraphs:
            document.add_paragraph(text)
    document.save(str(target))
    return book


def walden(target: Path) -> Volume:
    """Markdown with underlined headings, sections inside, the title as the only first level."""
    book = volume(target.name, "Walden", "Henry David Thoreau", KNOWN["walden"], words=320)
    lines = ["Walden", "======", "", "*by Henry David Thoreau*", ""]
    for number, tale in enumerate(book.tales):
        lines += [tale.heading, "-" * len(tale.heading), "", *_apart(tale.paragraphs[:2])]
        if number % 2 == 0:
            lines += ["### A later thought", ""]
        lines += _apart(tale.paragraphs[2:])
    target.write_text("\n".join(lines), "utf-8")
    return book


def treasure(target: Path) -> Volume:
    """A page without any heading element: bold centred paragraphs."""
    parts = {0: "PART ONE—The Old Buccaneer", 6: "PART TWO—The Sea Cook"}
    book = volume(
        target.name,
        "Treasure Island",
        "Robert Louis Stevenson",
        [f"{n}. {t}" for n, t in enumerate(KNOWN["treasure"], 1)],
        parts=parts,
    )

    def heading(tale: Tale) -> str:
        number, _, title = tale.heading.partition(". ")
        part = f'<p align="center"><b>{tale.part}</b></p>' if tale.part else ""
        return f'{part}<p align="center"><b>{number}</b></p><p align="center"><b>{title}</b></p>'

    head = f'<p align="center"><font size="7"><b>{book.title}</b></font></p><p>by {book.author}</p>'
    target.write_text(html_of(book, heading, head), "utf-8")
    return book


def emma(target: Path) -> Volume:
    """EPUB 2 of a converter: headings are paragraphs of a class, the NCX says 'Start'."""
    book = volume(target.name, "Emma", "Jane Austen", [f"CHAPTER {n}" for n in ROMAN[:18]])
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "emma.html")
        page.write_text(html_of(book, lambda t: f'<p class="head"><b>{t.heading}</b></p>'), "utf-8")
        calibre(
            page,
            target,
            "--epub-version=2",
            "--authors=Jane Austen",
            "--language=en",
            "--chapter=/",
            "--chapter-mark=none",
            "--flow-size=20",
            "--no-chapters-in-toc",
        )
    return book


def dubliners(target: Path) -> Volume:
    """Stories whose titles are only capitals, below a contents."""
    book = volume(target.name, "Dubliners", "James Joyce", KNOWN["dubliners"], words=240)
    parts = [
        "DUBLINERS",
        "by James Joyce",
        "Contents\n\n" + "\n".join(f" {t.title()}" for t in KNOWN["dubliners"]),
    ]
    for tale in book.tales:
        parts += ["\n" + tale.heading, *(fill(p, 70) for p in tale.paragraphs)]
    target.write_text("\n\n".join(parts), "utf-8")
    return book


def ulysses(target: Path) -> Volume:
    """Numbers in brackets and between dashes."""
    book = volume(
        target.name,
        "Ulysses",
        "James Joyce",
        [f"[ {n} ]" for n in range(1, 10)],
        words=240,
        parts={0: "— I —", 3: "— II —", 6: "— III —"},
    )
    parts = ["Ulysses", "by James Joyce"]
    for tale in book.tales:
        parts += ["\n" + tale.part] if tale.part else []
        parts += ["\n" + tale.heading, *(fill(p, 70) for p in tale.paragraphs)]
    target.write_text("\n\n".join(parts), "utf-8")
    return book


def moby(target: Path) -> Volume:
    """EPUB 3 with several chapters in one file, front and back matter, by ebooklib."""
    numbered = [f"CHAPTER {n}. {t}." for n, t in enumerate(KNOWN["moby"], 1)]
    names = ["Etymology", *numbered, "Epilogue"]
    book = volume(target.name, "Moby-Dick", "Herman Melville", names)
    pages = [
        ("title.xhtml", "Title Page", "<h1>Moby-Dick</h1><p>Title page words.</p>"),
        ("copyright.xhtml", "Copyright", "<p>All rights are reserved.</p>"),
        ("dedication.xhtml", "Dedication", "<p>To Nathaniel Hawthorne.</p>"),
    ]
    bodies = [f'<h2 id="c{n}">{t.heading}</h2>{_ps(t)}' for n, t in enumerate(book.tales)]
    for number in range(0, len(bodies), 4):
        pages.append((f"s{number // 4}.xhtml", "", "".join(bodies[number : number + 4])))
    pages += [
        ("notes.xhtml", "Notes", "<h2>Notes</h2><p>1. A note on whales.</p>"),
        ("about.xhtml", "About the Author", "<h2>About the Author</h2><p>He was born there.</p>"),
    ]

    def toc(items: dict[str, Any], epub: Any) -> list[Any]:
        before = [items[f"{n}.xhtml"] for n in ("title", "copyright", "dedication")]
        inner = [
            epub.Link(f"s{n // 4}.xhtml#c{n}", t.heading, f"c{n}") for n, t in enumerate(book.tales)
        ]
        return [*before, *inner, items["notes.xhtml"], items["about.xhtml"]]

    ebooklib(book, target, pages, toc)
    book.unheard = [
        "Title page words",
        "rights are reserved",
        "Hawthorne",
        "note on whales",
        "born there",
    ]
    return book


def railway(target: Path) -> Volume:
    """Japanese, Shift JIS, numbers with names."""
    names = [f"{n}、{t}" for n, t in zip(CN, KNOWN["railway"], strict=True)]
    book = volume(target.name, "銀河鉄道の夜", "宮沢賢治", names, language="ja")
    lines = ["銀河鉄道の夜", "宮沢賢治", ""]
    for tale in book.tales:
        lines += ["", f"　　　　{tale.heading}", "", *(f"　{p}" for p in tale.paragraphs)]
    target.write_text("\n".join(lines), "cp932")
    return book


def plain(target: Path) -> Volume:
    """No headings at all: cut by length, at paragraphs."""
    book = volume(target.name, "A Journal", "Daniel Defoe", [""], words=12_500)
    target.write_text("\n\n".join(fill(p, 70) for p in book.tales[0].paragraphs), "utf-8")
    return book


SHELF: dict[str, Callable[[Path], Volume]] = {
    "alice.txt": alice,
    "heart.txt": heart,
    "dubliners.txt": dubliners,
    "ulysses.txt": ulysses,
    "plain.txt": plain,
    "west.txt": west,
    "marsh.txt": marsh,
    "diary.txt": diary,
    "railway.txt": railway,
    "walden.md": walden,
    "sherlock.html": sherlock,
    "treasure.html": treasure,
    "frankenstein.epub": frankenstein,
    "pride.epub": pride,
    "cities.epub": cities,
    "emma.epub": emma,
    "moby.epub": moby,
    "dream.epub": dream,
    "ahq.epub": ahq,
    "metamorphosis.pdf": metamorphosis,
    "dracula.pdf": dracula,
    "machine.pdf": machine,
    "war.docx": war,
    "effi.docx": effi,
    "candide.fb2": candide,
    "kashtanka.fb2.zip": kashtanka,
}


def main() -> None:
    """Write the books and `truth.json` into the folder given; only those named after it."""
    folder, *names = sys.argv[1:]
    path = Path(folder, "truth.json")
    truth = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for name in names or SHELF:
        book = SHELF[name](Path(folder, name))
        truth[name] = {
            "by": (SHELF[name].__doc__ or "").strip(),
            "chapters": [[tale.heading, tale.paragraphs[0]] for tale in book.tales],
            "unheard": book.unheard,
        }
        print(name, flush=True)
    ordered = {name: truth[name] for name in SHELF if name in truth}
    path.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
