"""[ZH]…[ZH], [JA]…[JA], [EN]…[EN]: which cleaner reads which part of a text.

Text that somebody tagged is taken as it is; other text is tagged by its scripts: kana are Japanese,
Latin letters English, and Chinese characters what the kana around them, or the language asked for,
say they are; with one that Japanese does not write (们, 这) beside them they are Chinese.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from vits.text.tokens import HAN, KANA, LATIN

_TAG = re.compile(r"\[(ZH|JA|EN)\]")
_WRITTEN = re.compile(r"\[(ZH|JA|EN)\](.*?)\[\1\]", re.DOTALL)
_RUN = re.compile(rf"(?P<cjk>[{HAN}{KANA}])|(?P<en>[{LATIN}])")
_KANA = re.compile(rf"[{KANA}]")
_CJK = re.compile(rf"[{HAN}{KANA}]")
_SENTENCE = re.compile(r"[。！？!?\n]")
_CLAUSE = re.compile(r"[。！？!?\n，、,；;：:]")


@dataclass(frozen=True)
class Part:
    """A stretch of the source in one language: 'zh', 'ja' or 'en'."""

    language: str
    text: str
    start: int


def parts_of(text: str, language: str, languages: tuple[str, ...]) -> list[Part]:
    """The parts of a text for a cleaner of these languages."""
    if _TAG.search(text):
        return _tagged(text, language, languages)
    return _by_script(text, 0, language, languages)


def _tagged(text: str, language: str, languages: tuple[str, ...]) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for match in _WRITTEN.finditer(text):
        between = _TAG.sub(lambda tag: " " * len(tag[0]), text[at : match.start()])
        parts += _by_script(between, at, language, languages) if between.strip() else []
        spoken = match[1].lower()
        parts.append(Part(spoken if spoken in languages else language, match[2], match.start(2)))
        at = match.end()
    rest = _TAG.sub(lambda tag: " " * len(tag[0]), text[at:])
    return parts + (_by_script(rest, at, language, languages) if rest.strip() else [])


def _by_script(text: str, offset: int, language: str, languages: tuple[str, ...]) -> list[Part]:
    """Cut where the script changes; what has no letters goes with what stands before it."""
    default = language if language in languages else languages[0]
    starts: list[tuple[int, str]] = []
    for match in _RUN.finditer(text):
        spoken = _spoken(text, match, language, languages, default)
        if not starts or starts[-1][1] != spoken:
            starts.append((match.start(), spoken))
    if not starts:
        return [Part(default, text, offset)]
    starts[0] = (0, starts[0][1])
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [
        Part(spoken, text[start:end], offset + start)
        for (start, spoken), end in zip(starts, ends, strict=True)
    ]


def _spoken(
    text: str, match: re.Match[str], language: str, languages: tuple[str, ...], default: str
) -> str:
    if match["en"]:
        return "en" if "en" in languages else default
    if "ja" not in languages:
        return "zh"
    if _KANA.match(match[0]) or "zh" not in languages:
        return "ja"
    if any(map(_only_chinese, _around(text, match, _CLAUSE))):
        return "zh"
    if language == "ja":
        return "ja"
    letters = _around(text, match, _SENTENCE)
    kana = sum(_KANA.match(letter) is not None for letter in letters)
    return "ja" if kana > 0.1 * len(letters) else "zh"


def _around(text: str, match: re.Match[str], ends: re.Pattern[str]) -> list[str]:
    """The Chinese characters and kana of the stretch between two `ends` that a match is in."""
    before = max((m.end() for m in ends.finditer(text, 0, match.start())), default=0)
    after = ends.search(text, match.end())
    return _CJK.findall(text, before, after.start() if after else len(text))


@lru_cache(maxsize=4096)
def _only_chinese(letter: str) -> bool:
    """Whether a character is in no Japanese character set."""
    try:
        letter.encode("cp932")
    except UnicodeEncodeError:
        return True
    return False
