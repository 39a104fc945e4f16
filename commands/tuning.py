"""`digital-human train`, `merge`, `prefer`: a language model that writes as a person does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.reporting import (
    Reporter,
    device_option,
    json_option,
    plural,
    seed_option,
    stopping,
)
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.persona.tuning.train import Tuning

NAMES = ("lora", "qlora", "prefix", "p-tuning", "p-tuning-v2", "prompt", "full", "top-layers")
GIVEN = ("rank", "target_modules", "virtual_tokens", "freeze_layers")
persona_argument = click.argument("persona", type=click.Path(path_type=Path))


@click.command()
@persona_argument
@click.option("--base", required=True, metavar="MODEL", help="hf:FOLDER_OR_ID: what to tune.")
@click.option("--method", type=click.Choice(NAMES), default="lora", show_default=True)
@click.option("--rank", type=click.IntRange(1), help="Of LoRA  [default: 8]")
@click.option(
    "--target-modules", metavar="NAMES", help="Parts that LoRA tunes: q_proj,v_proj or all-linear."
)
@click.option("--virtual-tokens", type=click.IntRange(1), help="Of prompts  [default: 20]")
@click.option("--freeze-layers", type=click.IntRange(0), help="So many layers stay as they are.")
@click.option("--epochs", type=click.FloatRange(0, min_open=True), default=2.0, show_default=True)
@click.option("--steps", type=click.IntRange(1), help="So many steps, whatever --epochs says.")
@click.option("--batch-size", type=click.IntRange(1), default=8, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True))
@click.option(
    "--length", type=click.IntRange(32), default=2048, show_default=True,
    help="The most tokens of a dialogue, and of a packed row.",
)  # fmt: skip
@click.option("--no-packing", is_flag=True, help="Each dialogue in a row of its own.")
@click.option("--force", is_flag=True, help="Replace an adapter that is there.")
@device_option
@seed_option
@json_option
def train(
    persona: Path, base: str, method: str, force: bool, as_json: bool, **options: Any
) -> None:
    """Tune a language model to write as PERSONA does, from the turns that were learned.

    Only the person's own turns are learned from; the latest tenth of the dialogues is held out.
    Stopped by Ctrl-C, the same command goes on. The adapter is put into PERSONA, the base is not;
    `chat` and `say` use it. On several GPUs: accelerate launch --config_file FILE digital-human ...
    """
    from pipelines.persona.tuning.methods import METHODS, Tuned
    from pipelines.persona.tuning.train import Stopped, TuneRequest, tune

    wish = {key: options.pop(key) for key in GIVEN}
    wish = {key: value for key, value in wish.items() if value is not None}
    for key in wish.keys() - set(METHODS[method].takes):
        raise UserError(
            f"--{key.replace('_', '-')} means nothing to --method {method}.", "Leave it out."
        )
    if "target_modules" in wish:
        wish["target_modules"] = tuple(n for n in wish["target_modules"].split(",") if n.strip())
    report = Reporter(as_json)
    options["packing"] = not options.pop("no_packing")
    request = TuneRequest(persona, base, Tuned(method, **wish), **options)
    with report.watching() as watch, stopping() as stop:

        def watched(progress: Any) -> None:
            stop.may_wait = progress.stage == "train"
            watch(progress)

        try:
            made = tune(request, force=force, on_progress=watched, should_stop=lambda: stop.asked)
        except Stopped:
            raise KeyboardInterrupt from None
    report.result(dataclasses.asdict(made), *_tuned_lines(made, persona))


def _tuned_lines(made: Tuning, persona: Path) -> list[str]:
    share = 100 * made.trainable / made.parameters
    lines = [
        f"{made.method} on {made.base}: {made.trainable} of {made.parameters} weights "
        f"({share:.2g} %), {plural(made.steps, 'step')} on {plural(made.dialogues, 'dialogue')}",
    ]
    if made.held_before is not None:
        lines.append(
            f"loss on the {made.held_out} latest, held out: {made.held_after} "
            f"(untuned {made.held_before})"
        )
    if made.too_long:
        lines.append(f"left out, too long: {plural(made.too_long, 'dialogue')}")
    return [*lines, f"The adapter is in {made.folder}", f"Talk: digital-human chat {persona}"]


@click.command()
@persona_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--base", default="", metavar="MODEL", help="Where the base is, if it has moved.")
@click.option("--force", is_flag=True, help="Replace what is in the folder.")
@json_option
def merge(persona: Path, output: Path, base: str, force: bool, as_json: bool) -> None:
    """Write the base and PERSONA's adapter as one model, which any program can load."""
    from pipelines.persona.tuning.merge import merge as merged

    made = merged(persona, output, base=base, force=force)
    Reporter(as_json).result(
        dataclasses.asdict(made),
        f"{made.base} with the adapter is in {made.folder}; its logits differ from theirs by "
        f"{made.difference:.2g} at most",
    )


@click.command()
@persona_argument
@click.option("--base", default="", metavar="MODEL", help="What to begin an adapter on.")
@click.option("--epochs", type=click.FloatRange(0, min_open=True), default=3.0, show_default=True)
@click.option("--beta", type=click.FloatRange(0, min_open=True), default=0.1, show_default=True,
              help="How near to stay to what it was.")  # fmt: skip
@click.option(
    "--learning-rate", type=click.FloatRange(0, min_open=True), default=1e-5, show_default=True
)
@device_option
@seed_option
@json_option
def prefer(persona: Path, as_json: bool, **options: Any) -> None:
    """Learn from the thumbs that were given to PERSONA in a chat: '+' and '-' (DPO)."""
    from pipelines.persona.tuning.prefer import PreferRequest
    from pipelines.persona.tuning.prefer import prefer as learn_from

    report = Reporter(as_json)
    with report.watching() as watch:
        made = learn_from(PreferRequest(persona, **options), on_progress=watch)
    report.result(
        dataclasses.asdict(made),
        f"{plural(made.pairs, 'pair')} of answers learned in {plural(made.steps, 'step')}; the "
        f"better one is the likelier in {made.agreed_after:.0%} (before {made.agreed_before:.0%})",
        *([f"{plural(made.unpaired, 'thumb')} without a partner: not used"] * bool(made.unpaired)),
        f"The adapter is in {made.folder}",
    )
