"""Subtitles that can be read in time."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_story import story, tell

from pipelines.media import subtitles
from pipelines.media.subtitles import Cue, cues, write_ass, write_srt, write_vtt
from pipelines.media.timeline import TimedLine, TimedScene, Timeline

LONG = (
    "When the lamp had burned for a hundred nights, the keeper climbed the stairs once more, "
    "slowly, because his knees hurt; he counted every step, and at the top he found the door "
    "open. Nobody had been there for years. “Strange,” he said, “very strange indeed.”"
)
CHINESE = (
    "很久很久以前，海边住着一位守灯塔的老人，他每天晚上都要爬上一百级台阶去点灯。有一天，灯灭了！"
)


def told(*texts: str, word_s: float = 0.35, pause_s: float = 0.3) -> Timeline:
    lines: list[TimedLine] = []
    now = 0.2
    for text in texts:
        lines.append(tell(text, now, word_s=word_s))
        now = lines[-1].end_s + pause_s
    scene = TimedScene("s", "S", Path("p.png"), 0.0, now, tuple(lines))
    return Timeline("T", "A", "en", "lj", (scene,), Path("a.wav"), now)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def check(found: list[Cue]) -> None:
    for cue in found:
        assert cue.end_s > cue.start_s
        assert 1 <= len(cue.lines) <= 2
    for before, after in pairwise(found):
        assert before.end_s <= after.start_s + 1e-9


@pytest.mark.parametrize(("text", "columns"), [(LONG, 42), (CHINESE, 40)])
def test_long_lines_are_cut_to_two_short_rows_of_at_most_six_seconds(text, columns) -> None:
    found = cues(told(text))
    check(found)
    assert len(found) > 2
    assert squeezed("".join(cue.text for cue in found)) == squeezed(text)
    for cue in found:
        assert cue.end_s - cue.start_s <= subtitles.LONGEST_S + 0.01
        assert all(subtitles.text_columns(row) <= columns for row in cue.lines)


def test_chinese_rows_have_at_most_twenty_characters() -> None:
    rows = [row for cue in cues(told(CHINESE)) for row in cue.lines]
    assert max(map(len, rows)) <= 20
    assert not any(row[0] in "，。！" for row in rows)


def test_cuts_fall_at_the_ends_of_sentences_and_clauses() -> None:
    ends = [cue.text[-1] for cue in cues(told(LONG, word_s=0.25))]
    assert ends.count(",") + ends.count(";") + ends.count(".") + ends.count("”") == len(ends)


def test_cues_begin_with_their_first_word(tmp_path: Path) -> None:
    timeline = story(tmp_path)
    starts = {round(word.start_s, 6) for line in timeline.lines for word in line.words}
    assert all(round(cue.start_s, 6) in starts for cue in cues(timeline))


def test_opening_marks_stay_with_the_word_they_open() -> None:
    text = "He read (slowly) and whispered “never” to the <dark> sea, and then he said “always”."
    for cue in cues(told(text, word_s=0.5)):
        for row in cue.lines:
            assert row[-1] not in "(“<"
            assert row[0] not in ")”>"


def test_short_cues_stay_long_enough_and_do_not_flicker() -> None:
    found = cues(told("Yes.", "No.", word_s=0.2, pause_s=1.5))
    assert all(cue.end_s - cue.start_s >= 1.0 for cue in found)
    near = cues(told("Yes, yes, yes.", "No, no, no.", word_s=0.4, pause_s=0.3))
    assert near[0].end_s == near[1].start_s


def test_a_word_wider_than_a_row_is_cut_through() -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüssel"
    (cue,) = cues(told(word, word_s=2.0))
    assert "".join(cue.lines) == word
    assert all(len(row) <= 42 for row in cue.lines)


def test_a_line_without_words_is_still_shown() -> None:
    line = TimedLine("s", "", "♪ ♫", 0.0, 2.0)
    scene = TimedScene("s", "S", Path("p.png"), 0.0, 3.0, (line,))
    timeline = Timeline("T", "A", "en", "lj", (scene,), Path("a.wav"), 3.0)
    assert [cue.text for cue in cues(timeline)] == ["♪ ♫"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=160), max_size=4
    ),
    st.floats(0.05, 1.2),
)
def test_any_text_gives_cues_in_order_that_keep_every_word(texts, word_s) -> None:
    timeline = told(*texts, "The end.", word_s=word_s)
    found = cues(timeline)
    for before, after in pairwise(found):
        assert before.end_s <= after.start_s + 1e-9
    shown = squeezed("".join(cue.text for cue in found))
    for line in timeline.lines:
        assert all(squeezed(word.text) in shown for word in line.words)


def test_srt_is_read_back_by_another_program(tmp_path: Path) -> None:
    timeline = story(tmp_path)
    write_srt(timeline, tmp_path / "a.srt")
    read = pysubs2.load(str(tmp_path / "a.srt"), encoding="utf-8")
    assert [event.start / 1000 for event in read] == pytest.approx(
        [cue.start_s for cue in cues(timeline)], abs=0.001
    )
    assert "A boat, small & grey," in (tmp_path / "a.srt").read_text("utf-8")


def test_vtt_escapes_names_speakers_and_is_labelled(tmp_path: Path) -> None:
    write_vtt(story(tmp_path), tmp_path / "a.vtt")
    text = (tmp_path / "a.vtt").read_text("utf-8")
    assert text.startswith("WEBVTT\n\nNOTE\nAIGC {")
    assert "<v keeper>" in text
    assert "&lt;quietly&gt;" in text
    assert "small &amp; grey" in text
    assert len(pysubs2.load(str(tmp_path / "a.vtt"), encoding="utf-8")) == 4


def test_karaoke_gives_every_word_its_time(tmp_path: Path) -> None:
    timeline = story(tmp_path, word_s=0.3)
    write_ass(timeline, tmp_path / "a.ass")
    read = pysubs2.load(str(tmp_path / "a.ass"), encoding="utf-8")
    assert "AIGC" in read.info
    for event, cue in zip(read, cues(timeline), strict=True):
        now = event.start / 1000
        for kind, hundredths, text in re.findall(r"\{\\(kf?)(\d+)\}([^{]*)", event.text):
            if kind == "kf":
                token = next(
                    token
                    for row in cue.rows
                    for token in row
                    if abs(token.start_s - now) < 0.02 and token.text.strip() in text
                )
                assert int(hundredths) / 100 == pytest.approx(
                    token.end_s - token.start_s, abs=0.021
                )
            now += int(hundredths) / 100


def test_braces_and_backslashes_do_not_become_commands(tmp_path: Path) -> None:
    write_ass(told(r"A {\b1} trap \N here."), tmp_path / "a.ass")
    (event,) = pysubs2.load(str(tmp_path / "a.ass"), encoding="utf-8")
    plain = re.sub(r"\{\\kf?\d+\}", "", event.text)
    assert plain.count(r"\N") == 0
    assert not re.search(r"(?<!\\)\{", plain)


@pytest.mark.parametrize("write", [write_srt, write_vtt, write_ass])
def test_the_same_story_gives_the_same_bytes(tmp_path: Path, write) -> None:
    timeline = story(tmp_path)
    write(timeline, tmp_path / "one")
    write(timeline, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
