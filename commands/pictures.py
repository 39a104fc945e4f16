"""`story picture`, `story models`: one picture by an image model; what model files are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from commands.reporting import Reporter, columns, json_option
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.images.wish import Wish
    from pipelines.story.illustrators import Illustrator

F = TypeVar("F", bound=Callable[..., Any])


def illustrator_options(command: F) -> F:
    """`--illustrator NAME` and `--draw KEY=VALUE`, for whatever draws a story."""
    for option in (
        click.option(
            "--draw",
            "drawing",
            multiple=True,
            metavar="KEY=VALUE",
            help="How a model draws: steps=20, sampler='Euler a', cfg=7, width=640, height=360, "
            "hires=2, strength=0.5, follow=yes, safety=yes, vae=, webui=DIR, config=DIR, device=, "
            "ip_adapter=FILE_OR_ID (who is in a picture looks as in a portrait), ip_scale=0.6.",
        ),
        click.option(
            "--illustrator",
            metavar="NAME",
            help="Who draws: collage (cut paper; the default, no model is needed), cards (set in "
            "type), sd:FOLDER_OR_ID_OR_FILE, a1111:URL, openai:MODEL@URL.",
        ),
    ):
        command = option(command)
    return command


def chosen_illustrator(
    report: Reporter, name: str | None, drawing: tuple[str, ...] = ()
) -> Illustrator:
    """Who draws; where nobody was asked for, that is said."""
    from pipelines.story.illustrators import DEFAULT, illustrator

    if name is None and not drawing:
        report.say(f"Pictures: {DEFAULT}, cut from paper, since no image model was named.")
    return illustrator(name or DEFAULT, options_of(drawing))


def options_of(drawing: tuple[str, ...]) -> dict[str, str]:
    """'steps=20' as {'steps': '20'}."""
    options = {}
    for text in drawing:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"'{text}' is no KEY=VALUE.", "Write it as in --draw steps=20.")
        options[name.strip()] = value.strip()
    return options


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path), metavar="DIR")
@json_option
def models(folder: Path, as_json: bool) -> None:
    """What each model file below DIR is: checkpoint, VAE, LoRA, embedding; for which base.

    Told from the names and shapes inside; nothing in a file is run.
    """
    from pipelines.images.modelfiles import list_models

    report = Reporter(as_json)
    rows = []
    for found in list_models(folder):
        if isinstance(found, UserError):
            report.warn(found.cause)
            continue
        name = str(found.path.relative_to(folder))
        facts = {"file": name, "kind": found.kind, "base": found.base, "hash": found.hash}
        report.event("model", **facts, licence=found.licence)
        rows.append([name, found.kind, found.base or "-", found.hash, found.licence or "-"])
    report.result({"count": len(rows)}, *columns(rows))


@click.command()
@click.argument("prompt", required=False)
@click.option(
    "--from",
    "png",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Draw again by the settings that this PNG says it was made with.",
    metavar="PNG",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="PNG",
    help="Where the picture is put.",
)  # fmt: skip
@click.option("--negative", default=None, help="What is not to be seen.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1))
@illustrator_options
@json_option
def picture(
    prompt: str | None,
    png: Path | None,
    output: Path,
    illustrator: str | None,
    drawing: tuple[str, ...],
    as_json: bool,
    **changes: Any,
) -> None:
    """Draw PROMPT, or again what a PNG was, by an image model (--illustrator)."""
    from pipelines.images.failure import PictureFailed
    from pipelines.images.wish import CHUNK, wish_of_png
    from pipelines.media.labels import save_image
    from pipelines.story.painter import Painter

    if (prompt is None) == (png is None):
        raise UserError("Say what to draw, or name a PNG.", "Give PROMPT or --from PNG, not both.")
    if output.suffix.lower() != ".png":
        raise UserError(f"{output} is no name of a PNG.", "End it in .png: it keeps the settings.")
    if illustrator is None:
        raise UserError(
            "No image model was named.",
            "Add --illustrator sd:MODEL, a1111:URL or openai:MODEL@URL.",
        )
    report = Reporter(as_json)
    artist = chosen_illustrator(report, illustrator, drawing)
    if not isinstance(artist, Painter):
        raise UserError(f"'{illustrator}' draws stories alone.", "Name an image model.")
    wish = wish_of_png(png)[0] if png else replace(artist.wish, prompt=prompt or "")
    wish = _changed(wish, artist.wish if png else None, drawing, changes)
    try:
        made = artist.backend.draw(artist.backend.usual(wish))
    except PictureFailed as error:
        raise UserError(f"There is no picture: {error}.", "Try another seed: --seed 1.") from error
    save_image(made, output, text={CHUNK: made.info[CHUNK]})
    report.result({"file": output, "settings": made.info[CHUNK]}, str(output))


def _changed(
    wish: Wish, given: Wish | None, drawing: tuple[str, ...], changes: Mapping[str, Any]
) -> Wish:
    """The wish of a PNG with what the command line says otherwise."""
    if given is not None:
        named = [name for name in options_of(drawing) if hasattr(wish, name)]
        wish = replace(wish, **{name: getattr(given, name) for name in named})
    return replace(wish, **{name: value for name, value in changes.items() if value is not None})
