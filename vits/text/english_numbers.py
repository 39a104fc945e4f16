"""How English reads numbers: years, dates, times, money, units, ordinals, fractions, ranges.

American readings, as espeak's en-us voice expects: 'two thousand five', 'May fifth'.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vits.text.tokens import LATIN, Token, rule, said

_LETTERS = (
    "a {}eɪ b b{}iː c s{}iː d d{}iː e {}iː f {}ɛf g dʒ{}iː h {}eɪtʃ i {}aɪ j dʒ{}eɪ k k{}eɪ l {}ɛl "
    "m {}ɛm n {}ɛn o {}oʊ p p{}iː q kj{}uː r {}ɑːɹ s {}ɛs t t{}iː u j{}uː v v{}iː w d{}ʌbəljuː "
    "x {}ɛks y w{}aɪ z z{}iː"
)
_LETTER_NAMES = dict(re.findall(r"([a-z]) (\S+)", _LETTERS))
_MONTH_LIST = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
_MONTHS = _MONTH_LIST.split("|")
SHORT_MONTHS = {name[:3].lower(): name for name in _MONTHS} | {"sept": "September"}
_MONTH = rf"(?:{_MONTH_LIST}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
_NUM = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_MAGNITUDES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "b": "billion",
    "bn": "billion",
    "tn": "trillion",
}
_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_UNITS = {
    "%": "percent", "‰": "per mille", "°C": "degree Celsius", "°F": "degree Fahrenheit",
    "°": "degree", "km/h": "kilometer per hour", "kph": "kilometer per hour",
    "mph": "mile per hour", "m/s": "meter per second", "km²": "square kilometer",
    "km2": "square kilometer", "m²": "square meter", "m2": "square meter",
    "cm²": "square centimeter", "m³": "cubic meter", "cm³": "cubic centimeter",
    "sq ft": "square foot", "km": "kilometer", "cm": "centimeter", "mm": "millimeter",
    "μm": "micrometer", "nm": "nanometer", "m": "meter", "kg": "kilogram", "mg": "milligram",
    "g": "gram", "lbs": "pound", "lb": "pound", "oz": "ounce", "ft": "foot", "yd": "yard",
    "yds": "yard", "mi": "mile", "GHz": "gigahertz", "MHz": "megahertz", "kHz": "kilohertz",
    "Hz": "hertz", "TB": "terabyte", "GB": "gigabyte", "MB": "megabyte", "KB": "kilobyte",
    "kB": "kilobyte", "kWh": "kilowatt hour", "GW": "gigawatt", "MW": "megawatt",
    "kW": "kilowatt", "W": "watt", "mV": "millivolt", "kV": "kilovolt", "V": "volt",
    "mA": "milliamp", "dB": "decibel", "px": "pixel", "rpm": "revolution per minute",
    "ml": "milliliter", "mL": "milliliter", "l": "liter", "L": "liter", "hrs": "hour",
    "hr": "hour", "h": "hour", "mins": "minute", "min": "minute", "secs": "second",
    "sec": "second", "ms": "millisecond", "s": "second", "USD": "dollar", "EUR": "euro",
    "GBP": "pound", "€": "euro", "£": "pound", "¢": "cent", "K": "thousand", "k": "thousand",
}  # fmt: skip
_SAME_IN_PLURAL = frozenset({"percent", "per mille", "hertz", "thousand"})
_UNIT = re.compile(
    rf"\s?({'|'.join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True))})(?![\w'²³])"
)
_ATTACHED_ONLY = frozenset({"k", "K", "L", "W", "V"})  # '5 K' is more often a letter
_FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8),
}  # fmt: skip
_RANGE = re.compile(r"(?:\s?(–)\s?|(-))(?=[$£€]?\d)")  # '10-15', '1939 – 1945'; not '7 - 5'


@lru_cache(maxsize=4096)
def cardinal(digits: str) -> str:
    """'1234' -> 'one thousand two hundred thirty-four'; each digit if over 15, or 0 leads."""
    from num2words import num2words

    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(cardinal(digit) for digit in digits)
    return str(num2words(int(digits))).replace(",", "").replace(" and ", " ")


@lru_cache(maxsize=4096)
def ordinal(digits: str) -> str:
    """'21' -> 'twenty-first'."""
    from num2words import num2words

    if len(digits) > 15:
        return cardinal(digits)
    return str(num2words(int(digits), to="ordinal")).replace(",", "").replace(" and ", " ")


def year(digits: str) -> str:
    """'1905' -> 'nineteen oh five', '2005' -> 'two thousand five', '1066' -> 'ten sixty-six'."""
    high, low = digits[:2], digits[2:]
    if digits[1:3] == "00":
        return cardinal(digits)
    if low == "00":
        return f"{cardinal(high)} hundred"
    if low[0] == "0":
        return f"{cardinal(high)} oh {cardinal(low[1])}"
    return f"{cardinal(high)} {cardinal(low)}"


def decimal(number: str) -> str:
    """'1,234.05' -> 'one thousand two hundred thirty-four point zero five'."""
    whole, _, part = number.replace(",", "").partition(".")
    words = cardinal(whole) if whole else ""
    if part:
        words += " point " + " ".join(cardinal(digit) for digit in part)
    return words.strip()


def fraction(top: int, bottom: int) -> str:
    """3, 4 -> 'three quarters'."""
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    one, many = names.get(bottom, (ordinal(str(bottom)), ordinal(str(bottom)) + "s"))
    return f"{cardinal(str(top))} {one if top == 1 else many}"


def spell(letters: str) -> str:
    """'FBI' -> '/ˌɛfbˌiːˈaɪ/': names of the letters as one word, stressed on the last."""
    known = [_LETTER_NAMES[letter] for letter in letters.lower() if letter in _LETTER_NAMES]
    if not known:
        return ""
    stressed = [name.format("ˌ") for name in known[:-1]] + [known[-1].format("ˈ")]
    return f"/{''.join(stressed)}/"


def plural(spelled: str) -> str:
    return spelled[:-1] + "z/"


def _iso_date(match: re.Match[str]) -> list[Token] | None:
    return _date(match, int(match[2]), match[3], match[1])


def _slash_date(match: re.Match[str]) -> list[Token] | None:
    first, second = int(match[1]), int(match[2])
    if first > 12:
        first, second = second, first
    return _date(match, first, str(second), match[3])


def _date(match: re.Match[str], month: int, day: str, year_: str) -> list[Token] | None:
    if not (1 <= month <= 12 and 1 <= int(day) <= 31):
        return None
    said_year = year(year_) if len(year_) == 4 else cardinal(year_)
    return said(f"{_MONTHS[month - 1]} {ordinal(str(int(day)))} {said_year}", match)


def _money(match: re.Match[str]) -> list[Token] | None:
    one, many, small_one, small_many = _MONEY[match["sign"]]
    minus = "minus " if match["minus"] else ""
    amount = match["amount"].replace(",", "")
    if match["magnitude"]:
        size = _MAGNITUDES.get(match["magnitude"].lower(), match["magnitude"])
        return said(f"{minus}{decimal(amount)} {size} {many}", match)
    whole, _, part = amount.partition(".")
    if part and len(part) != 2:
        return said(f"{minus}{decimal(amount)} {many}", match)
    pieces = []
    if int(whole) or not part.strip("0"):
        pieces.append(f"{cardinal(whole)} {one if int(whole) == 1 else many}")
    if part.strip("0"):
        pieces.append(f"{cardinal(str(int(part)))} {small_one if int(part) == 1 else small_many}")
    return said(minus + " and ".join(pieces), match)


def _digits(match: re.Match[str]) -> list[Token] | None:
    return said(" ".join(cardinal(char) for char in match[0] if char.isdigit()), match)


def _time(match: re.Match[str]) -> list[Token] | None:
    hour, minute = int(match["hour"]), match["minute"]
    half = spell(match["half"] + "m") if match["half"] else ""
    if hour > 24 or (minute and int(minute) > 59):
        return (
            None if not minute else said(f"{cardinal(match['hour'])} to {decimal(minute)}", match)
        )
    if not minute:
        return said(f"{cardinal(str(hour))} {half}", match)
    words = cardinal(str(hour))
    if minute == "00":
        words += "" if half else (" o'clock" if 1 <= hour <= 12 else " hundred")
    else:
        words += f" oh {cardinal(minute[1])}" if minute[0] == "0" else f" {cardinal(minute)}"
    if match["second"]:
        words += f" and {cardinal(str(int(match['second'])))} seconds"
    return said(f"{words} {half}", match)


def _ordinal(match: re.Match[str]) -> list[Token] | None:
    return said(ordinal(match[1].replace(",", "")), match)


def _ratio(match: re.Match[str]) -> list[Token] | None:
    return said(f"{cardinal(match[1])} to {cardinal(match[2])}", match)


def _height(match: re.Match[str]) -> list[Token] | None:
    feet = "foot" if match[1] == "1" else "feet"
    return said(f"{cardinal(match[1])} {feet} {cardinal(match[2])}", match)


def _power(match: re.Match[str]) -> list[Token] | None:
    return said(f"to the power of {'minus ' if match[1] else ''}{cardinal(match[2])}", match)


def _decade(match: re.Match[str]) -> list[Token] | None:
    """'1990s', "'80s", '100s', '1,000s'."""
    digits = match[1].replace(",", "")
    if digits[-1] != "0":
        return None
    words = year(digits) if re.fullmatch(r"\d{4}", match[1]) else cardinal(digits)
    if len(digits) > 2 and not digits.strip("10"):
        words = words.removeprefix("one ")
    plural = words[:-1] + "ies" if words.endswith("y") else words + "s"
    return said(plural, match)


def _short_year(match: re.Match[str]) -> list[Token] | None:
    low = match[1]
    return said(f"oh {cardinal(low[1])}" if low[0] == "0" else cardinal(low), match)


def _slash_fraction(match: re.Match[str]) -> list[Token] | None:
    top, bottom = int(match["top"]), int(match["bottom"])
    whole = f"{cardinal(match['whole'])} and " if match["whole"] else ""
    if 0 < top < bottom and (bottom <= 12 or bottom in (16, 20, 32, 64, 100)):
        return said(whole + fraction(top, bottom), match)
    if whole:
        return None
    if re.fullmatch(r"(19|20)\d\d", match["top"]):  # the season of '2020/21'
        return said(f"{year(match['top'])} {cardinal(match['bottom'])}", match)
    joint = " " if (top, bottom) == (24, 7) else " over "
    return said(cardinal(match["top"]) + joint + cardinal(match["bottom"]), match)


def _sign_fraction(match: re.Match[str]) -> list[Token] | None:
    top, bottom = _FRACTIONS[match["fraction"]]
    words = fraction(top, bottom)
    if match["whole"]:
        words = f"{cardinal(match['whole'])} and {words.replace('one ', 'a ', 1)}"
    return said(words, match)


def _version(match: re.Match[str]) -> list[Token] | None:
    return said(" point ".join(cardinal(part) for part in match[0].split(".")), match)


def _hash_number(match: re.Match[str]) -> list[Token] | None:
    return said(f"number {cardinal(match[1])}", match)


def _number(match: re.Match[str]) -> list[Token] | None:
    """A number, its sign, its unit ('5 km': two tokens) and the 'to' of a range ('10-15')."""
    text, end = match.string, match.end()
    sign = {"-": "minus ", "−": "minus ", "+": "plus ", "±": "plus or minus "}.get(
        match["sign"], ""
    )
    number = match["number"]
    unit = _UNIT.match(text, end)
    if unit and unit[1] in _ATTACHED_ONLY and text[end].isspace():
        unit = None
    if not unit and end < len(text) and re.match(rf"[{LATIN}]", text[end]):
        return None  # '3D': letters and digits of one name
    tokens = said(sign + _reading(number, text[: match.start()], bool(unit)), match)
    if unit:
        name = _UNITS[unit[1]]
        tokens += said(name if number == "1" else _many(name), unit, 1)
    after = _RANGE.match(text, tokens[-1].char_end)
    return tokens + said("to", after, after.lastindex or 0) if after else tokens


def _many(unit: str) -> str:
    """'square foot' -> 'square feet', 'kilometer per hour' -> 'kilometers per hour'."""
    if unit in _SAME_IN_PLURAL or unit.endswith("hertz"):
        return unit
    if unit.endswith("foot"):
        return unit[:-4] + "feet"
    first, sep, per = unit.partition(" per ")
    if first.startswith("degree "):
        return first.replace("degree", "degrees")
    return f"{first}s{sep}{per}"


def _reading(number: str, before: str, has_unit: bool) -> str:
    if len(number) != 4 or not number.isdigit() or number[0] == "0":
        return decimal(number)
    value = int(number)
    dated = (
        re.search(r"\b(in|of|year|since|until|till|from|by|AD|A\.D\.)\s+$", before, re.I)
        is not None
    )
    if has_unit and value % 100:
        return cardinal(number)
    if 1100 <= value <= 2099 or (dated and 1001 <= value <= 1099):
        return year(number)
    return cardinal(number)


def _day_month(match: re.Match[str]) -> list[Token] | None:
    if not 1 <= int(match["day"]) <= 31:
        return None
    written = match["month"].rstrip(".")
    month = SHORT_MONTHS.get(written.lower(), written)
    preceded = re.search(r"\bthe\s+$", match.string[: match.start()], re.IGNORECASE)
    the = "" if preceded else "the "
    return said(f"{the}{ordinal(match['day'])} of", match, "day") + said(month, match, "month")


def _month_day(match: re.Match[str]) -> list[Token] | None:
    written = match["month"].rstrip(".")
    month = SHORT_MONTHS.get(written.lower(), written)
    if not 1 <= int(match["day"]) <= 31:
        return None
    return said(month, match, "month") + said(ordinal(match["day"]), match, "written")


_HALF = r"(?P<half>[AaPp])(?:\.\s?[Mm]\b\.?|[Mm]\b)"
_MAGNITUDE = (
    r"(?:\s?(?P<magnitude>hundred|thousand|million|billion|trillion"
    r"|(?:bn|mn|tn|[kKmMbB])(?![\w']))\b)?"
)

NUMBER_RULES = (
    rule(r"(\d{4})-(\d{2})-(\d{2})(?![\d-])", _iso_date),
    rule(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/])", _slash_date),
    rule(rf"(?P<minus>[-−]?)(?P<sign>[$£€¥₹])\s?(?P<amount>{_NUM}(?:\.\d+)?){_MAGNITUDE}", _money),
    rule(r"\+?(?:\d{1,2}[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}(?![\d-])|\d{3}-\d{4}(?![\d-])", _digits),
    rule(
        rf"(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?(?!\d)(?:\s?{_HALF})?",
        _time,
    ),
    rule(rf"(?P<hour>\d{{1,2}})(?P<minute>)(?P<second>)\s?{_HALF}", _time),
    rule(r"(\d+):(\d+)(?![:\d])", _ratio),
    rule(r"(\d{1,2})'\s?(\d{1,2})(?:\"|'')", _height),
    rule(r"\^(-?)(\d+)", _power),
    rule(r"(\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b", _ordinal, re.IGNORECASE),
    rule(r"'?(\d{1,3}(?:,\d{3})+|\d{2,4})'?s\b", _decade),
    rule(r"'(\d{2})(?![\d\w'])", _short_year),
    rule(r"(?:(?P<whole>\d+) )?(?P<top>\d+)/(?P<bottom>\d+)(?![\d/])", _slash_fraction),
    rule(rf"(?P<whole>\d*) ?(?P<fraction>[{''.join(_FRACTIONS)}])", _sign_fraction),
    rule(
        rf"(?P<day>\d{{1,2}})\s(?P<month>{_MONTH})(?![{LATIN}])(?!\s\d{{1,2}}(?:\D|$))", _day_month
    ),
    rule(r"\d+(?:\.\d+){2,}", _version),
    rule(r"[#№]\s?(\d+)", _hash_number),
    rule(rf"(?P<sign>(?<![\w).])[-−+±]?)(?P<number>{_NUM}(?:\.\d+)?|\.\d+)", _number),
)
MONTH_DAY_RULE = rule(
    rf"(?P<month>{_MONTH})\s(?P<written>(?P<day>\d{{1,2}})(?:st|nd|rd|th)?)"
    rf"(?![\d:/%$°{LATIN}]|[.,]\d|\s?[ap]\.?m\b)",
    _month_day,
)
