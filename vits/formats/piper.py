"""Piper's voices: a .ckpt of its training, or a finished .onnx, each with its json."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vits.checkpoint import VoiceConfig
from vits.config import AudioConfig, TextConfig, VitsConfig
from vits.errors import UserError
from vits.formats.imported import Imported, speakers_of, with_symbols
from vits.formats.loading import Checkpoint, names_the_file
from vits.formats.names import renamed
from vits.formats.sizes import sizes_of

_RATES = {3: (8, 8, 4), 4: (8, 8, 2, 2)}  # medium and low, high


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether this is a Lightning checkpoint of Piper's training."""
    return "state_dict/model_g.enc_p.emb.weight" in checkpoint.tensors


@names_the_file
def read(checkpoint: Checkpoint, settings: Mapping[str, Any], where: Path) -> Imported:
    """The voice of a .ckpt and its json, `where`."""
    tensors, rows = renamed(checkpoint.part("state_dict/model_g."), "original")
    stages = sum(name.startswith("decoder.ups.") and name.endswith(".weight") for name in tensors)
    sizes = sizes_of(tensors, upsample_rates=_RATES.get(stages, ()), dilations=None, add_blank=True)
    critics = checkpoint.part("state_dict/model_d.")
    config = _config(settings, sizes, where)
    return Imported("Piper checkpoint", tensors, config, tuple(rows), critics or None)


@names_the_file
def read_onnx(settings: Mapping[str, Any], where: Path) -> VoiceConfig:
    """The configuration of a finished voice, whose graph stays as it is.

    Of its sizes only the counts of symbols and speakers are told, and no others are needed.
    """
    try:
        symbols, speakers = int(settings["num_symbols"]), int(settings["num_speakers"])
    except (KeyError, TypeError, ValueError) as error:
        raise _incomplete(where, error) from error
    return _config(settings, VitsConfig.paper(symbols, max(1, speakers)), where)


def with_durations(graph: Path, target: Path) -> bool:
    """Copy a graph so that it tells how long each symbol lasts, where the package onnx is there.

    What rounds the durations up is the one `Ceil` in it; it becomes an output. Without it the file
    is copied as it is: False.
    """
    try:
        import onnx
    except ImportError:
        shutil.copyfile(graph, target)
        return False
    try:
        model = onnx.load(str(graph), load_external_data=False)
    except Exception:  # whatever is wrong with it, the runtime that is to run it says so
        shutil.copyfile(graph, target)
        return False
    rounded = [name for node in model.graph.node if node.op_type == "Ceil" for name in node.output]
    known = {output.name for output in model.graph.output}
    if len(rounded) != 1 or rounded[0] in known:
        shutil.copyfile(graph, target)
        return len(known) > 1
    model.graph.output.append(onnx.ValueInfoProto(name=rounded[0]))
    target.write_bytes(model.SerializeToString())
    return True


def _incomplete(where: Path, error: Exception) -> UserError:
    return UserError(
        f"{where} is not the configuration of a Piper voice: {error!r} is missing or wrong.",
        "Name the json that came with the voice with --config.",
    )


def _config(settings: Mapping[str, Any], sizes: VitsConfig, where: Path) -> VoiceConfig:
    try:
        rate = int(settings["audio"]["sample_rate"])
        ids = {str(p): [int(i) for i in row] for p, row in settings["phoneme_id_map"].items()}
        inference = settings.get("inference", {})
        kind = str(settings.get("phoneme_type", "espeak"))
        voice = str(settings.get("espeak", {}).get("voice", ""))
        named = {str(n): int(i) for n, i in (settings.get("speaker_id_map") or {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _incomplete(where, error) from error
    if kind not in ("espeak", "text"):
        raise UserError(
            f"{where} reads its text with {kind!r}, which is not known here.",
            "Known are Piper's voices whose phoneme_type is espeak or text.",
        )
    language = (voice or "en").split("-")[0]
    language = {"cmn": "zh"}.get(language, language)
    return VoiceConfig(
        model=replace(sizes, add_blank=bool(ids.get("_"))),
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
            begin="^" if ids.get("^") else "",
            end="$" if ids.get("$") else "",
            blanks="between" if ids.get("^") else "around",
            blank=(ids.get("_") or [0])[0],
        ),
    )


def _symbols(ids: Mapping[str, list[int]], count: int, where: Path) -> list[str]:
    symbols = [f"\x00{i}" for i in range(count)]
    for symbol, row in ids.items():
        if not row and symbol in "^_$":  # a voice that has no such symbol
            continue
        if len(row) != 1 or not 0 <= row[0] < count:
            raise UserError(
                f"{where} gives {symbol!r} the ids {row}, and the weights have {count} rows.",
                "Use the configuration that came with exactly these weights.",
            )
        symbols[row[0]] = symbol
    return symbols
