"""`clone-voice import`: voices of other programs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from commands.reporting import Reporter, columns, json_option
from pipelines.i18n import translated


@click.command("import")
@click.argument("checkpoint")
@click.option("--name", required=True, help="What the voice is to be called.")
@click.option("--config", type=click.Path(path_type=Path), help="Its json  [default: beside it]")
@click.option(
    "--discriminator", type=click.Path(path_type=Path), help="D_*.pth, for training to go on from."
)
@click.option("--cleaner", help="How its text is read, where its json does not say.")
@click.option("--language", help="What it speaks, where its files do not say.")
@click.option("--licence", default="", help="Under which licence it is; kept in the card.")
@click.option("--force", is_flag=True, help="Replace a voice of this name.")
@click.option("--table", is_flag=True, help="List what became of every tensor.")
@json_option
def import_command(
    checkpoint: str, force: bool, table: bool, as_json: bool, **options: Any
) -> None:
    """Make a voice of the library of another program's CHECKPOINT: its file, folder or hub id.

    Known are original VITS and VITS-fast-fine-tuning (G_*.pth), Hugging Face VitsModel folders,
    Piper (.ckpt) and Coqui VITS. Nothing in the file is run.
    """
    from vits.formats.importer import ImportRequest, import_voice

    made = import_voice(ImportRequest(checkpoint, **options), force=force)
    count = {
        how: n for how in ("mapped", "fused", "reshaped", "left out") if (n := made.count(how))
    }
    counts = [f"{n} {translated(how)}" for how, n in count.items()]
    rows = [[row.source, translated(row.how), row.target] for row in made.rows] if table else []
    Reporter(as_json).result(
        {
            "name": made.name,
            "folder": made.folder,
            "layout": made.layout,
            "counts": count,
            "tensors": [dataclasses.asdict(row) for row in made.rows],
        },
        *(columns(rows) if rows else []),
        ", ".join([f"{made.name}: {made.layout}", *counts]),
        f'It is in {made.folder}. Try it: clone-voice say "..." -v {made.name}',
    )
