"""A voice in the layout of Piper's: NAME.onnx with NAME.onnx.json.

Piper reads a text by espeak and calls every codepoint of its IPA a phoneme. The ids of an utterance
are those of `^`, then `_`, then of each phoneme with `_` behind it, then of `$`, each a list, which
may be empty: so voices whose blanks stand around, and ours, which have none, have their ids too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vits.errors import UserError
from vits.files import write_text
from vits.graph import write_graph
from vits.text.phonemes import ESPEAK
from vits.text.symbols import LANGUAGE_MARKS
from vits.voice import Voice

BEGIN, BLANK, END = "^", "_", "$"


def write(voice: Voice, folder: Path) -> None:
    """Write the two files. Raises UserError where the voice's text is not espeak's."""
    settings = piper_settings(voice)
    path = folder / f"{voice.name}.onnx"
    write_graph(voice.weights("graph"), path, voice.config.melodies(), piper=True)
    text = json.dumps(settings, ensure_ascii=False, indent=2) + "\n"
    write_text(folder / f"{voice.name}.onnx.json", text)


def piper_settings(voice: Voice) -> dict[str, Any]:
    """What Piper's json says of a voice."""
    config, language = voice.config, voice.speaker.language
    language = language if language in voice.languages else voice.languages[0]
    return {
        "audio": {"sample_rate": voice.sample_rate, "quality": "medium"},
        "espeak": {"voice": _espeak_voice(voice, language)},
        "language": {"code": language},
        "inference": {
            "noise_scale": config.noise_scale,
            "length_scale": config.length_scale_of(voice.speaker),
            "noise_w": config.noise_scale_duration,
        },
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": _ids(voice, language),
        "num_symbols": config.model.n_symbols,
        "num_speakers": config.model.n_speakers,
        "speaker_id_map": (
            {speaker.name: i for i, speaker in enumerate(voice.speakers)}
            if config.model.n_speakers > 1
            else {}
        ),
        "hop_length": config.audio.hop_length,
    }


def _espeak_voice(voice: Voice, language: str) -> str:
    text = voice.config.text
    if text.front_end == "espeak" and text.begin in ("", BEGIN) and text.end in ("", END):
        return text.espeak_voice
    if text.front_end == "native" and language in ESPEAK:
        return ESPEAK[language]
    how = {"native": f"our own symbols for {language}", "characters": "letters"}
    raise UserError(
        f"Piper reads text by espeak, and the voice {voice.name!r} reads "
        f"{how.get(text.front_end, f'the notation {text.front_end}')}.",
        "Export it with --format onnx.",
    )


def _ids(voice: Voice, language: str) -> Mapping[str, list[int]]:
    """The ids of each phoneme, and of what stands before, between and after them."""
    config, table = voice.config, voice.front_end.table
    own = {symbol: [i] for symbol, i in table.items() if len(symbol) == 1 and symbol != "\x00"}
    begin, end = config.text.begin, config.text.end
    if config.text.front_end == "native":
        begin = LANGUAGE_MARKS[language] if LANGUAGE_MARKS[language] in table else ""
    own[BLANK] = [config.text.blank] if config.model.add_blank else []
    own[BEGIN] = [table[begin]] if begin else []
    own[END] = [table[end]] if end else []
    return own
