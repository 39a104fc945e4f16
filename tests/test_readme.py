"""What the READMEs say is so: their commands parse, their options and files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"]
GROUPS = {"clone-voice": cli.clone_voice, "story": cli.story, "digital-human": cli.digital_human}


def blocks(page: str) -> list[str]:
    """The lines of a page's fenced blocks without a language, which are shell or a tree."""
    text = (ROOT / page).read_text("utf-8")
    found = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    return [line for block in found for line in block.splitlines()]


def options(group: click.Group, name: str) -> set[str]:
    return {form for p in group.commands[name].params for form in p.opts}


@pytest.mark.parametrize("page", PAGES[:2])
def test_commands_of_the_page_parse(page: str) -> None:
    assert blocks(page)
    commands = [
        line for line in blocks(page) if line.startswith(tuple(f"{name} " for name in GROUPS))
    ]
    for line in commands:
        words = shlex.split(line, comments=True)
        command = GROUPS[words[0]].commands[words[1]]
        command.make_context(words[1], words[2:])  # raises a UsageError where it does not parse


@pytest.mark.parametrize("page", PAGES[:2])
def test_table_of_commands_is_whole_and_true(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    rows = re.findall(r"^\| (`(?:clone-voice|story|digital-human) .*?) \| (.*) \|$", text, re.M)
    told: set[tuple[str, str]] = set()
    for head, description in rows:
        program = head.strip("`").split()[0]
        names = [w for w in re.findall(r"[a-z]+", head) if w in GROUPS[program].commands]
        told |= {(program, name) for name in names}
        for option in re.findall(r"`(-{1,2}[a-z][a-z-]*)", description):
            assert option in options(GROUPS[program], names[0]), (names[0], option)
    every = {(program, name) for program, group in GROUPS.items() for name in group.commands}
    assert told == every


def sections(page: str) -> list[str]:
    return re.findall(r"^## (.*)$", (ROOT / page).read_text("utf-8"), re.M)


def test_chinese_page_has_every_section_and_every_command_of_the_english_one() -> None:
    assert len(sections("README.zh-CN.md")) == len(sections("README.md"))
    shown = [
        {" ".join(line.split()[:2]) for line in blocks(page) if line.startswith(tuple(GROUPS))}
        for page in PAGES[:2]
    ]
    assert shown[0] <= shown[1]


@pytest.mark.parametrize(
    ("page", "heading"), [("README.md", "## The tree"), ("README.zh-CN.md", "## 目录结构")]
)
def test_tree_names_what_is_there(page: str, heading: str) -> None:
    folder = ""
    named: list[str] = []
    tree = (ROOT / page).read_text("utf-8").split(heading, 1)[1].split("```")[1]
    for line in tree.strip().splitlines():
        name = line.split()[0]
        folder = "" if not line.startswith(" ") else folder
        named.append(folder + name)
        folder = name if name.endswith("/") and not line.startswith(" ") else folder
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text("utf-8")):
        assert (ROOT / target).exists(), target
