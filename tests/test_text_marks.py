"""Marks for the voice: found however the text is cut, and never seen by the reader."""

from __future__ import annotations

import itertools

import pytest

from vits.errors import UserError
from vits.text import Emphasis, passages, voice_names, without_marks

TEXT = "He said [voice:Ann Lee]one, two[/voice] and [note] left. [voice: bob ]Three.[/voice]"


def spoken(chunks: list[str]) -> list[tuple[str | None, int, str]]:
    """(name, start, text) of each passage."""
    grouped = itertools.groupby(passages(chunks), key=lambda piece: piece[0])
    return [(p.name, p.start, "".join(text for _, text in pieces)) for p, pieces in grouped]


def test_each_passage_has_its_speaker_and_its_place_in_the_text() -> None:
    found = spoken([TEXT])
    assert [(name, text) for name, _, text in found] == [
        (None, "He said "),
        ("Ann Lee", "one, two"),
        (None, " and [note] left. "),
        ("bob", "Three."),
    ]
    assert all(TEXT[start:].startswith(text) for _, start, text in found)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_passages_are_the_same_however_the_text_is_cut(size: int) -> None:
    chunks = [TEXT[i : i + size] for i in range(0, len(TEXT), size)]
    assert spoken(chunks) == spoken([TEXT])


def test_text_is_passed_on_as_soon_as_it_can_be_no_mark() -> None:
    chunks = iter(["One [", "x] two [voice:", "a]three"])
    pieces = passages(chunks)
    assert next(pieces)[1] == "One "
    assert next(pieces)[1] == "[x] two "
    assert next(pieces)[0].name == "a"


def test_open_passage_holds_to_the_end() -> None:
    assert spoken(["[voice:a]One.", " Two."]) == [("a", 9, "One. Two.")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[voice:a]One [voice:b]two[/voice]", r"\[voice:b\] at character 13 begins inside"),
        ("One[/voice] two", r"\[/voice\] at character 3 ends nothing"),
    ],
)
def test_marks_that_do_not_pair_are_told_with_their_place(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        spoken([text])


def test_names_are_listed_once_and_marks_are_not_shown() -> None:
    assert voice_names(TEXT + TEXT) == ("Ann Lee", "bob")
    assert without_marks(TEXT) == "He said one, two and [note] left. Three."
    assert without_marks("Go [voice:a] on [/voice] now [break].") == "Go on now."


EMPHATIC = "It was [emphasis]very[/emphasis] dark [note], and [emphasis]cold."


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_emphasis_keeps_every_place_however_the_text_is_cut(size: int) -> None:
    emphasis = Emphasis()
    chunks = [EMPHATIC[i : i + size] for i in range(0, len(EMPHATIC), size)]
    blanked = "".join(emphasis.blanked(chunks))
    assert len(blanked) == len(EMPHATIC)
    assert blanked.split() == ["It", "was", "very", "dark", "[note],", "and", "cold."]
    said = {w: emphasis.has(i := EMPHATIC.index(w), i + len(w)) for w in ("very", "dark", "cold")}
    assert said == {"very": True, "dark": False, "cold": True}


def test_marks_of_emphasis_are_not_shown() -> None:
    assert without_marks(EMPHATIC) == "It was very dark [note], and cold."
    assert without_marks("Go [emphasis] on [/emphasis] now.") == "Go on now."
