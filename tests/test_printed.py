"""The picture book to print: every page there, the same bytes, and it says what it is."""

from __future__ import annotations

from pathlib import Path

from media_story import story
from pypdf import PdfReader

from pipelines.media.labels import DIGITAL_SOURCE_TYPE
from pipelines.story.printed import write_pdf

SCENES = (
    ("The Keeper & the “Lamp”", ["The Keeper & the “Lamp”"]),
    ("狐狸", ["一只小狐狸怕黑。" * 12, "月亮说：“别怕。”"]),
    ("", ["🦊", "Words, many words. " * 90]),
)


def test_a_book_has_a_page_for_each_scene_and_one_about_itself(tmp_path: Path) -> None:
    told = story(tmp_path, word_s=0.02, scenes=SCENES)
    write_pdf(told, tmp_path / "a.pdf")
    reader = PdfReader(tmp_path / "a.pdf")
    assert len(reader.pages) == len(SCENES) + 1
    width, height = reader.pages[0].mediabox[2:]
    assert (round(float(width)), round(float(height))) == (595, 842)  # A4 in points
    assert reader.metadata is not None
    assert reader.metadata.title == told.title
    assert reader.metadata.subject == DIGITAL_SOURCE_TYPE
    assert '"Label":"1"' in reader.metadata["/Keywords"]


def test_the_same_story_gives_the_same_book_and_without_a_notice_another(tmp_path: Path) -> None:
    told = story(tmp_path, word_s=0.02, scenes=SCENES)
    for name in ("a.pdf", "b.pdf"):
        write_pdf(told, tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    write_pdf(told, tmp_path / "c.pdf", notice=False)
    assert len(PdfReader(tmp_path / "c.pdf").pages) == len(SCENES)
