"""How Chinese reads numbers: years, dates, times, money, percent, units, telephones, ranges."""

from __future__ import annotations

import re
from functools import lru_cache

from vits.text.tokens import Token, rule

DIGITS = "零一二三四五六七八九"
_NUM = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "km²": "平方公里", "km2": "平方公里", "m²": "平方米",
    "m2": "平方米", "㎡": "平方米", "m³": "立方米", "m3": "立方米", "km": "公里", "cm": "厘米",
    "mm": "毫米", "nm": "纳米", "m": "米", "kg": "公斤", "mg": "毫克", "g": "克", "t": "吨",
    "ml": "毫升", "mL": "毫升", "L": "升", "l": "升", "°C": "摄氏度", "℃": "摄氏度",
    "°F": "华氏度", "℉": "华氏度", "°": "度", "GHz": "吉赫兹", "MHz": "兆赫", "kHz": "千赫",
    "Hz": "赫兹", "kW": "千瓦", "W": "瓦", "kWh": "千瓦时", "V": "伏", "A": "安", "dB": "分贝",
    "min": "分钟", "ms": "毫秒", "s": "秒", "h": "小时", "元": "元", "万元": "万元",
}  # fmt: skip
_UNIT = re.compile(
    r"\s?(" + "|".join(map(re.escape, sorted(UNITS, key=len, reverse=True))) + r")(?![A-Za-z\d²³/])"
)
_MONEY = {"¥": "元", "$": "美元", "€": "欧元", "£": "英镑", "US$": "美元", "HK$": "港元"}
# What is counted with 两 and not with 二.
_MEASURES = (
    "个只条本张把件位名岁次天年周月块片颗粒枝支朵头匹辆架艘座栋间层家所扇幅首篇段句种样双对副套"
    "杯碗盘瓶盒包袋箱桶瓢壶斤里米吨元角分千万亿点小分秒倍步下遍回场顿口群排行列份封株棵根滴人"
)
_MEASURE = re.compile(rf"\s?(?:[{_MEASURES}]|公里|公斤|厘米|平方|小时|分钟|星期|英)")
_RANGE = re.compile(r"\s?(?:[-~–—～]|至)\s?(?=\d)")


@lru_cache(maxsize=4096)
def cardinal(number: str) -> str:
    """'1002' -> '一千零二', '3.14' -> '三点一四'; over 16 digits, or a leading 0: each digit."""
    import cn2an

    whole, _, part = number.replace(",", "").partition(".")
    if len(whole) > 16 or (len(whole) > 1 and whole[0] == "0"):
        said = digit_by_digit(whole)
    else:
        said = str(cn2an.an2cn(whole, "low"))
    return said + (f"点{digit_by_digit(part)}" if part else "")


def digit_by_digit(digits: str, one: str = "一") -> str:
    """'1999' -> '一九九九'; for telephones `one` is 幺."""
    return "".join(one if d == "1" else DIGITS[int(d)] for d in digits)


def counted(number: str, following: str) -> str:
    """A number as it is said before `following`: 2 本 -> 两."""
    return "两" if number == "2" and _MEASURE.match(following) else cardinal(number)


def _one(text: str, match: re.Match[str]) -> list[Token]:
    """One token; the words of it are the parts between spaces."""
    return [Token(tuple(text.split()), "", *match.span())]


def _after(match: re.Match[str]) -> str:
    return match.string[match.end() : match.end() + 4]


def _phone(match: re.Match[str]) -> list[Token] | None:
    groups = re.findall(r"\d+", match[0])
    return _one(" ".join(digit_by_digit(g, "幺") for g in groups), match)


def _iso_date(match: re.Match[str]) -> list[Token] | None:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    year = digit_by_digit(match[1])
    return _one(f"{year}年 {cardinal(str(month))}月 {cardinal(str(day))}日", match)


def _year(match: re.Match[str]) -> list[Token] | None:
    return _one(digit_by_digit(match[1]), match)


def _time(match: re.Match[str]) -> list[Token] | None:
    hour, minute, second = match[1], match[2], match[3]
    if int(hour) > 24 or int(minute) > 59:
        return None
    said = f"{counted(str(int(hour)), '点')}点"
    if int(minute):
        said += f" {'零' if minute[0] == '0' else ''}{cardinal(str(int(minute)))}分"
    elif not second:
        said += "整"
    if second:
        said += f" {cardinal(str(int(second)))}秒"
    return _one(said, match)


def _ratio(match: re.Match[str]) -> list[Token] | None:
    return _one(f"{cardinal(match[1])} 比 {cardinal(match[2])}", match)


def _share(match: re.Match[str]) -> list[Token] | None:
    of = {"%": "百分之", "‰": "千分之"}[match["sign"]]
    minus = "负" if match["minus"] else ""
    first = f"{of}{minus}{cardinal(match['number'])}"
    return _one(first, match)


def _share_range(match: re.Match[str]) -> list[Token] | None:
    return _one(f"百分之{cardinal(match[1])} 到 百分之{cardinal(match[2])}", match)


def _money(match: re.Match[str]) -> list[Token] | None:
    amount = match["number"]
    if "." in amount:
        amount = amount.rstrip("0").rstrip(".")
    scale = match["scale"] or ""
    currency = _MONEY[match["sign"]]
    spoken = f"{counted(amount, scale or currency)}{scale} {currency}"
    return _one(spoken, match)


def _fraction(match: re.Match[str]) -> list[Token] | None:
    return _one(f"{cardinal(match[2])}分之{cardinal(match[1])}", match)


def _ordinal(match: re.Match[str]) -> list[Token] | None:
    return _one(f"第{cardinal(match[1])}", match)


def _number(match: re.Match[str]) -> list[Token] | None:
    text, number = match.string, match["number"].replace(",", "")
    minus = {"-": "负", "−": "负", "+": "正"}.get(match["sign"], "")
    unit = _UNIT.match(text, match.end())
    following = UNITS[unit[1]] if unit else _after(match)
    is_rest = re.search(r"第\s?$", text[: match.start()]) or re.match(r"\s?[月日号]", following)
    spoken = minus + (cardinal(number) if is_rest else counted(number, following))
    tokens = [Token((spoken,), "", *match.span())]
    if unit:
        tokens.append(Token((following,), "", *unit.span(1)))
    link = _RANGE.match(text, tokens[-1].char_end)
    return [*tokens, Token(("到",), "", *link.span())] if link else tokens


NUMBER_RULES = (
    rule(r"(?<![\d.])(?:1[3-9]\d{9}|0\d{2,3}-\d{7,8}|[48]00-\d{3,4}-\d{3,4})(?![\d.])", _phone),
    rule(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d.])", _iso_date),
    rule(r"(\d{4})(?=\s?年(?!前|后|内|来|间|的时间|以))", _year),
    rule(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?!\d)", _time),
    rule(r"(\d+):(\d+)(?!\d)", _ratio),
    rule(rf"({_NUM})%?[-~–～至到]({_NUM})%", _share_range),
    rule(rf"(?P<minus>(?<![A-Za-z\d)])[-−])?(?P<number>{_NUM})\s?(?P<sign>[%‰])", _share),
    rule(rf"(?P<sign>[¥$€£])\s?(?P<number>{_NUM})(?P<scale>[千百]?[万亿])?", _money),
    rule(r"(\d+)/(\d+)(?![\d/])", _fraction),
    rule(rf"(?P<sign>(?<![A-Za-z\d)])[-−+])?(?P<number>{_NUM})", _number),
)
