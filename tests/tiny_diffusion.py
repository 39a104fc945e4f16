"""A Stable Diffusion of a few kilobytes with random weights, whole and in parts."""

from __future__ import annotations

import json
from pathlib import Path

import torch


def make_tiny_diffusion(folder: Path, *, seed: int = 0) -> Path:
    """Write a pipeline of diffusers: 32 wide, pictures in steps of 8 pixels as the real one."""
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(seed)
    text = CLIPTextConfig(
        vocab_size=len(_vocabulary()), hidden_size=32, intermediate_size=37, projection_dim=32,
        num_attention_heads=4, num_hidden_layers=2, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(32, 64), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=32,
        attention_head_dim=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32), in_channels=3, out_channels=3, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8, sample_size=64,
    )  # fmt: skip
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
    )
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=_tokenizer(folder, CLIPTokenizer),
        unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def _vocabulary() -> dict[str, int]:
    letters = [chr(code) for code in range(33, 127)]
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{c}</w>" for c in letters)]
    return {name: number for number, name in enumerate(names)}


def _tokenizer(folder: Path, kind: type):
    files = folder / "words"
    files.mkdir(parents=True, exist_ok=True)
    (files / "vocab.json").write_text(json.dumps(_vocabulary()), "utf-8")
    (files / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    return kind(str(files / "vocab.json"), str(files / "merges.txt"), model_max_length=77)
