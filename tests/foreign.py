"""Checkpoints in the layouts of other programs, written by hand from their descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

CJE_SYMBOLS = [*"_,.!?-~…NQabdefghijklmnopstuvwxyzɑæʃʑçɯɪɔɛɹðəɫɥɸʊɾʒθβŋɦ⁼ʰ`^#*=ˈˌ→↓↑ "]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Sizes:
    """The numbers in the 'model' section of a config.json; the defaults are the paper's."""

    n_symbols: int = 68
    n_speakers: int = 999
    inter: int = 192
    hidden: int = 192
    filters: int = 768
    heads: int = 2
    layers: int = 6
    spec: int = 513
    posterior_layers: int = 16
    flow_layers: int = 4
    initial: int = 512
    rates: tuple[int, ...] = (8, 8, 2, 2)
    kernels: tuple[int, ...] = (16, 16, 4, 4)
    gin: int = 256
    stochastic: bool = True
    resblock: str = "1"


TINY = Sizes(
    n_symbols=len(CJE_SYMBOLS), n_speakers=3, inter=8, hidden=8, filters=16, layers=1,
    posterior_layers=2, flow_layers=1, initial=16, gin=8,
)  # fmt: skip


def generator_layout(s: Sizes) -> dict[str, Shape]:
    """Names and shapes of a G_*.pth."""
    return dict(_generator(s))


def _generator(s: Sizes) -> Iterator[tuple[str, Shape]]:
    yield "enc_p.emb.weight", (s.n_symbols, s.hidden)
    for i in range(s.layers):
        block = f"enc_p.encoder.attn_layers.{i}"
        for name in ("conv_q", "conv_k", "conv_v", "conv_o"):
            yield from _conv(f"{block}.{name}", s.hidden, s.hidden, 1)
        for name in ("emb_rel_k", "emb_rel_v"):
            yield f"{block}.{name}", (1, 9, s.hidden // s.heads)
        yield from _conv(f"enc_p.encoder.ffn_layers.{i}.conv_1", s.filters, s.hidden, 3)
        yield from _conv(f"enc_p.encoder.ffn_layers.{i}.conv_2", s.hidden, s.filters, 3)
        for n in (1, 2):
            yield from _norm(f"enc_p.encoder.norm_layers_{n}.{i}", s.hidden)
    yield from _conv("enc_p.proj", 2 * s.inter, s.hidden, 1)
    yield from _decoder(s)
    yield from _conv("enc_q.pre", s.hidden, s.spec, 1)
    yield from _wavenet("enc_q.enc", s.hidden, s.posterior_layers, s.gin)
    yield from _conv("enc_q.proj", 2 * s.inter, s.hidden, 1)
    for i in (0, 2, 4, 6):
        yield from _conv(f"flow.flows.{i}.pre", s.hidden, s.inter // 2, 1)
        yield from _wavenet(f"flow.flows.{i}.enc", s.hidden, s.flow_layers, s.gin)
        yield from _conv(f"flow.flows.{i}.post", s.inter // 2, s.hidden, 1)
    yield from _durations(s)
    if s.gin:
        yield "emb_g.weight", (s.n_speakers, s.gin)


def _conv(name: str, out: int, into: int, kernel: int, *, norm: bool = False) -> Iterator[Any]:
    if norm:
        yield f"{name}.weight_g", (out, 1, 1)
        yield f"{name}.weight_v", (out, into, kernel)
    else:
        yield f"{name}.weight", (out, into, kernel)
    yield f"{name}.bias", (out,)


def _norm(name: str, width: int) -> Iterator[Any]:
    yield f"{name}.gamma", (width,)
    yield f"{name}.beta", (width,)


def _wavenet(name: str, hidden: int, layers: int, gin: int) -> Iterator[Any]:
    for i in range(layers):
        yield from _conv(f"{name}.in_layers.{i}", 2 * hidden, hidden, 5, norm=True)
        out = 2 * hidden if i < layers - 1 else hidden
        yield from _conv(f"{name}.res_skip_layers.{i}", out, hidden, 1, norm=True)
    if gin:
        yield from _conv(f"{name}.cond_layer", 2 * hidden * layers, gin, 1, norm=True)


def _decoder(s: Sizes) -> Iterator[Any]:
    yield from _conv("dec.conv_pre", s.initial, s.inter, 7)
    width, block = s.initial, 0
    for i, kernel in enumerate(s.kernels):
        yield f"dec.ups.{i}.weight_g", (width, 1, 1)
        yield f"dec.ups.{i}.weight_v", (width, width // 2, kernel)
        yield f"dec.ups.{i}.bias", (width // 2,)
        width //= 2
        for size in (3, 7, 11) if s.resblock == "1" else (3, 5, 7):
            convs = (("convs1", 3), ("convs2", 3)) if s.resblock == "1" else (("convs", 2),)
            for name, count in convs:
                for j in range(count):
                    yield from _conv(
                        f"dec.resblocks.{block}.{name}.{j}", width, width, size, norm=True
                    )
            block += 1
    yield "dec.conv_post.weight", (1, width, 7)
    if s.gin:
        yield from _conv("dec.cond", s.initial, s.gin, 1)


def _separable(name: str, width: int) -> Iterator[Any]:
    for i in range(3):
        yield from _conv(f"{name}.convs_sep.{i}", width, 1, 3)
        yield from _conv(f"{name}.convs_1x1.{i}", width, width, 1)
        yield from _norm(f"{name}.norms_1.{i}", width)
        yield from _norm(f"{name}.norms_2.{i}", width)


def _durations(s: Sizes) -> Iterator[Any]:
    width = s.hidden
    if s.stochastic:
        for part in ("", "post_"):
            into = 1 if part else width
            yield from _conv(f"dp.{part}pre", width, into, 1)
            yield from _separable(f"dp.{part}convs", width)
            yield from _conv(f"dp.{part}proj", width, width, 1)
            yield f"dp.{part}flows.0.m", (2, 1)
            yield f"dp.{part}flows.0.logs", (2, 1)
            for i in (1, 3, 5, 7):
                yield from _conv(f"dp.{part}flows.{i}.pre", width, 1, 1)
                yield from _separable(f"dp.{part}flows.{i}.convs", width)
                yield from _conv(f"dp.{part}flows.{i}.proj", 29, width, 1)
    else:
        yield from _conv("dp.conv_1", 256, width, 3)
        yield from _norm("dp.norm_1", 256)
        yield from _conv("dp.conv_2", 256, 256, 3)
        yield from _norm("dp.norm_2", 256)
        yield from _conv("dp.proj", 1, 256, 1)
    if s.gin:
        yield from _conv("dp.cond", width, s.gin, 1)


TINY_SCALE = ((1, 4, 15, 1, 1), (4, 8, 41, 4, 4), (8, 8, 5, 1, 1))
TINY_PERIOD = (4, 8)


def discriminator_layout(*, tiny: bool = False) -> dict[str, Shape]:
    """Names and shapes of a D_*.pth; `tiny` is of none that exists."""
    scale = [(16, 1, 15), (64, 4, 41), (256, 4, 41), (1024, 4, 41), (1024, 4, 41), (1024, 1024, 5)]
    widths = (1, 32, 128, 512, 1024, 1024)
    if tiny:
        scale = [(b, a // n, k) for a, b, k, _, n in TINY_SCALE]
        widths = (1, *TINY_PERIOD)
    layout: dict[str, Shape] = {}

    def conv(name: str, shape: Shape) -> None:
        layout[f"{name}.bias"] = shape[:1]
        layout[f"{name}.weight_g"] = (shape[0], *(1 for _ in shape[1:]))
        layout[f"{name}.weight_v"] = shape

    for i, shape in enumerate(scale):
        conv(f"discriminators.0.convs.{i}", shape)
    conv("discriminators.0.conv_post", (1, scale[-1][0], 3))
    for period in range(1, 6):
        for i in range(len(widths) - 1):
            conv(f"discriminators.{period}.convs.{i}", (widths[i + 1], widths[i], 5, 1))
        conv(f"discriminators.{period}.conv_post", (1, widths[-1], 3, 1))
    return layout


def random_tensors(layout: dict[str, Shape], seed: int = 0) -> dict[str, Tensor]:
    """Tensors of a layout that make a network of ordinary size."""
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for name, shape in layout.items():
        fan = max(1, torch.Size(shape[1:]).numel())
        tensor = torch.randn(shape, generator=generator) * fan**-0.5
        if name.endswith(("gamma", "weight_g")):
            tensor = tensor.abs() + 0.5
        if name.endswith(("beta", "bias", ".m", ".logs")):
            tensor = 0.1 * tensor
        out[name] = tensor
    return out


def settings(s: Sizes, cleaner: str = "cjke_cleaners2", **changes: Any) -> dict[str, Any]:
    """The config.json of a checkpoint of fast-fine-tuning."""
    return {
        "train": {"learning_rate": 2e-4, "segment_size": 8192},
        "data": {
            "text_cleaners": [cleaner], "sampling_rate": 22050, "filter_length": 1024,
            "hop_length": 256, "win_length": 1024, "n_mel_channels": 80, "mel_fmin": 0.0,
            "mel_fmax": None, "add_blank": True, "n_speakers": s.n_speakers, "cleaned_text": True,
        },
        "model": {
            "inter_channels": s.inter, "hidden_channels": s.hidden, "filter_channels": s.filters,
            "n_heads": s.heads, "n_layers": s.layers, "kernel_size": 3, "p_dropout": 0.1,
            "resblock": s.resblock, "resblock_kernel_sizes": [3, 7, 11],
            "resblock_dilation_sizes": [[1, 3, 5]] * 3, "upsample_rates": list(s.rates),
            "upsample_initial_channel": s.initial, "upsample_kernel_sizes": list(s.kernels),
            "n_layers_q": 3, "use_spectral_norm": False, "gin_channels": s.gin,
        },
        "symbols": CJE_SYMBOLS,
        "speakers": {"Anna": 0, "特别周 Special Week": 1, "Cleo": 2} if s.n_speakers == 3 else {},
        **changes,
    }  # fmt: skip


def write_generator(folder: Path, s: Sizes = TINY, **changes: Any) -> Path:
    """Write G_0.pth and config.json as the original's training does."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {"iteration": 7, "optimizer": None, "learning_rate": 2e-4}
    generator = {**random_tensors(generator_layout(s)), **_short(s)}
    torch.save({"model": generator, **state}, folder / "G_0.pth")
    text = json.dumps(settings(s, **changes), ensure_ascii=False)
    (folder / "config.json").write_text(text, encoding="utf-8")
    return folder / "G_0.pth"


def write_discriminator(path: Path, *, tiny: bool = False) -> Path:
    """Write a D_0.pth, which has one size only: 187 MB; or one that the fixture `tiny_critics`
    lets be loaded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"iteration": 7, "optimizer": None, "learning_rate": 2e-4}
    critics = random_tensors(discriminator_layout(tiny=tiny), seed=1)
    torch.save({"model": critics, **state}, path)
    return path


def _short(s: Sizes) -> dict[str, Tensor]:
    """Durations of a few frames, so that tests speak briefly: log d = (z - m) / e."""
    if not s.stochastic:
        return {}
    return {
        "dp.flows.0.m": torch.tensor([[-1.0], [0.0]]),
        "dp.flows.0.logs": torch.tensor([[1.0], [0.0]]),
    }
