"""Where to compute: the device that a user's word stands for."""

from __future__ import annotations

import torch

from vits.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str = "auto") -> str:
    """`auto` is the fastest there is. Raises UserError for one this machine does not have."""
    kind = name.partition(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if name == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if kind not in there:
        raise UserError(f"There is no device {name!r}.", f"Choose one of: {', '.join(DEVICES)}.")
    if not there[kind]:
        raise UserError(f"This machine has no {kind} device that torch can use.", "Choose auto.")
    return name


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
