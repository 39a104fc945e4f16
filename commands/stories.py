"""`story`: from a text to a film, a page, subtitles, sound."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.authoring import llm_option, plan_lines, wish_options, wishes_of
from commands.pictures import chosen_illustrator, illustrator_options
from commands.reporting import PARTIAL, Reporter, device_option, json_option, span, stopping
from commands.training import report_voice

if TYPE_CHECKING:
    from pipelines.story.render import RenderResult


@click.command()
@click.argument("source")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The story folder to make: its files are in DIR/out.",
    metavar="DIR",
)
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    default=("mp4", "html"),
    show_default=True,
    help="mp4, epub, html, pdf, m4b, mp3, srt, vtt or ass; may be given several times.",
)
@click.option(
    "--pages",
    type=click.Choice(["fixed", "flowing"]),
    default="fixed",
    show_default=True,
    help="Of an epub: a picture book, or text that flows.",
)
@click.option(
    "--aspect",
    type=click.Choice(["16:9", "9:16", "1:1"]),
    help="The shape of the film, and of what the collage draws; else as the story says, or 16:9.",
)
@click.option(
    "--height",
    type=click.Choice(["720", "1080"]),
    default="720",
    show_default=True,
    help="Pixels of the film's shorter side.",
)
@click.option(
    "--captions",
    type=click.Choice(["soft", "burnt", "none"]),
    default="soft",
    show_default=True,
    help="Of the film: a track that players show or not, or drawn into the picture word by word.",
)
@click.option(
    "--notice",
    type=click.Choice(["visible", "spoken", "none"]),
    default="visible",
    show_default=True,
    help="That a machine made it: to be seen, said at the end too, or (labels stay) neither.",
)
@click.option(
    "--music",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A piece of music to lie under the story, softer while somebody speaks.",
)
@illustrator_options
@llm_option
@wish_options
@click.option("--language", help="What the text is in, where it does not say so.")
@click.option(
    "--cast",
    type=click.Choice(["library", "narrator"]),
    default="library",
    show_default=True,
    help="Who speaks for those without a voice: fitting ones of the library, or the narrator.",
)
@click.option(
    "--redo",
    multiple=True,
    metavar="PART",
    help="Make a part again with other chance: scene:3.picture, scene:3.line:2, scene:3.",
)
@click.option("--preview", is_flag=True, help="The first scene alone, into DIR/out/preview.")
@click.option("--plan", is_flag=True, help="Only say what would be made, and how long it takes.")
@device_option
@json_option
def render(
    source: str,
    output: Path,
    as_json: bool,
    aspect: str | None,
    height: str,
    illustrator: str | None,
    drawing: tuple[str, ...],
    plan: bool,
    **options: Any,
) -> None:
    """Tell the story in SOURCE: a story folder, story.yaml, .md or .txt, or an idea in words that
    a language model writes a story of.

    What is made already is not made again, so that a changed line costs one line.
    """
    from pipelines.story.illustrators import in_shape
    from pipelines.story.render import render
    from pipelines.story.ship import Settings, film_size, find_format
    from pipelines.story.writer import aspect_of

    report = Reporter(as_json)
    for name in options["formats"]:
        find_format(name)
    usual = aspect_of(source, options["form"])  # what is wrong with the source is told first
    size = film_size(aspect or usual, int(height))
    artist = in_shape(chosen_illustrator(report, illustrator, drawing), size)
    shipping = {name: options.pop(name) for name in ("pages", "captions", "notice")}
    options |= {
        "artist": artist,
        "settings": Settings(size, **shipping),
        "wishes": wishes_of(options, options["language"]),
    }
    if plan:
        _report_plan(report, source, output, options)
        return
    with report.watching() as watch:
        told = render(source, output, on_event=watch, **options)
    _report_story(report, told)


def _report_plan(report: Reporter, source: str, output: Path, options: dict[str, Any]) -> None:
    from dataclasses import asdict

    from pipelines.story.planning import plan_render

    plan = plan_render(source, output, **options)
    report.result({**asdict(plan), "seconds": plan.seconds}, *plan_lines(plan), event="plan")


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("story"),
    show_default=True,
    help="The story folder to make.",
    metavar="DIR",
)
@click.option("--steps", type=click.IntRange(1), help="Train only so many steps.")
@click.option("--scenes", type=click.IntRange(1), help="Tell only so many scenes.")
@device_option
@json_option
def demo(output: Path, as_json: bool, **options: Any) -> None:
    """Clone the example voice from 20 real clips and tell the example story with it.

    A second run finds everything made.
    """
    from pipelines.demo import demo

    report = Reporter(as_json)
    with report.watching() as watch, stopping() as stop:
        made = demo(output, listeners=report.listeners(watch, stop), **options)
    report_voice(report, made.voice, "voice")
    _report_story(report, made.story)


def _report_story(report: Reporter, told: RenderResult) -> None:
    if told.unknown:
        report.warn(f"Not spoken: {' '.join(told.unknown)}")
    facts = {
        "folder": told.folder,
        "title": told.story.title,
        "files": told.files,
        "duration_s": told.duration_s,
        "made": told.made,
        "reused": told.reused,
        "unknown": told.unknown,
        "failed": dict(told.failed),
        "usage": told.usage,
    }
    report.result(
        facts,
        f"{told.story.title}: {span(told.duration_s)}, {told.made} made, {told.reused} found made",
        *(f"{name:5} {path}" for name, path in told.files.items()),
        *([f"language model: {told.usage}"] if told.usage else []),
        *(f"no picture of scene {scene}: {why}" for scene, why in told.failed.items()),
    )
    if told.failed:
        sys.exit(PARTIAL)
