"""How German is read: numbers, dates, times, money, units and abbreviations."""

from __future__ import annotations

import re
from functools import lru_cache

from vits.text.tokens import LATIN, Reader, Token, roman, rule, said, words

_MONTH_LIST = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_MONTHS = _MONTH_LIST.split("|")
_NUM = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+)"
_MONEY = {"€": ("Euro", "Cent"), "$": ("Dollar", "Cent"), "£": ("Pfund", "Pence")}
_UNITS = {
    "%": "Prozent", "‰": "Promille", "°C": "Grad Celsius", "°F": "Grad Fahrenheit", "°": "Grad",
    "km/h": "Kilometer pro Stunde", "m/s": "Meter pro Sekunde", "km²": "Quadratkilometer",
    "m²": "Quadratmeter", "m³": "Kubikmeter", "km": "Kilometer", "cm": "Zentimeter",
    "mm": "Millimeter", "m": "Meter", "kg": "Kilogramm", "mg": "Milligramm", "g": "Gramm",
    "l": "Liter", "ml": "Milliliter", "GHz": "Gigahertz", "MHz": "Megahertz", "kHz": "Kilohertz",
    "Hz": "Hertz", "TB": "Terabyte", "GB": "Gigabyte", "MB": "Megabyte", "kB": "Kilobyte",
    "kWh": "Kilowattstunden", "MW": "Megawatt", "kW": "Kilowatt", "W": "Watt", "V": "Volt",
    "dB": "Dezibel", "h": "Stunden", "min": "Minuten", "s": "Sekunden", "ms": "Millisekunden",
    "€": "Euro", "EUR": "Euro", "$": "Dollar",
}  # fmt: skip
_UNIT = re.compile(
    r"\s?(" + "|".join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True)) + r")(?![\w²³])"
)
_RANGE = re.compile(r"(?:\s?(–)\s?|(-))(?=\d)")
_ABBREVIATIONS = {
    "z.b.": "zum Beispiel", "d.h.": "das heißt", "u.a.": "unter anderem",
    "o.ä.": "oder Ähnliches", "u.s.w.": "und so weiter", "z.t.": "zum Teil",
    "i.d.r.": "in der Regel", "v.a.": "vor allem", "s.o.": "siehe oben", "s.u.": "siehe unten",
    "usw.": "und so weiter", "bzw.": "beziehungsweise", "dr.": "Doktor", "prof.": "Professor",
    "hr.": "Herr", "fr.": "Frau", "nr.": "Nummer", "ca.": "circa", "evtl.": "eventuell",
    "inkl.": "inklusive", "exkl.": "exklusive", "ggf.": "gegebenenfalls", "str.": "Straße",
    "st.": "Sankt", "vgl.": "vergleiche", "etc.": "et cetera", "mio.": "Millionen",
    "mrd.": "Milliarden", "tel.": "Telefon", "abb.": "Abbildung", "kap.": "Kapitel",
    "bd.": "Band", "jh.": "Jahrhundert", "geb.": "geboren", "gest.": "gestorben",
    "max.": "maximal", "min.": "Minuten", "sog.": "sogenannte", "allg.": "allgemein",
    "dt.": "deutsch", "engl.": "englisch",
}  # fmt: skip
_STARTERS = words(
    "der die das ein eine einer er sie es wir ich ihr du man dies diese dieser dieses dort da "
    "hier dann und aber oder doch denn wenn als wie wo was wer warum im in am an auf bei nach "
    "von zu mit für seit vor heute gestern morgen nun jetzt auch nur so nicht kein keine sein "
    "seine ihre mein meine unser trotz während obwohl weil dass zum zur aus durch gegen ohne um"
)


@lru_cache(maxsize=4096)
def cardinal(digits: str) -> str:
    """'21' -> 'einundzwanzig'; over 15 digits, or a leading 0: each digit."""
    from num2words import num2words

    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(cardinal(digit) for digit in digits)
    return str(num2words(int(digits), lang="de"))


@lru_cache(maxsize=1024)
def _ordinal(digits: str) -> str:
    from num2words import num2words

    return str(num2words(int(digits), lang="de", to="ordinal")) if len(digits) <= 15 else digits


def _year(digits: str) -> str:
    from num2words import num2words

    return str(num2words(int(digits), lang="de", to="year"))


def _decimal(number: str) -> str:
    whole, _, part = number.replace(".", "").partition(",")
    text = cardinal(whole)
    return text + (" Komma " + " ".join(cardinal(digit) for digit in part) if part else "")


def _bent(digits: str, before: str) -> str:
    """The ordinal with the ending its article asks for: 'am 3.' -> 'dritten'."""
    word = _ordinal(digits)
    plain_e = re.search(r"\b(der|die|das|diese|jede)\s+$", before, re.IGNORECASE)
    strong = re.search(r"\b(ein|kein|mein|sein|ihr)\s+$", before, re.IGNORECASE)
    return word if plain_e else word + ("r" if strong else "n")


def _full_date(match: re.Match[str]) -> list[Token] | None:
    day, month = int(match[1]), int(match[2])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    written = match[3]
    said_year = "" if not written else _year(written) if len(written) == 4 else cardinal(written)
    before = match.string[: match.start()]
    return said(f"{_bent(str(day), before)} {_MONTHS[month - 1]} {said_year}", match)


def _iso_date(match: re.Match[str]) -> list[Token] | None:
    day, month = int(match[3]), int(match[2])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return said(f"{_ordinal(str(day))}r {_MONTHS[month - 1]} {_year(match[1])}", match)


def _time(match: re.Match[str]) -> list[Token] | None:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59:
        return said(f"{cardinal(match[1])} zu {cardinal(match[2])}", match)
    hours = "ein" if hour == 1 else cardinal(str(hour))
    return said(f"{hours} Uhr {cardinal(str(minute)) if minute else ''}", match)


def _money(match: re.Match[str]) -> list[Token] | None:
    sign = match["before"] or match["after"]
    whole, _, part = match["amount"].partition(",")
    large, small = _MONEY[sign]
    count = whole.replace(".", "")
    text = f"{'ein' if count == '1' else cardinal(count)} {large}"
    if len(part) == 2 and part != "00":
        text += f" {cardinal(str(int(part)))} {'' if match['after'] else small}"
    elif part.strip("0"):
        text = f"{_decimal(match['amount'])} {large}"
    return said(text, match)


def _dotted_ordinal(match: re.Match[str]) -> list[Token] | None:
    """'am 3. Mai', 'im 19. Jahrhundert'; at the end of a sentence it is a plain number."""
    following = re.match(rf"\s+([{LATIN}]+)", match.string[match.end() :])
    if not following or following[1].lower() in _STARTERS:
        return None
    return said(_bent(match[1], match.string[: match.start()]), match)


def _number(match: re.Match[str]) -> list[Token] | None:
    text, number = match.string, match["number"]
    sign = {"-": "minus ", "−": "minus ", "+": "plus ", "±": "plus minus "}.get(match["sign"], "")
    unit = _UNIT.match(text, match.end())
    if not unit and re.match(rf"[{LATIN}]", text[match.end() :]):
        return None
    is_year = re.fullmatch(r"1[1-9]\d\d|20\d\d", number) and not unit
    spoken = _year(number) if is_year else _decimal(number)
    tokens = said(sign + ("ein" if unit and spoken == "eins" else spoken), match)
    if unit:
        tokens += said(_UNITS[unit[1]], unit, 1)
    after = _RANGE.match(text, tokens[-1].char_end)
    return tokens + said("bis", after, after.lastindex or 0) if after else tokens


def _abbreviation(match: re.Match[str]) -> list[Token] | None:
    written = re.sub(r"\s", "", match[0]).lower()
    spoken = _ABBREVIATIONS.get(written)
    if written in {"min.", "max.", "fr.", "st.", "bd.", "abb.", "kap."} and not (
        re.match(r"\s*[A-ZÄÖÜ\d]", match.string[match.end() :])
    ):
        return None  # as well the end of a sentence
    return said(spoken, match) if spoken else None


def _roman(match: re.Match[str]) -> list[Token] | None:
    """'Ludwig XIV.' -> 'der vierzehnte', 'Kapitel IV' -> 'vier'."""
    value = roman(match[1])
    if value is None or not set(match[1]) <= set("IVX"):
        return None
    before = match.string[: match.start()]
    if re.search(r"\b(Kapitel|Teil|Band|Buch|Akt|Szene|Abschnitt)\s+$", before):
        return said(cardinal(str(value)), match)
    if len(match[1]) < 2 or not re.search(rf"\b[A-ZÄÖÜ][{LATIN}]+\s+$", before):
        return None
    return said(f"der {_ordinal(str(value))}" if match[2] else cardinal(str(value)), match)


def _name_with_digits(match: re.Match[str]) -> list[Token] | None:
    parts = re.findall(rf"[{LATIN}]+|\d+", match[0])
    spoken = [cardinal(part) if part.isdigit() else part for part in parts]
    return said(" ".join(spoken), match)


_SIGNS = "".join(re.escape(sign) for sign in _MONEY)

READER = Reader(
    number_rules=(
        rule(r"(\d{4})-(\d{2})-(\d{2})(?![\d-])", _iso_date),
        rule(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})?(?!\d)", _full_date),
        rule(r"(\d{1,2}):(\d{2})(?!\d)(?:\s?Uhr\b)?", _time),
        rule(rf"(?P<before>[{_SIGNS}])\s?(?P<amount>{_NUM}(?:,\d+)?)(?P<after>)", _money),
        rule(rf"(?P<before>)(?P<amount>{_NUM}(?:,\d+)?)\s?(?P<after>[{_SIGNS}])", _money),
        rule(r"(\d{1,4})\.(?!\d)", _dotted_ordinal),
        rule(rf"(?P<sign>(?<![\w)])[-−+±]?)(?P<number>{_NUM}(?:,\d+)?)", _number),
        rule(rf"\d+[{LATIN}][{LATIN}\d]*", _name_with_digits),
    ),
    word_rules=(
        rule(r"(?:[A-Za-zä]\.\s?){2,3}", _abbreviation),
        rule(r"[A-Za-z]{2,5}\.", _abbreviation),
        rule(rf"([IVX]+)(\.?)(?![{LATIN}\d'-])", _roman),
        rule(rf"[{LATIN}]+-?\d[{LATIN}\d]*", _name_with_digits),
    ),
    symbols={
        "&": "und", "@": "at", "%": "Prozent", "+": "plus", "=": "gleich", "×": "mal",
        "÷": "geteilt durch", "±": "plus minus", "°": "Grad", "§": "Paragraph", "©": "Copyright",
        "®": "registriert", "™": "Trademark", "€": "Euro", "£": "Pfund", "$": "Dollar",
        "¥": "Yen", "²": "Quadrat", "³": "hoch drei", "≈": "ungefähr", "≠": "ungleich",
        "≤": "höchstens", "≥": "mindestens", "∞": "unendlich", "√": "Wurzel aus", "№": "Nummer",
        "/": "Schrägstrich", "\\": "Rückstrich", "−": "minus", "‰": "Promille", "¢": "Cent",
        "#": "Nummer",
    },
    titles=frozenset({"hr", "fr", "st"}),
    never_end=words(
        "dr prof nr ca bzw evtl inkl exkl ggf vgl tel abb kap bd geb gest sog allg dt engl mio mrd "
        "max z u o d i v"
    ),
    place_names=frozenset(),
    before_number=frozenset({"nr", "kap", "bd", "abb", "s", "art"}),
    may_end=frozenset({"usw", "etc", "str", "jh"}),
    starters=_STARTERS,
    ordinal_dot=True,
)  # fmt: skip
