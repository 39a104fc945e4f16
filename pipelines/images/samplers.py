"""The web UI's names of samplers, and what diffusers calls them."""

from __future__ import annotations

from typing import Any

from pipelines.story.script import did_you_mean
from vits.errors import UserError

_DPM = "DPMSolverMultistepScheduler"
_SDE: dict[str, object] = {"algorithm_type": "sde-dpmsolver++"}
SAMPLERS: dict[str, tuple[str, dict[str, object]]] = {
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler a": ("EulerAncestralDiscreteScheduler", {}),
    "LMS": ("LMSDiscreteScheduler", {}),
    "Heun": ("HeunDiscreteScheduler", {}),
    "DPM2": ("KDPM2DiscreteScheduler", {}),
    "DPM2 a": ("KDPM2AncestralDiscreteScheduler", {}),
    "DPM++ 2S a": ("DPMSolverSinglestepScheduler", {}),
    "DPM++ 2M": (_DPM, {}),
    "DPM++ 2M Karras": (_DPM, {"use_karras_sigmas": True}),
    "DPM++ 2M SDE": (_DPM, _SDE),
    "DPM++ 2M SDE Karras": (_DPM, {**_SDE, "use_karras_sigmas": True}),
    "DPM++ SDE": ("DPMSolverSinglestepScheduler", {}),
    "DPM++ SDE Karras": ("DPMSolverSinglestepScheduler", {"use_karras_sigmas": True}),
    "Euler Karras": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "LMS Karras": ("LMSDiscreteScheduler", {"use_karras_sigmas": True}),
    "DDIM": ("DDIMScheduler", {}),
    "PLMS": ("PNDMScheduler", {"skip_prk_steps": True}),
    "UniPC": ("UniPCMultistepScheduler", {}),
    "DEIS": ("DEISMultistepScheduler", {}),
    "LCM": ("LCMScheduler", {}),
}


def check_sampler(name: str) -> str:
    """The sampler as the web UI writes it; UserError lists them if there is none such."""
    known = {sampler.casefold(): sampler for sampler in SAMPLERS}
    if name.casefold() not in known:
        raise UserError(
            f"There is no sampler '{name}'{did_you_mean(name, tuple(SAMPLERS))}.",
            f"Choose one of: {', '.join(SAMPLERS)}.",
        )
    return known[name.casefold()]


def make_scheduler(name: str, config: Any) -> Any:
    """The scheduler of diffusers for a sampler, made from a pipeline's scheduler's config."""
    import diffusers

    kind, changes = SAMPLERS[check_sampler(name)]
    return getattr(diffusers, kind).from_config(config, **changes)
