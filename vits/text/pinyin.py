"""Pinyin syllables -> IPA with tones (Duanmu, The Phonology of Standard Chinese, 2007).

A syllable is written as in pypinyin's TONE3 style: 'zhong1', 'lv4', 'de5' for a neutral tone.
Vowels that English has too are written as espeak writes English, so that a voice of both shares
them; the apical vowels are ɿ and ʅ. Tones are Chao's letters behind the syllable.
"""

from __future__ import annotations

import re
from functools import lru_cache

_INITIALS = {
    "zh": "ʈʂ", "ch": "ʈʂʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t",
    "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x", "j": "tɕ", "q": "tɕʰ", "x": "ɕ",
    "r": "ɻ", "z": "ts", "c": "tsʰ", "s": "s",
}  # fmt: skip
_FINALS = {
    "a": "a", "o": "wo", "e": "ɤ", "ê": "ɛ", "ai": "aɪ", "ei": "eɪ", "ao": "aʊ", "ou": "oʊ",
    "an": "an", "en": "ən", "ang": "ɑŋ", "eng": "əŋ", "ong": "ʊŋ", "i": "i", "ia": "ja",
    "ie": "jɛ", "iao": "jaʊ", "iou": "joʊ", "ian": "jɛn", "in": "in", "iang": "jɑŋ", "ing": "iŋ",
    "iong": "jʊŋ", "io": "jo", "u": "u", "ua": "wa", "uo": "wo", "uai": "waɪ", "uei": "weɪ",
    "uan": "wan", "uen": "wən", "uang": "wɑŋ", "ueng": "wəŋ", "v": "y", "ve": "ɥɛ", "van": "ɥɛn",
    "vn": "yn", "er": "ɚ", "": "",
}  # fmt: skip
TONES = {"1": "˥", "2": "˧˥", "3": "˨˩˦", "4": "˥˩", "5": "˧"}
HALF_THIRD = "˨˩"  # a third tone with more to follow
_ALONE = {"m": "m", "n": "n", "ng": "ŋ", "hm": "xm", "hng": "xŋ", "o": "o", "yo": "jo", "ê": "ɛ"}
SYLLABLE = re.compile(r"[a-zêü]+[1-5]")


@lru_cache(maxsize=4096)
def parts(syllable: str) -> tuple[str, str, str]:
    """(initial, full final, tone) of a syllable; 'jiu3' -> ('j', 'iou', '3').

    Raises ValueError for what is no syllable of Mandarin.
    """
    if not SYLLABLE.fullmatch(syllable):
        raise ValueError(f"{syllable!r} is no syllable of pinyin with its tone")
    letters, tone = syllable[:-1].replace("ü", "v"), syllable[-1]
    initial = re.match(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcs])?", letters)
    assert initial is not None
    head, final = initial[0], letters[initial.end() :]
    if not head and final[:1] in ("y", "w"):
        final = _without_semivowel(final)
    if head in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    if head:
        final = {"iu": "iou", "ui": "uei", "un": "uen", "ue": "ve"}.get(final, final)
    if letters not in _ALONE and (final not in _FINALS or not (head or final)):
        raise ValueError(f"{syllable!r} is no syllable of Mandarin")
    return head, final, tone


def _without_semivowel(final: str) -> str:
    """'yu' -> 'v', 'yan' -> 'ian', 'ying' -> 'ing', 'wu' -> 'u', 'wo' -> 'uo'."""
    if final[0] == "w":
        full = "u" + final[1:].removeprefix("u")
        return {"ui": "uei", "un": "uen"}.get(full, full)
    if final.startswith("yu"):
        return "v" + final[2:]
    full = "i" + final[1:].removeprefix("i")
    return {"iu": "iou"}.get(full, full)


@lru_cache(maxsize=8192)
def syllable_ipa(syllable: str, *, erhua: bool = False, last: bool = True) -> str:
    """IPA of one syllable; with `erhua` its rime is rhotacised, and a third tone that is not `last`
    in its phrase only falls."""
    head, final, tone = parts(syllable)
    body = _ALONE.get(syllable[:-1]) or _INITIALS.get(head, "") + _rime(head, final, erhua)
    letter = HALF_THIRD if tone == "3" and not last else TONES[tone]
    return body + letter


def _rime(head: str, final: str, erhua: bool) -> str:
    if final == "i" and head in ("z", "c", "s", "zh", "ch", "sh", "r"):
        return "ɚ" if erhua else "ɿ" if head in ("z", "c", "s") else "ʅ"
    sound = "wo" if final == "o" and head else _FINALS[final]
    return _rhotacised(sound) if erhua else sound


def _rhotacised(rime: str) -> str:
    """The rime with -r: n and a closing i fall away, ng leaves its nasal (Duanmu, chapter 9)."""
    if rime.endswith("ŋ"):
        vowels = rime[:-1]
        return f"{vowels}ə\u0303ɚ" if vowels in ("i", "y") else f"{vowels}\u0303ɚ"
    if rime in ("in", "yn"):
        return f"{rime[0]}ɚ"
    if rime.endswith("ən"):
        return f"{rime[:-2]}ɚ"
    if rime.endswith("eɪ"):
        return f"{rime[:-2]}ɚ"
    if rime.endswith("ɛn"):
        return f"{rime[:-2]}aɚ"
    if rime.endswith(("an", "aɪ")):
        return f"{rime[:-1]}ɚ"
    return rime if rime.endswith("ɚ") else f"{rime}ɚ"
