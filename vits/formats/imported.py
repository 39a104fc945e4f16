"""A checkpoint that was read, and the voice folder that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vits.card import Card, write_card
from vits.checkpoint import (
    Speaker,
    VoiceConfig,
    load_strictly,
    save_critics,
    save_voice,
)
from vits.config import DiscriminatorConfig, VitsConfig
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.formats.names import Row, critic_name, fused, reshaped
from vits.layers import plain_state_dict
from vits.model import Vits


@dataclass(frozen=True)
class Imported:
    """A voice of another program under our names. `critics` are its discriminators, if it came
    with any; `rows` says what became of every tensor."""

    layout: str
    tensors: Mapping[str, Tensor]
    config: VoiceConfig
    rows: tuple[Row, ...]
    critics: Mapping[str, Tensor] | None = None


def with_symbols(sizes: VitsConfig, symbols: Sequence[str], where: str) -> tuple[str, ...]:
    """The symbols, where there is one for each row of the embedding.

    Raises UserError where there are more or fewer.
    """
    if len(symbols) != sizes.n_symbols:
        raise UserError(
            f"{where} lists {len(symbols)} symbols, and the weights have {sizes.n_symbols}.",
            "Use the configuration that came with exactly these weights.",
        )
    return tuple(symbols)


def speakers_of(
    named: Mapping[str, int], count: int, language: str, where: str
) -> tuple[Speaker, ...]:
    """A speaker for each row of the table, by name where it has one."""
    wrong = [name for name, row in named.items() if not 0 <= row < count]
    if wrong:
        raise UserError(
            f"{where} names {wrong[0]!r} as speaker {named[wrong[0]]}, "
            f"and the weights have {count}.",
            "Use the configuration that came with exactly these weights.",
        )
    names = {row: name for name, row in named.items()}
    if count == 1:
        return (Speaker(names.get(0, "speaker"), "", language),)
    return tuple(Speaker(names.get(i, f"speaker {i}"), "", language) for i in range(count))


def write_voice(folder: Path, voice: Imported, card: Card) -> tuple[Row, ...]:
    """Write a voice folder; the rows with what had to be reshaped.

    Raises UserError that names what is missing, extra or of another shape.
    """
    refused = [row.source for row in voice.rows if row.how == "refused"]
    with torch.random.fork_rng(devices=[]):
        model = Vits(voice.config.model, voice.config.audio)
    tensors, rows = reshaped(voice.tensors, plain_state_dict(model), list(voice.rows))
    if refused:
        raise UserError(
            f"The checkpoint has {len(refused)} tensors that no part of a VITS takes: "
            f"{', '.join(refused[:4])}{' ...' if len(refused) > 4 else ''}.",
            "It is of another program, or of a variant that is not known; nothing was imported.",
        )
    load_strictly(model, tensors, "The checkpoint")
    config = voice.config
    if voice.critics is not None:
        config = replace(config, discriminators=DiscriminatorConfig(kind="paper"))
        critics, critic_rows = _critics(voice.critics)
        save_critics(folder, critics)
        rows = [*rows, *critic_rows]
    save_voice(folder, model, config, torch.float32)
    write_card(folder, card)
    return tuple(rows)


def _critics(tensors: Mapping[str, Tensor]) -> tuple[Discriminators, list[Row]]:
    """The paper's discriminators with these weights, and a row for each tensor."""
    plain, origin = fused(tensors)
    named = {name: critic_name(name) for name in plain}
    unknown = [name for name, ours in named.items() if ours is None]
    if unknown or not plain:
        raise UserError(
            "The discriminator's file does not hold the discriminators of VITS"
            + (f": {unknown[0]} is none of theirs." if unknown else "."),
            "Name the D_*.pth that belongs to the generator.",
        )
    with torch.random.fork_rng(devices=[]):
        critics = Discriminators(DiscriminatorConfig(kind="paper"))
    load_strictly(
        critics, {str(named[name]): t.float() for name, t in plain.items()}, "The discriminator"
    )
    rows = [
        Row(origin.get(name, name), str(named[name]), "fused" if name in origin else "mapped")
        for name in plain
    ]
    return critics, rows
