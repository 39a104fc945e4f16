"""Chinese is read as it is spoken: numbers, polyphones, tones, erhua, Latin words in between."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vits.errors import UserError
from vits.text import SYMBOLS, Lexicon, encode, phonemize_lines, plan, unknown_characters
from vits.text.chinese import clause_pinyin, cut
from vits.text.normalize import normalize
from vits.text.pinyin import syllable_ipa


def spoken(text: str) -> str:
    """The words that a text is read as, without what stands between them."""
    return "".join(word for token in normalize(text, "zh").tokens for word in token.spoken)


def pinyin(text: str) -> str:
    return " ".join(s for word in clause_pinyin(cut(text)) for s in word)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1234", "一千二百三十四"),
        ("10,000", "一万"),
        ("3.14", "三点一四"),
        ("1999年", "一九九九年"),
        ("30年前", "三十年前"),
        ("2024-05-06", "二零二四年五月六日"),
        ("12月25日", "十二月二十五日"),
        ("8:05", "八点零五分"),
        ("12:00", "十二点整"),
        ("14:30:15", "十四点三十分十五秒"),
        ("3:2", "三比二"),
        ("¥12.50", "十二点五元"),
        ("$3亿", "三亿美元"),
        ("20%", "百分之二十"),
        ("-5℃", "负五摄氏度"),
        ("5km", "五公里"),
        ("60km/h", "六十公里每小时"),
        ("100m²", "一百平方米"),
        ("3/4", "四分之三"),
        ("13812345678", "幺三八幺二三四五六七八"),
        ("010-62345678", "零幺零六二三四五六七八"),
        ("2个", "两个"),
        ("第2", "第二"),
        ("2月", "二月"),
        ("12个", "十二个"),
        ("3-5天", "三到五天"),
        ("10%~20%", "百分之十到百分之二十"),
        ("5G", "五/dʒˈiː/"),
    ],
)
def test_numbers_are_said_in_words(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("银行", "yin2 hang2"),
        ("行走", "xing2 zou3"),
        ("重要", "zhong4 yao4"),
        ("重复", "chong2 fu4"),
        ("快乐", "kuai4 le4"),
        ("音乐", "yin1 yue4"),
        ("首都", "shou3 du1"),
        ("我们都", "wo3 men5 dou1"),
        ("还给他", "huan2 gei3 ta1"),
        ("还有", "hai2 you3"),
        ("睡着了", "shui4 zhao2 le5"),
        ("看着他", "kan4 zhe5 ta1"),
    ],
)
def test_a_character_of_several_readings_gets_the_one_of_its_word(text: str, said: str) -> None:
    assert pinyin(text) == said


EVERYDAY = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "everyday_chinese.tsv").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(("text", "said"), EVERYDAY, ids=[text for text, _ in EVERYDAY])
def test_an_everyday_sentence_is_read_as_people_say_it(text: str, said: str) -> None:
    """Measure words and the characters of several readings that everybody uses."""
    clauses = []
    for part in filter(None, re.split("[，。？]", text)):
        words = [word for token in normalize(part, "zh").tokens for word in token.spoken]
        clauses.append("|".join(" ".join(word) for word in clause_pinyin(words)))
    assert ", ".join(clauses) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("照片", "zhao4 pian4"),
        ("肚子", "du4 zi5"),
        ("睡不着", "shui4 bu4 zhao2"),
        ("用得着", "yong4 de5 zhao2"),
        ("受得了", "shou4 de5 liao3"),
        ("跑得快", "pao3 de5 kuai4"),
        ("被列为", "bei4 lie4 wei2"),
        ("缘分", "yuan2 fen4"),
        ("还款", "huan2 kuan3"),
        ("温差", "wen1 cha1"),
        ("青藏铁路", "qing1 zang4 tie3 lu4"),
        ("收藏", "shou1 cang2"),
        ("简朴", "jian2 pu3"),
        ("希特勒", "xi1 te4 le4"),
        ("哈佛", "ha1 fo2"),
        ("仿佛", "fang3 fu2"),
        ("框架", "kuang4 jia4"),
        ("长裙", "chang2 qun2"),
        ("乡长", "xiang1 zhang3"),
        ("成长", "cheng2 zhang3"),
        ("切成", "qie1 cheng2"),
        ("不切实际", "bu2 qie4 shi2 ji4"),
        ("推倒", "tui1 dao3"),
        ("进行曲", "jin4 xing2 qu3"),
        ("满头大汗", "man3 tou2 da4 han4"),
        ("成吉思汗", "cheng2 ji2 si1 han2"),
        ("待在家里", "dai1 zai4 jia1 li5"),
        ("任先生姓任", "ren2 xian1 sheng5 xing4 ren2"),
        ("他穿着很讲究", "ta1 chuan1 zhuo2 hen2 jiang3 jiu5"),
        ("他穿着大衣", "ta1 chuan1 zhe5 da4 yi1"),
        ("花都开了", "hua1 dou1 kai1 le5"),
        ("首都", "shou3 du1"),
    ],
)
def test_a_character_is_read_as_in_the_dictionary_of_its_words(word: str, said: str) -> None:
    assert pinyin(word) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("不是", "bu2 shi4"),
        ("不来", "bu4 lai2"),
        ("一个", "yi2 ge4"),
        ("一天", "yi4 tian1"),
        ("第一", "di4 yi1"),
        ("一九七八", "yi1 jiu3 qi1 ba1"),
        ("你好", "ni2 hao3"),
        ("展览馆", "zhan2 lan2 guan3"),
        ("小老虎", "xiao3 lao2 hu3"),
        ("好不好", "hao3 bu5 hao3"),
        ("妈妈", "ma1 ma5"),
        ("孩子们", "hai2 zi5 men5"),
        ("电子", "dian4 zi3"),
    ],
)
def test_tones_change_in_company(text: str, said: str) -> None:
    assert pinyin(text) == said


def test_erhua_colours_the_syllable_before_it_and_a_child_is_a_syllable() -> None:
    assert "".join(phonemize_lines(["花儿。"], "zh")[0]) == "‹zh›xwaɚ˥."
    assert "".join(phonemize_lines(["一点儿"], "zh")[0]) == "‹zh›i˥˩tjaɚ˨˩˦."
    assert pinyin("女儿") == "nv3 er2"
    rhotic = {s: syllable_ipa(s, erhua=True) for s in ("kong4", "jin1", "wei4", "shi4", "wan2")}
    assert list(rhotic.values()) == ["kʰʊ\u0303ɚ˥˩", "tɕiɚ˥", "wɚ˥˩", "ʂɚ˥˩", "waɚ˧˥"]


def test_latin_words_are_english_between_language_marks() -> None:
    (symbols,) = phonemize_lines(["我用Python写code，很快。"], "zh")
    said = "".join(symbols)
    assert said.count("‹en›") == 2
    assert said.startswith("‹zh›wo˨˩ jʊŋ˥˩ ‹en›pˈaɪθən‹zh› ɕjɛ˨˩")


def test_words_keep_their_place_in_the_source() -> None:
    text = "小狐狸说：“走吧！” 2024年到了。"
    for utterance in plan(text, language="zh"):
        assert text[utterance.char_start : utterance.char_end] == utterance.text
        assert all(text[w.char_start : w.char_end] == w.text for w in utterance.words)
        assert not utterance.unknown
    words = [w.text for u in plan(text, language="zh") for w in u.words]
    assert words == ["小", "狐狸", "说", "走", "吧", "2024", "年", "到", "了"]


def test_the_lexicon_reads_inside_a_text_without_spaces() -> None:
    lexicon = Lexicon.parse("长安\tchang2 an1\n朴树\tpiao2 shu4\n")
    (symbols,) = phonemize_lines(["歌手朴树在长安街。"], "zh", lexicon)
    assert "pʰjaʊ˧˥ʂu˥˩" in "".join(symbols)
    with pytest.raises(UserError, match="lexicon:1"):
        Lexicon.parse("朴树\tpq5 shu4\n")


def test_characters_that_nobody_can_say_are_named() -> None:
    assert unknown_characters("你好한国", "zh") == ("한",)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12))
def test_every_character_has_sounds_of_the_table(text: str) -> None:
    encode(phonemize_lines([text], "zh")[0], SYMBOLS)


def test_what_is_no_syllable_is_refused() -> None:
    for wrong in ("xyz1", "zhong", "v", "bpm3", ""):
        with pytest.raises(ValueError, match="syllable"):
            syllable_ipa(wrong)
