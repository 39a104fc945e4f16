"""What a persona knows: found in two languages, cited, refused where it is not, and forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

import cli
from pipelines.books.reading import read_book
from pipelines.persona.knowledge import Knowledge
from pipelines.persona.knowledge.embed import Embedder
from pipelines.persona.knowledge.passages import date_in, passages_of
from pipelines.persona.knowledge.vectors import FaissStore
from pipelines.persona.knowledge.words import terms_of
from vits.errors import UserError

DOCUMENTS = sorted((Path(cli.__file__).parent / "examples/persona/documents").iterdir())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model for meanings that knows which words are the same, and no more."""

    def vectors(self: Embedder, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in terms_of(text):
                row[sum(term.encode()) % 64] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    monkeypatch.setattr(Embedder, "vectors", vectors)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knowledge]:
    """The three documents of the example, by the model that ships."""
    knowledge = Knowledge(tmp_path_factory.mktemp("mira"))
    for path in DOCUMENTS:
        assert knowledge.remember(path) > 0
    knowledge.calibrate()
    yield knowledge
    knowledge.close()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("When was the lighthouse built?", "1871"),
        ("Who was the first keeper?", "Agnes Rowe"),
        ("How many tonnes does the lens weigh?", "1.6 tonnes"),
        ("How much is a ticket?", "6 euros"),
        ("备用灯泡在哪里？", "第三个抽屉"),
        ("屋顶钥匙放在哪", "厨房门后"),
        ("周师傅什么时候生日", "农历八月十五"),
    ],
)
def test_questions_are_answered_from_the_right_passage(
    question: str, words: str, example: Knowledge
) -> None:
    assert words in example.answers(question)[0].text


@pytest.mark.parametrize(
    "question",
    ["Who painted the Mona Lisa?", "Where do penguins live?", "How much does a car cost?",
     "怎么做红烧肉", "今天股票怎么样", "珠穆朗玛峰有多高？", "", "???"],
)  # fmt: skip
def test_what_no_document_says_is_refused(question: str, example: Knowledge) -> None:
    assert example.answers(question) == []


def test_of_two_that_disagree_the_later_wins(example: Knowledge) -> None:
    first, second = example.answers("Is the museum open on Mondays?")[:2]
    assert (first.date, second.date) == ("2025-05-02", "2024-06-01")
    assert first.document == "hours-2025-05-02.md"


def test_citations_name_document_and_place(example: Knowledge) -> None:
    (found, *_) = example.answers("How many tonnes does the lens weigh?")
    assert found.citation == "lighthouse.md, The lens > paragraph 5"


def test_a_document_that_is_forgotten_is_gone(tmp_path: Path, quick: None) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("# Vault\n\nThe combination of the vault is kumquat ninety.\n", "utf-8")
    knowledge = Knowledge(tmp_path / "p")
    knowledge.remember(secret)
    knowledge.remember(DOCUMENTS[0])
    assert knowledge.search("vault combination")[0].document == "secret.md"
    assert knowledge.forget("secret.md") == 1
    assert all("vault" not in found.text for found in knowledge.search("vault combination"))
    assert knowledge.store.search(np.ones(64, np.float32), 9)[0][1:]
    knowledge.close()
    for path in (tmp_path / "p").rglob("*"):
        assert path.is_dir() or b"kumquat" not in path.read_bytes(), path.name
    again = Knowledge(tmp_path / "p")
    with pytest.raises(UserError, match="hours"):
        again.forget("secret.md")


def test_the_same_document_is_taken_once_and_a_changed_one_anew(
    tmp_path: Path, quick: None
) -> None:
    path = tmp_path / "a.md"
    path.write_text("The kettle is on the shelf.\n", "utf-8")
    knowledge = Knowledge(tmp_path / "p")
    assert knowledge.remember(path) == 1
    assert knowledge.remember(path) == 0
    path.write_text("The kettle is in the cellar.\n", "utf-8")
    assert knowledge.remember(path) == 1
    assert [f.text for f in knowledge.search("kettle")] == ["The kettle is in the cellar."]
    assert len(knowledge.store.search(np.ones(64, np.float32), 9)) == 1


def test_a_change_that_fails_midway_leaves_what_was_known(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.md"
    path.write_text("The kettle is on the shelf.\n", "utf-8")
    knowledge = Knowledge(tmp_path / "p")
    knowledge.remember(path)
    path.write_text("The kettle is in the cellar.\n", "utf-8")
    with monkeypatch.context() as broken:
        broken.setattr(FaissStore, "add", lambda *_: (_ for _ in ()).throw(UserError("a", "b")))
        with pytest.raises(UserError):
            knowledge.remember(path)
    knowledge.calibrate()  # which commits
    assert [f.text for f in knowledge.search("kettle")] == ["The kettle is on the shelf."]
    assert knowledge.remember(path) == 1
    assert [f.text for f in knowledge.search("kettle")] == ["The kettle is in the cellar."]
    assert len(knowledge.store.search(np.ones(64, np.float32), 9)) == 1


def test_knowledge_is_the_same_when_opened_again(tmp_path: Path, quick: None) -> None:
    knowledge = Knowledge(tmp_path)
    for path in DOCUMENTS:
        knowledge.remember(path)
    knowledge.calibrate()
    before = knowledge.search("the lens of the lighthouse")
    knowledge.close()
    assert Knowledge(tmp_path).search("the lens of the lighthouse") == before


def test_long_paragraphs_are_cut_between_sentences_and_keep_their_headings(tmp_path: Path) -> None:
    path = tmp_path / "长.md"
    sentences = [f"第{i}句话讲的是灯塔里的第{i}件东西放在哪一层楼。" for i in range(30)]
    path.write_text(f"# 书\n\n## 甲\n\n{''.join(sentences)}\n", "utf-8")
    found = list(passages_of(read_book(path)))
    assert len(found) > 3
    assert "".join(p.text for p in found) == "".join(sentences)
    assert all(p.text.endswith("。") and "甲" in p.headings for p in found)


@pytest.mark.parametrize(
    ("text", "date"),
    [("2024年3月5日，晴", "2024-03-05"), ("a-2025-05-02.md", "2025-05-02"), ("2024-13-40", ""),
     ("", "")],
)  # fmt: skip
def test_dates_are_read_where_they_stand(text: str, date: str) -> None:
    assert date_in(text) == date


def test_words_are_found_in_every_form() -> None:
    assert terms_of("She counted the stairs")[0] == terms_of("count")[0]
    assert {"灯塔", "备用"} <= set(terms_of("灯塔的备用灯泡"))


def test_a_store_that_is_none_is_told(tmp_path: Path, quick: None) -> None:
    (tmp_path / "a" / "knowledge").mkdir(parents=True)
    (tmp_path / "a" / "knowledge" / "knowledge.db").write_bytes(b"nonsense" * 999)
    with pytest.raises(UserError, match="no store"):
        Knowledge(tmp_path / "a")
    knowledge = Knowledge(tmp_path / "b")
    knowledge._set_meta("version", "0")
    knowledge._db.commit()
    with pytest.raises(UserError, match="another version"):
        Knowledge(tmp_path / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / FaissStore.FILE).write_bytes(b"nonsense")
    with pytest.raises(UserError, match="damaged"):
        FaissStore(tmp_path / "c")
    with pytest.raises(UserError, match="names no model"):
        Knowledge(tmp_path / "d", embedder="magic")
