"""`digital-human`: a person's manner from what they wrote."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.reporting import PARTIAL, Reporter, json_option, plural
from pipelines.i18n import translated

if TYPE_CHECKING:
    from pipelines.persona.learn import Report


@click.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--me",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Who the person is in the logs; may be given several times.",
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The persona's folder."
)
@click.option(
    "--private",
    type=click.Choice(["mask", "drop"]),
    default="mask",
    show_default=True,
    help="What to do with private data: a pseudonym for each, or without the whole turn.",
)
@click.option("--force", is_flag=True, help="Learn anew over a persona that is there.")
@json_option
def learn(
    logs: tuple[Path, ...],
    me: tuple[str, ...],
    output: Path,
    private: str,
    force: bool,
    as_json: bool,
) -> None:
    """Learn how a person writes from LOGS.

    LOGS: chats exported by WhatsApp or QQ (txt), Telegram or Discord (JSON), WeChat exporters
    (CSV), any CSV or JSONL with columns such as speaker, text, time; mail (mbox); diaries and
    essays (txt, md, docx). Other people's names, addresses, numbers of telephones, cards and
    identity papers do not get into the persona.
    """
    from pipelines.persona.learn import learn as learn_from

    report = Reporter(as_json)
    with report.watching() as watch:
        found = learn_from(
            logs, me, output, drop_private=private == "drop", force=force, on_progress=watch
        )
    for failed in found.failed:
        report.warn(f"Left out: {failed}")
    report.result(dataclasses.asdict(found) | {"output": output}, *_lines(found, output))
    if found.failed:
        raise click.exceptions.Exit(PARTIAL)


def _lines(found: Report, output: Path) -> list[str]:
    lines = [
        f"{plural(found.messages, 'message')} read, {found.mine} by {found.name}",
        f"kept: {plural(found.turns, 'turn')}, of them {found.unprompted} unasked, "
        f"in {plural(found.dialogues, 'dialogue')}",
    ]
    if found.masked:
        each = (f"{count} {translated(kind)}" for kind, count in found.masked.items())
        lines.append(f"masked: {', '.join(each)}")
    if found.dropped:
        each = (f"{count} {translated(reason)}" for reason, count in found.dropped.items())
        lines.append(f"dropped: {', '.join(each)}")
    return [*lines, f"The persona is in {output}; its habits, to edit: {output / 'persona.yaml'}"]
