"""`digital-human train`: a model tuned until it writes as the person does; the adapter is kept.

Several GPUs and DeepSpeed come from accelerate: `accelerate launch --config_file FILE
digital-human train ...`. The run's private state is in PERSONA/tuning, the adapter in
PERSONA/adapter.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.llm.adapters import CARD, DELTA, PEFT, Card, weights_digest, write_card
from pipelines.llm.local import LocalModel
from pipelines.persona.models import ADAPTER
from pipelines.persona.sheet import read_sheet
from pipelines.persona.tuning.examples import Example, Split, Writer, split_of
from pipelines.persona.tuning.methods import METHODS, Tuned, prepared
from pipelines.progress import OnProgress, Progress, silent
from vits.errors import UserError
from vits.files import write_text

RUN, RUN_FILE = "tuning", "run.json"


@dataclass(frozen=True)
class TuneRequest:
    """What to tune and how. `base` is 'hf:FOLDER_OR_ID'; None stands for the method's usual."""

    persona: Path
    base: str
    tuned: Tuned = field(default_factory=Tuned)
    epochs: float = 2.0
    steps: int | None = None
    batch_size: int = 8
    learning_rate: float | None = None
    length: int = 2048
    packing: bool = True
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class Tuning:
    """What came of it. Losses are of held-out turns, before and after; None without any."""

    folder: Path
    base: str
    method: str
    dialogues: int
    held_out: int
    too_long: int
    trainable: int
    parameters: int
    steps: int
    loss: float | None
    held_before: float | None
    held_after: float | None
    resumed: bool


class Stopped(Exception):
    """Stopped when asked, and saved: the same command goes on."""


def tune(
    request: TuneRequest,
    *,
    force: bool = False,
    on_progress: OnProgress = silent,
    should_stop: Callable[[], bool] = lambda: False,
) -> Tuning:
    """Tune, or go on with the same tuning that was stopped. Raises UserError, and Stopped."""
    folder = request.persona / ADAPTER
    split = split_of(request.persona)
    if (folder / CARD).exists() and not force:
        raise UserError(
            f"{request.persona} has an adapter already.", "Add --force to replace it by a new one."
        )
    model = base_of(request.base, request.device, METHODS[request.tuned.method].bits)
    run = _Run(request, split, model)
    return run.tuned(folder, on_progress, should_stop)


def base_of(spec: str, device: str, bits: int | None = None) -> LocalModel:
    """The model of this machine that `spec` names, to be tuned. UserError for any other."""
    kind, _, name = spec.partition(":")
    if kind != "hf" or not name or name.endswith((",int8", ",int4")):
        raise UserError(
            f"'{spec}' is no base to tune.",
            "Give --base hf:FOLDER_OR_ID; for one in 4 bits add --method qlora.",
        )
    _need_packages()
    from pipelines.persona.tuning.loop import quiet
    from vits.device import pick_device

    quiet()
    return LocalModel(name, pick_device(device), bits)


def _need_packages() -> None:
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise UserError(
            "Tuning needs packages that are not installed.",
            "Install them: pip install 'clone-voice[persona]'.",
        ) from error


class _Run:
    """One tuning, with all that decides it."""

    def __init__(self, request: TuneRequest, split: Split, model: LocalModel) -> None:
        self.request, self.split, self.model = request, split, model
        self.method = METHODS[request.tuned.method]
        self.folder = request.persona / RUN
        name = read_sheet(request.persona).name
        self.writer = Writer(model, name, min(request.length, model.context))
        self.learned = self.writer.examples(split.learned)
        self.held = self.writer.examples(split.held)
        if not self.learned:
            raise UserError(
                f"No turn of {request.persona} fits into {request.length} tokens.",
                "Give a greater --length.",
            )

    def tuned(
        self, folder: Path, on_progress: OnProgress, should_stop: Callable[[], bool]
    ) -> Tuning:
        from transformers import set_seed

        from pipelines.persona.tuning.loop import Told, last_checkpoint

        checkpoint = self._begun(last_checkpoint(self.folder))
        told = Told(on_progress, should_stop)
        model = self.model.model
        before = self._held_before(checkpoint)
        set_seed(self.request.seed)  # of what an adapter begins with
        trainer = self._trainer(prepared(model, self.request.tuned), told)
        if before is None and self.held:
            on_progress(Progress("held-out turns, untuned", 0, 1))
            before = self._measured_before(trainer)
        done = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if told.stopped:
            raise Stopped
        after = _loss(trainer, "after") if self.held else None
        tuning = self._told(folder, trainer, done, before, after, bool(checkpoint))
        if trainer.is_world_process_zero():
            self._keep(folder, trainer.accelerator.unwrap_model(trainer.model), tuning)
        return tuning

    # ------------------------------------------------------------ going on

    def _begun(self, checkpoint: Path | None) -> Path | None:
        """The checkpoint to go on from, if it is one of this very run; else a clean beginning."""
        wish = self._wish()
        path = self.folder / RUN_FILE
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if checkpoint and known.get("wish") == wish:
            return checkpoint
        shutil.rmtree(self.folder, ignore_errors=True)
        write_text(path, json.dumps({"wish": wish}) + "\n")
        return None

    def _wish(self) -> dict[str, Any]:
        fields = asdict(replace(self.request, persona=Path(), device="", base=""))
        facts = {"data": self.split.digest, "weights": weights_digest(self.model.folder)}
        wish: dict[str, Any] = json.loads(json.dumps(fields | facts, default=str))
        return wish

    def _held_before(self, checkpoint: Path | None) -> float | None:
        if checkpoint is None:
            return None
        loss = json.loads((self.folder / RUN_FILE).read_text("utf-8")).get("held_before")
        return float(loss) if loss is not None else None

    def _measured_before(self, trainer: Any) -> float:
        """The held-out loss of the base alone: an adapter at its start may not be nothing."""
        from contextlib import nullcontext

        alone = getattr(trainer.model, "disable_adapter", nullcontext)
        with alone():
            loss = _loss(trainer, "before")
        known = {"wish": self._wish(), "held_before": loss}
        write_text(self.folder / RUN_FILE, json.dumps(known) + "\n")
        return loss

    # ------------------------------------------------------------ trl

    def _trainer(self, model: Any, told: Any) -> Any:
        from trl import SFTConfig, SFTTrainer

        from pipelines.persona.tuning.loop import Checkpoints, only_told, shared_arguments

        class Trainer(Checkpoints, SFTTrainer):
            pass

        request = self.request
        packs = self.method.packs and request.packing
        arguments = SFTConfig(
            **shared_arguments(self.folder, str(model.device.type), request.seed,
                               held=bool(self.held)),
            max_length=self.writer.length,
            packing=packs,
            eval_packing=packs,
            num_train_epochs=request.epochs,
            max_steps=request.steps or -1,
            per_device_train_batch_size=1 if packs else request.batch_size,
            per_device_eval_batch_size=1 if packs else request.batch_size,
            gradient_accumulation_steps=self._rows(packs),
            learning_rate=request.learning_rate or self.method.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.05,
            gradient_checkpointing=packs and model.device.type != "cpu",
        )  # fmt: skip
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=_dataset(self.learned),
            eval_dataset=_dataset(self.held) if self.held else None,
            processing_class=self.model.tokenizer,
            callbacks=[told],
        )
        return only_told(trainer)

    def _rows(self, packs: bool) -> int:
        """Packed rows for one step: about as many dialogues as a batch has, one row at least."""
        if not packs:
            return 1
        mean = sum(len(e.input_ids) for e in self.learned) / len(self.learned)
        return max(1, round(self.request.batch_size * mean / self.writer.length))

    # ------------------------------------------------------------ what is kept

    def _told(
        self, folder: Path, trainer: Any, done: Any, before: float | None, after: float | None,
        resumed: bool,
    ) -> Tuning:  # fmt: skip
        parameters = list(trainer.model.parameters())
        loss = float(done.training_loss)
        return Tuning(
            folder=folder,
            base=self.request.base,
            method=self.request.tuned.method,
            dialogues=len(self.split.learned),
            held_out=len(self.split.held),
            too_long=self.writer.too_long,
            trainable=sum(p.numel() for p in parameters if p.requires_grad),
            parameters=sum(p.numel() for p in parameters),
            steps=int(trainer.state.global_step),
            loss=round(loss, 4) if math.isfinite(loss) else None,
            held_before=before,
            held_after=after,
            resumed=resumed,
        )

    def _keep(self, folder: Path, model: Any, tuning: Tuning) -> None:
        report = asdict(tuning)
        for name in ("folder", "base", "method", "resumed"):
            del report[name]
        settings = {"seed": self.request.seed, "epochs": self.request.epochs,
                    **asdict(self.request.tuned)}  # fmt: skip
        card = Card(
            base=self.request.base,
            weights=weights_digest(self.model.folder),
            method=self.request.tuned.method,
            settings=json.loads(json.dumps(settings)),
            report=report,
        )
        write_adapter(folder, model, self.model, card)
        shutil.rmtree(self.folder, ignore_errors=True)


def write_adapter(folder: Path, model: Any, base: LocalModel, card: Card) -> None:
    """Put what was learned, without the base, in `folder`, whole or not at all."""
    new = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    if hasattr(model, "peft_config"):
        for config in model.peft_config.values():
            config.base_model_name_or_path = card.base
        model.save_pretrained(str(new), selected_adapters=["default"], save_embedding_layers=False)
        (new / "README.md").unlink(missing_ok=True)
        _sorted_lists(new / PEFT)
    else:
        _write_delta(new / DELTA, model, base)
    write_card(new, card)
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _sorted_lists(path: Path) -> None:
    """peft writes sets in any order; the same tuning gives the same bytes."""
    config = json.loads(path.read_text("utf-8"))
    modules = config.get("target_modules")
    if isinstance(modules, list):
        config["target_modules"] = sorted(modules)
    write_text(path, json.dumps(config, indent=2, sort_keys=True) + "\n")


def _write_delta(path: Path, model: Any, base: LocalModel) -> None:
    from safetensors.torch import save_file

    untouched = LocalModel(base.source, "cpu").model.state_dict()
    delta = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            changed = weight.detach().cpu().float() - untouched[name].float()
            delta[name] = changed.to(weight.dtype).contiguous()
    save_file(delta, path)


def _dataset(examples: list[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(
        {
            "input_ids": [example.input_ids for example in examples],
            "labels": [example.labels for example in examples],
        }
    )


def _loss(trainer: Any, key: str) -> float:
    return round(float(trainer.evaluate(metric_key_prefix=key)[f"{key}_loss"]), 4)
