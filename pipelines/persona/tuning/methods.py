"""What of a model is tuned: one table, by peft (LoRA, prompts) or as whole weights.

LoRA: Hu et al., arXiv:2106.09685; on a base in 4 bits (qlora): Dettmers et al., arXiv:2305.14314.
Prefix-tuning: Li and Liang, arXiv:2101.00190; P-Tuning: Liu et al., arXiv:2103.10385; P-Tuning v2:
Liu et al., arXiv:2110.07602; prompt tuning: Lester et al., arXiv:2104.08691.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vits.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ALL_LINEAR = "all-linear"
DROPOUT, ALPHA = 0.25, 2  # of LoRA: what is dropped, and its scale in ranks
_LAYER = re.compile(r"\.(?:layers|h|blocks|block|layer)\.(\d+)\.")


@dataclass(frozen=True)
class Tuned:
    """What is tuned: the rank of LoRA, its modules, virtual tokens of prompts, frozen layers."""

    method: str = "lora"
    rank: int = 8
    target_modules: tuple[str, ...] = ()
    virtual_tokens: int = 20
    freeze_layers: int | None = None  # the lowest N layers stay as they are


@dataclass(frozen=True)
class Method:
    """One way: its usual learning rate, and what makes the model trainable."""

    learning_rate: float
    prepare: Callable[[PreTrainedModel, Tuned], Any]
    bits: int | None = None
    packs: bool = True  # prompts stand before every dialogue, so that they cannot share a row
    takes: tuple[str, ...] = ()


def prepared(model: PreTrainedModel, tuned: Tuned) -> Any:
    """The model with what is tuned set to learn, and nothing else. UserError where it cannot be."""
    try:
        return METHODS[tuned.method].prepare(model, tuned)
    except (ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{tuned.method} does not fit this model ({reason}).",
            "Name parts of it with --target-modules, or choose another --method.",
        ) from error


def layers_of(model: Any) -> int:
    """How many layers it has. UserError for more frozen ones is the caller's."""
    return int(model.config.get_text_config().num_hidden_layers)


def _lora(model: PreTrainedModel, tuned: Tuned) -> Any:
    from peft import LoraConfig, get_peft_model

    modules: Any = list(tuned.target_modules) or None
    if modules is None and METHODS[tuned.method].bits:
        modules = ALL_LINEAR  # as QLoRA's paper found to be needed
    elif modules == [ALL_LINEAR]:
        modules = ALL_LINEAR
    layers = range(_frozen(model, tuned), layers_of(model)) if tuned.freeze_layers else None
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=tuned.rank,
        lora_alpha=ALPHA * tuned.rank,
        lora_dropout=DROPOUT,
        target_modules=modules,
        layers_to_transform=list(layers) if layers else None,
    )
    return get_peft_model(_for_bits(model, tuned), config)


def _for_bits(model: PreTrainedModel, tuned: Tuned) -> Any:
    if not METHODS[tuned.method].bits:
        return model
    from peft import prepare_model_for_kbit_training

    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    model.enable_input_require_grads()  # or bitsandbytes takes a way that has no gradient
    return model


def _prefix(model: PreTrainedModel, tuned: Tuned, projection: bool = True) -> Any:
    from peft import PrefixTuningConfig, get_peft_model

    size = model.config.get_text_config().hidden_size
    return get_peft_model(
        model,
        PrefixTuningConfig(
            task_type="CAUSAL_LM",
            num_virtual_tokens=tuned.virtual_tokens,
            prefix_projection=projection,
            encoder_hidden_size=size,
        ),
    )


def _prompts_in_layers(model: PreTrainedModel, tuned: Tuned) -> Any:
    return _prefix(model, tuned, projection=False)


def _encoded_prompt(model: PreTrainedModel, tuned: Tuned) -> Any:
    from peft import PromptEncoderConfig, get_peft_model

    size = model.config.get_text_config().hidden_size
    return get_peft_model(
        model,
        PromptEncoderConfig(
            task_type="CAUSAL_LM",
            num_virtual_tokens=tuned.virtual_tokens,
            encoder_hidden_size=size,
        ),
    )


def _prompt(model: PreTrainedModel, tuned: Tuned) -> Any:
    from peft import PromptTuningConfig, get_peft_model

    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=tuned.virtual_tokens)
    return get_peft_model(model, config)


def _weights(model: PreTrainedModel, tuned: Tuned) -> Any:
    """Every weight; with frozen layers only what lies above them."""
    frozen = _frozen(model, tuned)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = _above(name, frozen, model)
    return model


def _top(model: PreTrainedModel, tuned: Tuned) -> Any:
    """The layers above the frozen ones: without a number, the top quarter."""
    layers = layers_of(model)
    frozen = tuned.freeze_layers if tuned.freeze_layers is not None else layers - -(-layers // 4)
    return _weights(model, Tuned("top-layers", freeze_layers=frozen))


def _above(name: str, frozen: int, model: Any) -> bool:
    """Whether a weight lies above the frozen layers; the embedding lies below them."""
    if not frozen:
        return True
    layer = _LAYER.search(name)
    if layer:
        return int(layer[1]) >= frozen
    tied = bool(getattr(model.config.get_text_config(), "tie_word_embeddings", False))
    return "embed" not in name and "wte" not in name and not (tied and "head" in name)


def _frozen(model: Any, tuned: Tuned) -> int:
    frozen, layers = tuned.freeze_layers or 0, layers_of(model)
    if frozen >= layers:
        raise UserError(
            f"{frozen} frozen layers leave nothing to tune: the model has {layers}.",
            f"Give --freeze-layers {layers - 1} or less.",
        )
    return frozen


_LORA, _PROMPTS = ("rank", "target_modules", "freeze_layers"), ("virtual_tokens",)
METHODS = {
    "lora": Method(1e-4, _lora, takes=_LORA),
    "qlora": Method(1e-4, _lora, bits=4, takes=_LORA),
    "prefix": Method(1e-3, _prefix, packs=False, takes=_PROMPTS),
    "p-tuning": Method(1e-3, _encoded_prompt, packs=False, takes=_PROMPTS),
    "p-tuning-v2": Method(1e-2, _prompts_in_layers, packs=False, takes=_PROMPTS),
    "prompt": Method(1e-2, _prompt, packs=False, takes=_PROMPTS),
    "full": Method(1e-5, _weights, takes=("freeze_layers",)),
    "top-layers": Method(2e-5, _top, takes=("freeze_layers",)),
}
