"""`clone-voice export`: a voice for other programs, in a folder of its own.

onnx         voice.onnx, config.json, card.json: any ONNX runtime runs it, ours too
piper        NAME.onnx, NAME.onnx.json: for Piper's programs
huggingface  model.safetensors, config.json, vocab.json ...: for transformers' VitsModel
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vits.card import write_card
from vits.errors import UserError
from vits.files import cannot_write
from vits.library import GRAPH
from vits.voice import Voice


@dataclass(frozen=True)
class Exported:
    """What was written, and where."""

    voice: str
    format: str
    folder: Path
    files: tuple[str, ...]


def export_voice(voice: str, format: str, folder: Path) -> Exported:
    """Write a voice for other programs into `folder`, which is made.

    Raises UserError for a voice that the format cannot hold, with the reason, for a folder that
    holds other things, and for one that cannot be written.
    """
    write = FORMATS[format]
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already.", "Name a new or an empty folder with -o.")
    loaded = Voice.load(voice)
    loaded.weights(f"other form of it than {GRAPH}, which is in {loaded.folder}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as place:
            made = Path(place, folder.name)
            made.mkdir()
            write(loaded, made)
            if folder.exists():
                folder.rmdir()
            shutil.move(made, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    files = tuple(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))
    return Exported(loaded.name, format, folder, files)


def _onnx(voice: Voice, folder: Path) -> None:
    from vits.checkpoint import save_config
    from vits.graph import write_graph

    write_graph(voice.weights("graph"), folder / GRAPH, voice.config.melodies())
    save_config(folder, voice.config)
    write_card(folder, voice.card)


def _piper(voice: Voice, folder: Path) -> None:
    from vits.formats.piper_out import write

    write(voice, folder)
    write_card(folder, voice.card)


def _huggingface(voice: Voice, folder: Path) -> None:
    from vits.formats.huggingface_out import write

    write(voice, folder)
    write_card(folder, voice.card)


FORMATS: Mapping[str, Callable[[Voice, Path], None]] = {
    "onnx": _onnx,
    "piper": _piper,
    "huggingface": _huggingface,
}
