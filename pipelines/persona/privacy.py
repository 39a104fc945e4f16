"""Private data in a message: found by its form and its check digits, and masked or dropped.

The same value becomes the same pseudonym through all logs. What the values were is kept in memory
only and written nowhere. Check digits: ISO/IEC 7064 MOD 11-2 (Chinese identity numbers, GB 11643),
ISO/IEC 7812 (cards, Luhn), ISO 13616 (IBAN).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pipelines.persona.names import Names

Kind = Literal["email", "phone", "id", "card", "address", "account", "name"]
KINDS: tuple[Kind, ...] = ("email", "account", "id", "card", "phone", "address", "name")
_B, _E = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_GAP = r"[ \-]?"
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?<!\.)", re.A
)
_EMAIL_WORDS = re.compile(
    r"(?<![\w.])[\w.+-]{2,40} ?[\[(]at[\])] ?[\w-]+(?: ?[\[(]dot[\])] ?[\w-]+|\.[a-z]{2,})+",
    re.A | re.I,
)
_CN_ID = re.compile(rf"{_B}\d{{6}}{_GAP}(?:19|20)\d{{2}}{_GAP}\d{{4}}{_GAP}\d{{3}}[0-9Xx]{_E}")
_CN_OLD_ID = re.compile(rf"{_B}[1-8]\d{{14}}{_E}")
_SSN = re.compile(rf"{_B}(?!000|666|9\d\d)\d{{3}}-(?!00)\d{{2}}-(?!0000)\d{{4}}{_E}")
_PASSPORT = re.compile(
    rf"(?:护照号?码?|[Pp]assport(?: (?:number|no\.?))?)(?:是|is|"
    rf"[:：#\s])*([A-Z]{{1,2}}\d{{6,8}}){_E}"
)
_HK_ID = re.compile(rf"{_B}[A-Z]{{1,2}}\d{{6}}\([0-9A]\)")
_NINO = re.compile(rf"{_B}[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]{_E}")
_CARD = re.compile(rf"{_B}[3-6]\d{{3}}(?:{_GAP}\d{{2,6}}){{2,4}}{_E}")
_IBAN = re.compile(rf"{_B}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,4}})?{_E}")
_PHONES = (
    re.compile(rf"{_B}(?:\+?86{_GAP}|0086{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}{_E}"),
    re.compile(r"(?<!\d)(?:\+?86[ -]?)?[(（]?0\d{2,3}[)）]?[ -]?\d{3,4}[ -]?\d{4}(?!\d)"),
    re.compile(r"(?<![\w+])\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}(?!\d)"),
    re.compile(r"(?<![\d-])(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])"),
    re.compile(r"(?<!\d)0\d{3,4} ?\d{3} ?\d{3,4}(?!\d)"),
    re.compile(r"(?<!\d)[48]00[- ]\d{3,4}[- ]\d{3,4}(?!\d)"),
)
_PHONE_CUE = re.compile(
    r"(?:电话|手机|座机|号码|打给我|致电|\b(?:phone|tel|telephone|cell|mobile|call me (?:on|"
    r"at)|text me at|number is))"
    r"[^\d\n+]{0,12}(\+?\d[\d \-().]{5,16}\d)",
    re.I,
)
_ACCOUNT = re.compile(
    r"(?:微信号?|[Ww]e[Cc]hat(?: ?[Ii][Dd])?|\bwx|[Vv]信|(?<![A-Za-z])[Qq]{2}(?:号码?)?|"
    r"\b[Ss]kype|\b[Tt]elegram)"
    r"(?:号|\s*(?:id|ID|is|name))?\s*(?:是|为|[:：])?\s*(@?[A-Za-z][A-Za-z0-9_-]{5,19}|"
    r"\d{5,11})(?![A-Za-z0-9_-])"
)
_SECRET = re.compile(
    r"(?:(?:密码|口令|验证码)\s*(?:是|为|[:：])+\s*|\b(?:password|passcode|passwd|PIN|"
    r"pin code|verification code)"
    r"\s*(?:is|[:=])\s*)([^\s，。,;；]{4,40})",
    re.I,
)
_H = r"[^\W\d_A-Za-z的我住在到寄去是了给送往搬从来把和跟于就有说这那哪，。]"
_CN_ADDRESS = re.compile(
    rf"(?:{_H}{{2,7}}(?:省|自治区))?(?:{_H}{{2,7}}(?:市|"
    rf"自治州))?(?:{_H}{{1,6}}[区县旗])?(?:{_H}{{1,6}}(?:镇|乡|街道))?"
    rf"{_H}{{1,10}}(?:路|街|道|大道|巷|胡同|里|村|小区|花园|公寓|大厦|苑|新村|家园|城|园|广场|"
    rf"中心)"
    r"(?:[东西南北中]?[一二三四五六七八九十]?段)?\s?[0-9一二三四五六七八九十百零]{1,5}\s?(?:号院?|弄|栋|幢|座|号楼|楼|单元|室)"
    r"(?:\s?[0-9A-Za-z一二三四五六七八九十]{1,5}\s?(?:号楼|号|弄|栋|幢|座|单元|楼|层|室|"
    r"房))*(?:\s?\d{3,4}(?!\d))?"
)
_STREET = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|"
    r"Terrace|Close|"
    r"Crescent|Square|Highway|Parkway|Gardens|Grove|Hill|Row"
)
_TAIL = (
    r"(?:,? (?:(?:[Aa]pt|[Aa]partment|[Ss]uite|[Uu]nit|[Ff]lat)\.? ?\w{1,5}\b|#\w{1,5}\b))?"
    r"(?:, [A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)?)?(?:,? [A-Z]{2})?(?:,? \d{5}(?:-\d{4})?\b)?"
    r"(?:,? [A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b)?"
)
_EN_ADDRESSES = (
    re.compile(
        rf"(?:\b(?:[Ff]lat|[Aa]pt|"
        rf"[Uu]nit) \w{{1,4}}, )?"
        rf"{_B}\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?"
        rf"(?:[A-Z][\w'’.-]* ){{1,4}}(?:{_STREET})\b\.?{_TAIL}"
    ),
    re.compile(
        r"\b\d{1,5} (?!(?:the|a|an|of|on|in|my|this|that)\b)(?:(?!(?:the|a|an|of|on|in|down|"
        r"my|this|that|miles?|blocks?|minutes?)\b)[a-z'’]+ ){1,2}"
        r"(?:street|avenue|road|lane|boulevard|drive)\b"
    ),
    re.compile(r"\bP\.?O\.? ?[Bb]ox \d{1,6}"),
)
_LONG_NUMBER = re.compile(r"(?<![\d.])\d(?:[ -]?\d){8,}(?![\d.])")
_DATED = re.compile(r"(?:19|20)\d{2}[ -]?[01]\d[ -]?[0-3]\d(?:[ -]?[0-2]\d[0-5]\d(?:[0-5]\d)?)?")


@dataclass(frozen=True)
class Finding:
    """Private data of one kind, from `start` to `end` of a text."""

    kind: Kind
    start: int
    end: int


def mod_11_2(digits: str) -> bool:
    """Whether 17 digits and a check character are an identity number of GB 11643."""
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17].upper()


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def iban(text: str) -> bool:
    """Whether the check digits of ISO 13616 are right."""
    text = text.replace(" ", "")
    if not 15 <= len(text) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def find_private(text: str, names: Names) -> list[Finding]:
    """All private data of a text, in order, none in another; the stricter form wins an overlap."""
    found: list[Finding] = []
    for kind, finder in _FINDERS:
        for start, end in finder(text):
            if all(end <= other.start or start >= other.end for other in found):
                found.append(Finding(kind, start, end))
    for start, end in names.find(text):
        if all(end <= other.start or start >= other.end for other in found):
            found.append(Finding("name", start, end))
    return sorted(found, key=lambda finding: finding.start)


Spans = Iterator[tuple[int, int]]


def _emails(text: str) -> Spans:
    if "@" in text or "[at]" in text or "(at)" in text:
        for pattern in (_EMAIL, _EMAIL_WORDS):
            yield from (match.span() for match in pattern.finditer(text))


def _accounts(text: str) -> Spans:
    for pattern in (_ACCOUNT, _SECRET):
        yield from (match.span(1) for match in pattern.finditer(text))


def _ids(text: str) -> Spans:
    for match in _CN_ID.finditer(text):
        if mod_11_2(re.sub("[ -]", "", match[0])):
            yield match.span()
    for match in _CN_OLD_ID.finditer(text):
        if _is_date("19" + match[0][6:12]):
            yield match.span()
    for pattern in (_SSN, _HK_ID, _NINO):
        yield from (match.span() for match in pattern.finditer(text))
    yield from (match.span(1) for match in _PASSPORT.finditer(text))


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def _cards(text: str) -> Spans:
    for match in _CARD.finditer(text):
        digits = re.sub("[ -]", "", match[0])
        if 13 <= len(digits) <= 19 and luhn(digits):
            yield match.span()
    yield from (match.span() for match in _IBAN.finditer(text) if iban(match[0]))


def _phones(text: str) -> Spans:
    for pattern in _PHONES:
        for match in pattern.finditer(text):
            if 7 <= sum(char.isdigit() for char in match[0]) <= 15:
                yield match.span()
    yield from (match.span(1) for match in _PHONE_CUE.finditer(text))


def _addresses(text: str) -> Spans:
    for pattern in (_CN_ADDRESS, *_EN_ADDRESSES):
        yield from (match.span() for match in pattern.finditer(text))


def _with_digits(finder: Callable[[str], Spans]) -> Callable[[str], Spans]:
    digit = re.compile(r"\d")
    return lambda text: finder(text) if digit.search(text) else iter(())


_FINDERS: tuple[tuple[Kind, Callable[[str], Spans]], ...] = (
    ("email", _emails),
    ("account", _accounts),
    ("id", _with_digits(_ids)),
    ("card", _with_digits(_cards)),
    ("phone", _with_digits(_phones)),
    ("address", lambda text: _addresses(text) if re.search(r"[\d号弄栋室]", text) else iter(())),
)

_LATIN_PEOPLE = [
    "Alder",
    "Aspen",
    "Birch",
    "Cedar",
    "Clover",
    "Elder",
    "Fern",
    "Fir",
    "Hazel",
    "Heath",
    "Juniper",
    "Larch",
    "Linden",
    "Maple",
    "Oak",
    "Rowan",
    "Sage",
    "Thyme",
    "Willow",
    "Yarrow",
]
_HAN_PEOPLE = [f"阿{char}" for char in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"]


@dataclass
class Masker:
    """Masks texts, always alike; `counts` how often each kind was masked.

    `drop` makes `mask` give nothing for a text with private data in it, whatever the kind.
    """

    names: Names
    drop: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _given: dict[tuple[str, str], str] = field(default_factory=dict)
    _people: Counter[str] = field(default_factory=Counter)

    def mask(self, text: str) -> tuple[str | None, str]:
        """(the text without private data, ''), or (None, why it cannot be kept)."""
        found = find_private(text, self.names)
        if found and self.drop:
            return None, "private"
        parts, place = [], 0
        for finding in found:
            value = text[finding.start : finding.end]
            parts += [text[place : finding.start], self.pseudonym(finding.kind, value)]
            place = finding.end
        masked = "".join([*parts, text[place:]])
        if _unsure("\n".join([*parts[::2], text[place:]])):
            return None, "unsure"
        self.counts.update(finding.kind for finding in found)
        return masked, ""

    def pseudonym(self, kind: Kind, value: str) -> str:
        """What stands for a value: a plant or 阿甲 for a person, '[phone 2]' for the rest."""
        if kind == "name":
            value = self.names.owner(value)
        normal = value.casefold() if kind == "name" else re.sub(r"[^\w@.]", "", value).casefold()
        if (kind, normal) not in self._given:
            self._given[kind, normal] = self._fresh(kind, value)
        return self._given[kind, normal]

    def _fresh(self, kind: Kind, value: str) -> str:
        if kind != "name":
            self._people[kind] += 1
            return f"[{kind} {self._people[kind]}]"
        han = re.search("[\u3400-\u9fff]", value) is not None
        people = _HAN_PEOPLE if han else _LATIN_PEOPLE
        number = self._people["han" if han else "latin"]
        self._people["han" if han else "latin"] += 1
        again = number // len(people)
        return people[number % len(people)] + (str(again + 1) if again else "")

    @property
    def distinct(self) -> dict[str, int]:
        counted = Counter(kind for kind, _ in self._given)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}


def _unsure(text: str) -> bool:
    """A long number that no check explains: it may be somebody's."""
    return any(not _DATED.fullmatch(match[0]) for match in _LONG_NUMBER.finditer(text))


def participants(names: Names, speakers: Iterable[str]) -> None:
    """Make known who takes part, so that they are masked from the first message on."""
    for speaker in speakers:
        bare = re.sub(r"<[^>]*>|[\"']", " ", speaker)
        if re.search(r"[^\W\d_]", bare):
            names.add(" ".join(bare.split()))
