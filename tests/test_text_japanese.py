"""Japanese is read with its pitch accent, phrase by phrase, each in its place."""

from __future__ import annotations

import re
from importlib.util import find_spec

import pytest
from conftest import require
from hypothesis import given, settings
from hypothesis import strategies as st

from vits.errors import UserError
from vits.text import SYMBOLS, Lexicon, encode, japanese, phonemize_lines, plan


@pytest.fixture(autouse=True)
def _open_jtalk() -> None:
    require(find_spec("pyopenjtalk"), "pyopenjtalk-plus is not installed")


def ipa(text: str) -> str:
    return "".join(phonemize_lines([text], "ja")[0]).removeprefix("‹ja›").rstrip(".")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("箸", "ha↓ɕi"),  # falls after the first mora
        ("橋が", "ha↑ɕi↓ɡa"),
        ("端が", "ha↑ɕiɡa"),  # never falls
        ("新聞", "ɕi↑mbɯɴ"),
        ("切手", "ki↑tte"),
        ("雑誌", "za↑ɕɕi"),
        ("お母さん", "o↑ka↓ːsaɴ"),
        ("ヴァイオリン", "va↑ioɾiɴ"),
    ],
)
def test_words_have_their_sounds_and_their_accent(word: str, said: str) -> None:
    assert ipa(word) == said


def test_accent_phrases_are_words_and_keep_their_place() -> None:
    text = "今日は、1,200円でAIの本を50冊買った。"
    for utterance in plan(text, language="ja"):
        assert all(text[w.char_start : w.char_end] == w.text for w in utterance.words)
        assert "".join(w.text for w in utterance.words) == text.replace("、", "").rstrip("。")


@pytest.mark.parametrize(
    ("written", "alike"),
    [
        ("50%", "50パーセント"),
        ("12:30に", "12時30分に"),
        ("¥300", "300円"),
        ("5km", "5キロメートル"),
    ],
)
def test_signs_and_units_are_said(written: str, alike: str) -> None:
    one, other = (re.sub("[↑↓ ]", "", ipa(text)) for text in (written, alike))
    assert one == other


def test_latin_words_are_english_between_language_marks() -> None:
    assert "‹en›pˈaɪθən‹ja›" in ipa("Pythonが好きです")


def test_the_lexicon_reads_inside_a_text_without_spaces() -> None:
    lexicon = Lexicon.parse("瑠璃\t/ɾɯ↑ɾi/\n")
    assert "ɾɯ↑ɾi" in "".join(phonemize_lines(["空は瑠璃色だ。"], "ja", lexicon)[0])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.text(
        st.sampled_from(
            "あいうえおかがきぎくさざしじすたちっつてなにぬはひふへほまみゃゅょらりるをんーアヴェファティ今日学校人"
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_sound_is_in_the_table(text: str) -> None:
    encode(phonemize_lines([text], "ja")[0], SYMBOLS)


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    japanese.open_jtalk.cache_clear()
    monkeypatch.setitem(sys.modules, "pyopenjtalk", None)
    with pytest.raises(UserError, match=r"clone-voice\[ja\]"):
        japanese.open_jtalk()
    japanese.open_jtalk.cache_clear()
