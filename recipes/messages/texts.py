"""What a text in the code may be: an expression followed to where its words are written.

Constants, f-strings, sums and choices of them, names that are given one nearby, what a function of
ours returns, and parameters, back to the calls. f-strings become templates:

    f"There is no voice {voice.name!r} in {folder}."  ->  "There is no voice {name} in {folder}."
"""

from __future__ import annotations

import ast
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from recipes.messages.code import Module, annotation, assigned, called, parameter
from recipes.messages.fields import Fields

MOST_COMBINED = 4  # whole sentences that one f-string may stand for; beyond, parts on their own
DEEPEST = 14
TRIMMED = ("strip", "rstrip", "lstrip", "removesuffix", "capitalize")
OPAQUE = ("plural", "span", "size", "said", "translated")  # texts that have messages of their own
OTHER = "\0"  # stands for a text that is not ours, among ours
# A parameter of such a name is a word of the program's, not of the user's.
OWN_WORDS = ("kind", "part", "what", "unit")

Note = Callable[[Module, str], None]
Texts = list[str]


class Reader:
    """Reads expressions; `note` is told of messages that are parts of others."""

    def __init__(self, modules: dict[str, Module], note: Note) -> None:
        self.modules, self.note = modules, note
        self.calls: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        for module in modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    self.calls[called(node)].append((module, node))
        self._passing: set[tuple[str, int]] = set()
        self._giving: set[tuple[ast.AST, str]] = set()
        self._stepped: set[tuple[ast.AST, str]] = set()

    def texts(self, module: Module, node: ast.expr, depth: int = 0) -> Texts | None:
        """All templates that an expression can be; None where it is no text of ours."""
        if depth > DEEPEST:
            return None
        match node:
            case ast.Constant(value=str() as value):
                return [value.replace("{", "{{").replace("}", "}}")]
            case ast.JoinedStr():
                return self._joined(module, node, depth)
            case ast.BinOp(op=ast.Add()):
                return self._sum(module, node, depth)
            case ast.BinOp(op=ast.Mult(), left=left):
                found = self.texts(module, left, depth + 1)
                return found and [*found, ""]
            case ast.IfExp(body=body, orelse=orelse):
                return self._choice(module, (body, orelse), depth)
            case ast.BoolOp(values=values):
                return self._choice(module, values, depth)
            case ast.NamedExpr(value=value):
                return self.texts(module, value, depth + 1)
            case ast.Name():
                return self._named(module, node, depth)
            case ast.Subscript(value=table):
                return self._in_table(module, table, (), depth)
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *others]):
                return self._in_table(module, table, others, depth)
            case ast.Call():
                return self._returned(module, node, depth)
        return None

    def _either(self, module: Module, nodes: Iterable[ast.expr], depth: int) -> Texts | None:
        return _merged(self.texts(module, node, depth + 1) for node in nodes)

    def _choice(self, module: Module, nodes: Iterable[ast.expr], depth: int) -> Texts | None:
        """One of several, some of which may be other people's."""
        found = [self.texts(module, node, depth + 1) for node in nodes]
        return _merged([*found, [OTHER]]) if None in found and any(found) else _merged(found)

    # ------------------------------------------------------------ f-strings and sums

    def _joined(self, module: Module, node: ast.JoinedStr, depth: int) -> Texts:
        fields = Fields()
        parts = [
            self._field(module, value, fields, depth)
            if isinstance(value, ast.FormattedValue)
            else self.texts(module, value, depth + 1) or [""]
            for value in node.values
        ]
        if math.prod(map(len, parts)) > MOST_COMBINED:
            for value, options in zip(node.values, parts, strict=True):
                if len(options) > 1 and isinstance(value, ast.FormattedValue):
                    for option in options:
                        self.note(module, option)
                    options[:] = [fields.of_value(value)]
        return ["".join(choice) for choice in itertools.product(*parts)]

    def _field(
        self, module: Module, value: ast.FormattedValue, fields: Fields, depth: int
    ) -> Texts:
        """A field, or, where it is a choice of our own words, those words."""
        inner = None
        if _is_passed(module, value.value):
            for text in self.texts(module, value.value, depth + 1) or ():
                if " " in text.strip() or getattr(value.value, "id", "") in OWN_WORDS:
                    self.note(module, text)
        elif value.format_spec is None and not isinstance(value.value, ast.Constant):
            inner = self.texts(module, value.value, depth + 1)
        if inner is None or not any(inner):
            self.note_quoted(module, value.value)
            return [fields.of_value(value)]
        own = fields.of_value(value)
        if OTHER in inner:
            self.note_quoted(module, value.value)
        return [own if text == OTHER else fields.renamed(text) for text in dict.fromkeys(inner)]

    def note_quoted(self, module: Module, node: ast.expr) -> None:
        """What is joined into a message is messages of its own."""
        if isinstance(node, ast.Call) and called(node) == "join" and node.args:
            for item in _elements(node.args[0]):
                for text in self.texts(module, item) or ():
                    self.note(module, text)

    def _sum(self, module: Module, node: ast.BinOp, depth: int) -> Texts | None:
        sides = [(n, self.texts(module, n, depth + 1)) for n in (node.left, node.right)]
        if not any(found for _, found in sides):
            return None
        fields, parts = Fields(), []
        for side, found in sides:
            if not found:
                self.note_quoted(module, side)
            own = fields.of(side)
            parts.append(
                [own if t == OTHER else fields.renamed(t) for t in found] if found else [own]
            )
        if math.prod(map(len, parts)) > MOST_COMBINED:
            return None
        return ["".join(choice) for choice in itertools.product(*parts)]

    def _in_table(
        self, module: Module, table: ast.expr, others: Iterable[ast.expr], depth: int
    ) -> Texts | None:
        """One of a dict's values, or what there is instead."""
        if isinstance(table, ast.Name):
            table = module.tables.get(table.id, table)
        if not isinstance(table, ast.Dict):
            return None
        return self._choice(module, [*table.values, *others], depth)

    # ------------------------------------------------------------ names and calls

    def _named(self, module: Module, node: ast.Name, depth: int) -> Texts | None:
        function = module.function_of(node)
        while function is not None:
            if given := assigned(function).get(node.id):
                return self._given(module, (function, node.id), given, depth)
            if (place := parameter(function, node.id)) is not None:
                return self._passed(module, function, node.id, place, depth)
            function = module.function_of(function)
        for source in (module, self.modules.get(module.imports.get(node.id, ""))):
            if source is not None and node.id in source.tables:
                return self.texts(source, source.tables[node.id], depth + 1)
        return None

    def _given(
        self,
        module: Module,
        key: tuple[ast.AST, str],
        given: list[ast.expr | ast.AugAssign],
        depth: int,
    ) -> Texts | None:
        """One of what a name is given; what is put together step by step, each step by itself."""
        values = [v.value if isinstance(v, ast.AugAssign) else v for v in given]
        if key in self._giving:  # given something made of itself
            return None
        if not any(isinstance(value, ast.AugAssign) for value in given):
            self._giving.add(key)
            try:
                return self._choice(module, values, depth)
            finally:
                self._giving.discard(key)
        if key not in self._stepped:
            self._stepped.add(key)
            for value in values:
                for text in self.texts(module, value) or ():
                    self.note(module, text)
        return None

    def _passed(
        self, module: Module, function: ast.FunctionDef, name: str, place: int, depth: int
    ) -> Texts | None:
        """A parameter: whatever the calls of the function give for it."""
        key = (f"{module.name}.{function.name}", place)
        if key in self._passing:
            return None
        self._passing.add(key)
        try:
            found: list[Texts | None] = []
            for caller, call in self.calls[function.name]:
                if caller is module or caller.imports.get(function.name) == module.name:
                    values = [k.value for k in call.keywords if k.arg == name]
                    values += call.args[place : place + 1]
                    found += [self.texts(caller, value, depth + 1) for value in values]
            return _merged(found)
        finally:
            self._passing.discard(key)

    def _returned(self, module: Module, node: ast.Call, depth: int) -> Texts | None:
        name = called(node)
        if name in TRIMMED and isinstance(node.func, ast.Attribute):
            return self.texts(module, node.func.value, depth + 1)
        if name in OPAQUE:
            return None
        source, functions = module, module.functions.get(name, [])
        if not functions and name in module.imports:
            source = self.modules.get(module.imports[name], module)
            functions = source.functions.get(name, [])
        values = [
            statement.value
            for function in functions
            if annotation(function) == "str"
            for statement in ast.walk(function)
            if isinstance(statement, ast.Return) and statement.value is not None
        ]
        return self._either(source, values, depth)


def _is_passed(module: Module, node: ast.expr) -> bool:
    """Whether a name is a parameter: mostly something of the user's, a path or a name."""
    function = module.function_of(node)
    return (
        isinstance(node, ast.Name)
        and function is not None
        and node.id not in assigned(function)
        and parameter(function, node.id) is not None
    )


def _elements(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        yield node.elt
    elif isinstance(node, ast.List | ast.Tuple):
        yield from (item for item in node.elts if not isinstance(item, ast.Starred))


def _merged(found: Iterable[Texts | None]) -> Texts | None:
    return list(dict.fromkeys(text for some in found if some for text in some)) or None
