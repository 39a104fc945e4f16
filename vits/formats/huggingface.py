"""Folders of Hugging Face's VitsModel (facebook/mms-tts-*, kakao-enterprise/vits-*), in and out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vits.checkpoint import VoiceConfig
from vits.config import AudioConfig, TextConfig
from vits.errors import UserError
from vits.formats.imported import Imported, speakers_of, with_symbols
from vits.formats.loading import Checkpoint, names_the_file, read_json
from vits.formats.names import renamed
from vits.formats.sizes import check_against, sizes_of

# ISO 639-3, which MMS uses, where we have a shorter name.
CODES = {"eng": "en", "deu": "de", "fra": "fr", "spa": "es", "jpn": "ja", "cmn": "zh", "rus": "ru"}


def recognises(folder: Path) -> bool:
    """Whether this is the folder of a VitsModel."""
    try:
        return read_json(folder / "config.json").get("model_type") == "vits"
    except UserError:
        return False


@names_the_file
def read(where: Path, checkpoint: Checkpoint, language: str | None = None) -> Imported:
    """The voice of a folder whose weights are `checkpoint`; `where` is its config.json."""
    folder = where.parent
    values = read_json(where)
    if values.get("wavenet_dilation_rate", 1) != 1:
        raise UserError(f"{where} has dilated WaveNets, which are not known here.", "")
    n_speakers = int(values.get("num_speakers", 1))
    unused = _unused(n_speakers)
    tensors, rows = renamed(checkpoint.tensors, "huggingface", unused)
    sizes = sizes_of(
        tensors,
        upsample_rates=tuple(values.get("upsample_rates", ())),
        dilations=tuple(map(tuple, values.get("resblock_dilation_sizes", ()))) or None,
        add_blank=bool(_tokenizer(folder).get("add_blank", True)),
    )
    theirs = {"n_heads": "num_attention_heads", "n_layers": "num_hidden_layers"}
    said = {ours: values[name] for ours, name in theirs.items() if name in values}
    said |= {"hidden_channels": values.get("hidden_size", sizes.hidden_channels)}
    check_against(sizes, said, str(where))
    text, spoken = _text(folder, language)
    n_fft = 2 * (int(values.get("spectrogram_bins", 513)) - 1)
    config = VoiceConfig(
        model=sizes,
        audio=AudioConfig(
            sample_rate=int(values.get("sampling_rate", 16000)),
            n_fft=n_fft,
            hop_length=math.prod(sizes.hifigan.upsample_rates),
            win_length=n_fft,
        ),
        symbols=with_symbols(sizes, _symbols(folder, sizes.n_symbols), str(folder / "vocab.json")),
        languages=(spoken,),
        speakers=speakers_of({}, sizes.n_speakers, spoken, str(where)),
        noise_scale=float(values.get("noise_scale", 0.667)),
        noise_scale_duration=float(values.get("noise_scale_duration", 0.8)),
        length_scale=1.0 / float(values.get("speaking_rate", 1.0)),
        text=text,
    )
    return Imported("Hugging Face VitsModel", tensors, config, tuple(rows))


def _unused(n_speakers: int) -> tuple[str, ...]:
    """Layers for speakers that a model of one speaker has and never runs."""
    if n_speakers > 1:
        return ()
    flows = tuple(f"flow.couplings.{i}.enc.cond." for i in range(16))
    return ("duration_predictor.cond.", "decoder.cond.", "posterior_encoder.enc.cond.", *flows)


def _tokenizer(folder: Path) -> Mapping[str, Any]:
    path = folder / "tokenizer_config.json"
    return read_json(path) if path.exists() else {}


def _text(folder: Path, language: str | None) -> tuple[TextConfig, str]:
    """How text is read, and the language; what the tokenizer says."""
    said = _tokenizer(folder)
    code = str(said.get("language") or "eng")
    spoken = language or CODES.get(code, code)
    if said.get("phonemize", False):
        voice = {"en": "en-us"}.get(spoken, spoken)
        return TextConfig("espeak", espeak_voice=voice), spoken
    return (
        TextConfig(
            "characters",
            lower_case=bool(said.get("normalize", True)),
            uroman=bool(said.get("is_uroman", False)),
        ),
        spoken,
    )


def _symbols(folder: Path, count: int) -> list[str]:
    """The symbols in the order of their ids; a gap is a symbol that no text has."""
    vocabulary = read_json(folder / "vocab.json")
    symbols = [f"\x00{i}" for i in range(count)]
    beyond = [s for s, i in vocabulary.items() if not (isinstance(i, int) and i >= 0)]
    if beyond or max(vocabulary.values(), default=-1) >= count:
        raise UserError(
            f"{folder / 'vocab.json'} has ids that the weights have no row for "
            f"({len(vocabulary)} symbols, {count} rows).",
            "Use the files that came together.",
        )
    for symbol, index in vocabulary.items():
        symbols[index] = symbol
    return symbols
