"""A Stable Diffusion of a few kilobytes with random weights, whole and in parts."""

from __future__ import annotations

import json
from pathlib import Path

import torch


def make_tiny_diffusion(folder: Path, *, seed: int = 0, time_cond: int | None = None) -> Path:
    """Write a pipeline of diffusers: 32 wide, pictures in steps of 8 pixels as the real one.

    With `time_cond` it is a latent consistency model, which is told the guidance.
    """
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        LatentConsistencyModelPipeline,
        LCMScheduler,
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
        attention_head_dim=8, time_cond_proj_dim=time_cond,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32), in_channels=3, out_channels=3, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8, sample_size=64,
    )  # fmt: skip
    kind = LCMScheduler if time_cond else DDIMScheduler
    scheduler = kind(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
    )
    pipe = (LatentConsistencyModelPipeline if time_cond else StableDiffusionPipeline)(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=_tokenizer(folder, CLIPTokenizer),
        unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def make_tiny_xl(folder: Path, *, seed: int = 0) -> Path:
    """Write an SDXL of diffusers: two text encoders, and the picture's size told to the network."""
    from diffusers import (
        AutoencoderKL,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import (
        CLIPTextConfig,
        CLIPTextModel,
        CLIPTextModelWithProjection,
        CLIPTokenizer,
    )

    torch.manual_seed(seed)
    text = CLIPTextConfig(
        vocab_size=len(_vocabulary()), hidden_size=32, intermediate_size=37, projection_dim=32,
        num_attention_heads=4, num_hidden_layers=3, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(32, 64), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=64,
        attention_head_dim=(2, 4), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=6 * 8 + 32,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32), in_channels=3, out_channels=3, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8, sample_size=64,
    )  # fmt: skip
    pipe = StableDiffusionXLPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=_tokenizer(folder, CLIPTokenizer), tokenizer_2=_tokenizer(folder, CLIPTokenizer),
        unet=unet, scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
        add_watermarker=False,
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


def make_tiny_adapter(folder: Path, *, seed: int = 0, width: int = 32) -> Path:
    """Write an IP-Adapter for the tiny model, with its encoder of images beside it."""
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(seed)
    encoder = CLIPVisionConfig(
        hidden_size=16, intermediate_size=24, projection_dim=16, num_hidden_layers=1,
        num_attention_heads=2, image_size=32, patch_size=16,
    )  # fmt: skip
    CLIPVisionModelWithProjection(encoder).save_pretrained(folder / "image_encoder")
    tensors = {
        "image_proj.proj.weight": torch.randn(4 * width, 16),
        "image_proj.proj.bias": torch.randn(4 * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    for place in range(4):  # every attention to the text: one below, two above, one in the middle
        for name in ("to_k_ip", "to_v_ip"):
            tensors[f"ip_adapter.{2 * place + 1}.{name}.weight"] = torch.randn(64, width)
    path = folder / "ip-adapter_tiny.safetensors"
    save_file(tensors, path)
    return path
