"""trl's trainers as they are used here: progress told, stopped when asked, resumed exactly.

A checkpoint holds what is learned (safetensors) and the private state of the run; of prompts too
what peft leaves out of an adapter, so that a run that is gone on with equals one that was not
stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from pipelines.progress import OnProgress, Progress

LEARNED = "learned.safetensors"
SAVES = 0.1  # of the run, between two checkpoints


class Checkpoints:
    """Before a trainer among the bases: its checkpoints hold what is learned, and only that."""

    model: Any
    state: Any
    args: Any
    accelerator: Any

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        model = self.accelerator.unwrap_model(self.model)
        weights = dict(model.named_parameters()) if state_dict is None else state_dict
        names = {name for name, weight in model.named_parameters() if weight.requires_grad}
        if self.args.should_save:
            folder.mkdir(parents=True, exist_ok=True)
            kept = {n: weights[n].detach().cpu().contiguous() for n in sorted(names)}
            save_file(kept, folder / LEARNED)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        model = self.accelerator.unwrap_model(model or self.model)
        weights = dict(model.named_parameters())
        with torch.no_grad():
            for name, value in load_file(Path(resume_from_checkpoint) / LEARNED).items():
                weights[name].copy_(value)

    def _load_best_model(self) -> None:
        if getattr(self, "is_deepspeed_enabled", False):
            super()._load_best_model()  # type: ignore[misc]
        else:
            self._load_from_checkpoint(self.state.best_model_checkpoint)


class Told(TrainerCallback):
    """Tells how far it is, and stops after a step, saved, when it is asked to."""

    def __init__(self, on_progress: OnProgress, should_stop: Callable[[], bool]) -> None:
        self.on_progress, self.should_stop = on_progress, should_stop
        self.note, self.stopped = "", False

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        logs = logs or {}
        if "loss" in logs:
            self.note = f"loss {float(logs['loss']):.3f}"
        if "eval_loss" in logs:
            self.note = f"held-out loss {float(logs['eval_loss']):.3f}"

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        done = Progress("train", state.global_step, state.max_steps, "steps", self.note)
        self.on_progress(done)
        if self.should_stop() and state.global_step < state.max_steps:
            self.stopped = control.should_save = control.should_training_stop = True
        return control


def shared_arguments(folder: Path, device: str, seed: int, *, held: bool) -> dict[str, Any]:
    """What trl's configurations have in common here."""
    bf16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    return {
        "output_dir": str(folder),
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": device == "cpu",
        "bf16": bf16,
        "fp16": False,
        "seed": seed,
        "data_seed": seed,
        "logging_steps": SAVES,
        "save_strategy": "steps",
        "save_steps": SAVES,
        "eval_strategy": "steps" if held else "no",
        "eval_steps": SAVES if held else None,
        "load_best_model_at_end": held,
        "metric_for_best_model": "eval_loss" if held else None,
        "greater_is_better": False if held else None,
        "save_total_limit": 2,
        "dataloader_pin_memory": device.startswith("cuda"),
        "ddp_find_unused_parameters": False,
    }


def only_told(trainer: Any) -> Any:
    """The trainer without the callback that prints by itself."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer


def quiet() -> None:
    """Only the commands draw, and nobody can act on what these libraries deprecate."""
    import warnings

    import datasets
    from transformers.utils import logging as transformers_logging

    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    for module in ("transformers", "peft", "trl"):
        warnings.filterwarnings("ignore", module=rf"{module}\.")
    for name in ("trl", "accelerate", "peft", "bitsandbytes", "torch.utils"):
        logging.getLogger(name).setLevel(logging.ERROR)


def last_checkpoint(folder: Path) -> Path | None:
    """The latest whole checkpoint of a run."""
    from transformers.trainer_utils import get_last_checkpoint

    found = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    files = (LEARNED, "trainer_state.json")  # the last one is written last
    whole = found and all((Path(found) / name).exists() for name in files)
    return Path(found) if found and whole else None
