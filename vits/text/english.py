"""How English words are read: abbreviations, initials, acronyms, Roman numerals, addresses."""

from __future__ import annotations

import re

from vits.text.english_numbers import (
    MONTH_DAY_RULE,
    NUMBER_RULES,
    SHORT_MONTHS,
    cardinal,
    ordinal,
    plural,
    spell,
    year,
)
from vits.text.tokens import LATIN, NAME_BEFORE, Reader, Token, roman, rule, said, words

_ABBREVIATIONS = {
    "mr": "mister", "mrs": "/mˈɪsɪz/", "ms": "miz", "dr": "doctor", "prof": "professor",
    "gen": "general", "col": "colonel", "capt": "captain", "lt": "lieutenant", "sgt": "sergeant",
    "maj": "major", "cmdr": "commander", "rev": "reverend", "hon": "honorable", "gov": "governor",
    "sen": "senator", "rep": "representative", "pres": "president", "supt": "superintendent",
    "messrs": "messers", "mme": "madame", "mlle": "mademoiselle", "mt": "mount", "jr": "junior",
    "sr": "senior", "inc": "incorporated", "ltd": "limited", "co": "company",
    "corp": "corporation", "bros": "brothers", "ave": "avenue", "blvd": "boulevard", "rd": "road",
    "etc": "etc", "vs": "versus", "viz": "namely", "cf": "compare", "approx": "approximately",
    "dept": "department", "univ": "university", "al": "al",
}  # fmt: skip
_LOWER_TOO = frozenset({"etc", "vs", "viz", "cf", "approx", "dept", "al"})
_BEFORE_NUMBER = {
    "no": "number", "nos": "numbers", "vol": "volume", "ch": "chapter", "p": "page",
    "pp": "pages", "fig": "figure", "figs": "figures", "sec": "section", "art": "article",
    "eq": "equation", "pt": "part", "bk": "book", "ed": "edition", "ca": "circa", "c": "circa",
}  # fmt: skip
_DOTTED = {"e.g.": "for example", "i.e.": "that is", "a.k.a.": "also known as", "et.al.": "et al"}
_WITHOUT_DOT = {"vs": "versus", "w/o": "without", "w/": "with", "and/or": "and or"}
_STARTERS = words(
    "a an the this that these those there here he she it they we i you his her its their my our "
    "your and but or so if when while as in on at for from to with by after before then now "
    "what who why how where which not no yes one some many all most each every even just once "
    "however meanwhile later soon still perhaps maybe oh well let do did does is are was were "
    "will would can could should have has had mr mrs ms dr another other both despite although "
    "because since until during only nobody everyone nothing something"
)

# Capitals that are read as a word although short or seldom seen in lower case.
_SAID = words("NASA NATO UNESCO UNICEF AIDS OPEC SARS COVID ASAP RADAR LASER SCUBA")
_SPELLED = words(
    "USA UAE UFO FAQ CEO CIA EU UK UN AI API IQ EQ ETA ATM ABC NBA IBM IMF IOU IPO IRA ISO AKA "
    "BBC CFO CTO DIY EDM ESP EV FAA FDA GOP HIV HVAC ICU IMAX IPA IRS LAPD NAACP NYPD OECD PDA "
    "RNA DNA SUV TV UPS USB VIP AC DC PC ID ER IV USSR ISBN HTML UV URL GPU CPU PM BCE CE AD"
)
_COMMON = words(
    "am an as at be by do go he hi if in is it me my no of oh ok on or so to up we ox ah uh um "
    "eh ha ho hm ow aw ad the and for are but not you all any can had her was one our out day "
    "get has him his how man new now old see two way who boy did its let put say she too use "
    "dad mom yes why try ask own off far few got big red run sun top war sea sit set car cat "
    "dog eat end eye fly god gun guy hot job law lay lot low map may men met nor pay per pop "
    "raw sad sat saw sir six ten sky son tea tie tip toe ton wet win won yet act add age ago "
    "aid aim air arm art bad bag bar bat bay bed bee bet bid bit bow box bus buy cap cow cry "
    "cup cut die dig dim dry due ear egg fan fat fed fit fix fun gap gas hat hey hid hit ice "
    "ill ink inn jam jar jaw jet joy key kid lap led leg lid lie lip log mad mix mud net nut "
    "oak odd oil pan pen pet pie pig pin pit pot rat ray rid rip row rub rug sin ski tax van "
    "via wow zoo ever us"
)
_VOWELS = frozenset("AEIOUY")
_NUMERAL_AFTER = words(
    "chapter part book act scene volume vol section appendix article war phase type class stage "
    "canto verse psalm title bowl level grade figure table plate round episode season lesson "
    "number no"
)
_LETTER_AFTER = words(
    "type plan vitamin grade class group section point team side part exhibit appendix option "
    "hepatitis level figure letter note room platform gate block bus line answer key"
)
_RULERS = words(
    "Henry Louis Elizabeth George Charles James William Edward Richard Philip Pius Paul "
    "Benedict Napoleon Alexander Nicholas Frederick Catherine Ivan Peter Leo Gregory Innocent "
    "Clement Urban Ptolemy Ramses Ramesses Xerxes Darius Henri Friedrich Wilhelm Otto Ludwig "
    "Mary Francis Felipe Ferdinand Alfonso Christian Gustav Haakon Harald Olaf Margaret Baldwin "
    "Robert Leopold Maximilian Joseph Sixtus Julius Adrian Boniface Celestine Constantine "
    "Cleopatra Thutmose Amenhotep Rama Albert Victor Umberto Carlos Juan Pedro Manuel John "
    "Stephen Kenneth"
)
_INTERJECTIONS: tuple[tuple[str, str], ...] = (
    (r"m{2,}", "/əm/"), (r"sh{2,}", "/ʃː/"), (r"z{3,}", "/zː/"), (r"br{2,}", "/bɹˈɜː/"),
    (r"gr{2,}", "/ɡɹˈɜː/"), (r"h+m+", "/hˈəm/"), (r"pf+t", "/pfˈʌt/"), (r"ps+t", "/psˈɪt/"),
    (r"tsk", "/tˈɪsk/"), (r"a{2,}h*|a+h{2,}", "ah"), (r"o{3,}h*|o+h{2,}", "oh"),
)  # fmt: skip


_INTERJECTION = "|".join(sound for sound, _ in _INTERJECTIONS)
_ADDRESS_SIGNS = {
    ".": "dot", "/": "slash", "@": "at", "-": "dash", "_": "underscore", ":": "colon",
    "?": "question mark", "=": "equals", "&": "and", "#": "hash", "+": "plus", "%": "percent",
    "~": "tilde",
}  # fmt: skip


def _address(match: re.Match[str]) -> list[Token] | None:
    """'www.example.com/a1' is said sign by sign; 'https://' is understood."""
    body = re.sub(r"^(https?://|mailto:)", "", match[0])
    body = re.sub(r"^www\.", " w w w . ", body).rstrip("/")
    spoken = []
    for part in re.findall(r"[A-Za-z]+|\d+|\S", body):
        if part.isdigit():
            spoken.append(cardinal(part))
        elif len(part) == 1 and part.isalpha():
            spoken.append(spell(part) or part)
        else:
            spoken.append(_ADDRESS_SIGNS.get(part, part if part.isalpha() else ""))
    return said(" ".join(spoken), match)


def _dotted(match: re.Match[str]) -> list[Token] | None:
    written = match[0].lower()
    known = _DOTTED.get(written if written.endswith(".") else written + ".")
    return said(known or spell(written.replace(".", "")), match)


def _initial(match: re.Match[str]) -> list[Token] | None:
    return None if match[1] == "I" else said(spell(match[1]), match)


def _abbreviation(match: re.Match[str]) -> list[Token] | None:
    written = match[1]
    name = written.lower()
    before, after = match.string[: match.start()], match.string[match.end() :]
    if name in SHORT_MONTHS and name != "may" and written[0].isupper():
        certain = name in {"feb", "apr", "aug", "sept", "oct", "nov", "dec"}
        return said(SHORT_MONTHS[name], match) if certain or re.match(r"\s*\d", after) else None
    if name in _BEFORE_NUMBER and re.match(r"\s?(\d|[IVXLC]+\b)", after):
        return said(_BEFORE_NUMBER[name], match)
    if name in {"st", "dr"} and written[0].isupper():
        return said(_saint_or_street(name, before, after), match)
    if name in {"ft", "mt"} and written[0].isupper():
        return said({"ft": "fort", "mt": "mount"}[name], match)
    if name not in _ABBREVIATIONS or not (written[0].isupper() or name in _LOWER_TOO):
        return None
    return said(_ABBREVIATIONS[name], match)


def _saint_or_street(name: str, before: str, after: str) -> str:
    """'St. James', 'Dr. Grey', but 'Main St.', 'Lake Dr.'."""
    named = NAME_BEFORE.search(before)
    following = re.match(rf"\s+([A-Z][{LATIN}]*)", after)
    place = named and (not following or following[1].lower() in _STARTERS)
    return {"st": ("saint", "street"), "dr": ("doctor", "drive")}[name][bool(place)]


def _roman(match: re.Match[str]) -> list[Token] | None:
    value = roman(match[1])
    if value is None:
        return None
    before, after = match.string[: match.start()], match.string[match.end() :]
    previous = re.search(rf"([{LATIN}]+)\.?\s+$", before)
    word = previous[1] if previous else ""
    number = str(value)
    if word.lower() in _NUMERAL_AFTER:
        return said(cardinal(number), match)
    if word in _RULERS and set(match[1]) <= set("IVX"):
        if match[1] == "I" and not re.match(r"\s*([.,;:!?)]|$|of\b|was\b|is\b|had\b|and\b)", after):
            return None
        return said(f"the {ordinal(number)}", match)
    heading = not before.strip(" \n\"'([#*") and not after.strip(" .\n\"')]:*")
    if (heading or len(match[1]) > 1) and set(match[1]) <= set("IVX"):
        return said(cardinal(number), match)
    return None


def name_with_digits(match: re.Match[str]) -> list[Token] | None:
    """'MP3', 'COVID-19', '3D', 'F-16', 'H2O'; 'mid-1990s' is a word and a number."""
    if re.match(r"[a-z]{2,}-", match[0]):
        return None
    spoken: list[str] = []
    for part in re.findall(rf"[{LATIN}]+|\d+", match[0]):
        if part.isdigit():
            spoken.append(year(part) if re.fullmatch(r"(19|20)\d\d", part) else cardinal(part))
        elif part == "s" and spoken and spoken[-1].isalpha():
            spoken[-1] += "es" if spoken[-1].endswith("x") else "s"  # 'MP3s'
        elif len(part) == 1 or (part.isupper() and part not in _SAID and len(part) <= 4):
            spoken.append(spell(part) or part)
        else:
            spoken.append(part.lower() if part.isupper() else part)
    return said(" ".join(spoken), match)


def _capitals(match: re.Match[str]) -> list[Token] | None:
    letters, ending = match[1], match[2]
    if len(letters) == 1:
        return _letter(match)
    lower = letters.lower()
    ordinary = _shouted(match) if letters == "US" else lower in _COMMON
    if letters in _SPELLED or (letters == "US" and not ordinary):
        spelled = True
    elif letters in _SAID or ordinary:
        spelled = False
    else:
        spelled = not _VOWELS & set(letters) or (len(letters) <= 3 and not _shouted(match))
    if not spelled:
        return said(lower + ("'s" if "'" in ending else ending), match)
    return said(plural(spell(letters)) if ending else spell(letters), match)


def _letter(match: re.Match[str]) -> list[Token] | None:
    """A lone capital: 'A' and 'I' are words, but not in 'plan A', 'type A or B'."""
    letter, after = match[1], match.string[match.end() :]
    if match[2]:
        return said(plural(spell(letter)), match)
    before = re.search(r"([A-Za-z]+)\s$", match.string[: match.start()])
    named = (before and before[1].lower() in _LETTER_AFTER) or re.match(
        r"\s*([.,;:!?)/\"]|$)", after
    )
    if letter == "I" or (letter == "A" and not named):
        return None
    return said(spell(letter), match)


def _shouted(match: re.Match[str]) -> bool:
    """Whether a neighbour is in capitals too: 'HELP ME', not an abbreviation."""
    before = re.search(
        r"([A-Za-z']+)[^A-Za-z]*$", match.string[max(0, match.start() - 40) : match.start()]
    )
    after = re.match(r"[^A-Za-z]*([A-Za-z']+)", match.string[match.end() : match.end() + 40])
    return any(near and len(near[1]) > 1 and near[1].isupper() for near in (before, after))


def _interjection(match: re.Match[str]) -> list[Token] | None:
    word = match[0].lower()
    for pattern, spoken in _INTERJECTIONS:
        if re.fullmatch(pattern, word):
            return said(spoken, match)
    return None


def _short_form(match: re.Match[str]) -> list[Token] | None:
    return said(_WITHOUT_DOT[match[0].lower()], match)


WORD_RULES = (
    rule(
        r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]}']|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
        r"|[A-Za-z][\w-]*(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|uk|de|info)\b"
        r"(?:/[^\s<>\"]*[^\s<>\".,;:!?)\]}'])?",
        _address,
    ),
    rule(r"[Pp]h\.?\s?D\b\.?", lambda match: said(spell("phd"), match)),
    rule(rf"(?:[A-Za-z]\.){{2,}}(?![{LATIN}])|[ap]\.m\b", _dotted),
    MONTH_DAY_RULE,
    rule(r"([A-Za-z]+)\.", _abbreviation),
    rule(r"([A-Z])\.(?=\s*[A-Z])", _initial),
    rule(r"(?:w/o|w/|vs)(?![\w.])|and/or\b", _short_form, re.IGNORECASE),
    rule(rf"([IVXLCDM]+)(?![{LATIN}\d'-])", _roman),
    rule(rf"[{LATIN}]+-?\d[{LATIN}\d]*", name_with_digits),
    rule(rf"(?i:{_INTERJECTION})(?![{LATIN}\d'-])", _interjection),
    rule(rf"([A-Z]+)((?:'s|(?<=[A-Z]{{2}})s)?)(?![{LATIN}\d])(?!'[{LATIN}])", _capitals),
)

READER = Reader(
    number_rules=(*NUMBER_RULES, rule(rf"\d+[{LATIN}][{LATIN}\d]*", name_with_digits)),
    word_rules=WORD_RULES,
    symbols={
        "&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "×": "times",
        "÷": "divided by", "±": "plus or minus", "°": "degrees", "§": "section", "©": "copyright",
        "®": "registered", "™": "trademark", "€": "euros", "£": "pounds", "$": "dollars",
        "¥": "yen", "¢": "cents", "²": "squared", "³": "cubed", "≈": "about", "≠": "is not",
        "≤": "at most", "≥": "at least", "∞": "infinity", "√": "square root of", "№": "number",
        "/": "slash", "\\": "backslash", "−": "minus", "‰": "per mille",
    },
    titles=words(
        "mr mrs ms mx dr prof gen col capt cmdr lt sgt maj rev hon gov sen rep pres supt messrs "
        "mme mlle"
    ),
    never_end=frozenset({"vs", "viz", "cf", "approx"}),
    place_names=frozenset({"st", "dr", "mt", "ft"}),
    before_number=frozenset(_BEFORE_NUMBER),
    may_end=words(
        "etc inc ltd co corp jr sr bros dept univ ave blvd rd al"
    ),
    starters=_STARTERS,
)  # fmt: skip
