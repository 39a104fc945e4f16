"""`clone-voice list`, `show`, `remove`, `pack`, `add`: the library of voices."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from commands.reporting import Reporter, columns, json_option, size
from pipelines.i18n import translated


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the voices of the library."""
    from vits.library import list_voices

    voices = list_voices()
    rows = [["VOICE", "LANGUAGES", "SPEAKERS", "SIZE", ""]] + [
        [v.name, " ".join(v.languages), str(len(v.speakers)), size(v.bytes), v.problem]
        for v in voices
    ]
    nothing = "There is no voice yet: clone-voice train CLIPS --name NAME"
    Reporter(as_json).result(
        {"voices": [dataclasses.asdict(voice) for voice in voices]},
        *(columns(rows) if voices else [nothing]),
    )


@click.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what is known about the voice NAME: who speaks, consent, origin, training, scores."""
    from vits.card import read_card
    from vits.library import describe, find_voice, made_with

    folder = find_voice(name)
    entry, card, made = describe(folder), read_card(folder), made_with(name)
    facts = dataclasses.asdict(entry) | {"card": dataclasses.asdict(card), "made": made}
    Reporter(as_json).result(facts, *_card_lines(facts))


def _card_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """A voice's facts as lines `name: value`, what is empty left out."""
    card = dict(facts["card"])
    rows = {
        "voice": facts["name"],
        "folder": facts["folder"],
        "size": size(facts["bytes"]),
        "problem": facts["problem"],
        "languages": ", ".join(facts["languages"]),
        "speakers": ", ".join(facts["speakers"]),
        **{key: value for key, value in card.items() if key not in ("name", "others")},
        "made with it": [str(path) for path in facts["made"]],
    }
    for name, value in rows.items():
        label = translated(name.replace("_", " "))
        if isinstance(value, Mapping):
            short = {k: v for k, v in value.items() if not isinstance(v, (list, dict))}
            yield from (f"{label}, {k.replace('_', ' ')}: {v}" for k, v in short.items())
        elif isinstance(value, (list, tuple)):
            for item in value:
                text = ", ".join(map(str, item.values())) if isinstance(item, Mapping) else item
                yield f"{label}: {text}"
        elif value:
            yield f"{label}: {value}"


@click.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Delete the voice NAME: weights, samples, training state. Lists what was made with it."""
    from vits.library import remove_voice

    if not yes and not as_json and sys.stdin.isatty():
        question = f"Delete the voice {name} with all that belongs to it?"
        click.confirm(translated(question), abort=True, err=True)
    removed = remove_voice(name)
    lines = [f"Deleted {removed.name}, {size(removed.bytes)}."]
    if removed.made:
        lines += ["These files were made with it and are still there:", *map(str, removed.made)]
    Reporter(as_json).result(dataclasses.asdict(removed), *lines)


@click.command()
@click.argument("name")
@click.argument("new")
@json_option
def rename(name: str, new: str, as_json: bool) -> None:
    """Call the voice NAME from now on NEW."""
    from vits.library import rename_voice

    folder = rename_voice(name, new)
    Reporter(as_json).result({"name": folder.name, "folder": folder}, f"It is {folder.name} now.")


@click.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="[default: NAME.voice here]")
@json_option
def pack(name: str, output: Path | None, as_json: bool) -> None:
    """Write the voice NAME as one file, to hand on."""
    from vits.packing import pack_voice

    path = pack_voice(name, output)
    Reporter(as_json).result({"path": path}, f"{path}, {size(path.stat().st_size)}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Call it so  [default: its own name]")
@click.option("--force", is_flag=True, help="Replace a voice of this name.")
@json_option
def add(file: Path, name: str | None, force: bool, as_json: bool) -> None:
    """Take a packed voice into the library."""
    from vits.packing import add_voice

    folder = add_voice(file, name=name, force=force)
    Reporter(as_json).result(
        {"name": folder.name, "folder": folder},
        f'Added {folder.name}. Try it: clone-voice say "Hello." -v {folder.name}',
    )
