"""How headings look: the words of many languages for chapter, part, and what is not the story."""

from __future__ import annotations

import re

from pipelines.books.book import Matter, one_line

LONGEST_HEADING = 90  # characters; a longer line is a sentence

_ROMAN = r"[IVXLC]{1,8}"
_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty)(?:[- ]\\w+)?"
    "|(?:the )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)"
    "|erstes?|zweites?|drittes?|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf"
    "|un|deux|trois|quatre|cinq|premier|première|deuxième|second|troisième|quatrième|cinquième"
    "|primer[oa]?|segund[oa]|tercer[oa]?|cuart[oa]|quint[oa]|prim[oa]|second[oa]|terz[oa]"
    "|uno|dos|tres|один|два|три"
    "|(?:перв|втор|трет|четв[её]рт|пят|шест|седьм|восьм|девят|десят|\\w+надцат|последн)\\w{1,3}"
)
_NUMBER = rf"(?:\d{{1,4}}|{_ROMAN}|{_NUMBER_WORDS})"
_CN = r"[\d０-９〇零○一二两三四五六七八九十百千万廿卅]{1,9}"
_LATIN_CHAPTER = (
    rf"(?:chapter|chap\.|kapitel|chapitre|capítulo|capitulo|capitolo|hoofdstuk|rozdział|глава"
    rf"|letter|scene|canto|tale|adventure|stave)\s+{_NUMBER}\b"
    rf"|(?:\w+(?:tes|ter|te)\s+kapitel|(?:the\s+)?\w+\s+chapter)$"
)
_CJK_CHAPTER = rf"第\s*{_CN}\s*[章回节節話话幕折出篇](?!\w*[。，])"
CHAPTER = re.compile(rf"^(?:{_LATIN_CHAPTER}|{_CJK_CHAPTER})", re.IGNORECASE)
PART = re.compile(
    rf"^(?:(?:part|book|volume|vol\.|teil|buch|band|partie|livre|tome|parte|libro|часть|том)"
    rf"\s+(?:the\s+)?{_NUMBER}\b|第\s*{_CN}\s*[卷部集编編册冊]|[上中下]\s*[卷部篇册冊]$"
    rf"|卷\s*{_CN}(?!\w))",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^(?:prologue|epilogue|prelude|interlude|finale|preface|foreword|introduction|introductory"
    r"|afterword|postscript|conclusion|author['’]s note|prolog|epilog|vorwort|nachwort|einleitung"
    r"|prologue|épilogue|avant-propos|préface|prólogo|epílogo"
    r"|楔子|引子|序章|序幕|序言|自序|前言|引言|尾声|尾聲|终章|終章|番外.{0,20}|后记|後記|跋|序|"
    r"プロローグ|エピローグ|まえがき|あとがき)[.:：]?$",
    re.IGNORECASE,
)
# 'Prologue: The Storm', '楔子　误走妖魔'
_NAMED_WITH_TITLE = re.compile(
    r"^(?:(?:prologue?|epilogue?|prelude|interlude|épilogue)\s*[.:—–-]+\s*\S.{0,60}(?<![.,;])"
    r"|(?:楔子|引子|引首|序章|序幕|尾声|尾聲|终章|終章|番外)[\s　:：]+[^。，！？；]{1,40})$",
    re.IGNORECASE,
)
BARE_NUMBER = re.compile(rf"^(?:(\d{{1,3}})|({_ROMAN}))[.)]?$")
NUMBERED = re.compile(rf"^(?:(\d{{1,3}})|({_ROMAN}))[.)、:：]\s*(?=\S)(.{{1,80}})$")
CN_NUMBERED = re.compile(r"^([一二三四五六七八九十百]{1,4})(?:[、．.]\s*(\S.{0,40}))?$")

_FRONT = re.compile(
    r"^(?:(?:half[- ]?)?title(?:[- ]?page)?|cover|copyright.*|colophon|imprint|impressum|contents"
    r"|table of contents|list of (?:illustrations|figures|tables|maps)|illustrations|dedication"
    r"|praise for .*|also (?:by|available) .*|by the same author|books by .*"
    r"|transcriber['’]?s? notes?"
    r"|inhalt(?:sverzeichnis)?|titelseite|sommaire|table des matières|índice|оглавление|содержание"
    r"|封面|扉页|书名页|版权(?:页|信息)?|目录|目錄|目次|制作信息|出版说明|献词|内容简介|表紙|奥付"
    r"|start of (?:the|this) project gutenberg.*|the project gutenberg ebook.*)$",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"^(?:notes?|endnotes|footnotes|bibliography|references|works cited|further reading|index"
    r"|glossary|acknowledge?ments?|about the (?:author|publisher|translator)s?|credits"
    r"|the full project gutenberg license|project gutenberg.*license|end of (?:the )?project.*"
    r"|newsletter.*|advertisements?|discussion questions|reading group guide"
    r"|anmerkungen|fußnoten|literatur(?:verzeichnis)?|register|danksagung|über den autor"
    r"|notes de bas de page|bibliographie|remerciements|примечания"
    r"|注释|註釋|参考文献|參考文獻|索引|致谢|致謝|作者简介|关于作者|附录\s*索引|脚注|参考書目)$",
    re.IGNORECASE,
)
_FRONT_TYPES = frozenset(
    {"cover", "titlepage", "halftitlepage", "copyright-page", "toc", "landmarks", "loa", "loi"}
    | {"lot", "lov", "dedication", "imprint", "seriespage", "other-credits", "contributors"}
)
_BACK_TYPES = frozenset(
    {"bibliography", "endnotes", "rearnotes", "footnotes", "index", "glossary", "credits"}
    | {"acknowledgments", "colophon", "errata"}
)


def heading_of(line: str) -> bool:
    """Whether a line that stands alone says by its words that it is a heading."""
    text = one_line(line)
    if not text or len(text) > LONGEST_HEADING or "\n" in line.strip():
        return False
    if _NAMED.match(text) or _NAMED_WITH_TITLE.match(text):
        return True
    if not (CHAPTER.match(text) or PART.match(text)):
        return False
    return not re.search(r"[,;，；。]$", text) and not _runs_on(text)


def _runs_on(text: str) -> bool:
    """'Chapter 3 was the worst, and so on.' is a sentence; 'Chapter 3. The Worst.' is none."""
    match = CHAPTER.match(text) or PART.match(text)
    rest = text[match.end() :] if match else ""
    return bool(re.match(r"\s+[a-z]", rest)) and rest.rstrip().endswith(".")


def matter_of(title: str) -> Matter | None:
    """What a heading says about its place, None where it says nothing."""
    text = one_line(title).strip(" .:：*_")
    if _FRONT.match(text):
        return "front"
    return "back" if _BACK.match(text) else None


def matter_of_types(types: str) -> Matter | None:
    """What `epub:type` says about a part of a book: only what a listener does not want."""
    words = set(types.lower().replace("doc-", "").split())
    if words & _FRONT_TYPES:
        return "front"
    return "back" if words & _BACK_TYPES else None


_DECORATED = re.compile(r"^[-–—*~•=\[(]+\s*([\dIVXLC]{1,8})\s*[-–—*~•=\])]+$")


def undecorated(title: str) -> str:
    """'[ 3 ]' and '— III —' without what stands around them."""
    text = one_line(title)
    match = _DECORATED.match(text)
    return match[1] if match else text


def is_number_alone(title: str) -> bool:
    """Whether a heading is 'Chapter 3' or 'XII' and says nothing more."""
    text = undecorated(title).rstrip(" .:：)")
    match = CHAPTER.match(text) or PART.match(text) or BARE_NUMBER.match(text)
    return match is not None and match.end() == len(text)


def number_of(text: str) -> int | None:
    """The number that a line is or begins with ('12', '[ 3 ]', 'IV. The Flood', '三、雨')."""
    text = undecorated(text)
    if match := BARE_NUMBER.match(text) or NUMBERED.match(text):
        from vits.text.tokens import roman

        return int(match[1]) if match[1] else roman(match[2])
    if match := CN_NUMBERED.match(text):
        return chinese_number(match[1])
    return None


def style_of_number(text: str) -> str:
    """How a line with a number writes it: numbers of one style count up together."""
    text = one_line(text)
    first = re.sub(r"^\W+", "", text)[:1]
    kind = "arabic" if first.isdigit() else "roman" if first in "IVXLC" else "cn"
    return kind + (text[0] if not text[0].isalnum() else "")


def chinese_number(text: str) -> int | None:
    """一 to 九百九十九."""
    digits = {char: value for value, char in enumerate("零一二三四五六七八九")}
    total, digit = 0, 0
    for char in text:
        if char in digits:
            digit = digits[char]
        elif char == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif char == "百":
            total, digit = total + (digit or 1) * 100, 0
        else:
            return None
    return total + digit or None
