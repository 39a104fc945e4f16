"""`digital-human remember`, `chat` and `say`: what a persona knows, and talking with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.reporting import PARTIAL, Reporter, columns, device_option, json_option, plural
from commands.serving import (
    host_option,
    need_server,
    origin_option,
    port_option,
    rate_option,
    run,
    the_doors,
)
from pipelines.i18n import Verbatim, translated
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.persona.talk import Answer, Human

Speak = Callable[[Iterator[str], Callable[[], bool]], None]
persona_argument = click.argument("persona", type=click.Path(path_type=Path))
untuned_option = click.option(
    "--untuned", is_flag=True, help="Without the adapter that `train` made."
)
tool_option = click.option(
    "--tool", "tools", multiple=True, metavar="NAME",
    help="search, remember, draw, story, today or all: what the model may do; may be repeated.",
)  # fmt: skip
llm_option = click.option(
    "--llm",
    metavar="MODEL",
    help="hf:FOLDER_OR_ID, openai:MODEL@URL, a preset, or extractive: only quote the documents  "
    "[default: what it was tuned on, else the model of llm.yaml, else extractive]",
)


@click.command()
@persona_argument
@click.argument("documents", nargs=-1, type=click.Path(path_type=Path))
@click.option("--forget", multiple=True, metavar="DOCUMENT", help="Delete this document from it.")
@click.option("--date", metavar="YYYY-MM-DD", help="From when the documents hold: later ones win.")
@click.option("--embedder", metavar="MODEL", help="bundled (English), or hf:FOLDER_OR_ID.")
@json_option
def remember(
    persona: Path,
    documents: tuple[Path, ...],
    forget: tuple[str, ...],
    date: str | None,
    embedder: str | None,
    as_json: bool,
) -> None:
    """Give PERSONA what DOCUMENTS (txt, md, html, epub, pdf, docx, fb2) say; lists what it knows.

    A document of the same name is replaced. The date of a document is --date, or the first one in
    its name or its beginning.
    """
    from pipelines.persona.knowledge import Knowledge
    from pipelines.persona.knowledge.passages import date_in

    if date is not None and date_in(date) != date:
        raise UserError(f"'{date}' is no date.", "Write it as YYYY-MM-DD.")
    if not documents and not (persona / "knowledge").exists():
        raise UserError(f"{persona} knows no documents yet.", "Name some.")
    report = Reporter(as_json)
    knowledge = Knowledge(persona, embedder=embedder or "")
    failed = []
    for name in forget:
        knowledge.forget(name)
    with report.watching() as watch:
        for path in documents:
            try:
                knowledge.remember(path, date=date or "", on_progress=watch)
            except UserError as error:
                if len(documents) == 1:
                    raise
                failed.append(str(path))
                report.warn(str(error))
    known = knowledge.documents()
    threshold = knowledge.calibrate() if known else 0.0
    knowledge.close()
    rows = [["DOCUMENT", "DATE", "PASSAGES"], *([n, d, str(c)] for n, d, c in known)]
    listed = [{"name": n, "date": d, "passages": c} for n, d, c in known]
    fields = {"documents": listed, "threshold": threshold, "failed": failed}
    report.result(fields, *columns(rows), f"{plural(len(known), 'document')} in {persona}")
    if failed:
        raise click.exceptions.Exit(PARTIAL)


@click.command()
@persona_argument
@click.argument("text")
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Sound file to write.")
@llm_option
@untuned_option
@tool_option
@click.option("--language", help="What the answer is in  [default: the speaker's own]")
@device_option
@json_option
def say(
    persona: Path,
    text: str,
    voice: str,
    output: Path | None,
    llm: str | None,
    untuned: bool,
    tools: tuple[str, ...],
    language: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Answer TEXT as PERSONA and, with -o, speak the answer into a file while it is written."""
    report = Reporter(as_json)
    spoken = Spoken(voice, device, language)
    human = open_human(persona, llm, report, spoken, untuned=untuned, tools=tools)
    answer = human.answer(text)
    said: list[str] = []
    if output is None:
        said = list(answer.pieces)
    else:
        from pipelines.say import Text
        from pipelines.say import say as speak

        pieces = _noted(answer.pieces, said.append)
        speak(Text(pieces), voice, output, device=device, language=language)
    sources = [source.citation for source in answer.sources]
    fields = {"answer": "".join(said), "sources": sources, "output": output}
    lines = [Verbatim("".join(said)), *(f"Source: {source}" for source in sources)]
    made = [*answer.files, *([output] if output else [])]
    report.result(fields | {"files": answer.files}, *lines, *map(Verbatim, map(str, made)))


@click.command()
@persona_argument
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option("--text", "silent", is_flag=True, help="Write the answers, without a voice.")
@llm_option
@untuned_option
@tool_option
@click.option("--illustrator", metavar="NAME", help="Who draws for the tools  [default: collage]")
@click.option("--clear", is_flag=True, help="Delete what was said before.")
@click.option("--language", help="What the answers are in  [default: the speaker's own]")
@device_option
def chat(
    persona: Path,
    voice: str,
    silent: bool,
    llm: str | None,
    clear: bool,
    untuned: bool,
    tools: tuple[str, ...],
    illustrator: str | None,
    language: str | None,
    device: str,
) -> None:
    """Talk with PERSONA; an empty line or Ctrl-D ends it.

    The answer is spoken sentence by sentence while it is still being written; any key stops it.
    --tool lets the model do things by itself, those that are named. '+' likes the last
    answer, '-' does not and asks for another, '- TEXT' says what it should have been: `prefer`
    learns from it. What was said is kept in history.jsonl of the persona, --clear deletes it.
    """
    from pipelines.persona.history import clear_history

    if clear:
        clear_history(persona)
    report, spoken = Reporter(as_json=False), Spoken(voice, device, language)
    human = open_human(
        persona, llm, report, spoken, untuned=untuned, tools=tools, illustrator=illustrator
    )
    speak = None if silent else _speaker(spoken)
    click.echo(translated(f"This is an AI that speaks in the manner of {human.sheet.name}."))
    for question in _questions():
        try:
            _turn(human, question.strip(), speak)
        except UserError as error:
            click.echo(translated(f"Error: {error}"), err=True)


@click.command("serve")
@persona_argument
@host_option
@port_option
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@llm_option
@untuned_option
@rate_option
@origin_option
@device_option
@json_option
def serve(
    persona: Path,
    host: str,
    port: int,
    voice: str,
    llm: str | None,
    untuned: bool,
    rate: int,
    origins: tuple[str, ...],
    device: str,
    as_json: bool,
) -> None:
    """Talk with PERSONA in a browser, or as OpenAI's chat API: POST /v1/chat/completions.

    /v1/audio/speech speaks, /v1/models lists. On another address than this machine's own a key is
    needed, as CLONE_VOICE_KEY in the environment. Nothing that is said is kept. Ctrl-C ends it.
    """
    need_server()
    from pipelines.persona.server.app import PAGES, persona_app
    from pipelines.serving.doors import HEALTH
    from pipelines.serving.engine import known_voice

    known_voice(voice)
    report = Reporter(as_json)
    human = open_human(persona, llm, report, Spoken(voice, device), untuned=untuned)
    doors = the_doors(host, rate, origins, open_paths=(HEALTH, *PAGES))
    app = persona_app(human, doors, voice=voice, device=device)
    run(app, host, port, report, "Talk at {url}, as a program at {url}/v1")


@dataclass(frozen=True)
class Spoken:
    """How answers are spoken."""

    voice: str
    device: str
    language: str | None = None


def open_human(
    persona: Path,
    llm: str | None,
    report: Reporter,
    spoken: Spoken,
    *,
    untuned: bool = False,
    tools: tuple[str, ...] = (),
    illustrator: str | None = None,
) -> Human:
    """The persona with the model that is asked for, or that is set up, or none; and its tools."""
    from pipelines.persona.models import model_of
    from pipelines.persona.talk import Human
    from pipelines.persona.tools import Toolbox
    from pipelines.story.illustrators import illustrator as draws

    model = model_of(persona, llm, spoken.device, untuned=untuned)
    if model is None and llm is None:
        report.say("No language model is named: answers are quotations from the documents.")
    if model is None and tools:
        raise UserError("Tools need a language model that calls them.", "Name one with --llm.")
    artist = draws(illustrator, {}) if illustrator else None
    toolbox = Toolbox(
        persona, tools, artist, spoken.voice, device=spoken.device, language=spoken.language
    )
    return Human(persona, model, toolbox)


def _questions() -> Iterator[str]:
    asked_here = sys.stdin.isatty()
    while True:
        if asked_here:
            click.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line.strip():
            return
        yield line


def _turn(human: Human, line: str, speak: Speak | None) -> None:
    """A question, or a thumb on the last answer."""
    if line in ("+", "👍"):
        human.like()
        click.echo("Noted.")
    elif line in ("-", "👎"):
        _told(human.dislike(), speak)
    elif line.startswith("- "):
        human.correct(line[2:].strip())
        click.echo("Noted.")
    else:
        _told(human.answer(line), speak)


def _told(answer: Answer, speak: Speak | None) -> None:
    """Write the answer as it comes, and speak it, until its end or until a key is pressed."""
    from commands.keys import watching_keys

    shown = _noted(answer.pieces, lambda piece: click.echo(piece, nl=False))
    with watching_keys() as keys:
        if speak is not None:
            speak(shown, keys.pressed)
        else:
            for _ in shown:
                if keys.pressed():
                    break
    if keys.hit:
        with suppress(ValueError):  # a voice may still be taking the next sentence
            answer.pieces.close()
        answer.keep()
    click.echo(" …" if keys.hit else "")
    for source in answer.sources:
        click.echo(translated(f"Source: {source.citation}"))
    for path in answer.files:
        click.echo(str(path))


def _noted(pieces: Iterator[str], note: Callable[[str], Any]) -> Iterator[str]:
    for piece in pieces:
        note(piece)
        yield piece


def _speaker(spoken: Spoken) -> Speak:
    """What plays pieces of text as they come, until it is stopped."""
    from vits.playback import play
    from vits.voice import Voice

    loaded = Voice.load(spoken.voice, spoken.device)

    def speak(pieces: Iterator[str], stopped: Callable[[], bool]) -> None:
        speeches = loaded.speak(pieces, language=spoken.language, soon=True)
        play((speech.audio for speech in speeches), stopped)

    return speak
