"""Lines break where a reader expects it, and evenly."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.story.typeset import (
    NOT_FIRST,
    NOT_LAST,
    advance,
    break_lines,
    drawable,
    fit_block,
    font,
    has_glyph,
    runs,
    set_block,
    units,
)

ENGLISH = "The lamp on the rock in the sea went out one night, and nobody saw it but the mouse."
CHINESE = "从前，海里的一块礁石上有一座灯塔（很小）。“上面黑不黑？”老鼠问道……“不黑。”"
JAPANESE = "むかし、海の岩の上に「灯台」がありました。ちょっとカッコいいランプが住んでいました。"


def charset(codec: str) -> list[str]:
    found = []
    for row in range(0xA1, 0xFF):
        for column in range(0xA1, 0xFF):
            try:
                found.append(bytes([row, column]).decode(codec))
            except UnicodeDecodeError:
                continue
    return found


@pytest.mark.parametrize(("codec", "count"), [("gb2312", 7445), ("euc_jp", 6879)])
def test_the_font_draws_every_character_of_the_asian_sets(codec, count):
    chars = charset(codec)
    assert len(chars) >= count
    assert [char for char in chars if not has_glyph(char)] == []


def test_the_font_draws_latin_and_says_what_it_cannot_draw():
    assert drawable("Čeština, Ærø, ﬁn — “Größe” … ǚ Việt 🦊 end") == (
        "Čeština, Ærø, n — “Größe” … ǚ Việt end"
    )


@settings(max_examples=40, deadline=None)
@given(
    text=st.sampled_from([ENGLISH, CHINESE, JAPANESE, ENGLISH + CHINESE]),
    width=st.integers(60, 600),
    even=st.booleans(),
)
def test_lines_fit_and_lose_nothing(text, width, even):
    lines = break_lines(text, width, font(20).getlength, even=even)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(font(20).getlength(line) <= width for line in lines)


@pytest.mark.parametrize("text", [CHINESE, JAPANESE])
@pytest.mark.parametrize("width", [100, 140, 180, 220, 300])
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(text, width):
    lines = break_lines(text, width, font(20).getlength)
    assert not any(line[0] in NOT_FIRST for line in lines)
    assert not any(line[-1] in NOT_LAST for line in lines)
    assert not any(a[-1] == "…" and b[0] == "…" for a, b in pairwise(lines))


def test_titles_break_into_lines_of_even_length():
    title = "The Little Lamp That Would Not Sleep"
    width = 1.1 * font(40).getlength("The Little Lamp That Would")
    lines = break_lines(title, width, font(40).getlength, even=True)
    assert lines == ["The Little Lamp That", "Would Not Sleep"]
    assert break_lines(title, width, font(40).getlength) != lines


def test_a_word_wider_than_the_line_is_cut():
    lines = break_lines("a " + "w" * 60 + " b", 100, font(20).getlength)
    assert len(lines) > 5
    assert "".join(lines).count("w") == 60


def test_units_keep_words_dashes_and_numbers_together():
    assert units("well-known 3.5 km—far") == ["well-", "known ", "3.5 ", "km—", "far"]
    assert units("用iPhone拍。") == ["用", "iPhone", "拍。"]


def test_full_width_marks_that_meet_are_set_closer():
    assert runs("好。」他") == [("好。", 0.5), ("」他", 0.0)]
    assert advance("好。」他", 40) == pytest.approx(3.5 * 40)


def test_a_block_takes_the_largest_size_that_fits_and_is_cut_if_none_does():
    sizes = range(12, 40)
    block = fit_block([ENGLISH, CHINESE], sizes, 400, 200)
    assert block.height <= 200
    assert set_block([ENGLISH, CHINESE], block.size + 1, 400).height > 200
    cut = fit_block([ENGLISH * 30], sizes, 300, 100)
    assert cut.size == 12
    assert cut.height <= 100
    assert cut.paragraphs[0][-1].endswith("…")
    assert fit_block([], sizes, 300, 100).height == 0
