"""Finished books are copied to any place that fsspec knows, whole, and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from book_files import simple_epub

from pipelines.books import audiobook
from pipelines.books.audiobook import Where, make_books
from pipelines.books.jobs import Job
from pipelines.books.options import Options
from pipelines.books.remote import Place, is_remote
from vits.errors import UserError

URL = "memory://shelf/books"


@pytest.fixture
def memory() -> Any:
    import fsspec

    files = fsspec.filesystem("memory")
    files.store.clear()
    return files


def test_urls_are_told_from_folders() -> None:
    assert [is_remote(p) for p in ("s3://a/b", "memory://x", "C://x", "/a/b", "a:b")] == [
        True, True, False, False, False
    ]  # fmt: skip


def test_a_shelf_goes_to_its_place_with_nothing_else(
    tiny_voice: Path, tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiobook, "scratch_folder", lambda url: tmp_path / "scratch")
    source = simple_epub(tmp_path / "a.epub", chapters=1, words=10)
    job = Job("x", source, Options(voice=str(tiny_voice)))
    (outcome,) = make_books([job], URL, Where(workers=1))
    assert outcome.state == "done", outcome.error
    folder = "/shelf/books/Ann Other - A Book"
    assert set(memory.find("/shelf")) == {f"{folder}/A Book.m4b", f"{folder}/report.json"}
    local = tmp_path / "scratch" / "Ann Other - A Book" / "A Book.m4b"
    assert memory.cat_file(f"{folder}/A Book.m4b") == local.read_bytes()
    assert Place(URL).put_book(outcome.delivered.files, tmp_path / "scratch") == 0  # type: ignore[union-attr]


def test_a_place_that_fails_is_a_failed_book_with_a_remedy(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.json").write_text("{}")

    def broken(*args: Any, **more: Any) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(memory, "put_file", broken)
    with pytest.raises(UserError, match="gone"):
        Place(URL).put_book([tmp_path / "report.json"], tmp_path)


def test_a_scheme_that_nobody_knows_is_told() -> None:
    with pytest.raises(UserError, match="cannot be reached"):
        Place("nowhere://x")
