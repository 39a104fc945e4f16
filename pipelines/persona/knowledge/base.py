"""Knowledge in a folder: documents, their passages, and the search over them.

    knowledge/knowledge.db     documents, passages and their words (SQLite's FTS5: BM25)
    knowledge/vectors.faiss    the meaning of each passage

Both searches are fused by reciprocal rank (Cormack, Clarke, Buettcher, SIGIR 2009). A passage
answers a question only if it is sure enough: how much of the question's words it holds, weighed by
how rare they are, and how near it is in meaning, against a threshold calibrated on questions made
from the documents themselves and on questions that they cannot answer.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.books.reading import read_book
from pipelines.persona.knowledge.embed import BUNDLED, Embedder
from pipelines.persona.knowledge.passages import Passage, date_in, passages_of
from pipelines.persona.knowledge.vectors import STORES, VectorStore
from pipelines.persona.knowledge.words import terms_of
from pipelines.progress import OnProgress, Progress, silent
from vits.errors import UserError

FOLDER, FILE, VERSION = "knowledge", "knowledge.db", 1
DEEP = 50  # passages of each search that are fused
RANK_CONSTANT = 60  # of reciprocal rank fusion
NEAR = 0.08  # of sureness: within it the later date wins
DEFAULT_THRESHOLD = 0.45
_BATCH = 256
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, digest TEXT NOT NULL, date TEXT NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents(id),
    text TEXT NOT NULL, place TEXT NOT NULL, date TEXT NOT NULL);
CREATE INDEX by_document ON passages(document);
CREATE VIRTUAL TABLE words USING fts5(terms, tokenize = "unicode61 remove_diacritics 0");
"""


@dataclass(frozen=True)
class Found:
    """A passage that may answer. `sure` is from 0 to 1; `date` is YYYY-MM-DD or ''."""

    text: str
    document: str
    place: str
    date: str
    sure: float

    @property
    def citation(self) -> str:
        return f"{self.document}, {self.place}"


class Knowledge:
    """The documents of one persona, opened or made; UserError for a file that is no store."""

    def __init__(self, persona: Path, *, embedder: str = "", store: str = "faiss") -> None:
        self.folder = persona / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / FILE
        self._db = _opened(self.path)
        made_with = self._meta("embedder")
        if embedder and made_with and embedder != made_with:
            raise UserError(
                f"{self.folder} was made with --embedder {made_with}.",
                "Leave --embedder out, or forget every document first.",
            )
        self._lock = threading.Lock()
        self.embedder = Embedder(embedder or made_with or BUNDLED)
        self._store_kind = STORES[store]

    def close(self) -> None:
        self._db.close()

    @cached_property
    def store(self) -> VectorStore:
        return self._store_kind(self.folder)

    # ------------------------------------------------------------ documents

    def documents(self) -> list[tuple[str, str, int]]:
        """(name, date, passages) of each."""
        rows = self._db.execute(
            "SELECT name, d.date, COUNT(p.id) FROM documents d LEFT JOIN passages p "
            "ON p.document = d.id GROUP BY d.id ORDER BY name"
        )
        return [(str(name), str(date), int(count)) for name, date, count in rows]

    def remember(self, path: Path, *, date: str = "", on_progress: OnProgress = silent) -> int:
        """Take a document in; the same name replaces what was there. Returns its new passages.

        date: from when it holds, YYYY-MM-DD; else the first date in its name or its beginning.
        """
        book = read_book(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found = list(passages_of(book))
        opening = "\n".join(block.text for block in book.blocks[:5])
        date = date or date_in(path.name) or date_in(opening)
        known = self._db.execute(
            "SELECT digest, date FROM documents WHERE name = ?", (path.name,)
        ).fetchone()
        if known == (digest, date):
            return 0
        try:
            self._replace(path.name, digest, date, found, on_progress)
        except BaseException:
            self._db.rollback()  # what was known of it stays, and no half of the new
            raise
        return len(found)

    def _replace(
        self, name: str, digest: str, date: str, found: Sequence[Passage], on_progress: OnProgress
    ) -> None:
        old = self._delete(name)
        numbers = self._insert(name, digest, date, found)
        for start in range(0, len(found), _BATCH):
            self._embed(numbers[start : start + _BATCH], found[start : start + _BATCH])
            done = min(len(found), start + _BATCH)
            on_progress(Progress("remembering", done, len(found), "passages", name))
        self.store.remove(old)
        self.store.save()
        self._db.commit()

    def _insert(self, name: str, digest: str, date: str, found: Sequence[Passage]) -> list[int]:
        cursor = self._db.execute(
            "INSERT INTO documents (name, digest, date) VALUES (?, ?, ?)", (name, digest, date)
        )
        document, numbers = cursor.lastrowid, []
        for passage in found:
            text, place = passage.text, passage.place
            headings = " ".join(passage.headings)
            row = self._db.execute(
                "INSERT INTO passages (document, text, place, date) VALUES (?, ?, ?, ?)",
                (document, text, place, date_in(text) or date),
            )
            assert row.lastrowid is not None
            numbers.append(row.lastrowid)
            terms = " ".join(map(_token, terms_of(f"{headings} {text}")))
            self._db.execute("INSERT INTO words (rowid, terms) VALUES (?, ?)", (numbers[-1], terms))
        self._set_meta("embedder", self.embedder.spec)
        return numbers

    def _embed(self, numbers: Sequence[int], found: Sequence[Passage]) -> None:
        pairs = [
            (number, " ".join([*p.headings, p.text]))
            for number, p in zip(numbers, found, strict=True)
            if self._means(p.text)
        ]
        self.store.remove(numbers)  # what a run that was killed left under them
        if pairs:
            self.store.add([n for n, _ in pairs], self.embedder.vectors([t for _, t in pairs]))

    def _means(self, text: str) -> bool:
        """Whether the model for meanings reads the language of a text."""
        return not self.embedder.english_only or not _is_han(text)

    def forget(self, name: str) -> int:
        """Delete a document, its passages and their vectors. Returns how many passages it had."""
        names = [known for known, _, _ in self.documents()]
        if name not in names:
            there = ", ".join(names) or "none"
            raise UserError(f"There is no document '{name}'.", f"Documents: {there}.")
        numbers = self._delete(name)
        self.store.remove(numbers)
        self.store.save()
        self._db.execute("INSERT INTO words(words) VALUES ('optimize')")
        self._db.commit()
        self._db.execute("VACUUM")  # what was deleted is not left in the file
        return len(numbers)

    def _delete(self, name: str) -> list[int]:
        """Take a document out of the tables, uncommitted. Returns the numbers of its passages."""
        row = self._db.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()
        if row is None:
            return []
        rows = self._db.execute("SELECT id FROM passages WHERE document = ?", row)
        numbers = [int(number) for (number,) in rows]
        self._db.executemany("DELETE FROM words WHERE rowid = ?", [(n,) for n in numbers])
        self._db.execute("DELETE FROM passages WHERE document = ?", row)
        self._db.execute("DELETE FROM documents WHERE id = ?", row)
        return numbers

    # ------------------------------------------------------------ search

    def search(self, question: str, count: int = 5, *, way: str = "both") -> list[Found]:
        """The passages nearest to a question, best first. way: 'words', 'meaning' or 'both'."""
        with self._lock:
            return self._searched(question, count, way)

    def _searched(self, question: str, count: int, way: str) -> list[Found]:
        terms = list(dict.fromkeys(terms_of(question)))
        nearest = self._by_meaning(question) if way != "words" else {}
        ranks: list[list[int]] = []
        if way != "meaning":
            ranks.append(self._by_words(terms))
        if nearest:
            ranks.append(list(nearest))
        score: dict[int, float] = {}
        for ranked in ranks:
            for rank, number in enumerate(ranked):
                score[number] = score.get(number, 0.0) + 1 / (RANK_CONSTANT + rank)
        best = sorted(score, key=lambda number: (-score[number], number))[: max(count, 10)]
        return _later_first(self._founds(best, terms, nearest))[:count]

    def answers(self, question: str, count: int = 5) -> list[Found]:
        """As `search`, but only what is sure enough to answer; [] means: I don't know."""
        with self._lock:
            threshold = float(self._meta("threshold") or DEFAULT_THRESHOLD)
        return [found for found in self.search(question, count) if found.sure >= threshold]

    def _by_words(self, terms: Sequence[str]) -> list[int]:
        if not terms:
            return []
        query = " OR ".join(f'"{_token(term)}"' for term in terms[:64])
        rows = self._db.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (query, DEEP)
        )
        return [int(number) for (number,) in rows]

    def _by_meaning(self, question: str) -> dict[int, float]:
        if not self._means(question) or not self._count():
            return {}
        return dict(self.store.search(self.embedder.vectors([question])[0], DEEP))

    def _founds(
        self, numbers: Sequence[int], terms: Sequence[str], nearest: dict[int, float]
    ) -> list[Found]:
        weights = {term: self._rarity(term) for term in terms}
        found = []
        for number in numbers:
            row = self._db.execute(
                "SELECT p.text, p.place, p.date, d.name, w.terms FROM passages p "
                "JOIN documents d ON d.id = p.document JOIN words w ON w.rowid = p.id "
                "WHERE p.id = ?",
                (number,),
            ).fetchone()
            if row is None:  # a vector that a killed run left
                continue
            text, place, date, name, words = row
            held = set(words.split())
            share = sum(w for term, w in weights.items() if _token(term) in held)
            share /= sum(weights.values()) or 1.0
            sure = _sure(share, nearest.get(number), bool(nearest))
            found.append(Found(text, name, place, date, round(sure, 4)))
        return found

    def _rarity(self, term: str) -> float:
        """BM25's weight of a word; one in no passage weighs most."""
        total = self._count()
        (holding,) = self._db.execute(
            "SELECT COUNT(*) FROM words WHERE words MATCH ?", (f'"{_token(term)}"',)
        ).fetchone()
        return math.log(1 + (total - holding + 0.5) / (holding + 0.5))

    def _count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM passages").fetchone()[0])

    # ------------------------------------------------------------ threshold

    def calibrate(self) -> float:
        """Set the threshold between questions of these documents and questions of others."""
        from pipelines.persona.knowledge.calibration import threshold_of

        threshold = threshold_of(self)
        self._set_meta("threshold", f"{threshold:.4f}")
        self._db.commit()
        return threshold

    def some_passages(self, count: int) -> list[str]:
        """Texts spread evenly over all passages."""
        step = max(1, self._count() // count)
        rows = self._db.execute("SELECT text FROM passages WHERE id % ? = 0 LIMIT ?", (step, count))
        return [str(text) for (text,) in rows]

    def _meta(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _opened(path: Path) -> sqlite3.Connection:
    fresh = not path.exists()
    try:
        connection = sqlite3.connect(path, check_same_thread=False)  # `search` has a lock
        connection.execute("PRAGMA secure_delete = ON")
        if fresh:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO meta VALUES ('version', ?)", (str(VERSION),))
            connection.commit()
        with closing(connection.execute("SELECT value FROM meta WHERE key = 'version'")) as rows:
            version = rows.fetchone()
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"{path} is no store of knowledge ({error}).", "Delete it and remember again."
        ) from error
    if version != (str(VERSION),):
        raise UserError(
            f"{path} was made by another version of this program.",
            "Delete it and remember the documents again.",
        )
    return connection


def _later_first(found: list[Found]) -> list[Found]:
    """Of passages that are about as sure as the best, later dates come first."""
    if not found:
        return found
    best = max(f.sure for f in found)
    near = [f for f in found if f.date and f.sure >= best - NEAR]
    near.sort(key=lambda f: f.date, reverse=True)
    return [*near, *(f for f in found if f not in near)]


def _sure(share: float, cosine: float | None, meant: bool) -> float:
    """From the share of the question's words and the nearness in meaning, where that is known."""
    if not meant:
        return share
    return 0.5 * share + 0.5 * max(0.0, cosine or 0.0)


def _token(term: str) -> str:
    """A word as one token of the index, whatever it is written in."""
    return "".join(char if char.isalnum() else "_" for char in term)


def _is_han(text: str) -> bool:
    han = sum("\u3400" <= char <= "\u9fff" for char in text)
    return han > 0.2 * len(text)
