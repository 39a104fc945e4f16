"""`story.yaml`: a story as a file that people read, write and change.

    version: 1
    title: The Lamp
    cast:
      Pim: {voice: base:anna, speed: 1.05}
    scenes:
      - title: A light goes out
        lines:
          - On a rock in the sea stood a lamp.
          - Pim: Is it dark up there?

A bare line is the narrator's; `Name: text` is somebody's of the cast. The narrator speaks with the
voice of the render unless the cast gives another. Everything in the file is read as text: `yes`,
`1984` and `12:30` stay what was written.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.story.script import (
    NARRATOR,
    VERSION,
    Cover,
    Line,
    Location,
    Problem,
    Role,
    Scene,
    Story,
    did_you_mean,
    misfits,
)
from vits.errors import UserError
from vits.files import write_text

FILE_NAME = "story.yaml"
WIDTH = 96  # where long text is folded in the file
SHORT = 60  # text up to this length stays on the line of its key
_FAST: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


# ---------------------------------------------------------------- reading


def read_story(path: Path) -> Story:
    """The story in the file `path`. UserError names the line and column of what is wrong."""
    return parse_story(_read(path), str(path))


def parse_story(text: str, name: str = FILE_NAME) -> Story:
    """The story in the YAML `text`; `name` is what errors call it."""
    data, marks = _load(text, name)
    try:
        return Story.model_validate(data)
    except ValidationError as error:
        details = _by_weight(error.errors())
    if details[0]["type"] == "value_error":  # every part is right, but they do not fit together
        raise _user_error(list(misfits(_unchecked(data))), marks, name)
    raise _user_error([_explain(detail) for detail in details], marks, name)


def _by_weight(details: list[Any]) -> list[Any]:
    """An unknown field first, often the missing one misspelt; a list is no problem if a part is."""
    last = sorted(details, key=lambda detail: detail["type"] != "extra_forbidden")
    return [d for d in last if d["type"] != "too_short"] or last


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}).", "Name a file that you may read."
        ) from error


def _load(text: str, name: str) -> tuple[object, dict[Location, yaml.Mark]]:
    """Plain data in which every scalar is a string, and where each part of it stands."""
    try:
        node = _compose(text)
        marks: dict[Location, yaml.Mark] = {}
        return ({} if node is None else _plain(node, (), marks, name)), marks
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = _where(name, mark) if mark else name
        raise UserError(f"{where}: {error.problem}.", _syntax_remedy(error)) from error
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{name}: {first}.", "Remove the character from the file.") from error
    except RecursionError:
        raise UserError(f"{name} is nested too deeply.", "A story has scenes with lines.") from None


def _compose(text: str) -> yaml.Node | None:
    """By libyaml, which is fast; what it refuses by Python's own parser, which explains more."""
    try:
        return yaml.compose(text, _FAST)
    except yaml.YAMLError:
        return yaml.compose(text, yaml.BaseLoader)


def _syntax_remedy(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem)
    if "mapping values" in problem:
        return "A colon inside a text needs quotation marks around the whole text."
    if "tab" in problem or r"'\t'" in problem:
        return "Indent with spaces, not with tabs."
    return (
        "A text with quotation marks, colons or # is safest after '>-' on the lines below, "
        "indented."
    )


def _plain(node: yaml.Node, at: Location, marks: dict[Location, yaml.Mark], name: str) -> Any:
    """Strings, lists and dicts of `node`; `marks` gets the place of every part."""
    marks.setdefault(at, node.start_mark)
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*at, i), marks, name) for i, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, child in node.value:
        key = key_node.value
        if not isinstance(key, str):
            raise UserError(
                f"{_where(name, key_node.start_mark)}: a field's name must be text.",
                "Write 'name: value'.",
            )
        if key in result:
            raise UserError(
                f"{_where(name, key_node.start_mark)}: '{key}' is there twice.", "Keep one of them."
            )
        marks[(*at, key)] = key_node.start_mark
        result[key] = _plain(child, (*at, key), marks, name)
    return result


def _unchecked(data: Any) -> Story:
    """The story of valid parts, without the check that they fit together."""
    fields = {**data}
    fields["cast"] = {name: Role.model_validate(r) for name, r in (data.get("cast") or {}).items()}
    fields["scenes"] = tuple(Scene.model_validate(scene) for scene in data["scenes"])
    return Story.model_construct(**fields)


# ---------------------------------------------------------------- errors in the user's words

_FIELDS: dict[str, tuple[str, ...]] = {
    "story": tuple(Story.model_fields),
    "cover": tuple(Cover.model_fields),
    "scenes": tuple(Scene.model_fields),
    "lines": tuple(Line.model_fields),
    "cast": tuple(Role.model_fields),
}
_KINDS = {
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list, each entry after '- '",
    "dict_type": "must be names with values, as in 'name: value'",
    "model_type": "must be fields with values, as in 'title: The Lamp'",
    "model_attributes_type": "must be fields with values, as in 'title: The Lamp'",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
_NUMBERS = {
    "speed": "a number from 0.5 to 2",
    "seed": "a whole number from 0 on",
    "line_seed": "a whole number from 0 on",
    "age": "the listeners' years, a whole number",
}


def _explain(detail: Any) -> Problem:
    """One of pydantic's findings in our own words."""
    location: Location = detail["loc"]
    kind, context = detail["type"], detail.get("ctx", {})
    field = str(location[-1]) if location else "the story"
    allowed = _allowed(location)
    if kind == "extra_forbidden":
        remedy = f"Allowed are {', '.join(allowed)}{did_you_mean(field, allowed)}."
        return Problem(location, f"unknown field '{field}'.", remedy)
    if kind == "missing":
        return Problem(location[:-1], f"the field '{field}' is missing.", "Add it.")
    if field == "version":
        cause = f"version {detail['input']} is not one that this program reads."
        return Problem(location, cause, f"It reads version {VERSION}; update the program.")
    if kind == "literal_error":
        expected = context["expected"].replace(" or ", ", ")
        return Problem(
            location, f"'{field}' cannot be '{detail['input']}'.", f"Allowed are {expected}."
        )
    if field in _NUMBERS:
        cause = f"'{field}' cannot be '{detail['input']}'."
        return Problem(location, cause, f"It must be {_NUMBERS[field]}.")
    name = f"'{field}'" if location and isinstance(location[-1], str) else "this entry"
    words = _KINDS.get(kind, detail["msg"])
    return Problem(location, f"{name} {words}.", f"Fields here are {', '.join(allowed)}.")


def _allowed(location: Location) -> tuple[str, ...]:
    """The fields of the part that `location` is in."""
    levels = [key for key in location if isinstance(key, str) and key in _FIELDS]
    return _FIELDS[levels[-1]] if levels and location[-1] != levels[-1] else _FIELDS["story"]


def _where(name: str, mark: yaml.Mark) -> str:
    return f"{name}, line {mark.line + 1}, column {mark.column + 1}"


def _user_error(problems: list[Problem], marks: dict[Location, yaml.Mark], name: str) -> UserError:
    first = problems[0]
    at = first.location
    while at and at not in marks:
        at = at[:-1]
    where = _where(name, marks[at]) if at in marks else name
    more = f" ({len(problems) - 1} more after this.)" if len(problems) > 1 else ""
    return UserError(f"{where}: {_part(first.location)}{first.cause}", first.remedy + more)


def _part(location: Location) -> str:
    """'scene 2, line 1: ', counted as people count."""
    words = []
    for key, index in pairwise(location):
        if isinstance(index, int):
            words.append(f"{str(key).removesuffix('s')} {index + 1}")
        elif key == "cast":
            words.append(f"cast, {index}")
    return ", ".join(words) + ": " if words else ""


# ---------------------------------------------------------------- writing

_HEAD = """\
# A story to be told. Change any line and render again: only what changed is made anew.
# A bare line is the narrator's; 'Name: text' is spoken by Name, who is in the cast.
"""


def write_story(story: Story, path: Path) -> None:
    """Write `story` as a file that people like to edit. UserError if it cannot be written."""
    write_text(path, dump_story(story))


def dump_story(story: Story) -> str:
    """The YAML of `story`; reading it back gives the same story."""
    parts = [_HEAD + _fields(story, _STORY_FIELDS, 0)]
    if cover := _fields(story.cover, tuple(Cover.model_fields), 2):
        parts.append("cover:\n" + cover)
    if story.lexicon:
        parts.append("lexicon:\n" + _dump_texts(story.lexicon))
    if story.cast:
        parts.append("cast:\n" + "".join(_dump_role(n, role) for n, role in story.cast.items()))
    if story.places:
        parts.append("places:\n" + _dump_texts(story.places))
    scenes = [_dump_scene(i, scene) for i, scene in enumerate(story.scenes)]
    parts.append("scenes:\n" + "\n".join(scenes))
    return "\n".join(parts)


_STORY_FIELDS = (
    *("version", "title", "author", "language", "seed"),
    *("age", "aspect", "hashtags", "style"),
)
_SCENE_FIELDS = ("id", "title", "place", "picture", "prompt", "negative", "seed", "image")


def _dump_texts(texts: Mapping[str, str]) -> str:
    """Names with a text each."""
    pairs = ((_scalar(name, 2, key=True), _scalar(text, 4)) for name, text in texts.items())
    return "".join(f"  {name}: {text}\n" for name, text in pairs)


def _dump_role(name: str, role: Role) -> str:
    fields = _fields(role, tuple(Role.model_fields), 4)
    return f"  {_scalar(name, 4, key=True)}:" + (f"\n{fields}" if fields else " {}\n")


def _dump_scene(index: int, scene: Scene) -> str:
    names = _SCENE_FIELDS if scene.id != str(index + 1) else _SCENE_FIELDS[1:]
    head = _fields(scene, names, 4) + "    lines:\n"
    return "  - " + head[4:] + "".join(map(_dump_line, scene.lines))


def _dump_line(line: Line) -> str:
    extra = ("seed", "audio")
    if line.seed is None and not line.audio and line.speaker == NARRATOR:
        return f"      - {_scalar(line.text, 8)}\n"
    if line.speaker in Line.model_fields:  # a name that the short form would take for a field
        return "      - " + _fields(line, ("speaker", "text", *extra), 8)[8:]
    short = f"      - {_scalar(line.speaker, 8, key=True)}: {_scalar(line.text, 10)}\n"
    return short + _fields(line, extra, 8)


def _fields(part: BaseModel, names: Sequence[str], indent: int) -> str:
    """Those of the fields that are not as they would be anyway (the version always)."""
    lines = []
    for name in names:
        value = getattr(part, name)
        if name == "version" or value != type(part).model_fields[name].default:
            lines.append(f"{' ' * indent}{name}: {_scalar(str(value), indent + 2)}\n")
    return "".join(lines)


def _scalar(text: str, indent: int, *, key: bool = False) -> str:
    """`text` in the form that is easiest to edit: plain, folded below its key, or quoted."""
    if len(text) <= SHORT and _survives(text, text):
        return text
    if not key:
        lines = textwrap.wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False)
        folded = ">-\n" + "\n".join(" " * indent + line for line in lines)
        if _survives(folded, text):
            return folded
    return _quoted(text)


def _survives(form: str, text: str) -> bool:
    """Whether YAML reads `form`, as a value or a key, as `text`."""
    try:
        if "\n" not in form and yaml.load(f"{form}: x", _FAST) != {text: "x"}:
            return False
        return bool(yaml.load(f"- a: {form}", _FAST) == [{"a": text}])
    except yaml.YAMLError:
        return False


def _quoted(text: str) -> str:
    """JSON's string is YAML's too; what YAML cannot print is escaped."""
    raw = json.dumps(text, ensure_ascii=False)
    if _survives(raw, text):
        return raw
    return "".join(c if c.isascii() and c.isprintable() else f"\\U{ord(c):08x}" for c in raw)
