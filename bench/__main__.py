"""`python -m bench [NAME...]`: measure, and print one table in Markdown."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from bench.audiobooks import audiobook, audiobook_memory, audiobook_workers, shelf_kills
from bench.chapters import chapters
from bench.cloning_step import cloning_step
from bench.commands import startup, story
from bench.engines import front_end, imported, onnx
from bench.first_audio import first_audio
from bench.foreign import import_memory, imported_step
from bench.gathering import gathering
from bench.kills import kills
from bench.library import library
from bench.machine import busy_note, load, machine
from bench.memory import memory
from bench.persona import learning
from bench.preparing import people, preparing
from bench.privacy import privacy
from bench.proof import proof
from bench.serving import serving, studio
from bench.settings import LANGUAGE, Settings, a_voice, tell
from bench.synthesis import synthesis
from bench.table import Row, markdown
from bench.telling import telling
from bootstrap import usable_cores

BENCHES: dict[str, Callable[[Settings], list[Row]]] = {
    "synthesis": synthesis,
    "first_audio": first_audio,
    "memory": memory,
    "cloning_step": cloning_step,
    "startup": startup,
    "privacy": privacy,
    "learning": learning,
    "story": story,
    "kills": kills,
    "chapters": chapters,
    "audiobook": audiobook,
    "audiobook_memory": audiobook_memory,
    "audiobook_workers": audiobook_workers,
    "shelf_kills": shelf_kills,
    "library": library,
    "preparing": preparing,
    "people": people,
    "gathering": gathering,
    "proof": proof,
    "telling": telling,
    "onnx": onnx,
    "imported": imported,
    "front_end": front_end,
    "import_memory": import_memory,
    "imported_step": imported_step,
    "serving": serving,
    "studio": studio,
}
# take a quarter of an hour and more, or need recordings that are not part of the project
ON_REQUEST = (
    "story", "kills", "audiobook", "audiobook_memory", "audiobook_workers", "shelf_kills",
    "library",
    "preparing", "people", "gathering", "proof", "telling", "serving", "studio", "onnx", "imported",
    "import_memory", "imported_step",
)  # fmt: skip


def measure(names: Sequence[str], settings: Settings) -> list[Row]:
    """Run benchmarks one after the other; one that fails becomes a row that says so."""
    rows = []
    for name in names:
        tell(f"{name} ...")
        started = time.monotonic()
        try:
            rows += BENCHES[name](settings)
        except Exception as error:  # the other measurements must not be lost
            rows.append(Row(name, None, note=f"{type(error).__name__}: {error}"))
        tell(f"{name}: {time.monotonic() - started:.0f} s")
    return rows


def report(rows: Sequence[Row], waiting: float | None) -> str:
    """The machine, a warning if it was busy, and the table."""
    parts = [machine(), busy_note(waiting, usable_cores()), markdown(rows)]
    return "\n\n".join(part for part in parts if part)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)), metavar="[NAME]...")
@click.option("--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option("--rounds", type=click.IntRange(1), help="Times that synthesis is measured.")
@click.option("--words", type=click.IntRange(1), help="Length of the text for memory.")
@click.option("--steps", type=click.IntRange(1), help="Steps of cloning in each size.")
@click.option("--batch-size", type=click.IntRange(1), help="Clips in a step of cloning.")
@click.option("--threads", type=click.IntRange(1), help="Of what may use all  [default: torch's]")
@click.option("--launches", type=click.IntRange(1), help="Times that --help is asked for.")
@click.option("--chapters", type=click.IntRange(1), help="Of an audiobook.")
@click.option("--books", type=click.IntRange(1), help="Of a shelf.")
@click.option("--prices", nargs=2, type=float, help="Of a core hour, and of a GB and month.")
@click.option("--language", default=LANGUAGE, show_default=True, help="Of audiobooks.")
@click.option("--scenes", type=click.IntRange(1), help="Of the story that is told.")
@click.option("--kills", type=click.IntRange(1), help="Times that each command is killed.")
@click.option("--minutes", type=click.FloatRange(0.3), help="Of recordings to prepare.")
@click.option("--corpora", type=click.Path(path_type=Path), help="Where those recordings are.")
@click.option("--sentences", "count", type=click.IntRange(1), help="Use only so many sentences.")
@click.option(
    "--story", "story_arguments", default="", help="More arguments of `story demo`: '--steps 4'."
)
@click.option("--messages", type=click.IntRange(1), help="Of the chat that is learned.")
@click.option("--people", type=click.Path(path_type=Path), help="Folders of clips, for proof.")
@click.option("--reports", type=click.Path(path_type=Path), help="Keep the reports of proof here.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report here too.")
def main(
    names: tuple[str, ...],
    voice: str,
    count: int | None,
    story_arguments: str,
    output: Path | None,
    **options: Any,
) -> None:
    """Measure what NAME says, or the quick ones, and print a table in Markdown.

    NAME: synthesis, first_audio, memory, cloning_step, startup, privacy, learning, story, kills,
    chapters, audiobook, audiobook_memory, audiobook_workers, shelf_kills, library, preparing,
    people, gathering, proof, telling, serving, studio, onnx, imported, front_end, import_memory,
    imported_step. Exit code 1 if something could not be measured; a target that is not met is a
    result and no failure.
    """
    from pipelines.evaluate import load_sentences

    waiting = load()
    chosen = list(dict.fromkeys(names)) or [name for name in BENCHES if name not in ON_REQUEST]
    given = {key: value for key, value in options.items() if value is not None}
    settings = Settings(
        sentences=tuple(load_sentences(options["language"])[:count]),
        story=tuple(story_arguments.split()),
        **given,
    )
    with tempfile.TemporaryDirectory() as folder, a_voice(voice, Path(folder)) as (found, note):
        settings = dataclasses.replace(settings, voice=found, voice_note=note)
        rows = measure(chosen, settings)
    text = report(rows, waiting)
    click.echo(text)
    if output is not None:
        output.write_text(text + "\n", encoding="utf-8")
    if any(row.value is None for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
