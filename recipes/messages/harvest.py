"""Where messages are said: the places from which a text reaches a person.

Both sentences of a UserError, what a Reporter says, a stage and a unit of progress, a reason for
leaving a clip out. `SINKS` and the tables after it are the list; a new kind of place goes there.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from recipes.messages.code import ROOT, Module, annotation, called, last_word, read_modules
from recipes.messages.fields import shape
from recipes.messages.texts import OTHER, Reader

# What is called, and which of its arguments are messages: places, or names of keywords.
SINKS: dict[str, tuple[int | str, ...]] = {
    "UserError": (0, 1, "cause", "remedy"),
    "PictureFailed": (0,),
    "Problem": (1, 2, "cause", "remedy"),
    "say": (0,),
    "warn": (0,),
    "echo": (0,),
    "prompt": (0,),
    "confirm": (0,),
    "Progress": (0, 3, 4, "stage", "unit", "note"),
    "StageEvent": (0, 3, 4, "stage", "unit", "note"),
    "Dropped": (1, "reason"),
    "drop": (0,),
    "Check": (1, "reason"),
    "Finding": (0, 1, 2, "where", "cause", "remedy"),
    "Metric": (0, 3, "label", "unit"),
    "Package": (2, "purpose"),
    "Store": (0, 3, "name", "cleaning"),
    "Speed": (4, "note"),
    "Step": (0, "name"),
}
MARKUP = re.compile(r"</?[a-z]\w*[ />]|style=")
CODE = re.compile(r"[a-z]+(_[a-z]+)+")  # a code for machines
KEYWORDS = ("reason", "cause", "remedy", "flaw", "doubt")
# What is collected in something of this name is shown line by line.
LISTS = (
    "lines", "notes", "warnings", "faults", "advice", "reasons", "told", "rows", "problems",
    "parts",
)  # fmt: skip
# Functions of this name return what is shown, anywhere, and those of these modules.
RETURNS = ("line", "notes", "advice", "problems")
SHOWN_FUNCTIONS = {
    "data.advice": ("_faults",),
    "pipelines.books.hearing": ("_duration", "_silence", "_clipping", "_repetition", "_words"),
}
SHOWN_TABLES = {
    "pipelines.doctor": ("NEEDED", "OPTIONAL"),
    "pipelines.persona.server.app": ("LABELS",),
}
# Files whose words are read aloud, or by a language model, or are a page's: only errors in them.
ERRORS_ONLY = (
    "vits/text/english.py", "vits/text/english_numbers.py", "vits/text/german.py",
    "pipelines/persona/talk.py", "pipelines/persona/prompting.py", "pipelines/persona/tools.py",
    "pipelines/persona/memories.py", "pipelines/persona/disclosure.py", "pipelines/llm/tools.py",
    "pipelines/story/instructions/__init__.py", "data/reportpage.py",
    "pipelines/evaluate/page.py", "pipelines/evaluate/plots.py", "pipelines/media/readalong.py",
)  # fmt: skip
# Words that are shown as data: states, kinds, the labels of a card.
EXTRA = {
    "data/account.py": (
        "used", "used with doubt", "silence", "no speech", "other speaker", "rejected",
        "cannot be read",
    ),
    "pipelines/books/book.py": ("front", "back"),
    "pipelines/books/jobs.py": ("waiting", "working", "done", "failed", "cancelled", "stopped"),
    "pipelines/persona/privacy.py": ("email", "account", "id", "card", "phone", "address", "name"),
    "pipelines/story/storyfile.py": (
        "scene {number:d}", "line {number:d}", "scene {number:d}, line {line:d}", "cast, {name}",
    ),
    "pipelines/images/modelfiles.py": ("checkpoint", "embedding", "unknown"),
    "vits/files.py": (  # what systems say, in the brackets of our own sentences
        "No such file or directory", "Permission denied", "Is a directory", "Not a directory",
        "No space left on device", "File exists", "Read-only file system", "Disk quota exceeded",
        "Operation not permitted", "File name too long", "Address already in use",
        "Cannot assign requested address", "Input/output error", "Directory not empty",
    ),
    "vits/formats/names.py": ("mapped", "fused", "reshaped", "left out"),
    "vits/card.py": (
        "voice", "folder", "size", "problem", "languages", "speakers", "who", "consent", "licence",
        "base", "base licence", "base hash", "clips", "seconds", "sources", "training", "scores",
        "software", "made with it",
    ),
}  # fmt: skip
# click's own words that a user can meet.
CLICK = (
    "Options", "Commands", "Show the version and exit.", "Show this message and exit.", "required",
    "Aborted!", "Missing command.",
    "Missing option {param_hint}.", "Missing argument {param_hint}.",
    "Missing option {param_hint}. {message}", "Missing argument {param_hint}. {message}",
    "Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})",
    "Option {name} does not take a value.", "Option {name} requires an argument.",
    "Invalid value for {param_hint}: {message}", "Invalid value: {message}",
    "No such option {name}.", "No such option {name}. Did you mean {possibility}?",
    "No such option {name}. (Did you mean one of: {possibilities}?)",
    "No such command {name}.", "No such command {name}. Did you mean {possibility}?",
    "No such command {name}. (Did you mean one of: {possibilities}?)",
    "Choose from: {choices}", "{value} is not one of {choices}.",
    "{value} is not in the range {range}.", "{value} is not a valid {number_type}.",
    "File {filename} does not exist.", "Path {filename} does not exist.",
    "Directory {filename} does not exist.", "File {filename} is a directory.",
    "Directory {filename} is a file.", "{name} {filename} is not readable.", "default: {value}",
)  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A template and the files that say it, from the root."""

    text: str
    places: tuple[str, ...]

    @property
    def shape(self) -> str:
        return shape(self.text)


class Harvest:
    """All modules, and the messages found in them so far, with their places."""

    def __init__(self, root: Path = ROOT) -> None:
        self.found: dict[str, set[str]] = {}
        self.modules = read_modules(root)
        self.reader = Reader(self.modules, self.note)
        self.errors = {
            node.name
            for module in self.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef) and "UserError" in map(last_word, node.bases)
        }

    def run(self) -> list[Message]:
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if module.place not in ERRORS_ONLY:
                    self._visit(module, node)
                elif isinstance(node, ast.Call) and called(node) == "UserError":
                    self._call(module, node)
            for name in SHOWN_TABLES.get(module.name, ()):
                self._keep_table(module, module.tables[name])
            for text in EXTRA.get(module.place, ()):
                self.note(module, text)
        for text in CLICK:
            self.found.setdefault(text, set()).add("commands/help.py")
        return [Message(text, tuple(sorted(places))) for text, places in self.found.items()]

    def note(self, module: Module, text: str, *, own_words: bool = True) -> None:
        """Keep a message, unless, with `own_words`, it is hardly more than its fields."""
        if MARKUP.search(text) or CODE.fullmatch(text) or "\n" in text or OTHER in text:
            return
        own = sum(char.isalpha() for char in re.sub(r"{[^{}]*}", "", text))
        if not own_words or own >= 3 or (own and ":d}" in text) or (module.place in EXTRA and own):
            self.found.setdefault(text, set()).add(module.place)

    def _visit(self, module: Module, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self._call(module, node)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {last_word(target) for target in targets}
            if names & {*LISTS, *KEYWORDS}:
                self._keep_all(module, node.value)
        elif (
            isinstance(node, ast.Return | ast.Yield | ast.YieldFrom)
            and node.value is not None
            and _is_shown(module, module.function_of(node))
        ):
            self._keep_all(module, node.value)

    def _call(self, module: Module, node: ast.Call) -> None:
        name = called(node)
        if name in ("said", "translated"):
            if node.args and isinstance(node.args[0], ast.Constant):
                self.note(module, str(node.args[0].value), own_words=name == "translated")
        elif name == "plural" and len(node.args) == 2:
            for text in self.reader.texts(module, node.args[1]) or ():
                self.note(module, "{count:d} " + text)
                self.note(module, "{count:d} " + text + "s")
        elif name == "result":
            for argument in node.args[1:]:
                self._keep_all(module, argument)
        elif _grows_a_list(node):
            self._keep_all(module, node.args[0])
        places = SINKS["UserError"] if name in self.errors else SINKS.get(name, ())
        for number, argument in enumerate(node.args):
            if number in places:
                self._keep_all(module, argument)
        for keyword in node.keywords:
            if keyword.arg in (*places, *KEYWORDS):
                self._keep_all(module, keyword.value)

    def _keep_all(self, module: Module, node: ast.expr) -> None:
        """A value that may be a text or a list of texts, or of rows of them."""
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                inner = items
            case ast.Starred(value=value):
                inner = [value]
            case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item):
                inner = [item]
            case ast.IfExp(body=body, orelse=orelse):
                inner = [body, orelse]
            case ast.BinOp(left=left, right=right) if self.reader.texts(module, node) is None:
                inner = [left, right]
            case ast.Call(args=args) if called(node) in ("columns", "list", "tuple", "sorted"):
                inner = args
            case _:
                for text in self.reader.texts(module, node) or ():
                    self.note(module, text)
                return
        for item in inner:
            self._keep_all(module, item)

    def _keep_table(self, module: Module, node: ast.expr) -> None:
        for value in node.values if isinstance(node, ast.Dict) else []:
            first = value.elts[0] if isinstance(value, ast.Tuple) else value
            self._keep_all(module, first)


def _grows_a_list(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in ("append", "extend")
        and last_word(node.func.value) in LISTS
    )


def _is_shown(module: Module, function: ast.FunctionDef | None) -> bool:
    """Whether what a function returns or yields is shown as it is."""
    if function is None or (module.name == "commands.help"):
        return False
    if function.name in (*RETURNS, *SHOWN_FUNCTIONS.get(module.name, ())):
        return True
    texts = ("str", "list[str]", "Iterator[str]")
    in_commands = module.name.startswith("commands.") and function.name != "plural"
    return in_commands and annotation(function) in texts
