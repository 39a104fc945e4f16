"""Other people's names in a message: those who take part, and those who are spoken of.

Who takes part is known exactly. In English the others are told by lists of given names, titles and
what stands around them; in Chinese by jieba's tagger (Jia and Jie Sun's dictionary, a hidden Markov
model for what it has not) held against the surnames. Neither finds every name: `bench privacy`
measures how many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pipelines.persona.namelists import (
    AMBIGUOUS,
    COMPOUND,
    FAMILY,
    GIVEN,
    GIVEN_HAN,
    KIN,
    NEVER_HAN,
    NOBODY,
    NOT_NAMES,
    SMALL_SURNAMES,
    SURNAMES,
)

Span = tuple[int, int]
_HAN = "[\u3400-\u9fff]"
_ASCII_WORD = r"[A-Za-z\u00c0-\u024f]"
_CAP = rf"[A-Z\u00c0-\u00de]{_ASCII_WORD}*(?:['’-][A-Z]{_ASCII_WORD}+)*"
_WORD = re.compile(
    rf"(?<![0-9_@#/.A-Za-z\u00c0-\u024f]){_ASCII_WORD}+(?:['’-](?=[A-Z]){_ASCII_WORD}+)*(?![0-9_@/])"
)
_NEXT_CAP = re.compile(
    rf"(?: (?:van|von|de|der|la|bin|al|"
    rf"[A-Z]\.))* (?P<name>{_CAP})(?![0-9_@/])"
)
_TITLE = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Aunt|Auntie|Uncle|Captain|Coach|Officer)\.? "
    rf"(?P<name>{_CAP}(?: {_CAP})?)"
)
_PLACES = (
    r"Street|St|Road|Rd|Avenue|Lane|Park|Station|Bridge|University|School|Airport|Hotel|"
    r"Bank"
)
_CUES = re.compile(
    rf"\b(?:[Ww]ith|[Mm]et|[Tt]old|[Aa]sk(?:ed)?(?: for)?|[Nn]amed|[Cc]alled|[Dd]ear|[Hh]i|"
    rf"[Hh]ello|[Hh]ey|"
    rf"[Vv]isit(?:ed)?|[Tt]hank(?:s|ed)?|[Ii]nvite[ds]?|[Ss]een|[Ss]aw|[Cc]all|[Tt]ext(?:ed)?|"
    rf"[Mm]iss(?:ed)?|[Kk]now|[Hh]elp(?:ed)?|[Rr]emind|[Mm]arry|"
    rf"[Pp]hone|[Ee]mail|[Cc]olleague|[Ff]riend|[Bb]oss|[Cc]ousin|"
    rf"[Nn]eighbou?r|[Ss]ister|[Bb]rother|[Ww]ife|[Hh]usband|[Dd]aughter|[Ss]on) "
    rf"(?P<name>{_CAP}(?: {_CAP})?)"
)
_ACTS = re.compile(
    rf"(?<![\w@#/.])(?P<name>{_CAP}(?: {_CAP})?)(?= (?:said|says|told|asked|thinks|wants|"
    rf"called|texted|"
    rf"lives|works|married|moved|is coming|was late|and I)\b|['’]s (?:wife|husband|mother|mom|"
    rf"mum|father|dad|"
    rf"sister|brother|birthday|house|place|car|phone|wedding|party|daughter|son)\b)"
)
_SURNAME_FIRST = re.compile(rf"(?:{'|'.join(COMPOUND)}|[{''.join(sorted(SURNAMES))}]){_HAN}")
_HAN_RUN = re.compile(f"{_HAN}{{2,}}")
_ROLES = (
    "先生|女士|小姐|太太|老师|医生|大夫|经理|主任|教授|师傅|"
    "总|阿姨|叔叔|叔|姐|哥|同学|律师|局长|校长|处长"
)
_CALLED = re.compile(
    rf"(?:名字叫|名叫|叫做|我叫|他叫|她叫|姓名[是：:]?|叫)\s?(?P<name>(?:{'|'.join(COMPOUND)}|"
    rf"[{''.join(sorted(SURNAMES))}])"
    rf"{_HAN}{{1,2}})(?=[，。！？,.!?、\s的是]|$)"
)
_ROLE = re.compile(rf"(?<!{_HAN})?(?P<name>[{''.join(sorted(SURNAMES))}])(?={_ROLES})")
_NICK = re.compile(
    rf"(?P<name>[小老阿][{''.join(sorted(SURNAMES))}])(?=[说问和跟的也要来去给那家不，,。！？\s]|$)"
)
_COMPOUND_NAME = re.compile(
    rf"(?P<name>(?:欧阳|司马|上官|诸葛|皇甫|尉迟|慕容|令狐|"
    rf"司徒)(?![说问和跟的也要来去给在]){_HAN}"
    rf"(?:(?![说问和跟的也要来去给在是吃明今昨有让把被]){_HAN})?)"
)
_BESIDE = re.compile(
    rf"(?:叫上|带上|和|跟|认识|听说|找|给|约|问|请|见到|遇到|碰到|陪)"
    rf"(?P<name>[{''.join(sorted(SURNAMES))}][{''.join(sorted(GIVEN_HAN))}]{{2}})"
)
_NOT_NICK = frozenset(
    [
        "小时",
        "小马",
        "小龙",
        "小石",
        "小车",
        "小麦",
        "小米",
        "小牛",
        "小白",
        "小费",
        "小包",
        "小路",
        "小金",
        "小江",
        "小高",
        "老牛",
        "小师",
        "小熊",
        "小游",
        "小季",
        "小明",
        "老师",
        "小应",
        "小边",
        "小章",
        "小全",
        "小成",
        "小单",
        "小查",
        "老古",
        "老麻",
        "小房",
        "老房",
        "小商",
    ]
)


class Names:
    """Who is known by name so far, each under the name that all their names stand for."""

    MOST = 20_000

    def __init__(self, me: Iterable[str] = ()) -> None:
        whole = [" ".join(name.split()) for name in me]
        self._me = {form.casefold() for name in whole for form in (name, *_parts(name))}
        self._known: dict[str, str] = {}  # a spoken form, casefolded: whose it is
        self._han: re.Pattern[str] | None = None
        self._stale = False

    def add(self, name: str, *, parts: bool = True) -> str:
        """Know a person, by given name alone too; returns the name that stands for them."""
        whole = " ".join(name.split())
        key = whole.casefold()
        if key in self._known:
            return self._known[key]
        if len(self._known) >= self.MOST or key in self._me or key in KIN:
            return whole
        self._known[key] = whole
        self._stale = True
        for part in _parts(whole) if parts else ():
            if part not in self._me and part not in KIN:
                self._known.setdefault(part, whole)
        return whole

    def owner(self, spoken: str) -> str:
        """Whose name `spoken` is: what all the names of one person have in common."""
        return self._known.get(spoken.casefold(), " ".join(spoken.split()))

    def find(self, text: str) -> list[Span]:
        """Spans of names, in order, none in another; whom the text itself makes known, too."""
        kept = self._spans(text)
        for start, end in kept:
            self.add(text[start:end])
        return self._spans(text) if self._stale else kept

    def _spans(self, text: str) -> list[Span]:
        spans = [*self._latin(text), *self._chinese(text)] if text else []
        kept: list[Span] = []
        for start, end in sorted(set(spans), key=lambda s: (s[0], -s[1])):
            if text[start:end].casefold() in self._me:
                continue
            if not kept or start >= kept[-1][1]:
                kept.append((start, end))
        return kept

    def _latin(self, text: str) -> Iterator[Span]:
        for pattern in (_TITLE, _CUES, _ACTS):
            for match in pattern.finditer(text):
                words = match["name"].split()
                while words and words[-1].lower() in NOBODY:
                    words.pop()
                follows = re.match(rf" (?:{_PLACES})\b", text[match.end("name") :])
                if words and words[0].lower() not in NOBODY and not follows:
                    start = match.start("name")
                    yield start, start + len(" ".join(words))
        for match in _WORD.finditer(text):
            word = match[0].lower()
            following = _NEXT_CAP.match(text, match.end())
            capital = match[0][0].isupper()
            if word in self._known or (word in GIVEN and (capital or len(word) > 3)):
                surname = following if capital and following else None
            elif capital and following and _with_family(word, following["name"]):
                surname = following
            else:
                continue
            ends = surname and _surname(surname["name"])
            yield match.start(), surname.end() if surname and ends else match.end()

    def _chinese(self, text: str) -> Iterator[Span]:
        if self._stale:
            han = [name for name in self._known if re.fullmatch(f"{_HAN}{{2,}}", name)]
            longest = sorted(han, key=len, reverse=True)
            self._han = re.compile("|".join(map(re.escape, longest))) if han else None
            self._stale = False
        if self._han:
            yield from ((m.start(), m.end()) for m in self._han.finditer(text))
        for pattern in (_ROLE, _CALLED, _NICK, _COMPOUND_NAME, _BESIDE):
            for match in pattern.finditer(text):
                if match["name"] not in _NOT_NICK and _may_be(match["name"], text, match):
                    yield match.span("name")
        for run in _HAN_RUN.finditer(text):
            if _SURNAME_FIRST.search(run[0]) and _worth_tagging(run[0]):
                for start, end in _tagged(run[0]):
                    yield run.start() + start, run.start() + end


def _surname(word: str) -> bool:
    return word.lower() not in NOBODY and word.lower() not in ("i", "and") and len(word) > 1


def _with_family(word: str, following: str) -> bool:
    """Whether a word with a capital, of no known name, is one beside what follows."""
    if word in AMBIGUOUS:
        return _surname(following)
    return word not in NOBODY and following.lower() in FAMILY


def _may_be(name: str, text: str, match: re.Match[str]) -> bool:
    """A single character before a role is a surname only where no word runs into it."""
    if len(name) > 1:
        return name not in NOT_NAMES
    before = text[max(0, match.start() - 1) : match.start()]
    return not re.match(_HAN, before) or before in "和跟给找问叫是请让的了去在到，与对被见"


def _parts(name: str) -> Iterator[str]:
    """The shorter forms of a name: 李晓燕 -> 晓燕, 'Anna Berg' -> 'anna', 'berg'."""
    if re.fullmatch(f"{_HAN}+", name):
        cut = 2 if name[:2] in COMPOUND else 1
        surname = cut == 2 or name[0] in SURNAMES
        if surname and len(name) - cut == 2 and name[cut:] not in NOT_NAMES:
            yield name[cut:]
        return
    words = [word.casefold() for word in re.findall(rf"{_ASCII_WORD}{{3,}}", name)]
    for word in words if len(words) > 1 else ():
        if word not in AMBIGUOUS and word not in NOBODY:
            yield word


def _worth_tagging(run: str) -> bool:
    """Whether some surname in a run of characters does not merely begin an everyday word."""
    frequency, tags = _tagger().tokenizer.FREQ, _tagger().word_tag_tab
    for match in re.finditer(f"(?={_SURNAME_FIRST.pattern})", run):
        at = match.start()
        word, given = run[at : at + 2], run[at + 1 : at + 3]
        everyday = frequency.get(word, 0) > 20 and not tags.get(word, "").startswith("nr")
        if not everyday or (len(given) == 2 and all(char in GIVEN_HAN for char in given)):
            return True
    return False


def _tagged(text: str) -> Iterator[Span]:
    """Names by the tagger, and those it cuts apart: a surname and characters of given names."""
    words = [(pair.word, pair.flag) for pair in _tagger().cut(text)]
    place = 0
    for index, (word, tag) in enumerate(words):
        start, place = place, place + len(word)
        if tag.startswith("nr") and tag != "nrt" and _is_full(word):
            yield start, place
        if word[0] in SURNAMES and (tag.startswith("nr") or len(word) == 1 or tag == "x"):
            given = _given(text, start + 1, word, words[index + 1 :])
            if given and text[start : start + 1 + given] not in NOT_NAMES:
                yield start, start + 1 + given


def _given(text: str, at: int, word: str, rest: list[tuple[str, str]]) -> int:
    """How many characters of a given name follow a surname: 0, 1 or 2."""
    pair = text[at : at + 2]
    if len(pair) == 2 and all(char in GIVEN_HAN for char in pair) and pair not in NOT_NAMES:
        small = text[at - 1] in SMALL_SURNAMES and len(word) == 1 and rest[0][1][0] not in "n"
        return 0 if small else 2
    alone = len(word) == 1 and word not in SMALL_SURNAMES and rest and len(rest[0][0]) == 1
    return 1 if alone and pair[:1] in GIVEN_HAN else 0


def _is_full(word: str) -> bool:
    if word in NOT_NAMES or word[:2] in NOT_NAMES or word[-1] in "区县市省镇路街村江河湖国":
        return False
    if any(char in NEVER_HAN for char in word[1:]):
        return False
    if word[:2] in COMPOUND:
        return 3 <= len(word) <= 4
    return word[0] in SURNAMES and 2 <= len(word) <= 3


@cache
def _tagger() -> Any:
    import logging

    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    return jieba.posseg.dt
