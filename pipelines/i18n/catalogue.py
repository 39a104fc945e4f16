"""A catalogue of messages (gettext's .po), and finding the message that a text was made from.

A msgid is a sentence with fields: "There is no voice {name}." A text fits it if the words between
the fields are the same; a field `{count:d}` fits numbers alone. Of several that fit, the one with
the most words of its own wins. What stands in a field is looked up in turn, since messages quote
other messages.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polib

DEEPEST = 4  # messages in messages
MOST_NAME_WORDS = 3  # of a file's name before the reason for leaving it out
MOST_LOOKS = 150  # into the templates, for one text
FEWEST_LETTERS = 3  # of its own words; a template with fewer would fit anything
NUMBER = r"[-+]?[\d.,]*\d%?"
WIDE_ENDS = "。！？；：，、）」』…"
# Fields that hold words of the program, not names of the user's, even where it is one word.
OWN_WORDS = ("kind", "matter", "part", "stage", "unit", "what")
SUBJECT = "\ue000"  # stands for the name that a reason such as "is silent" follows


@cache
def catalogue(code: str) -> Catalogue:
    """The catalogue of a language; an empty one, which changes nothing, for English."""
    path = files("pipelines.i18n") / "locale" / f"{code}.po"
    if code == "en":
        return Catalogue(())
    import polib

    return Catalogue(tuple(polib.pofile(path.read_text("utf-8"))))


@dataclass(frozen=True)
class Template:
    """A message with fields and what stands for it."""

    source: str
    target: str

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The words between the fields, the first and the last of which may be empty."""
        parts = [""]
        for literal, name, _, _ in string.Formatter().parse(self.source):
            parts[-1] += literal
            if name is not None:
                parts.append("")
        return tuple(parts)

    @cached_property
    def weight(self) -> int:
        return sum(map(len, self.parts))

    @cached_property
    def anchor(self) -> str:
        """What a text must hold to fit."""
        return max(self.parts, key=len)

    @cached_property
    def fits_anything(self) -> bool:
        own = sum(char.isalpha() for part in self.parts for char in part)
        return own < FEWEST_LETTERS and ":d}" not in self.source

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        pattern, seen = "", set[str]()
        for literal, name, spec, _ in string.Formatter().parse(self.source):
            pattern += re.escape(literal)
            if name is not None:
                what = NUMBER if spec == "d" else ".*?"
                pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{what})"
                seen.add(name)
        return re.compile(pattern, re.DOTALL)

    def match(self, text: str) -> dict[str, str] | None:
        """The fields of a text that fits."""
        if self.anchor not in text or not (
            text.startswith(self.parts[0]) and text.endswith(self.parts[-1])
        ):
            return None
        found = self.pattern.fullmatch(text)
        return found.groupdict() if found else None


@dataclass(frozen=True)
class Catalogue:
    """What there is in one language."""

    entries: tuple[polib.POEntry, ...] = field(repr=False)

    @cached_property
    def _pairs(self) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for entry in self.entries:
            if "fuzzy" not in entry.flags and entry.msgstr and not entry.obsolete:
                pairs[entry.msgid] = entry.msgstr
        return pairs

    @cached_property
    def plain(self) -> dict[str, str]:
        """Messages without fields, as they are said."""
        plain = {s: t for s, t in self._pairs.items() if not fields_of(s)}
        return {source.format(): target.format() for source, target in plain.items()}

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """The rest, the most particular first."""
        made = (Template(s, t) for s, t in self._pairs.items() if fields_of(s))
        fit = [template for template in made if not template.fits_anything]
        return tuple(sorted(fit, key=lambda template: (-template.weight, template.source)))

    def template(self, source: str) -> str:
        """What stands for a msgid, unfilled, its fields without `:d`; the msgid itself if none."""
        return re.sub(r":d}", "}", self._pairs.get(source, source))

    def text(self, text: str) -> str:
        """A text in this language, as far as it is made of messages; else unchanged."""
        return _Reading(self).text(text)


@dataclass
class _Reading:
    """The reading of one text; what is somebody's own, and long, is given up on after a while."""

    catalogue: Catalogue
    looks_left: int = MOST_LOOKS

    def text(self, text: str, depth: int = 0) -> str:
        return self._found(text, depth) or self._in_parts(text, depth) or text

    def _found(self, text: str, depth: int) -> str | None:
        """A text that is one message."""
        if text in self.catalogue.plain:
            return self.catalogue.plain[text]
        self.looks_left -= 1
        if self.looks_left < 0:
            return None
        for template in self.catalogue.templates:
            fields = template.match(text)
            if fields is not None:
                inner = {name: self._field(name, v, depth + 1) for name, v in fields.items()}
                return template.target.format(**inner)
        return None

    def _field(self, name: str, value: str, depth: int) -> str:
        if name in OWN_WORDS and value in self.catalogue.plain:
            return self.catalogue.plain[value]
        return self._inner(value, depth)

    def _inner(self, value: str, depth: int) -> str:
        """A field: a single word is a name, even where it happens to be a message too."""
        if depth > DEEPEST or " " not in value.strip():
            return value
        found = self._found(value, depth) or self._list(value, depth)
        return found or self._in_parts(value, depth) or value

    def _list(self, value: str, depth: int) -> str | None:
        """Several messages with commas or semicolons between them."""
        for comma, ours in (("; ", "；"), (", ", "，")):
            pieces = value.split(comma)
            if len(pieces) > 1 and depth <= DEEPEST and self.looks_left > 0:
                made = [self._inner(piece, depth + 1) for piece in pieces]
                if made != pieces:
                    return ours.join(made)
        return None

    def _in_parts(self, text: str, depth: int) -> str | None:
        """Sentences one after another; a reason after the name it is about."""
        if depth > DEEPEST:
            return None
        ends = [found.end() for found in re.finditer(r"[.?!:](?= )", text)]
        for end in ends:
            head, tail = text[:end], text[end + 1 :]
            if self.looks_left < 0:
                return None
            if text[end - 1] == ":":
                if made := self._reason(tail, depth):
                    return f"{head[:-1]}：{made}"
            elif first := self._found(head, depth):
                return joined(first, self.text(tail, depth + 1))
        for end in ends:  # a sentence that is ours after one that is not
            if last := self._found(text[end + 1 :], depth):
                return joined(text[:end], last)
        for name in [found.start() for found in re.finditer(" ", text)][:MOST_NAME_WORDS]:
            made = self.catalogue.plain.get(text[name + 1 :]) or self._found(
                text[name + 1 :], depth
            )
            if made and text[name + 1].islower():  # 'a.wav is silent': a name and its reason
                return f"{text[:name]} {made}"
        return self._reason(text, depth) if text[:1].islower() else None

    def _reason(self, text: str, depth: int) -> str | None:
        """Words that follow a name elsewhere, as 'is silent' does; a sentence without its dot."""
        if made := self._found(text, depth) or self._list(text, depth):
            return made
        for whole in (f"{SUBJECT} {text}.", f"{SUBJECT} {text}", f"{text}."):
            made = self._found(whole, depth)
            if made and (SUBJECT not in whole or made.startswith(SUBJECT)):
                return made.removeprefix(SUBJECT).strip().removesuffix("。")
        return None


def fields_of(template: str) -> list[str]:
    """The names of a message's fields, in order. Raises ValueError for braces that do not pair."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def joined(*sentences: str) -> str:
    """Sentences in a row, without a space after one that ends in a wide mark."""
    whole = ""
    for sentence in filter(None, sentences):
        space = " " if whole and whole[-1] not in WIDE_ENDS else ""
        whole += space + sentence
    return whole
