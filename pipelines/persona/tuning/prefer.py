"""`digital-human prefer`: what was liked in a chat becomes likelier (DPO).

Direct preference optimisation: Rafailov et al., arXiv:2305.18290, by trl. An adapter that is there
is learned on, with itself as it was for reference; without one a LoRA adapter is begun.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.llm.adapters import CARD, DELTA, Card, read_card, refuse_other_base, weights_digest
from pipelines.llm.chat import Message, system
from pipelines.persona.models import ADAPTER
from pipelines.persona.sheet import opening, read_sheet
from pipelines.persona.thumbs import Preference, preferences, read_thumbs
from pipelines.persona.tuning.methods import METHODS, Tuned, prepared
from pipelines.persona.tuning.train import base_of, write_adapter
from pipelines.progress import OnProgress, silent
from vits.errors import UserError

RUN = "preferring"


@dataclass(frozen=True)
class PreferRequest:
    """What to learn preferences with. `base` is needed only where there is no adapter yet."""

    persona: Path
    base: str = ""
    epochs: float = 3.0
    beta: float = 0.1
    learning_rate: float = 1e-5
    length: int = 2048
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class Preferred:
    """What came of it: pairs, thumbs without a partner, and in how many pairs it now agrees."""

    folder: Path
    base: str
    pairs: int
    unpaired: int
    steps: int
    agreed_before: float
    agreed_after: float


def prefer(
    request: PreferRequest,
    *,
    on_progress: OnProgress = silent,
    should_stop: Callable[[], bool] = lambda: False,
) -> Preferred:
    """Learn from the thumbs of a persona. UserError where no two answers can be compared."""
    thumbs = read_thumbs(request.persona)
    pairs = list(preferences(thumbs))
    if not pairs:
        raise UserError(
            f"{request.persona} has {len(thumbs)} thumbs and no two of them on answers to one "
            "question.",
            "In a chat, answer '-' to what is not good (it answers again) and '+' to what is, or "
            "'- what it should have said'.",
        )
    paired = {(p.before, a) for p in pairs for a in (p.chosen, p.rejected)}
    return _Run(request, pairs, len(thumbs) - len(paired)).learned(on_progress, should_stop)


class _Run:
    def __init__(self, request: PreferRequest, pairs: list[Preference], unpaired: int) -> None:
        self.request, self.pairs, self.unpaired = request, pairs, unpaired
        self.adapter = request.persona / ADAPTER
        card = read_card(self.adapter) if (self.adapter / CARD).exists() else None
        spec = request.base or (card.base if card else "")
        bits = METHODS[card.method].bits if card else None
        self.model = base_of(spec, request.device, bits)
        if card:
            refuse_other_base(self.adapter, self.model.folder, self.model.source)
        self.card = card or Card(spec, weights_digest(self.model.folder), "lora")
        self.first = system(opening(read_sheet(request.persona).name))

    def learned(self, on_progress: OnProgress, should_stop: Callable[[], bool]) -> Preferred:
        from pipelines.persona.tuning.loop import Told

        trainer = self._trainer(Told(on_progress, should_stop))
        before = _agreed(trainer)
        trainer.train()
        after = _agreed(trainer)
        model = trainer.accelerator.unwrap_model(trainer.model)
        steps = int(trainer.state.global_step)
        made = Preferred(
            self.adapter, self.card.base, len(self.pairs), self.unpaired, steps, before, after
        )
        if trainer.is_world_process_zero():
            write_adapter(self.adapter, model, self.model, self._new_card(made))
            shutil.rmtree(self.request.persona / RUN, ignore_errors=True)
        return made

    def _new_card(self, made: Preferred) -> Card:
        facts = {key: value for key, value in asdict(made).items() if key not in ("folder", "base")}
        return replace(self.card, report={**self.card.report, "preferred": facts})

    def _network(self) -> Any:
        """The base with the adapter that is there, set to learn on; or with a fresh one."""
        if not (self.adapter / CARD).exists():
            return prepared(self.model.model, Tuned("lora"))
        if (self.adapter / DELTA).exists() or not METHODS[self.card.method].packs:
            raise UserError(
                f"Preferences are learned on LoRA, and the adapter is by {self.card.method}.",
                "Tune with --method lora, or merge it and prefer with the merged model as --base "
                "of a new persona.",
            )
        from peft import PeftModel

        return PeftModel.from_pretrained(self.model.model, str(self.adapter), is_trainable=True)

    def _trainer(self, told: Any) -> Any:
        from transformers import set_seed
        from trl import DPOConfig, DPOTrainer

        from pipelines.persona.tuning.loop import Checkpoints, only_told, shared_arguments

        class Trainer(Checkpoints, DPOTrainer):
            pass

        request = self.request
        set_seed(request.seed)  # of what a fresh adapter begins with
        network = self._network()
        shared = shared_arguments(
            request.persona / RUN, str(network.device.type), request.seed, held=False
        )
        arguments = DPOConfig(
            **(shared | {"save_strategy": "no"}),
            beta=request.beta,
            max_length=request.length,
            num_train_epochs=request.epochs,
            learning_rate=request.learning_rate,
            per_device_train_batch_size=min(4, len(self.pairs)),
            per_device_eval_batch_size=min(4, len(self.pairs)),
            gradient_checkpointing=network.device.type != "cpu",
        )
        data = self._data()
        return only_told(
            Trainer(
                model=network,
                args=arguments,
                train_dataset=data,
                eval_dataset=data,
                processing_class=self.model.tokenizer,
                callbacks=[told],
            )
        )

    def _data(self) -> Any:
        """Pairs as trl takes them: messages where the model has a template, else plain text."""
        from datasets import Dataset

        return Dataset.from_list([self._row(pair) for pair in self.pairs])

    def _row(self, pair: Preference) -> dict[str, Any]:
        before = [self.first, *pair.before]
        if not self.model.tokenizer.chat_template:
            prompt = self.model.prompt(before, think=False)
            return {"prompt": prompt, "chosen": f" {pair.chosen}", "rejected": f" {pair.rejected}"}
        return {
            "prompt": _plain(before),
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
            "chat_template_kwargs": {"enable_thinking": False},
        }


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.content} for m in messages]


def _agreed(trainer: Any) -> float:
    """The share of pairs whose liked answer is the likelier one, against the reference."""
    found = trainer.evaluate()
    return round(float(found["eval_rewards/accuracies"]), 4)
