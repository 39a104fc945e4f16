"""`story chapters` shows, writes and reads the plan of a book."""

from __future__ import annotations

import json
from pathlib import Path

from book_files import simple_epub
from click.testing import CliRunner

from cli import story
from commands.books import KEEPABLE
from pipelines.books import book


def test_the_command_knows_all_that_can_be_kept() -> None:
    assert KEEPABLE == book.KEEPABLE


def test_chapters_are_shown_and_written_to_a_file_that_can_be_read_back(tmp_path: Path) -> None:
    path, plan = simple_epub(tmp_path / "a.epub"), tmp_path / "plan.yaml"
    shown = CliRunner().invoke(story, ["chapters", str(path), "-o", str(plan)])
    assert shown.exit_code == 0, shown.output
    assert "Ann Other - A Book (en)" in shown.output
    assert "3 chapters, 900 words" in shown.output
    plan.write_text(plan.read_text("utf-8").replace("title: Chapter 2", "title: The Middle"))
    again = CliRunner().invoke(story, ["chapters", str(path), "--chapters", str(plan), "--json"])
    told = json.loads(again.output.splitlines()[-1])
    assert [chapter["title"] for chapter in told["chapters"]][1] == "The Middle"


def test_a_book_that_cannot_be_read_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "a.epub").write_bytes(b"PK\x03\x04 nothing")
    told = CliRunner().invoke(story, ["chapters", str(tmp_path / "a.epub")])
    assert told.exit_code == 2
    assert "is damaged" in told.output
