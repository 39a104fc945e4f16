"""Tiny diffusers models in the key names of original checkpoints, as single files have them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET = [
    ("conv_in", "input_blocks.0.0"),
    ("time_embedding.linear_1", "time_embed.0"),
    ("time_embedding.linear_2", "time_embed.2"),
    ("conv_norm_out", "out.0"),
    ("conv_out", "out.2"),
    ("down_blocks.0.resnets.0", "input_blocks.1.0"),
    ("down_blocks.0.downsamplers.0.conv", "input_blocks.2.0.op"),
    ("down_blocks.1.resnets.0", "input_blocks.3.0"),
    ("down_blocks.1.attentions.0", "input_blocks.3.1"),
    ("mid_block.resnets.0", "middle_block.0"),
    ("mid_block.attentions.0", "middle_block.1"),
    ("mid_block.resnets.1", "middle_block.2"),
    ("up_blocks.0.resnets.0", "output_blocks.0.0"),
    ("up_blocks.0.attentions.0", "output_blocks.0.1"),
    ("up_blocks.0.resnets.1", "output_blocks.1.0"),
    ("up_blocks.0.attentions.1", "output_blocks.1.1"),
    ("up_blocks.0.upsamplers.0.conv", "output_blocks.1.2.conv"),
    ("up_blocks.1.resnets.0", "output_blocks.2.0"),
    ("up_blocks.1.resnets.1", "output_blocks.3.0"),
]
_VAE = [
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"),
    (r"mid_block\.attentions\.0\.to_(q|k|v)", r"mid.attn_1.\1"),
    (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"),
    (r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2"),
    (r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample"),
    ("conv_norm_out", "norm_out"),
    ("conv_shortcut", "nin_shortcut"),
]

Tensors = dict[str, torch.Tensor]


def unet_tensors(state: Mapping[str, torch.Tensor]) -> Tensors:
    found = {}
    for key, tensor in state.items():
        for ours, theirs in _UNET:
            if key.startswith(f"{ours}."):
                inner = key.removeprefix(f"{ours}.")
                if ".resnets." in f".{ours}":
                    part, _, last = inner.rpartition(".")
                    inner = f"{_RESNET[part]}.{last}"
                found[f"model.diffusion_model.{theirs}.{inner}"] = tensor.clone()
                break
        else:
            raise AssertionError(key)
    return found


def vae_tensors(state: Mapping[str, torch.Tensor], prefix: str = "first_stage_model.") -> Tensors:
    found = {}
    for key, tensor in state.items():
        name = re.sub(
            r"up_blocks\.(\d)\.(resnets|upsamplers)\.(\d)",
            lambda m: (
                f"up.{3 - int(m[1])}." + (f"block.{m[3]}" if m[2] == "resnets" else "upsample")
            ),
            key,
        )
        for ours, theirs in _VAE:
            name = re.sub(ours, theirs, name)
        if "attn_1" in name and name.endswith("weight") and tensor.dim() == 2:
            tensor = tensor[:, :, None, None]
        found[f"{prefix}{name}"] = tensor.clone()
    return found


def text_tensors(state: Mapping[str, torch.Tensor]) -> Tensors:
    head = "cond_stage_model.transformer."
    return {
        f"{head}{key if key.startswith('text_model.') else f'text_model.{key}'}": tensor.clone()
        for key, tensor in state.items()
    }
