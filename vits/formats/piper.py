"""Piper's voices: a .ckpt of its training, with its json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vits.checkpoint import VoiceConfig
from vits.config import AudioConfig, TextConfig, VitsConfig
from vits.errors import UserError
from vits.formats.imported import Imported, speakers_of, with_symbols
from vits.formats.loading import Checkpoint
from vits.formats.names import renamed
from vits.formats.sizes import sizes_of

_RATES = {3: (8, 8, 4), 4: (8, 8, 2, 2)}  # medium and low, high


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether this is a Lightning checkpoint of Piper's training."""
    return "state_dict/model_g.enc_p.emb.weight" in checkpoint.tensors


def read(checkpoint: Checkpoint, settings: Mapping[str, Any], where: Path) -> Imported:
    """The voice of a .ckpt and its json, `where`."""
    tensors, rows = renamed(checkpoint.part("state_dict/model_g."), "original")
    stages = sum(name.startswith("decoder.ups.") and name.endswith(".weight") for name in tensors)
    sizes = sizes_of(tensors, upsample_rates=_RATES.get(stages, ()), dilations=None, add_blank=True)
    critics = checkpoint.part("state_dict/model_d.")
    config = _config(settings, sizes, where)
    return Imported("Piper checkpoint", tensors, config, tuple(rows), critics or None)


def _config(settings: Mapping[str, Any], sizes: VitsConfig, where: Path) -> VoiceConfig:
    try:
        rate = int(settings["audio"]["sample_rate"])
        ids = {str(p): [int(i) for i in row] for p, row in settings["phoneme_id_map"].items()}
        inference = settings.get("inference", {})
        kind = str(settings.get("phoneme_type", "espeak"))
        voice = str(settings.get("espeak", {}).get("voice", ""))
        named = {str(n): int(i) for n, i in (settings.get("speaker_id_map") or {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{where} is not the configuration of a Piper voice: {error!r} is missing or wrong.",
            "Name the json that came with the voice with --config.",
        ) from error
    language = (voice or "en").split("-")[0]
    language = {"cmn": "zh"}.get(language, language)
    return VoiceConfig(
        model=sizes,
        audio=AudioConfig(sample_rate=rate, hop_length=int(settings.get("hop_length", 256))),
        symbols=with_symbols(sizes, _symbols(ids, sizes.n_symbols, where), str(where)),
        languages=(language,),
        speakers=speakers_of(named, sizes.n_speakers, language, str(where)),
        noise_scale=float(inference.get("noise_scale", 0.667)),
        noise_scale_duration=float(inference.get("noise_w", 0.8)),
        length_scale=float(inference.get("length_scale", 1.0)),
        text=TextConfig(
            "characters" if kind == "text" else "espeak",
            espeak_voice=voice or "en-us",
            begin="^",
            end="$",
            blanks="between",
            blank=ids.get("_", [0])[0],
        ),
    )


def _symbols(ids: Mapping[str, list[int]], count: int, where: Path) -> list[str]:
    symbols = [f"\x00{i}" for i in range(count)]
    for symbol, row in ids.items():
        if len(row) != 1 or not 0 <= row[0] < count:
            raise UserError(
                f"{where} gives {symbol!r} the ids {row}, and the weights have {count} rows.",
                "Use the configuration that came with exactly these weights.",
            )
        symbols[row[0]] = symbol
    return symbols
