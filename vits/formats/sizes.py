"""The sizes of a VITS, read off its weights: what a configuration says is checked, not believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from vits.config import HifiganConfig, VitsConfig
from vits.errors import UserError

_NEEDED = (
    "text_encoder.emb.weight",
    "text_encoder.proj.weight",
    "text_encoder.encoder.attn_layers.0.emb_rel_k",
    "text_encoder.encoder.ffn_layers.0.conv_1.weight",
    "posterior_encoder.pre.weight",
    "posterior_encoder.enc.in_layers.0.weight",
    "flow.couplings.0.pre.weight",
    "flow.couplings.0.enc.in_layers.0.weight",
    "decoder.conv_pre.weight",
    "decoder.ups.0.weight",
    "decoder.resblocks.0.convs1.0.weight",
)


def sizes_of(
    tensors: Mapping[str, Tensor],
    *,
    upsample_rates: tuple[int, ...],
    dilations: tuple[tuple[int, ...], ...] | None,
    add_blank: bool,
) -> VitsConfig:
    """The configuration of weights under our names.

    Strides and dilations leave no trace in weights and have to be told. Raises UserError for what
    cannot be a VITS.
    """
    missing = [name for name in _NEEDED if name not in tensors]
    if missing:
        raise UserError(
            f"These are not the weights of a VITS that can speak: there is no {missing[0]}"
            + (f", nor {len(missing) - 1} other parts." if len(missing) > 1 else "."),
            "Name the generator (G_*.pth), not a discriminator or another program's model.",
        )
    shape = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    emb, key = shape[_NEEDED[0]], shape[_NEEDED[2]]
    feed, pre = shape[_NEEDED[3]], shape[_NEEDED[4]]
    stochastic = "duration_predictor.affine.m" in shape
    duration = "duration_predictor.pre.weight" if stochastic else "duration_predictor.conv_1.weight"
    speakers = shape.get("speakers.vectors")
    return VitsConfig(
        n_symbols=emb[0],
        n_speakers=speakers[0] if speakers else 1,
        speaker="table" if speakers else "none",
        gin_channels=speakers[1] if speakers else 0,
        spec_channels=pre[1],
        inter_channels=shape["text_encoder.proj.weight"][0] // 2,
        hidden_channels=emb[1],
        filter_channels=feed[0],
        n_heads=emb[1] // key[2],
        n_layers=_count(shape, r"text_encoder\.encoder\.attn_layers\.(\d+)\."),
        kernel_size=feed[2],
        attention_window=(key[1] - 1) // 2,
        posterior_hidden=pre[0],
        posterior_kernel=shape[_NEEDED[5]][2],
        posterior_layers=_count(shape, r"posterior_encoder\.enc\.in_layers\.(\d+)\."),
        flow_hidden=shape[_NEEDED[6]][0],
        flow_kernel=shape[_NEEDED[7]][2],
        flow_layers=_count(shape, r"flow\.couplings\.0\.enc\.in_layers\.(\d+)\."),
        n_flows=_count(shape, r"flow\.couplings\.(\d+)\."),
        duration="stochastic" if stochastic else "deterministic",
        duration_channels=shape.get(duration, (192,))[0],
        decoder="hifigan",
        hifigan=_decoder(shape, upsample_rates, dilations),
        add_blank=add_blank,
    )


def _decoder(
    shape: Mapping[str, tuple[int, ...]],
    rates: tuple[int, ...],
    dilations: tuple[tuple[int, ...], ...] | None,
) -> HifiganConfig:
    stages = _count(shape, r"decoder\.ups\.(\d+)\.")
    blocks = _count(shape, r"decoder\.resblocks\.(\d+)\.") // stages
    kernels = tuple(shape[f"decoder.ups.{i}.weight"][2] for i in range(stages))
    paired = "decoder.resblocks.0.convs2.0.weight" in shape
    if not rates:
        rates = tuple(kernel // 2 for kernel in kernels)
    if len(rates) != stages:
        raise UserError(
            f"The configuration names {len(rates)} upsampling rates for {stages} layers.",
            "Use the configuration that came with the weights.",
        )
    n_dilations = _count(shape, r"decoder\.resblocks\.0\.convs1\.(\d+)\.")
    usual = ((1, 3, 5),) * blocks if paired else ((1, 2), (2, 6), (3, 12))[:blocks]
    chosen = dilations or usual
    if len(chosen) != blocks or any(len(d) != n_dilations for d in chosen):
        raise UserError(
            f"The configuration's dilations {chosen} are not those of the weights "
            f"({blocks} blocks of {n_dilations}).",
            "Use the configuration that came with the weights.",
        )
    return HifiganConfig(
        initial_channels=shape["decoder.conv_pre.weight"][0],
        upsample_rates=rates,
        upsample_kernel_sizes=kernels,
        resblock="1" if paired else "2",
        resblock_kernel_sizes=tuple(
            shape[f"decoder.resblocks.{i}.convs1.0.weight"][2] for i in range(blocks)
        ),
        resblock_dilation_sizes=chosen,
    )


def _count(shape: Mapping[str, Any], pattern: str) -> int:
    numbers = {int(found[1]) for name in shape if (found := re.match(pattern, name))}
    return max(numbers, default=-1) + 1


def check_against(sizes: VitsConfig, model: Mapping[str, Any], where: str) -> None:
    """Raise UserError where a configuration in the original's words says other than the weights."""
    said = {
        "inter_channels": sizes.inter_channels,
        "hidden_channels": sizes.hidden_channels,
        "filter_channels": sizes.filter_channels,
        "n_heads": sizes.n_heads,
        "n_layers": sizes.n_layers,
        "kernel_size": sizes.kernel_size,
        "upsample_initial_channel": sizes.hifigan.initial_channels,
    }
    wrong = [
        f"{name} is {model[name]} and not {value}"
        for name, value in said.items()
        if name in model and model[name] != value
    ]
    if wrong:
        raise UserError(
            f"{where} does not belong to the weights: {'; '.join(wrong)}.",
            "Use the configuration that came with the weights.",
        )
