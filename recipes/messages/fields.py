"""Names for the fields of a message: what stands there, by its last word."""

from __future__ import annotations

import ast
import re

from recipes.messages.code import called

NUMERIC = re.compile(r"[\d,.+]*[dfg%n]|,|\d+")  # formats that only numbers have
_SEEN_THROUGH = ("join", "str", "round", "sorted", "repr", "max", "min", "map", "escape")
_FIELD = re.compile(r"(?<!{){(\w+)(:d)?}")


def shape(text: str) -> str:
    """A message whatever its fields are called: what a text is recognised by."""
    return re.sub(r"(?<!{)((?:{{)*){[^{}]+}", r"\1{}", text)


class Fields:
    """The fields of one message: each name means one thing."""

    def __init__(self) -> None:
        self.used: dict[str, str] = {}

    def of_value(self, value: ast.FormattedValue) -> str:
        """The field for a part of an f-string."""
        spec = ast.unparse(value.format_spec)[2:-1] if value.format_spec else ""
        return self.of(value.value, spec)

    def of(self, node: ast.expr, spec: str = "") -> str:
        number = bool(spec and NUMERIC.fullmatch(spec)) or _is_count(node)
        return self._free(_word(node), ast.unparse(node), number)

    def renamed(self, text: str) -> str:
        """A text that has fields itself, as a part of this one."""
        return _FIELD.sub(lambda m: self._free(m[1], f"part {m[1]}", bool(m[2])), text)

    def _free(self, word: str, meaning: str, number: bool) -> str:
        name, count = word, 2
        while self.used.setdefault(name, meaning) != meaning:
            name, count = f"{word}{count}", count + 1
        return "{" + name + (":d" if number else "") + "}"


def _word(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_") or "value"
        case ast.Call():
            return _word_of_call(node)
        case ast.Subscript(value=inner) | ast.BinOp(left=inner):
            return _word(inner)
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner):
            return _word(inner)
    return "value"


def _word_of_call(node: ast.Call) -> str:
    name = called(node)
    if name == "len":
        return "count"
    if name == "plural" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
        return re.sub(r"\W", "_", str(node.args[1].value)) + "s"
    if name in _SEEN_THROUGH and node.args:
        return _word(node.args[-1])
    return _word(node.func)


def _is_count(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and called(node) in ("len", "round")
