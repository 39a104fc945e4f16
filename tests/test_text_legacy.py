"""The notations of fast-fine-tuning's voices: bopomofo, IPA with tones, Open JTalk's accents."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from conftest import require
from foreign import CJE_SYMBOLS

from vits.config import TextConfig
from vits.text.frontend import FrontEnd
from vits.text.legacy import CLEANERS
from vits.text.legacy.english import word_ipa


@pytest.fixture(autouse=True)
def _open_jtalk() -> None:
    require(find_spec("pyopenjtalk"), "pyopenjtalk-plus is not installed")


@pytest.mark.parametrize(
    ("cleaner", "text", "said"),
    [
        ("chinese_cleaners", "你好，世界！", "ㄋㄧˇㄏㄠˇ， ㄕˋㄐㄧㄝˋ！"),
        ("chinese_cleaners", "他有15本书", "ㄊㄚˉ ㄧㄡˇ ㄕˊㄨˇ ㄅㄣˇㄕㄨˉ。"),
        ("cjke_cleaners2", "[ZH]你好，世界！[ZH]", "ni↓↑xɑʊ↓↑, s`ɹ`↓tʃ⁼iɛ↓!"),
        ("cjke_cleaners2", "[ZH]中国人[ZH]", "ts`⁼ʊŋ→k⁼wo↑ ɹ`ən↑."),
        ("zh_ja_mixture_cleaners", "[ZH]中国人[ZH]", "ʦ`⁼uNg→k⁼wo↑ ɹ`əNN↑."),
        ("cjke_cleaners2", "[JA]新聞を読んだ。[JA]", "ʃi↑mbɯNo jo↓nda."),
        ("zh_ja_mixture_cleaners", "[JA]新聞を読んだ。[JA]", "ʃi↑NbɯNo yo↓Nda."),
        ("cjke_cleaners2", "[JA]切手を買って、[JA]", "ki↑t#teo ka↑t#te,"),
        ("cjke_cleaners2", "[EN]Hello, the old world.[EN]", "hɛˈloʊ, ðə oʊɫd wəɹɫd."),
        ("cjke_cleaners2", "[EN]Twenty-one (21)![EN]", "tˈwɛntiˌwɔn (tˈwɛntiˌwɔn)!"),
    ],
)
def test_a_cleaner_writes_what_its_voices_were_trained_on(
    cleaner: str, text: str, said: str
) -> None:
    assert CLEANERS[cleaner].clean(text) == said


def test_tags_are_added_to_text_without() -> None:
    clean = CLEANERS["cjke_cleaners2"].clean
    plain, tagged = "我用Python写", "[ZH]我用[ZH][EN]Python[EN][ZH]写[ZH]"
    assert clean(plain, "zh") == clean(tagged)
    japanese = "明日はPythonを学ぶ。"
    assert clean(japanese) == clean("[JA]明日は[JA][EN]Python[EN][JA]を学ぶ。[JA]")
    assert clean("東京", "ja") != clean("東京", "zh")
    mixed = clean("我们写程序，こんにちは。", "ja")  # 们 is in no Japanese character set
    assert mixed == clean("[ZH]我们写程序，[ZH][JA]こんにちは。[JA]")
    assert clean("東京、今日は雨です。") == clean("[JA]東京、今日は雨です。[JA]")
    assert clean("東京は広い。天气好。", "zh").startswith(clean("[JA]東京は広い。[JA]").rstrip("."))


def test_words_keep_their_place_and_nothing_is_lost() -> None:
    front = FrontEnd(
        TextConfig("cjke_cleaners2"), tuple(CJE_SYMBOLS), ("zh", "ja", "en"), add_blank=True
    )
    text = "[ZH]他说：“2024年见。”[ZH]こんにちは、Tom《你好》；再见……"
    for utterance in front.plan(text, "zh"):
        assert not utterance.unknown
        assert not front.lost(utterance.symbols)
        assert all(text[w.char_start : w.char_end] == w.text for w in utterance.words)
        spans = [(w.symbol_start, w.symbol_end) for w in utterance.words]
        assert spans == sorted(spans)
    words = [w.text for u in front.plan(text, "zh") for w in u.words]
    assert "2024年" in words
    assert "Tom" in words


def test_words_that_the_dictionary_lacks_are_read_all_the_same() -> None:
    assert word_ipa("zorblax")
    assert set(word_ipa("zorblax")) <= set(CJE_SYMBOLS)
    assert word_ipa("ninety-nine") == "ˈnaɪnti naɪn"
