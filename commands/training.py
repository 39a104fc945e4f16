"""`clone-voice train`, `pretrain`: from clips to a voice, from corpora to a base of voices."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.reporting import Reporter, device_option, json_option, seed_option, stopping
from pipelines.i18n import translated
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.clone import CloneResult
    from pipelines.progress import Progress


@click.command()
@click.argument("clips", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the voice is to be called.")
@click.option("--consent", metavar="TEXT_OR_FILE", help="How the speaker agreed; kept in the card.")
@click.option("--base", default="base", show_default=True, help="The voice to start from.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Train for so long.")
@click.option("--epochs", type=click.IntRange(1), help="Train so many times through the clips.")
@click.option("--steps", type=click.IntRange(1), help="Train so many steps.")
@click.option("--quick", is_flag=True, help="A first voice in about a minute, without training.")
@click.option("--batch-size", type=click.IntRange(1), help="Clips in a step.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True))
@click.option("--language", help="What the clips speak, where no list says so.")
@device_option
@seed_option
@click.option("--resume", is_flag=True, help="Only go on with a training that was begun.")
@click.option("--force", is_flag=True, help="Replace a voice of this name made from other inputs.")
@json_option
def train(
    clips: Path, consent: str | None, resume: bool, force: bool, as_json: bool, **options: Any
) -> None:
    """Turn the recordings in CLIPS into a voice of the library.

    CLIPS is a folder of sound files with their texts beside them (.txt, .lab), an LJSpeech folder,
    or a list: manifest.tsv, path|text. Without --minutes, --epochs or --steps the amount of
    training follows from the seconds of speech. Stopped by Ctrl-C, the same command goes on. With
    --quick the base takes on the voice without training; the same command without it improves it.
    """
    budget = [name for name in ("minutes", "epochs", "steps") if options[name] is not None]
    if len(budget) > 1:
        raise UserError(
            f"--{budget[0]} and --{budget[1]} both say how long to train.", "Give one of them."
        )
    agreed = consent_text(consent, ask=not as_json)
    from pipelines.clone import CloneRequest, clone

    given = {key: value for key, value in options.items() if value is not None}
    request = CloneRequest(clips, consent=agreed, **given)
    report = Reporter(as_json)
    with report.watching() as watch, stopping() as stop:
        made = clone(request, resume=resume, force=force, listeners=report.listeners(watch, stop))
    report_voice(report, made)


def report_voice(report: Reporter, made: CloneResult, event: str = "result") -> None:
    for dropped in made.dropped:
        report.warn(f"Left out: {dropped}")
    for doubtful in made.doubtful:
        report.warn(f"Used, but look at it: {doubtful}")
    scores = dict(made.card.scores)
    facts = {"name": made.name, "folder": made.folder, "scores": scores}
    facts |= {"dropped": [str(clip) for clip in made.dropped], "made_before": made.made_before}
    facts |= {"doubtful": [str(clip) for clip in made.doubtful]}
    if told := made.card.training.get("over_trained"):
        report.warn(f"{told}: trained too long. An earlier checkpoint was kept.")
    report.result(
        facts,
        f"{made.name}: {score_line(scores)}",
        f"{'It was made before' if made.made_before else 'It is'} in {made.folder}",
        f'Try it: clone-voice say "Hello." -v {made.name}',
        *(["The same command without --quick makes it better."] * _is_quick(made)),
        event=event,
    )


def _is_quick(made: CloneResult) -> bool:
    return bool(made.card.training.get("quick"))


def score_line(scores: Mapping[str, Any]) -> str:
    """A card's scores in one line, each beside that of the real clips."""
    parts = []
    if "similarity" in scores:
        real = scores.get("similarity_ceiling", "not measured")
        parts.append(f"similarity {scores['similarity']} (real clips {real})")
    if "cer" in scores:
        real = scores.get("reference_cer", "not measured")
        parts.append(f"character error rate {scores['cer']} (real clips {real})")
    return ", ".join(parts) or "no scores"


def consent_text(given: str | None, *, ask: bool = True) -> str:
    """The speaker's consent: as given, from the file that is named, or asked for.

    Raises UserError where there is nobody to ask, or for a file that is not there or says nothing.
    """
    if given is None:
        if not (ask and sys.stdin.isatty()):
            raise UserError(
                "Nothing says that the speaker agreed to this.",
                "Add --consent with their words, or with a file that holds them.",
            )
        given = str(click.prompt(translated("Who speaks, and how did they agree to it"), err=True))
    if _names_a_file(given):
        from data.encodings import read_text

        given = read_text(Path(given))
    if not given.strip():
        raise UserError("The consent says nothing.", "Write who speaks and how they agreed.")
    return given.strip()


def _names_a_file(text: str) -> bool:
    """Whether a text is the name of a file, or looks so much like one that it must be a slip."""
    with suppress(OSError):  # longer than a name can be
        if Path(text).is_file():
            return True
    return Path(text).suffix.lower() in (".txt", ".md") and not set(text) & set(" \n")


@click.command()
@click.argument("corpora", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, metavar="DIR", type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path), help="JSON or YAML: steps, sizes, ...")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Train for so long.")
@click.option("--workers", type=click.IntRange(1), help="Processes that read  [default: cores]")
@device_option
@click.option("--resume", is_flag=True, help="Only go on with a pretraining that was begun.")
@json_option
def pretrain(
    corpora: tuple[Path, ...],
    output: Path,
    config: Path | None,
    workers: int | None,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a base voice of CORPORA, for others to be cloned from.

    CORPORA are folders as they are downloaded: LJSpeech, VCTK, LibriTTS, Common Voice, AISHELL-3,
    Baker, THCHS-30, CSS10, JSUT, or a folder with a manifest.tsv. On several devices start it with
    `accelerate launch`. Stopped by Ctrl-C, the same command goes on; its state is in DIR.work.
    """
    import os

    from pipelines.pretrain import PretrainRequest, process_rank, read_config
    from pipelines.pretrain import pretrain as make

    count = workers or os.cpu_count() or 1
    request = PretrainRequest(corpora, output, read_config(config), workers=count, **options)
    report = Reporter(as_json)
    with report.watching() as watch, stopping() as stop:

        def watched(progress: Progress) -> None:
            stop.may_wait = True  # every stage looks whether to stop, and saves
            watch(progress)

        folder = make(request, resume=resume, on_progress=watched, should_stop=lambda: stop.asked)
    if process_rank() != 0:  # the first process of several speaks for all
        return
    report.result(
        {"folder": folder},
        f'The base is in {folder}. Try it: clone-voice say "Hello." -v {folder}',
    )
