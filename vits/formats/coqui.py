"""Coqui's VITS: best_model.pth with its config.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vits.checkpoint import VoiceConfig
from vits.config import AudioConfig, TextConfig
from vits.errors import UserError
from vits.formats.imported import Imported, speakers_of, with_symbols
from vits.formats.loading import Checkpoint, names_the_file
from vits.formats.names import renamed
from vits.formats.sizes import sizes_of

_PARTS = (
    (r"^text_encoder\.", "enc_p."),
    (r"^posterior_encoder\.", "enc_q."),
    (r"^duration_predictor\.", "dp."),
    (r"^waveform_decoder\.", "dec."),
    (r"^dec\.cond_layer\.", "dec.cond."),
    (r"\.translation$", ".m"),
    (r"\.log_scale$", ".logs"),
)


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether this is a checkpoint of Coqui's VITS."""
    return "model/waveform_decoder.conv_pre.weight" in checkpoint.tensors or any(
        name.startswith("model/waveform_decoder.conv_pre.") for name in checkpoint.tensors
    )


@names_the_file
def read(checkpoint: Checkpoint, settings: Mapping[str, Any] | None, where: Path) -> Imported:
    """The voice of a checkpoint and its config.json, or of the one that it holds."""
    values = settings or checkpoint.meta.get("config")
    if not isinstance(values, Mapping):
        raise UserError(
            f"There is no configuration in {where} or beside it.", "Name its json with --config."
        )
    theirs = checkpoint.part("model/")
    critics = {
        re.sub(r"^disc\.nets\.", "discriminators.", name): tensor
        for name, tensor in theirs.items()
        if name.startswith("disc.")
    }
    own = {_original_name(n): t for n, t in theirs.items() if not n.startswith("disc.")}
    tensors, rows = renamed(own, "original")
    arguments = values.get("model_args") or {}
    sizes = sizes_of(
        tensors,
        upsample_rates=tuple(arguments.get("upsample_rates_decoder", ())),
        dilations=tuple(map(tuple, arguments.get("resblock_dilation_sizes_decoder", ()))) or None,
        add_blank=bool(values.get("add_blank", True)),
    )
    text, language = _text(values, where)
    symbols = _symbols(values, where)
    config = VoiceConfig(
        model=sizes,
        audio=_audio(values, where),
        symbols=with_symbols(sizes, symbols, str(where)),
        languages=(language,),
        speakers=speakers_of({}, sizes.n_speakers, language, str(where)),
        text=text if "<BLNK>" not in symbols else _with_blank(text, symbols.index("<BLNK>")),
    )
    return Imported("Coqui VITS", tensors, config, tuple(rows), critics or None)


def _with_blank(text: TextConfig, blank: int) -> TextConfig:
    from dataclasses import replace

    return replace(text, blank=blank)


def _original_name(name: str) -> str:
    """A tensor's name in the original's words, whose flows have flips between them."""
    for pattern, there in _PARTS:
        name = re.sub(pattern, there, name)
    couplings = re.match(r"flow\.flows\.(\d+)\.(.+)", name)
    if couplings:
        return f"flow.flows.{2 * int(couplings[1])}.{couplings[2]}"
    splines = re.match(r"dp\.(post_)?flows\.(\d+)\.(.+)", name)
    if splines and int(splines[2]):
        return f"dp.{splines[1] or ''}flows.{2 * int(splines[2]) - 1}.{splines[3]}"
    return name


def _audio(values: Mapping[str, Any], where: Path) -> AudioConfig:
    audio = values.get("audio")
    names = ("sample_rate", "fft_size", "hop_length", "win_length")
    if not isinstance(audio, Mapping) or any(not isinstance(audio.get(n), int) for n in names):
        raise UserError(f"{where} does not say {', '.join(names)}.", "Use the original file.")
    return AudioConfig(
        sample_rate=audio["sample_rate"],
        n_fft=audio["fft_size"],
        hop_length=audio["hop_length"],
        win_length=audio["win_length"],
        n_mels=int(audio.get("num_mels") or 80),
    )


def _text(values: Mapping[str, Any], where: Path) -> tuple[TextConfig, str]:
    language = str(values.get("phoneme_language") or "en-us")
    if values.get("use_phonemes"):
        return TextConfig("espeak", espeak_voice=language), language.split("-")[0]
    lower = "lower" in str(values.get("text_cleaner")) or "english" in str(
        values.get("text_cleaner")
    )
    return TextConfig("characters", lower_case=lower), language.split("-")[0]


def _symbols(values: Mapping[str, Any], where: Path) -> list[str]:
    """The vocabulary in the order that Coqui's own classes give it."""
    said = values.get("characters")
    if not isinstance(said, Mapping) or "characters" not in said:
        raise UserError(
            f"{where} lists no characters.", "Use the configuration that came with the weights."
        )
    letters = list(str(said["characters"])) + list(str(said.get("phonemes") or ""))
    marks, pad = list(str(said.get("punctuations") or "")), str(said.get("pad") or "_")
    if "VitsCharacters" in str(said.get("characters_class", "VitsCharacters")):
        return [pad, *marks, *letters, "<BLNK>"]
    if said.get("is_unique"):
        letters = list(dict.fromkeys(letters))
    if said.get("is_sorted", True):
        letters = sorted(letters)
    ends = [said.get(name) for name in ("pad", "eos", "bos", "blank")]
    return [*(str(end) for end in ends if end), *letters, *marks]
