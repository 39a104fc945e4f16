"""How Chinese is read: words by jieba, readings by pypinyin, then erhua, neutral tones and sandhi.

`READER` turns characters into words and numbers into characters; `phonemize_clauses` turns the
words of a clause into symbols. Latin words are read as English, between language marks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from vits.text import english
from vits.text.chinese_numbers import NUMBER_RULES, UNITS, digit_by_digit
from vits.text.chinese_tones import neutralised, sandhi
from vits.text.english_numbers import spell
from vits.text.pinyin import syllable_ipa
from vits.text.tokens import HAN, LATIN, Reader, Token, rule

_CACHED_WORDS = 20_000
_RUN = re.compile(rf"[{HAN}]+")
# 儿 is a syllable of its own in these, and in names of people (女儿, not 花儿).
_FULL_ER = re.compile(
    r"(女|婴|幼|孤|胎|男|健|少|小|宠|宁馨|混血|低能|产|育|托|患|弃|生|妻|侄|娇|乞|麟|吉|卡塔|海)儿$|儿.|^儿"
)
# Readings that a word alone does not decide: (characters, what is before, what follows, reading).
_BY_CONTEXT: tuple[tuple[str, str, str, str], ...] = (
    ("得", r"(^|[我你他她它们])$", r"^(了|到|过)", "de2"),
    ("得", r"(^|[我你他她它们还就总都非必也可只])$", r"^[^了过到]", "dei3"),
    ("得", r"[^得]$", r"^.", "de5"),
    ("得", r".$", r"^$", "de5"),
    ("地", r"[的在这那大陆耕土]$", r"", "di4"),
    ("地", r".$", r"^.", "de5"),
    ("长", r"", r"^(大|高|胖|出|成|满|着|了|得|个|在|势|相|进|草|叶|毛|牙)", "zhang3"),
    ("长", r"[生成增助滋见疯校会班部院家船行店站局处科队组首师]$", r"", "zhang3"),
    ("长", r"", r"", "chang2"),
    ("还", r"", r"^(给|钱|书|债|款|清|你|我|他|她)", "huan2"),
    ("还", r"", r"", "hai2"),
    ("为", r"(成|作|认|以|称|变|分|视|译|化|转|改|定|命名)$", r"", "wei2"),
    ("着", r"(睡|找|够|猜|用|点|烧)不?$", r"^(了|火)|^$", "zhao2"),
    ("着", r".$", r"", "zhe5"),
    ("了", r"不$", r"", "liao3"),
    ("了", r"", r"", "le5"),
    ("只", r"[一二三四五六七八九十百千万两几这那每哪半0-9]$", r"", "zhi1"),
    ("只", r"", r"", "zhi3"),
    ("都", r"", r"", "dou1"),
    ("和", r"", r"", "he2"),
    ("的", r"", r"", "de5"),
    ("吗", r"", r"", "ma5"),
    ("吧", r"", r"", "ba5"),
    ("呢", r"", r"", "ne5"),
    ("们", r"", r"", "men5"),
    ("啊", r".$", r"^$", "a5"),
    ("倒", r"", r"^(水|茶|酒|垃圾|车|退|数|立|影|着)", "dao4"),
    ("教", r"", r"^(我|你|他|她|书|学生|孩子|大家|会|人|过)", "jiao1"),
    ("数", r"", r"^(一数|数|星星|到|不清|钱|着)", "shu3"),
    ("空", r"(有|没|抽|得)$", r"", "kong4"),
    ("行", r"(一|二|三|四|五|六|七|八|九|十|几|两|第.)$", r"", "hang2"),
    ("好", r"(爱|喜|嗜|癖)$", r"", "hao4"),
    ("觉", r"(睡|午|一)$", r"", "jiao4"),
    ("系", r"", r"^(鞋|领|带|扣|上|着|好)", "ji4"),
    ("背", r"", r"^(着|起|包|书|在|了)", "bei1"),
    ("种", r"", r"^(在|满|树|花|菜|地|田|草|了|下|着|瓜|上|植|豆)", "zhong4"),
    ("盛", r"", r"^(饭|汤|水|满|着|了)", "cheng2"),
    ("弹", r"", r"^(琴|钢琴|吉他|奏|起|唱)", "tan2"),
    ("量", r"", r"^(一|体温|身高|尺|血压)", "liang2"),
    ("重", r"", r"^(新|来|做|写|复|建|逢|叠|返|游|阳|温|申)", "chong2"),
    ("差", r"", r"^(一点|不多|点|得|劲|别|异|距)", "cha4"),
    ("扇", r"", r"^(风|扇子|了|着)", "shan1"),
    ("曲", r"[歌乐一首名戏]$", r"", "qu3"),
)  # fmt: skip
# Where pypinyin's dictionary of words is wrong, or knows them by another meaning.
_WORDS = {
    "最长": "zui4 chang2", "很长": "hen3 chang2", "东西": "dong1 xi5", "数数": "shu3 shu4",
    "觉得": "jue2 de5", "晓得": "xiao3 de5", "认得": "ren4 de5", "记得": "ji4 de5",
    "懂得": "dong3 de5", "值得": "zhi2 de5", "舍得": "she3 de5", "不得了": "bu4 de2 liao3",
    "了不起": "liao3 bu5 qi3", "得了": "de2 le5", "全长": "quan2 chang2",
    "长个子": "zhang3 ge4 zi5",
    "不得不": "bu4 de2 bu4", "说得": "shuo1 de5", "跑得": "pao3 de5", "来得及": "lai2 de5 ji2",
    "还书": "huan2 shu1", "还有": "hai2 you3", "大夫": "dai4 fu5", "一会儿": "yi2 hui4 er5",
    "谁": "shei2", "那儿": "na4 er5", "约": "yue1", "多长": "duo1 chang2", "好长": "hao3 chang2",
    "忘不了": "wang4 bu5 liao3", "受不了": "shou4 bu5 liao3", "来不了": "lai2 bu5 liao3",
    "吃不了": "chi1 bu5 liao3", "睡觉": "shui4 jiao4", "午觉": "wu3 jiao4",
    "这里": "zhe4 li3", "那里": "na4 li3", "哪里": "na3 li3", "重游": "chong2 you2",
    "得分": "de2 fen1", "角色": "jue2 se4", "薄荷": "bo4 he5", "曲子": "qu3 zi5",
    "难处": "nan2 chu5", "背着": "bei1 zhe5", "空房间": "kong1 fang2 jian1",
    "数星星": "shu3 xing1 xing5", "嗯": "en4", "哎呀": "ai1 ya5", "率领": "shuai4 ling3",
    "乐曲": "yue4 qu3",
}  # fmt: skip


def _words(match: re.Match[str]) -> list[Token]:
    """The words of a run of characters, a token each."""
    tokens: list[Token] = []
    at = match.start()
    for word in cut(match[0]):
        tokens.append(Token((word,), "", at, at + len(word)))
        at += len(word)
    return tokens


@lru_cache(maxsize=1024)
def cut(run: str) -> tuple[str, ...]:
    """A run of characters as words of the dictionary; jieba's guesses at new words tear old ones
    apart ('快乐 地唱'). 儿 belongs to the word before it."""
    words: list[str] = []
    for word in jieba().cut(run, HMM=False):
        if word == "儿" and words and not _FULL_ER.search(f"{words[-1]}儿"):
            words[-1] += word
        else:
            words.append(word)
    return tuple(words)


@lru_cache(maxsize=1)
def jieba() -> Any:
    """jieba's tokenizer with its dictionary, which takes seconds to load the first time."""
    import jieba as package

    package.setLogLevel(logging.WARNING)
    return package.Tokenizer()


def _name_with_digits(match: re.Match[str]) -> list[Token] | None:
    """'A4', 'MP3', '5G': letters as English says them, digits as Chinese does."""
    spoken: list[str] = []
    for part in re.findall(rf"[{LATIN}]+|\d+", match[0]):
        if part.isdigit():
            spoken.append(digit_by_digit(part))
        elif len(part) <= 4 and part.isupper():
            spoken += spell(part).split()
        else:
            spoken.append(part)
    return [Token(tuple(spoken), "", *match.span())]


def phonemize_clauses(clauses: Sequence[Sequence[str]]) -> list[list[tuple[str, ...]]]:
    """The symbols of each word of each clause; a Latin word begins and ends with its language."""
    from vits.text.phonemes import foreign_words, symbols_of

    foreign = foreign_words(clauses, "zh", lambda word: _RUN.search(word) is not None)
    result = []
    for clause, latin in zip(clauses, foreign, strict=True):
        sounds: list[tuple[str, ...]] = [()] * len(clause)
        for index, sound in latin.items():
            sounds[index] = sound
        han = [i for i in range(len(clause)) if i not in latin]
        for index, syllables in zip(han, _read([clause[i] for i in han]), strict=True):
            sounds[index] = symbols_of(syllables)
        result.append(sounds)
    return result


def _read(words: Sequence[str]) -> list[str]:
    """IPA of each word of a clause."""
    syllables = clause_pinyin(words)
    last = [i for i, word in enumerate(syllables) if word]
    said = []
    for i, word in enumerate(syllables):
        final = bool(last) and i == last[-1]
        said.append(_word_ipa(word, final))
    return said


def _word_ipa(syllables: Sequence[str], final: bool) -> str:
    """A word's IPA, '' for what cannot be said; 'r5' rhotacises the syllable before it."""
    ipa, count = "", len(syllables)
    for i, syllable in enumerate(syllables):
        if syllable == "r5":
            continue
        erhua = i + 1 < count and syllables[i + 1] == "r5"
        end = final and all(s == "r5" for s in syllables[i + 1 :])
        try:
            ipa += syllable_ipa(syllable, erhua=erhua, last=end)
        except ValueError:  # readings of a few rare characters are no Mandarin
            return ""
    return ipa


def clause_pinyin(words: Sequence[str]) -> list[list[str]]:
    """The syllables of each word as they are said in this clause, 'r5' for erhua."""
    read = [list(word_pinyin(word)) for word in words]
    for i, word in enumerate(words):
        if len(word) == 1:
            before, after = "".join(words[:i]), "".join(words[i + 1 :])
            reading = in_context(word, before, after)
            if reading:
                read[i] = [reading]
    flat = "".join(words)
    if sum(map(len, read)) != len(flat):  # something that is no character
        return read
    return sandhi(words, [neutralised(w, r) for w, r in zip(words, read, strict=True)])


def in_context(char: str, before: str, after: str) -> str | None:
    """The reading of a word of one character between its neighbours, where they decide it."""
    for asked, left, right, reading in _BY_CONTEXT:
        if char == asked and re.search(left, before) and re.search(right, after):
            return reading
    return None


@lru_cache(maxsize=_CACHED_WORDS)
def word_pinyin(word: str) -> tuple[str, ...]:
    """The syllables of a word alone, from the dictionary, erhua marked."""
    known = _WORDS.get(word)
    syllables = known.split() if known else _dictionary(word)
    if len(word) > 1 and word.endswith("儿") and not _FULL_ER.search(word):
        return (*syllables[:-1], "r5")
    return tuple(syllables)


def _dictionary(word: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin

    read = lazy_pinyin(
        word, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors="ignore"
    )
    return list(read)


def _maybe_name(match: re.Match[str]) -> list[Token] | None:
    """'5G', '3D' are names; '5km' is a number with its unit."""
    letters = match[0].lstrip("0123456789")
    return None if letters in UNITS and letters not in ("A", "V", "W") else _name_with_digits(match)


READER = Reader(
    number_rules=(
        rule(rf"\d+[A-Za-z][{LATIN}\d]*+(?![²³/])", _maybe_name),
        *NUMBER_RULES,
    ),
    word_rules=(
        rule(rf"[{HAN}]+", _words),
        rule(rf"[{LATIN}]+-?\d[{LATIN}\d]*", _name_with_digits),
        *english.WORD_RULES,
    ),
    symbols={
        "&": "和", "@": "艾特", "%": "百分之", "+": "加", "=": "等于", "×": "乘", "÷": "除以",
        "±": "正负", "°": "度", "℃": "摄氏度", "€": "欧元", "£": "英镑", "$": "美元", "¥": "元",
        "²": "平方", "³": "立方", "≈": "约等于", "≠": "不等于", "≤": "小于等于", "≥": "大于等于",
        "<": "小于", ">": "大于", "∞": "无穷大", "√": "根号", "№": "第", "‰": "千分之",
    },
    titles=frozenset(),
    never_end=english.READER.never_end,
    place_names=frozenset(),
    before_number=frozenset(),
    may_end=frozenset(),
    starters=frozenset(),
    own_letters=HAN,
)  # fmt: skip
