"""`clone-voice import`: whose checkpoint it is, by what is in it, and the voice that it becomes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vits import library
from vits.card import Card, write_card
from vits.checkpoint import save_config
from vits.errors import UserError
from vits.formats import coqui, huggingface, original, piper
from vits.formats.imported import Imported, write_voice
from vits.formats.loading import Checkpoint, read_json, read_pickle, read_safetensors
from vits.formats.names import Row

log = logging.getLogger(__name__)

_HUB_FILES = ("config.json", "model.safetensors", "vocab.json", "tokenizer_config.json",
              "special_tokens_map.json")  # fmt: skip
_FILES = (".pth", ".pt", ".ckpt", ".onnx", ".safetensors")


@dataclass(frozen=True)
class ImportRequest:
    """What a user asks for. `checkpoint` is a file, a folder, or the id of a model on a hub."""

    checkpoint: str
    name: str
    config: Path | None = None
    discriminator: Path | None = None
    cleaner: str | None = None
    language: str | None = None
    licence: str = ""


@dataclass(frozen=True)
class ImportResult:
    """A voice in the library, whose layout it came in, and what became of every tensor."""

    name: str
    folder: Path
    layout: str
    rows: tuple[Row, ...]

    def count(self, how: str) -> int:
        """How many tensors fared so."""
        return sum(row.how == how for row in self.rows)


def import_voice(request: ImportRequest, *, force: bool = False) -> ImportResult:
    """Make an ordinary voice of another program's checkpoint.

    Raises UserError that names what is wrong, and leaves the library as it was.
    """
    name = library.check_name(request.name)
    library.refuse_taken(name, force)
    path = _located(request.checkpoint)
    card = Card(
        name=name,
        base=path.name,
        licence=request.licence,
        training={"imported_from": path.name},
    )
    rows: tuple[Row, ...] = ()
    with library.incoming() as place:
        if path.suffix == ".onnx":
            layout = _keep_graph(path, request, place)
            write_card(place, card)
        else:
            with _read(path, request) as voice:
                layout, rows = voice.layout, write_voice(place, voice, card)
        library.check_voice(place)
        folder = library.publish(place, name, force)
    return ImportResult(name, folder, layout, rows)


def _located(checkpoint: str) -> Path:
    """A file or folder here, else a model of the hub, fetched to its cache."""
    path = Path(checkpoint).expanduser()
    if path.exists():
        return path
    a_path = checkpoint.startswith(("/", ".", "~")) or path.suffix in _FILES
    if checkpoint.count("/") != 1 or a_path:
        raise UserError(f"There is no file or folder {checkpoint}.", "Check the path.")
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(checkpoint, allow_patterns=list(_HUB_FILES)))
    except Exception as error:  # its own errors are many, and the network's more
        raise UserError(
            f"{checkpoint} is no folder here and could not be fetched from the hub "
            f"({type(error).__name__}).",
            "Check the name and the connection, or download the folder and name it.",
        ) from error


@contextlib.contextmanager
def _read(path: Path, request: ImportRequest) -> Iterator[Imported]:
    if path.is_dir():
        yield _from_folder(path, request)
        return
    if path.suffix == ".safetensors":
        yield _from_file(path, read_safetensors(path), None, request)
        return
    with contextlib.ExitStack() as stack:
        checkpoint = stack.enter_context(read_pickle(path))
        critics = (
            stack.enter_context(read_pickle(request.discriminator))
            if request.discriminator
            else None
        )
        yield _from_file(path, checkpoint, critics, request)


def _keep_graph(path: Path, request: ImportRequest, place: Path) -> str:
    """A finished graph of Piper's stays one, with its json in our words; its layout."""
    where = _given(request.config or _beside(path), path)
    config = piper.read_onnx(read_json(where), where)
    if not piper.with_durations(path, place / library.GRAPH):
        log.warning("%s does not tell how long each sound lasts: times of words are guessed", path)
    save_config(place, config)
    return "Piper ONNX"


def _from_folder(path: Path, request: ImportRequest) -> Imported:
    if not huggingface.recognises(path):
        raise UserError(
            f"{path} is not the folder of a VitsModel: its config.json does not say so.",
            "Name the checkpoint's file itself.",
        )
    if not (path / "model.safetensors").exists():
        raise UserError(
            f"{path} has no model.safetensors.", "Get the weights in that form, without pickles."
        )
    weights = read_safetensors(path / "model.safetensors")
    return huggingface.read(path / "config.json", weights, request.language)


def _from_file(
    path: Path, checkpoint: Checkpoint, critics: Checkpoint | None, request: ImportRequest
) -> Imported:
    where = request.config or _beside(path)
    if piper.recognises(checkpoint):
        return piper.read(checkpoint, read_json(_given(where, path)), _given(where, path))
    if coqui.recognises(checkpoint):
        return coqui.read(checkpoint, read_json(where) if where else None, where or path)
    if original.recognises(checkpoint):
        config = _given(where, path)
        return original.read(checkpoint, read_json(config), config, critics, request.cleaner)
    names = [name for name in checkpoint.tensors if "discriminators." in name]
    if names:
        raise UserError(
            f"{path} is a discriminator, which cannot speak.",
            "Name the generator (G_*.pth), and this file with --discriminator.",
        )
    some = next(iter(checkpoint.tensors), "nothing")
    raise UserError(
        f"{path} is no VITS that is known here: it holds {len(checkpoint.tensors)} tensors such as "
        f"{some!r}.",
        "Known are original VITS, fast-fine-tuning, Hugging Face, Piper and Coqui VITS.",
    )


def _beside(path: Path) -> Path | None:
    """The json of a checkpoint, where it usually lies."""
    for candidate in (
        path.with_suffix(".json"),
        path.with_name(f"{path.name}.json"),
        path.with_name("config.json"),
        path.with_name("finetune_speaker.json"),
    ):
        if candidate.is_file():
            return candidate
    return None


def _given(where: Path | None, path: Path) -> Path:
    if where is None:
        raise UserError(f"There is no configuration beside {path}.", "Name its json with --config.")
    return where
