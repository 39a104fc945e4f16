"""The project's code as trees: its modules, functions and tables, and what a name was given."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli.py", "commands", "pipelines", "data", "vits")
KEYWORD_ONLY = 99  # the place of a parameter that has none


@dataclass
class Module:
    """A parsed file: its functions, tables and imports, and who encloses what."""

    name: str
    place: str  # the file, from the root
    tree: ast.Module
    functions: dict[str, list[ast.FunctionDef]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, ast.expr] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    parent: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """The function that a node is in."""
        above = self.parent.get(node)
        while above is not None and not isinstance(above, ast.FunctionDef):
            above = self.parent.get(above)
        return above


def read_modules(root: Path) -> dict[str, Module]:
    """All modules of the rooms, by their names with dots."""
    paths = [path for room in ROOMS for path in _files(root / room)]
    return {m.name: m for m in (_read(path, root) for path in sorted(paths))}


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))


def _read(path: Path, root: Path) -> Module:
    tree = ast.parse(path.read_text("utf-8"))
    inside = path.relative_to(root)
    name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
    module = Module(name, inside.as_posix(), tree)
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            module.parent[child] = node
        if isinstance(node, ast.FunctionDef):
            module.functions[node.name].append(node)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module.imports |= {a.asname or a.name: node.module for a in node.names}
    for statement in tree.body:
        module.tables |= dict(_given(statement))
    return module


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and what a statement, or a walrus, gives to them."""
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) or node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name):
            yield target.id, node.value


@cache
def assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr | ast.AugAssign]]:
    """What a function gives to each name; what it adds to one is there as the statement itself."""
    values: dict[str, list[ast.expr | ast.AugAssign]] = defaultdict(list)
    for node in ast.walk(function):
        for name, value in _given(node):
            values[name].append(value)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            values[node.target.id].append(node)
    return dict(values)


def parameter(function: ast.FunctionDef, name: str) -> int | None:
    """The place of a parameter, `self` not counted."""
    every = [*function.args.posonlyargs, *function.args.args]
    names = [a.arg for a in every if a.arg not in ("self", "cls")]
    if name in names:
        return names.index(name)
    return KEYWORD_ONLY if name in [a.arg for a in function.args.kwonlyargs] else None


def called(node: ast.Call) -> str:
    """The last word of what is called."""
    return last_word(node.func)


def last_word(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def annotation(function: ast.FunctionDef) -> str:
    return ast.unparse(function.returns) if function.returns else ""
