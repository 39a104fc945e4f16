"""Dialogue of a book: a language model says who speaks, and sentences are spoken together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.books import chapterwork
from pipelines.books.audiobook import Where, make_audiobook
from pipelines.books.book import Block
from pipelines.books.options import Options, options_from
from pipelines.books.packs import Packs
from pipelines.books.production import Voices, produce
from pipelines.books.sentences import Sentence, plan_chapter
from pipelines.books.speakers import label_blocks
from tests.bad_server import Answer, Request, Server, completion
from vits.errors import UserError

TEXT = """Title: The Lamp

Chapter 1

“Is it dark?” She looked up. “Nobody has been here for years.”

The lamp burned.

“Come in, then.”
"""
BLOCKS = (
    Block("heading", "Part one"),
    Block("text", "“Is it dark?” She looked up. “Nobody has been here.”"),
    Block("break", ""),
    Block("text", "The lamp burned."),
)


class Labeller(Server):
    """Says that Anna speaks whatever stands between quotation marks."""

    def next_answer(self, request: Request) -> Answer:
        told = request.json["messages"][-1]["content"]
        self.seen.append(request)
        numbers = [n for n in range(1, 20) if f"[{n}] “" in told]
        labels = [{"span": n, "speaker": "Anna"} for n in numbers]
        return completion(json.dumps({"labels": labels}))


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.txt"
    path.write_text(TEXT, "utf-8")
    (tmp_path / "cast.yaml").write_text("Anna: VOICE:Ben\n", "utf-8")
    return path


def options(book: Path, tiny_voice: Path, **changes: Any) -> Options:
    cast = book.parent / "cast.yaml"
    cast.write_text(f"Anna: {tiny_voice}:Ben\n", "utf-8")
    given = {"voice": f"{tiny_voice}:Anna", "cast": str(cast), **changes}
    return options_from(given, Options(), "the test")


def test_the_model_labels_speech_and_the_words_stay(tmp_path: Path) -> None:
    with Labeller() as server:
        spec = f"openai:m@{server.url}"
        ((place, said),) = label_blocks(BLOCKS, spec, tmp_path, 0)
        count = len(server.seen)
        assert label_blocks(BLOCKS, spec, tmp_path, 0) == ((place, said),)
        assert len(server.seen) == count  # and was not asked again
    assert place == 1
    assert "".join(words for _, words in said) == BLOCKS[1].text
    assert [who for who, _ in said] == ["Anna", "", "Anna"]


def test_what_rules_do_not_find_goes_to_the_cast(book: Path, tiny_voice: Path) -> None:
    with Labeller() as server:
        asked = options(book, tiny_voice, llm=f"openai:m@{server.url}")
        voices = Voices()
        (work,) = produce(book, asked, book.parent / "state", voices).works
        (ruled,) = produce(book, asked, book.parent / "state", voices, ask=False).works
    assert work.key != ruled.key
    found = plan_chapter("", work.blocks, work.manner, voices.loaded, work.speakers)
    specs = [(s.spec.rpartition(":")[2], s.text) for s in found if isinstance(s, Sentence)]
    assert [name for name, _ in specs] == ["Ben", "Anna", "Ben", "Anna", "Ben"]


def test_a_book_is_made_with_its_cast(book: Path, tiny_voice: Path, tmp_path: Path) -> None:
    with Labeller() as server:
        asked = options(book, tiny_voice, llm=f"openai:m@{server.url}")
        made = make_audiobook(book, tmp_path / "out", asked, Where(workers=1))
        count = len(server.seen)
        again = make_audiobook(book, tmp_path / "out", asked, Where(workers=1))
        assert len(server.seen) == count
    assert (made.state, again.state, again.spoken) == ("done", "done", 0)


def test_a_model_without_a_cast_is_told(tiny_voice: Path) -> None:
    with pytest.raises(UserError, match="there is no cast"):
        options_from({"voice": str(tiny_voice), "llm": "ollama:m"}, Options(), "the test")


# ---------------------------------------------------------------- together


def spoken(book: Path, tiny_voice: Path, folder: Path) -> dict[str, np.ndarray]:
    """The sentences of the book's chapter by their names."""
    voices = Voices()
    (work,) = produce(book, options(book, tiny_voice), folder, voices).works
    made = chapterwork.make_chapter(work, voices.loaded)
    assert made.spoken == len({s[1] for s in made.sentences})
    packs = Packs(folder / "work" / "sentences")
    packs.refresh()
    found = {}
    for sentence in plan_chapter(work.heard_title, work.blocks, work.manner, voices.loaded):
        assert isinstance(sentence, Sentence)
        samples = packs.read(sentence.key)
        assert samples is not None
        found[sentence.key] = samples
    return found


def test_sentences_spoken_together_are_those_spoken_one_by_one(
    book: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = spoken(book, tiny_voice, tmp_path / "alone")
    monkeypatch.setattr(chapterwork, "BATCHES", {"cpu": 3})
    passes: list[int] = []
    together = chapterwork._Speaker._together

    def counted(self: Any, sentences: Any) -> Any:
        passes.append(len(sentences))
        return together(self, sentences)

    monkeypatch.setattr(chapterwork._Speaker, "_together", counted)
    batched = spoken(book, tiny_voice, tmp_path / "together")
    assert passes
    assert max(passes) <= 3
    assert alone.keys() == batched.keys()
    for key, samples in alone.items():
        np.testing.assert_allclose(batched[key], samples, atol=2e-3)
