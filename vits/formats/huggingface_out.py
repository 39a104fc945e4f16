"""A voice with the paper's decoder as a folder of Hugging Face's VitsModel.

The layout is that of `transformers`: attention by linear layers, weight norm on the WaveNets alone.
A voice of one conditioned speaker becomes a model of one speaker: what the condition adds is a
constant, which the layers' biases take in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vits.checkpoint import VoiceConfig, save_tensors
from vits.config import VitsConfig
from vits.errors import UserError
from vits.files import write_text
from vits.formats.huggingface import CODES
from vits.layers import plain_state_dict
from vits.model import Vits
from vits.voice import Voice

_NAMES = (
    (r"text_encoder\.emb\.", "text_encoder.embed_tokens."),
    (r"attn_layers\.(\d+)\.([qkv])\.", r"layers.\1.attention.\2_proj."),
    (r"attn_layers\.(\d+)\.o\.", r"layers.\1.attention.out_proj."),
    (r"attn_layers\.(\d+)\.", r"layers.\1.attention."),
    (r"norm_layers_1\.(\d+)\.", r"layers.\1.layer_norm."),
    (r"norm_layers_2\.(\d+)\.", r"layers.\1.final_layer_norm."),
    (r"ffn_layers\.(\d+)\.", r"layers.\1.feed_forward."),
    (r"text_encoder\.proj\.", "text_encoder.project."),
    (r"flow\.couplings\.(\d+)\.(pre|post)\.", r"flow.flows.\1.conv_\2."),
    (r"flow\.couplings\.(\d+)\.enc\.", r"flow.flows.\1.wavenet."),
    (r"posterior_encoder\.(pre|proj)\.", r"posterior_encoder.conv_\1."),
    (r"posterior_encoder\.enc\.", "posterior_encoder.wavenet."),
    (r"wavenet\.cond\.", "wavenet.cond_layer."),
    (r"decoder\.ups\.", "decoder.upsampler."),
    (r"speakers\.vectors$", "embed_speaker.weight"),
)
_STOCHASTIC = (
    (r"(post_)?affine\.m$", r"\1flows.0.translate"),
    (r"(post_)?affine\.logs$", r"\1flows.0.log_scale"),
    (r"(?<=\.)convs\.", "conv_dds."),
    (r"post_convs\.", "post_conv_dds."),
    (r"(?<=\.)(pre|proj)\.", r"conv_\1."),
    (r"post_(pre|proj)\.", r"post_conv_\1."),
    (r"convs_sep\.", "convs_dilated."),
    (r"convs_1x1\.", "convs_pointwise."),
)


def write(voice: Voice, folder: Path) -> None:
    """Write the folder. Raises UserError where the layout has no place for the voice."""
    model = voice.weights("weights of it")
    _check(voice, model.config)
    state, n_speakers = _conditioned(model)
    save_tensors(_theirs(state, model.config), folder / "model.safetensors", torch.float32)
    values = settings(voice.config, n_speakers)
    tokens = {symbol: i for i, symbol in enumerate(voice.config.symbols) if symbol[:1] != "\x00"}
    for name, content in (
        ("config.json", values),
        ("vocab.json", tokens),
        ("tokenizer_config.json", tokenizer(voice.config)),
    ):
        write_text(folder / name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _check(voice: Voice, c: VitsConfig) -> None:
    """Raise UserError unless transformers' network can have these sizes."""
    reasons = {
        "its decoder is not the paper's": c.decoder != "hifigan",
        "the residual blocks of its decoder are of type 2": c.hifigan.resblock != "1",
        "its encoders have other widths than its text has": not (
            c.hidden_channels == c.posterior_hidden == c.flow_hidden
        ),
        "its encoders have kernels of several sizes": c.posterior_kernel != c.flow_kernel,
        "its duration predictor has another width than its text has": (
            c.duration == "stochastic" and c.duration_channels != c.hidden_channels
        ),
        "its rhythm is predicted for one speaker in a way that cannot be taken in": (
            c.speaker != "none" and c.n_speakers == 1 and c.duration == "deterministic"
        ),
    }
    reason = next((reason for reason, holds in reasons.items() if holds), None)
    if reason:
        raise UserError(
            f"VitsModel of transformers cannot hold the voice {voice.name!r}: {reason}.",
            "Export it with --format onnx.",
        )


def settings(config: VoiceConfig, n_speakers: int) -> dict[str, Any]:
    """Their config.json."""
    c = config.model
    return {
        "architectures": ["VitsModel"],
        "model_type": "vits",
        "vocab_size": c.n_symbols,
        "hidden_size": c.hidden_channels,
        "num_hidden_layers": c.n_layers,
        "num_attention_heads": c.n_heads,
        "window_size": c.attention_window,
        "ffn_dim": c.filter_channels,
        "ffn_kernel_size": c.kernel_size,
        "flow_size": c.inter_channels,
        "spectrogram_bins": c.spec_channels,
        "use_stochastic_duration_prediction": c.duration == "stochastic",
        "duration_predictor_filter_channels": c.duration_channels,
        "num_speakers": n_speakers,
        "speaker_embedding_size": c.gin_channels if n_speakers > 1 else 0,
        "upsample_initial_channel": c.hifigan.initial_channels,
        "upsample_rates": list(c.hifigan.upsample_rates),
        "upsample_kernel_sizes": list(c.hifigan.upsample_kernel_sizes),
        "resblock_kernel_sizes": list(c.hifigan.resblock_kernel_sizes),
        "resblock_dilation_sizes": [list(row) for row in c.hifigan.resblock_dilation_sizes],
        "prior_encoder_num_flows": c.n_flows,
        "prior_encoder_num_wavenet_layers": c.flow_layers,
        "posterior_encoder_num_wavenet_layers": c.posterior_layers,
        "wavenet_kernel_size": c.flow_kernel,
        "speaking_rate": 1.0 / config.length_scale_of(config.speakers[0]),
        "noise_scale": config.noise_scale,
        "noise_scale_duration": config.noise_scale_duration,
        "sampling_rate": config.audio.sample_rate,
    }


def tokenizer(config: VoiceConfig) -> dict[str, Any]:
    """Their tokenizer_config.json: it reads letters and espeak's IPA, of other voices symbols."""
    text, language = config.text, config.languages[0]
    return {
        "tokenizer_class": "VitsTokenizer",
        "add_blank": config.model.add_blank,
        "normalize": text.front_end == "characters" and text.lower_case,
        "phonemize": text.front_end == "espeak",
        "is_uroman": text.uroman,
        "language": {ours: theirs for theirs, ours in CODES.items()}.get(language, language),
        "pad_token": config.symbols[text.blank],
    }


def _conditioned(model: Vits) -> tuple[dict[str, Tensor], int]:
    """Plain weights with a table of speakers, or none for one, and how many there are."""
    state = {k: v.detach().clone() for k, v in plain_state_dict(model).items()}
    config = model.config
    if model.speakers is None:
        return state, 1
    g = model.speakers(torch.arange(config.n_speakers), None)[..., 0].detach()
    state = {k: v for k, v in state.items() if not k.startswith("speakers.")}
    if config.n_speakers > 1:
        return state | {"speakers.vectors": g}, config.n_speakers
    return _taken_in(state, g[0]), 1


def _taken_in(state: dict[str, Tensor], g: Tensor) -> dict[str, Tensor]:
    """The weights of a model of one speaker, whose vector (gin,) is always the same."""

    def constant(name: str) -> Tensor:
        return state[f"{name}.weight"][..., 0] @ g + state[f"{name}.bias"]

    state["decoder.conv_pre.bias"] += constant("decoder.cond")
    pre = "duration_predictor.pre"
    added = state[f"{pre}.weight"][..., 0] @ constant("duration_predictor.cond")
    state[f"{pre}.bias"] += added
    nets = [name.removesuffix(".cond.weight") for name in state if ".enc.cond.weight" in name]
    for net in nets:
        rows = sorted(
            (n for n in state if re.fullmatch(re.escape(net) + r"\.in_layers\.\d+\.bias", n)),
            key=lambda n: int(n.split(".")[-2]),
        )
        for name, part in zip(rows, constant(f"{net}.cond").chunk(len(rows)), strict=True):
            state[name] += part
    return {name: tensor for name, tensor in state.items() if ".cond." not in name}


def _theirs(state: Mapping[str, Tensor], config: VitsConfig) -> dict[str, Tensor]:
    """Weights under the names and in the shapes of transformers."""
    made: dict[str, Tensor] = {}
    for ours, tensor in state.items():
        name = their_name(ours, stochastic=config.duration == "stochastic")
        if ".attention." in name and name.endswith("_proj.weight"):
            tensor = tensor.squeeze(-1)
        if ".wavenet." in name and name.endswith(".weight"):
            stem = f"{name.removesuffix('weight')}parametrizations.weight.original"
            made[f"{stem}0"] = tensor.flatten(1).norm(dim=1).view(-1, 1, 1)
            made[f"{stem}1"] = tensor
        else:
            made[name] = tensor
    return made


def their_name(ours: str, *, stochastic: bool) -> str:
    """Their name of one of our tensors."""
    for pattern, theirs in _NAMES:
        ours = re.sub(pattern, theirs, ours)
    part = "duration_predictor"
    if not stochastic or not ours.startswith(part):
        return ours
    tail = ours.removeprefix(part)
    # their affine layer is the first of the flows
    tail = re.sub(r"flows\.(\d+)\.", lambda m: f"flows.{int(m[1]) + 1}.", tail)
    for pattern, theirs in _STOCHASTIC:
        tail = re.sub(pattern, theirs, tail)
    return part + tail
