"""Names of tensors: those of original VITS and of Hugging Face's VitsModel, and ours.

One list of rules for each layout is read in both directions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vits.errors import UserError

Rules = tuple[tuple[str, str], ...]  # theirs -> ours; # is a number, % the part that is kept

ORIGINAL: Rules = (
    ("enc_p.emb.%", "text_encoder.emb.%"),
    ("enc_p.encoder.attn_layers.#.conv_q.%", "text_encoder.encoder.attn_layers.#.q.%"),
    ("enc_p.encoder.attn_layers.#.conv_k.%", "text_encoder.encoder.attn_layers.#.k.%"),
    ("enc_p.encoder.attn_layers.#.conv_v.%", "text_encoder.encoder.attn_layers.#.v.%"),
    ("enc_p.encoder.attn_layers.#.conv_o.%", "text_encoder.encoder.attn_layers.#.o.%"),
    ("enc_p.encoder.%", "text_encoder.encoder.%"),
    ("enc_p.proj.%", "text_encoder.proj.%"),
    ("enc_q.%", "posterior_encoder.%"),
    ("flow.flows.#.%", "flow.couplings.#/2.%"),
    ("dp.flows.0.%", "duration_predictor.affine.%"),
    ("dp.flows.#.%", "duration_predictor.flows.#/2.%"),
    ("dp.post_flows.0.%", "duration_predictor.post_affine.%"),
    ("dp.post_flows.#.%", "duration_predictor.post_flows.#/2.%"),
    ("dp.%", "duration_predictor.%"),
    ("dec.resblocks.#.convs.%", "decoder.resblocks.#.convs1.%"),
    ("dec.%", "decoder.%"),
    ("emb_g.weight", "speakers.vectors"),
)
_ORIGINAL_ENDS: Rules = (
    (".gamma", ".weight"),
    (".beta", ".bias"),
    (".cond_layer.", ".cond."),
)
HUGGING_FACE: Rules = (
    ("text_encoder.embed_tokens.%", "text_encoder.emb.%"),
    *(
        (
            f"text_encoder.encoder.layers.#.attention.{theirs}.%",
            f"text_encoder.encoder.attn_layers.#.{ours}.%",
        )
        for theirs, ours in (("q_proj", "q"), ("k_proj", "k"), ("v_proj", "v"), ("out_proj", "o"))
    ),
    ("text_encoder.encoder.layers.#.attention.%", "text_encoder.encoder.attn_layers.#.%"),
    ("text_encoder.encoder.layers.#.layer_norm.%", "text_encoder.encoder.norm_layers_1.#.%"),
    ("text_encoder.encoder.layers.#.final_layer_norm.%", "text_encoder.encoder.norm_layers_2.#.%"),
    ("text_encoder.encoder.layers.#.feed_forward.%", "text_encoder.encoder.ffn_layers.#.%"),
    ("text_encoder.project.%", "text_encoder.proj.%"),
    ("flow.flows.#.conv_pre.%", "flow.couplings.#.pre.%"),
    ("flow.flows.#.conv_post.%", "flow.couplings.#.post.%"),
    ("flow.flows.#.wavenet.%", "flow.couplings.#.enc.%"),
    ("posterior_encoder.conv_pre.%", "posterior_encoder.pre.%"),
    ("posterior_encoder.conv_proj.%", "posterior_encoder.proj.%"),
    ("posterior_encoder.wavenet.%", "posterior_encoder.enc.%"),
    ("duration_predictor.flows.0.translate", "duration_predictor.affine.m"),
    ("duration_predictor.flows.0.log_scale", "duration_predictor.affine.logs"),
    ("duration_predictor.post_flows.0.translate", "duration_predictor.post_affine.m"),
    ("duration_predictor.post_flows.0.log_scale", "duration_predictor.post_affine.logs"),
    ("duration_predictor.flows.#.%", "duration_predictor.flows.#-1.%"),
    ("duration_predictor.post_flows.#.%", "duration_predictor.post_flows.#-1.%"),
    ("duration_predictor.%", "duration_predictor.%"),
    ("decoder.upsampler.%", "decoder.ups.%"),
    ("decoder.%", "decoder.%"),
    ("embed_speaker.weight", "speakers.vectors"),
)
_HUGGING_FACE_ENDS: Rules = (
    (".cond_layer.", ".cond."),
    (".post_conv_pre.", ".post_pre."),
    (".post_conv_proj.", ".post_proj."),
    (".post_conv_dds.", ".post_convs."),
    (".conv_dds.", ".convs."),
    (".convs_dilated.", ".convs_sep."),
    (".convs_pointwise.", ".convs_1x1."),
    # only in the stochastic predictor: the decoder's keep theirs
    ("duration_predictor.conv_pre.", "duration_predictor.pre."),
    ("duration_predictor.conv_proj.", "duration_predictor.proj."),
    ("flows.@.conv_pre.", "flows.@.pre."),
    ("flows.@.conv_proj.", "flows.@.proj."),
)
LAYOUTS: Mapping[str, tuple[Rules, Rules]] = {
    "original": (ORIGINAL, _ORIGINAL_ENDS),
    "huggingface": (HUGGING_FACE, _HUGGING_FACE_ENDS),
}


@dataclass(frozen=True)
class Row:
    """What became of one tensor of a checkpoint."""

    source: str
    target: str
    how: str  # mapped, fused, reshaped, left out, refused


def our_name(theirs: str, layout: str) -> str | None:
    """Our name of a tensor of another layout, or None for one that it does not have."""
    rules, ends = LAYOUTS[layout]
    for pattern, ours in rules:
        found = _match(pattern, theirs)
        if found is not None:
            number, rest = found
            return _ended(_filled(ours, number, rest), ends)
    return None


def _match(pattern: str, name: str) -> tuple[str, str] | None:
    regex = re.escape(pattern).replace(r"\#", "#").replace("%", "(?P<rest>.+)")
    found = re.fullmatch(regex.replace("#", r"(?P<number>\d+)"), name)
    if found is None:
        return None
    groups = found.groupdict()
    return groups.get("number") or "", groups.get("rest") or ""


def _filled(target: str, number: str, rest: str) -> str:
    if "#/2" in target:  # flips stand between the couplings, and one affine layer before some
        target = target.replace(
            "#/2", str(int(number) // 2 if "couplings" in target else (int(number) - 1) // 2)
        )
    elif "#-1" in target:
        target = target.replace("#-1", str(int(number) - 1))
    return target.replace("#", number).replace("%", rest)


def _ended(name: str, ends: Rules) -> str:
    for theirs, ours in ends:
        if "@" in theirs:
            pattern = re.escape(theirs).replace("@", r"(\d+)")
            name = re.sub(pattern, ours.replace("@", r"\1"), name)
        elif theirs.startswith((".gamma", ".beta")):
            name = name.removesuffix(theirs) + ours if name.endswith(theirs) else name
        else:
            name = name.replace(theirs, ours)
    return name


_WEIGHT_NORMS = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)


def fused(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors with weight normalisation multiplied out, and for each fused one the name of its
    direction. Raises UserError for half a pair."""
    plain = dict(tensors)
    origin: dict[str, str] = {}
    for length, direction in _WEIGHT_NORMS:
        for name in [n for n in plain if n.endswith(f".{length}")]:
            stem = name.removesuffix(length)
            if stem + direction not in plain:
                raise UserError(
                    f"The checkpoint has {name} without {stem}{direction}.",
                    "The file is damaged; get it again.",
                )
            g, v = plain.pop(name).float(), plain.pop(stem + direction).float()
            plain[f"{stem}weight"] = torch._weight_norm(v, g, 0)
            origin[f"{stem}weight"] = stem + direction
    return plain, origin


def renamed(
    tensors: Mapping[str, Tensor], layout: str, unused: Iterable[str] = ()
) -> tuple[dict[str, Tensor], list[Row]]:
    """Another layout's tensors under our names, and a row for every one of theirs.

    `unused` are beginnings of our names that this voice has no use for.
    """
    plain, origin = fused(tensors)
    ours: dict[str, Tensor] = {}
    rows: list[Row] = []
    for name, tensor in plain.items():
        source = origin.get(name, name)
        target = our_name(name, layout)
        if target is None:
            rows.append(Row(source, "", "refused"))
        elif target.startswith(tuple(unused)) and tuple(unused):
            rows.append(Row(source, target, "left out"))
        else:
            ours[target] = tensor.float() if tensor.is_floating_point() else tensor
            rows.append(Row(source, target, "fused" if name in origin else "mapped"))
    return ours, rows


def reshaped(
    ours: Mapping[str, Tensor], expected: Mapping[str, Tensor], rows: list[Row]
) -> tuple[dict[str, Tensor], list[Row]]:
    """Linear layers as convolutions of one, where only that differs from what is expected."""
    fitted = dict(ours)
    changed: set[str] = set()
    for name, tensor in ours.items():
        wanted = expected[name].shape if name in expected else tensor.shape
        if tensor.shape != wanted and tensor.unsqueeze(-1).shape == wanted:
            fitted[name] = tensor.unsqueeze(-1)
            changed.add(name)
    return fitted, [
        Row(row.source, row.target, "reshaped") if row.target in changed else row for row in rows
    ]


def critic_name(theirs: str) -> str | None:
    """Our name of a tensor of the paper's discriminators."""
    found = re.fullmatch(r"discriminators\.(\d+)\.(convs\.\d+|conv_post)\.(weight|bias)", theirs)
    return f"critics.{found[1]}.{found[2]}.{found[3]}" if found else None
