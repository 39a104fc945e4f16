"""`clone-voice doctor`: what this machine has, and what it lacks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from commands.reporting import MENDABLE, Reporter, columns, json_option, plural, size
from pipelines.i18n import translated

if TYPE_CHECKING:
    from pipelines.doctor import Diagnosis


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Report what is installed and missing, how fast this machine is, what takes up space."""
    from pipelines.doctor import diagnose

    found = diagnose()
    Reporter(as_json).result(dataclasses.asdict(found), *_doctor_lines(found))
    if found.missing:
        raise click.exceptions.Exit(MENDABLE)


def _doctor_lines(found: Diagnosis) -> Iterator[str]:
    yield f"System    {found.system}, {plural(found.cores, 'core')}; {', '.join(found.devices)}"
    yield f"Python    {found.python}"
    yield ""
    rows = [[p.name, p.version or "MISSING", p.purpose] for p in found.packages]
    yield from columns(rows)
    yield from (f"{p.name} is missing. Mend it with: {p.remedy}" for p in found.missing)
    yield from (f"Note: {warning}" for warning in found.warnings)
    yield ""
    if found.speed is not None:
        yield (
            f"Speed     {found.speed.matmul_gflops:.0f} GFLOP/s in matrix products, "
            f"{found.speed.convolution_gflops:.0f} in convolutions, "
            f"on {plural(found.speed.threads, 'thread')}"
        )
        if found.speed.real_time_factor is None:
            yield f"          {found.speed.note}"
        else:
            yield (
                f"          the base voice: {found.speed.real_time_factor:.3f} s of work for "
                "a second of speech"
            )
    for store in found.stores:
        yield f"Space     {size(store.bytes)} {translated(store.name)}: {store.path}"
        yield f"          to clean: {store.cleaning}"
