"""From what a user has to a story: a story file, a text to adapt, or (with a model) an idea.

`adapt` is the writer that is always there. It takes an existing text, Markdown or plain, cuts it
into scenes and lines and labels who speaks; it changes no word and writes none.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data.encodings import read_text
from pipelines.books.book import word_count
from pipelines.books.language import guess_language
from pipelines.story.dialogue import Piece, attribute, label_of, speaker_labels
from pipelines.story.document import Document, read_markdown, read_plain
from pipelines.story.script import LANGUAGES, NARRATOR, Line, Role, Scene, Story
from pipelines.story.storyfile import FILE_NAME, read_story
from vits.errors import UserError

log = logging.getLogger(__name__)

SCENE_WORDS = 90  # a page that is read in half a minute and fits under one picture
LINE_WORDS = 60  # what is spoken, and spoken again after an edit, in one go
STORY_SUFFIXES = (".yaml", ".yml")
MARKDOWN_SUFFIXES = (".md", ".markdown")
TEXT_SUFFIXES = (*MARKDOWN_SUFFIXES, ".txt")
# Names that end so mean a file, even where there is none.
FILE_SUFFIXES = (
    *STORY_SUFFIXES,
    *TEXT_SUFFIXES,
    *(".json", ".epub", ".pdf", ".docx", ".doc", ".odt", ".rtf", ".html", ".htm", ".tex"),
    *(".srt", ".wav", ".mp3", ".mp4"),
)

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
# 'a/b' may be in an idea; what begins like a path or has no space around a separator is one.
_PATH_LIKE = re.compile(r"^(?:[.~]?[/\\]|[A-Za-z]:[/\\])|^\S*[/\\]\S*$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])(?:[\"”’»]*)\s+|(?<=[。！？])(?:[”’」』]*)")


class Writer(Protocol):
    """Makes a story of what it is given: an idea, an outline or a whole text."""

    def write(self, idea: str) -> Story:
        """The story. UserError if this writer cannot make one of `idea`."""
        ...


Attribute = Callable[[Sequence[str]], list[list[Piece]]]  # paragraphs -> their pieces


def by_rules(paragraphs: Sequence[str]) -> list[list[Piece]]:
    """Who speaks which words, as far as quotations with 'said Name' beside them tell."""
    return [attribute(paragraph) for paragraph in paragraphs]


def story_from(
    source: str | Path, *, language: str | None = None, attribute: Attribute = by_rules
) -> Story:
    """The story that `source` names: a story folder, a story.yaml, or a text to adapt.

    `attribute` finds who speaks in a text. What has a path separator or ends like a file and does
    not exist is an error, not an idea.
    """
    path = Path(source)
    if not _exists(path):
        raise no_such_source(str(source))
    if path.is_dir():
        return _story_of_folder(path)
    suffix = path.suffix.lower()
    if suffix in STORY_SUFFIXES:
        return read_story(path)
    if suffix in TEXT_SUFFIXES:
        reader = read_markdown if suffix in MARKDOWN_SUFFIXES else read_plain
        adapt = Adapt(reader, _title_of(path), language, str(path), attribute)
        return adapt.write(read_text(path))
    readable = " ".join((*STORY_SUFFIXES, *TEXT_SUFFIXES))
    raise UserError(f"{path} cannot be read as a story.", f"Give a folder or one of {readable}.")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a file name can be: certainly no file
        return False


def is_idea(source: str) -> bool:
    """Whether `source` is words, not the name of a file that is there or was meant to be."""
    if _exists(Path(source)):
        return False
    return not (_PATH_LIKE.search(source) or source.lower().endswith(FILE_SUFFIXES))


def aspect_of(source: str, form: str = "story") -> str:
    """The film's aspect that the story of `source` asks for, or the form it is written in.

    UserError where there is no such source.
    """
    from pipelines.story.forms import find_form

    if is_idea(source):
        return find_form(form).aspect
    path = Path(source)
    if not _exists(path):
        raise no_such_source(source)
    is_story = path.is_dir() or path.suffix.lower() in STORY_SUFFIXES
    return (story_from(path).aspect if is_story else None) or "16:9"


def no_such_source(source: str) -> UserError:
    """For what is no file, and where nobody can write a story of it."""
    if not is_idea(source):
        return UserError(f"There is no file or folder {source}.", "Check the path.")
    idea = source if len(source) <= 60 else source[:57] + "..."
    return UserError(
        f"'{idea}' is no file or folder, and no language model is set up to write from an idea.",
        "Name a local model (--llm hf:FOLDER_OR_ID) or a server (--llm openai:MODEL@URL, "
        "--llm ollama:qwen3), or write the text yourself: story new DIR.",
    )


def _story_of_folder(folder: Path) -> Story:
    path = folder / FILE_NAME
    if path.is_file():
        return read_story(path)
    raise UserError(
        f"The folder {folder} holds no {FILE_NAME}.",
        "Give a story folder, or a .md or .txt file to adapt.",
    )


def _title_of(path: Path) -> str:
    """'the_old_lamp.txt' -> 'The old lamp'."""
    words = re.sub(r"[_\s]+", " ", path.stem).strip() or path.name
    return words[0].upper() + words[1:]


# ---------------------------------------------------------------- adapt


@dataclass(frozen=True)
class Adapt:
    """The writer that adapts an existing text, its words unchanged.

    `read` finds title, headings and paragraphs; `title` and `language` hold where the text does
    not say; `name` is what errors call the text; `attribute` finds who speaks.
    """

    read: Callable[[str], Document] = read_markdown
    title: str = "A story"
    language: str | None = None
    name: str = "The text"
    attribute: Attribute = by_rules

    def write(self, idea: str) -> Story:
        """The story that the text `idea` already is."""
        document = self.read(idea)
        if not document.sections:
            raise UserError(f"{self.name} holds no text to tell.", "Write the story into it.")
        speakers = speaker_labels(line for text in document.texts for line in text.split("\n"))
        names: dict[str, str] = {"narrator": NARRATOR}
        lines = iter(self._attributed(list(document.texts), speakers, names))
        scenes = [
            scene
            for section in document.sections
            for scene in _scenes(section.title, [next(lines) for _ in section.paragraphs])
        ]
        cast = {name: Role() for name in names.values() if name != NARRATOR}
        return Story.model_validate(
            {
                "title": document.title or self.title,
                "author": document.author,
                "language": self.language or document.language or story_language(document.texts),
                "cast": cast,
                "scenes": scenes,
            }
        )

    def _attributed(
        self, paragraphs: list[str], speakers: frozenset[str], names: dict[str, str]
    ) -> list[list[Line]]:
        """The lines of every paragraph; who has no label is found by `attribute`."""
        speeches = [list(_speeches(text, speakers)) for text in paragraphs]
        found = iter(self.attribute([words for rows in speeches for who, words in rows if not who]))
        return [
            list(_lines((Piece(who, words) for who, words in _named(rows, found)), names))
            for rows in speeches
        ]


def _named(
    rows: Iterable[tuple[str, str]], found: Iterator[list[Piece]]
) -> Iterator[tuple[str, str]]:
    """(speaker, words): the label's, or those of the next found pieces."""
    for label, words in rows:
        if label:
            yield label, words
        else:
            yield from ((piece.speaker, piece.text) for piece in next(found))


BUILTINS: dict[str, Callable[..., Writer]] = {"adapt": Adapt}


def story_language(texts: Iterable[str]) -> str:
    """The language of a text; 'en' for one that stories are not told in."""
    found = guess_language(texts)
    return found if found in LANGUAGES else "en"


def _scenes(title: str, paragraphs: list[list[Line]]) -> Iterator[Scene]:
    """A section as scenes of about equal length, none longer than a page if that can be."""
    for index, lines in enumerate(_pages(paragraphs)):
        yield Scene(title=title if index == 0 else "", lines=tuple(lines))


def _pages(paragraphs: list[list[Line]]) -> Iterator[list[Line]]:
    blocks = [block for lines in paragraphs for block in _blocks(lines)]
    weights = [sum(word_count(line.text) for line in block) for block in blocks]
    left = sum(weights)
    page: list[Line] = []
    filled = 0.0
    for block, weight in zip(blocks, weights, strict=True):
        goal = left / max(1, math.ceil(left / SCENE_WORDS))
        if page and filled + weight / 2 > goal:
            yield page
            left -= filled
            page, filled = [], 0.0
        page += block
        filled += weight
    yield page


def _blocks(lines: list[Line]) -> Iterator[list[Line]]:
    """A paragraph stays together unless it alone fills a page."""
    if sum(word_count(line.text) for line in lines) <= SCENE_WORDS:
        yield lines
    else:
        yield from ([line] for line in lines)


def _lines(pieces: Iterable[Piece], names: dict[str, str]) -> Iterator[Line]:
    """Lines short enough to be spoken in one go; a name is written as it was first."""
    for piece in pieces:
        for part in _short(piece.text):
            if part.strip():
                yield Line(
                    speaker=names.setdefault(piece.speaker.casefold(), piece.speaker), text=part
                )


def _speeches(text: str, speakers: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(label or '', words) of each run of lines that begins with a speaker's label."""
    label, words = "", ""
    for line in text.split("\n"):
        found = label_of(line)
        if found and found[0].casefold() in speakers:
            if words:
                yield label, words
            label, words = found
        else:
            words = _joined(words, line)
    if words:
        yield label, words


def _joined(before: str, after: str) -> str:
    """Two lines of one paragraph; Chinese and Japanese lines need no space between."""
    asian = before and after and _CJK.match(after) and not before[-1].isascii()
    return f"{before}{'' if asian or not before else ' '}{after}"


def _short(text: str) -> Iterator[str]:
    """The text in pieces of at most LINE_WORDS words, cut between sentences."""
    if word_count(text) <= LINE_WORDS:
        yield text
        return
    piece = ""
    for sentence in sentences(text):
        if piece and word_count(piece + sentence) > LINE_WORDS:
            yield piece.strip()
            piece = ""
        piece += sentence
    yield piece.strip()


def sentences(text: str) -> Iterator[str]:
    """The sentences with the space behind them: joined again they are the text."""
    at = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > at:
            yield text[at : match.end()]
            at = match.end()
    if at < len(text):
        yield text[at:]
