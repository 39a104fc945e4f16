"""Help in the reader's language, laid out for characters that are two columns wide.

click lays out its help by counting characters and breaks lines at spaces alone; Chinese has no
spaces and each character takes two columns. So what is not English is broken into lines here and
handed to click as it is to stand.
"""

from __future__ import annotations

import copy
import inspect
import re

import click

from commands.columns import wrapped
from pipelines.i18n import language, said, translated

KEEP = "\b\n"  # click leaves a paragraph that begins so as it is
MARGIN = 2


class Formatter(click.HelpFormatter):
    """click's, in the reader's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or said("Usage: "))

    def write_heading(self, heading: str) -> None:
        self.write(
            f"{'':>{self.current_indent}}{said('{heading}:', heading=translated(heading))}\n"
        )

    def write_text(self, text: str) -> None:
        super().write_text(self._laid_out(text, self.width - self.current_indent))

    def write_dl(self, rows: object, col_max: int = 30, col_spacing: int = 2) -> None:
        rows = [(first, second) for first, second in rows]  # type: ignore[attr-defined]
        widest = min(max((len(first) for first, _ in rows), default=0), col_max)
        width = max(self.width - widest - col_spacing - MARGIN - self.current_indent, 20)
        super().write_dl(
            [(first, self._laid_out(second, width)) for first, second in rows], col_max, col_spacing
        )

    def _laid_out(self, text: str, width: int) -> str:
        if language() == "en":
            return text
        paragraphs = [_paragraph(p) for p in re.split(r"\n\s*\n", inspect.cleandoc(text))]
        return "\n\n".join(KEEP + "\n".join(wrapped(p, width)) for p in paragraphs)


def _paragraph(text: str) -> str:
    """A paragraph of help, or an option's with `[default: x; required]` at its end."""
    found = re.fullmatch(r"(.*?)((?:(?:^|\s\s)\[[^\]]*\])*)", text.strip(), re.DOTALL)
    assert found is not None  # it matches any text
    remarks = [
        said("; ").join(_remark(item) for item in remark.split("; "))
        for remark in re.findall(r"\[([^\]]*)\]", found[2])
    ]
    told = translated(" ".join(found[1].split()))
    return "  ".join([told, *(f"[{remark}]" for remark in remarks)]).strip()


def _remark(item: str) -> str:
    """What click, or the help itself, says of an option in brackets."""
    name, _, value = item.partition(": ")
    if name == "default" and value:
        return said("default: {value}", value=translated(value) if " " in value else value)
    return translated(item)


class Context(click.Context):
    formatter_class = Formatter


def in_readers_language(command: click.Command) -> click.Command:
    """A command whose own line in the list of commands is the first sentence of its help."""
    command = copy.copy(command)
    command.context_class = Context
    paragraph = " ".join(inspect.cleandoc(command.help or "").split("\n\n")[0].split())
    if language() != "en" and (told := translated(paragraph)) != paragraph:
        command.short_help = re.split(r"(?<=。)|：(?=\S*$)", told)[0].rstrip("。")
    return command
