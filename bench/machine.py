"""Where numbers were measured: the machine, and how busy it was."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bootstrap import usable_cores

CPUINFO = Path("/proc/cpuinfo")
BUSY = 0.25  # of the cores; more load than this disturbs what is measured


def machine() -> str:
    """Processor, cores, memory, system, Python, torch: one line."""
    parts = [
        cpu_model(),
        f"{usable_cores()} cores",
        f"{_memory_gb():.0f} GB",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"torch {_version('torch')}",
        f"transformers {_version('transformers')}",
    ]
    return ", ".join(parts)


def cpu_model() -> str:
    """The processor's name, as far as the system tells it."""
    if CPUINFO.is_file():
        for line in CPUINFO.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def load() -> float | None:
    """How many processes wanted to run in the last minute, or None where nobody counts them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy_note(waiting: float | None, cores: int) -> str:
    """A warning if others were using the machine, else nothing."""
    if waiting is None or waiting <= BUSY * cores:
        return ""
    return (
        f"The machine was busy when this began (load {waiting:.1f} on {cores} cores): "
        "times measured so are not to be quoted."
    )


def _memory_gb() -> float:
    import psutil  # type: ignore[import-untyped]

    return float(psutil.virtual_memory().total) / 1e9


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
