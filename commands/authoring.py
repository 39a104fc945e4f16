"""`story`: writing a story, checking it, and keeping what is good of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from commands.reporting import MENDABLE, Reporter, columns, device_option, json_option, plural
from pipelines.i18n import Verbatim, translated

FORMS = ("story", "novel", "douyin", "xiaohongshu", "ad")
LANGUAGES = ("en", "zh", "ja", "de")

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

llm_option = click.option(
    "--llm",
    default="",
    metavar="MODEL",
    help="hf:FOLDER_OR_ID[,int8|,int4], openai:MODEL@URL, or a preset such as ollama:MODEL.",
)


def wish_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is asked of a story that a language model writes."""
    for option in reversed(
        (
            click.option("--form", type=click.Choice(FORMS), default="story", show_default=True),
            click.option("--scenes", type=click.IntRange(1, 60), help="How many."),
            click.option("--words", type=click.IntRange(5, 600), help="About, in a scene."),
            click.option("--age", type=click.IntRange(0, 120), help="Of the listeners, in years."),
            click.option("--tone", default="", help="Such as 'gentle and a little silly'."),
            click.option("--style", default="", help="How the pictures are drawn."),
        )
    ):
        command = option(command)
    return command


def wishes_of(options: dict[str, Any], language: str | None, seed: int = 0) -> Any:
    """The wishes among a command's options, taken out of them."""
    from pipelines.story.forms import Wishes

    named = {
        name: options.pop(name) for name in ("form", "scenes", "words", "age", "tone", "style")
    }
    return Wishes(**named, language=language or "", seed=seed)


@click.command()
@click.argument("source")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The story folder to write story.yaml into.",
)
@llm_option
@wish_options
@click.option("--language", type=click.Choice(LANGUAGES), help="To write in, or of the text.")
@click.option("--translate-to", type=click.Choice(LANGUAGES), help="Other words, same scenes.")
@click.option("--retell", is_flag=True, help="A text in other words, not in its own.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of all chance.")
@device_option
@json_option
def write(
    source: str, output: Path, as_json: bool, language: str | None, seed: int, **options: Any
) -> None:
    """Write a story from SOURCE: an idea in words, an outline (.md or .txt with a list), a text, or
    a story to translate.

    A text keeps its words: a language model only says who speaks them. The story is a file that you
    may change before it is told.
    """
    from pipelines.story.storyfile import read_story
    from pipelines.story.writing import write

    report = Reporter(as_json)
    wishes = wishes_of(options, language, seed)
    with report.watching() as watch:
        path, model = write(source, output, wishes=wishes, on_event=watch, **options)
    story = read_story(path)
    used = model.usage if model else None
    facts = {
        "path": path,
        "title": story.title,
        "scenes": len(story.scenes),
        "cast": list(story.cast),
        "usage": used.line if used and used.requests else "",
    }
    lines = [f"{story.title}: {plural(len(story.scenes), 'scene')}, {path}"]
    if used and used.requests:
        lines.append(used.line)
    report.result(facts, *lines)


@click.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def new(folder: Path, as_json: bool) -> None:
    """Begin a story to write oneself: DIR/story.yaml, with everything it may hold shown."""
    from pipelines.story.fresh import new_story

    path = new_story(folder)
    Reporter(as_json).result({"path": path}, f"{path}: open it in an editor.")


@click.command()
@click.argument("source", metavar="DIR")
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@json_option
def check(source: str, as_json: bool, voice: str) -> None:
    """Check everything in a story's folder: fields, cast and voices, words that cannot be spoken,
    files of your own, takes, prompts."""
    from pipelines.story.check import check_story

    report = Reporter(as_json)
    story, found = check_story(source, voice=voice)
    wrong = [finding for finding in found if finding.stops]
    title = story.title if story else source
    facts = {
        "title": title,
        "errors": [finding.line for finding in wrong],
        "warnings": [finding.line for finding in found if not finding.stops],
    }
    counts = f"{plural(len(wrong), 'error')}, {plural(len(found) - len(wrong), 'warning')}"
    report.result(facts, *(finding.line for finding in found), f"{title}: {counts}")
    if wrong:
        raise click.exceptions.Exit(MENDABLE)


@click.command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.argument("parts", nargs=-1, required=True, metavar="PART...")
@click.option("--free", is_flag=True, help="Let go of what was pinned.")
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option("--illustrator", metavar="NAME", help="Who drew, as it was rendered.")
@json_option
def pin(folder: Path, parts: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Keep pictures or lines as they are now, whatever changes: scene:3.picture, scene:3.line:2."""
    from pipelines.story.pinning import pin

    done = pin(folder, parts, **options)
    verb = "free" if options["free"] else "pinned"
    Reporter(as_json).result({verb: done}, *(f"{verb} {name}" for name in done))


@click.command()
@click.argument("subject")
@llm_option
@click.option("--style", default="", help="Such as 'watercolor', or 'photo' for a photograph.")
@json_option
def prompt(subject: str, llm: str, style: str, as_json: bool) -> None:
    """Write the prompt of a picture of SUBJECT, in any language, for Stable Diffusion."""
    from pipelines.story.prompting import prompt_of

    made = prompt_of(subject, style=style, llm=llm)
    facts = {"prompt": made.positive, "negative": made.negative}
    Reporter(as_json).result(facts, *map(Verbatim, made.printed.split("\n")))


def plan_lines(plan: Any) -> list[str]:
    """A plan for people: what is to do, and how long it takes here."""
    from commands.reporting import span

    rows = [("", "to make", "there", "about")]
    for step in plan.steps:
        time = "not known yet" if step.seconds is None else span(step.seconds)
        rows.append(
            (translated(step.name), str(step.todo), str(step.there), time if step.todo else "")
        )
    whole = "time not known yet" if plan.seconds is None else f"about {span(plan.seconds)}"
    head = f"{plan.title}: {plural(plan.scenes, 'scene')}, {span(plan.sound_s)} of sound"
    cast = [f"Cast: {', '.join(plan.characters)}"] if plan.characters else []
    return [head, *cast, *columns(rows), f"In all: {whole}."]
