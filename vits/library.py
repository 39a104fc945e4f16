"""The voices on this machine: found, listed, taken in and removed by name.

    HOME/voices/NAME/       one voice folder each
    HOME/training/NAME/     what training it keeps for itself: state, features, prepared clips
    HOME/made.jsonl         which files were made with which voice

HOME is `CLONE_VOICE_HOME`, or the place the system has for a user's data. The voice `base` ships
inside the package and is always there. Nothing here loads torch but the check of a new voice.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import logging
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vits.errors import UserError
from vits.files import cannot_write, write_text

log = logging.getLogger(__name__)

BASE = "base"
BASES = Path(__file__).parent / "bases"
CONFIG = "config.json"
WEIGHTS = "voice.safetensors"
GRAPH_FORM = 2  # of the graphs that are kept: raised, older ones are made again
GRAPH = "voice.onnx"  # in the place of weights, of a voice that is kept as ONNX
MADE = "made.jsonl"
LONGEST_NAME = 60
SHOWN_NAMES = 20  # in an error
# What Windows refuses in a file name, and names it keeps for itself.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class VoiceEntry:
    """One voice of the library, as its configuration describes it; `problem` if it cannot."""

    name: str
    folder: Path
    bytes: int
    languages: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    problem: str = ""

    @property
    def ships(self) -> bool:
        """Whether it is part of the program and cannot be removed."""
        return self.folder.parent == BASES


@dataclass(frozen=True)
class Removed:
    """What a removal deleted, and the files made with the voice that are still there."""

    name: str
    folders: tuple[Path, ...]
    bytes: int
    made: tuple[Path, ...]


def home() -> Path:
    """Where this user's voices are kept; the folder may not exist yet."""
    named = os.environ.get("CLONE_VOICE_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("clone-voice", appauthor=False))


def voice_folder(name: str) -> Path:
    """Where the library keeps, or would keep, the voice of this name."""
    return home() / "voices" / name


def training_folder(name: str) -> Path:
    """Where everything private about the training of this voice belongs; removed with it."""
    return home() / "training" / name


def parse_voice(voice: str) -> tuple[str, str | None]:
    """'NAME:SPEAKER' -> ('NAME', 'SPEAKER'); a path, with a Windows drive or not, has no speaker
    unless one follows it ('C:\\voices\\mine:anna')."""
    head, colon, tail = voice.rpartition(":")
    is_drive = len(head) == 1 and head.isalpha() and ("\\" in tail or "/" in tail)
    if not colon or not head or is_drive or "/" in tail or "\\" in tail:
        return voice, None
    return head, tail or None


def check_name(name: str) -> str:
    """`name` in its one written form. Raises UserError unless it can name a folder anywhere."""
    name = unicodedata.normalize("NFC", name)
    cause = ""
    if not name.strip():
        cause = "it is empty"
    elif len(name) > LONGEST_NAME:
        cause = f"it is longer than {LONGEST_NAME} characters"
    elif found := _FORBIDDEN.search(name):
        cause = f"it contains {found[0]!r}"
    elif name[0] in ". -" or name[-1] in ". " or _RESERVED.fullmatch(name):
        cause = "not every system can have a folder of this name"
    elif name.casefold() == BASE:
        cause = "the voice that ships has it"
    if cause:
        raise UserError(
            f"A voice cannot be called {name!r}: {cause}.", "Choose a name of letters and digits."
        )
    return name


def names() -> list[str]:
    """The names of the library, the base first."""
    ships = [BASE] if (BASES / BASE / CONFIG).is_file() else []
    return ships + _own_names()


def _own_names() -> list[str]:
    with contextlib.suppress(OSError):
        folders = (home() / "voices").iterdir()
        return sorted(f.name for f in folders if f.is_dir() and not f.name.startswith("."))
    return []


def find_voice(name: str | Path) -> Path:
    """The folder of a voice by its name in the library, or by its path.

    Raises UserError that lists the voices there are, the nearest names first.
    """
    if isinstance(name, Path):
        return _existing_folder(name)
    if name == BASE:
        return _existing_base()
    own = unicodedata.normalize("NFC", name)
    if own in _own_names():
        return voice_folder(own)
    if "/" in name or "\\" in name or (Path(name) / CONFIG).is_file():
        return _existing_folder(Path(name).expanduser())
    raise unknown("voice", name, names(), "A path names a voice elsewhere.")


def _existing_base() -> Path:
    folder = BASES / BASE
    if not (folder / CONFIG).is_file():
        raise UserError(
            "This installation has no base voice.", "Install the program again, or name a voice."
        )
    return folder


def _existing_folder(path: Path) -> Path:
    if path.is_file():
        raise UserError(
            f"{path} is a file, not a voice folder.",
            f"If it is a packed voice, take it in first: clone-voice add {path.name}.",
        )
    if not path.is_dir():
        raise UserError(f"There is no voice folder {path}.", "Check the path.")
    return path


def unknown(kind: str, asked: str, there: Sequence[str], hint: str = "") -> UserError:
    """The error for a name that is not there: the nearest names, or the first of all there are."""
    folded = {name.casefold(): name for name in there}
    close = [folded[n] for n in difflib.get_close_matches(asked.casefold(), folded, n=3)]
    shown, rest = list(there[:SHOWN_NAMES]), len(there) - SHOWN_NAMES
    if close:
        remedy = f"Did you mean {' or '.join(close)}?"
    elif there:
        remedy = f"Choose one of: {', '.join(shown)}{f' and {rest} more' if rest > 0 else ''}."
    else:
        remedy = "There are none yet."
    return UserError(f"There is no {kind} {asked!r}.", f"{remedy} {hint}".strip())


# ---------------------------------------------------------------- listing


def list_voices() -> list[VoiceEntry]:
    """Every voice of the library, those with a broken configuration too."""
    return [describe(find_voice(name)) for name in names()]


def describe(folder: Path) -> VoiceEntry:
    """What config.json of a voice folder says, without loading the voice."""
    size = folder_bytes(folder)
    try:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        languages = tuple(str(language) for language in values["languages"])
        speakers = tuple(str(speaker["name"]) for speaker in values["speakers"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        problem = f"its {CONFIG} cannot be read ({type(error).__name__}: {error})"
        return VoiceEntry(folder.name, folder, size, problem=problem)
    return VoiceEntry(folder.name, folder, size, languages, speakers)


def voice_hash(folder: Path) -> str:
    """SHA-256 of a voice's weights and configuration, as they lie on the disk. UserError."""
    digest = hashlib.sha256()
    for name in (GRAPH if is_graph(folder) else WEIGHTS, CONFIG):
        try:
            with (folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise UserError(
                f"{folder / name} cannot be read ({error.strerror}).", "Train the voice again."
            ) from error
    return digest.hexdigest()


def is_graph(folder: Path) -> bool:
    """Whether a voice folder holds an ONNX graph instead of weights."""
    return (folder / GRAPH).is_file() and not (folder / WEIGHTS).exists()


def kept_graph(digest: str) -> Path:
    """Where the graph of the voice of this hash is kept, once `--engine onnx` has made it."""
    return home() / "onnx" / f"{digest[:32]}-{GRAPH_FORM}.onnx"


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; 0 where there is none."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


# ---------------------------------------------------------------- taking in and removing


def install_voice(folder: Path, name: str, *, force: bool = False) -> Path:
    """Copy a finished voice folder into the library under `name`; its new place.

    It is loaded strictly before it appears. Raises UserError if it does not load, or if the name
    is taken and not `force`.
    """
    name = check_name(name)
    refuse_taken(name, force)
    with incoming() as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        check_voice(place)
        return publish(place, name, force)


def check_voice(folder: Path) -> None:
    """Load everything of a voice folder strictly. Raises UserError for what does not fit."""
    from vits.card import read_card
    from vits.checkpoint import load_config, load_critics, load_voice

    read_card(folder)
    if is_graph(folder):
        from vits.onnxvoice import OnnxNetwork

        OnnxNetwork(folder / GRAPH, load_config(folder)).check()
        return
    _, config = load_voice(folder)
    load_critics(folder, config)


def refuse_taken(name: str, force: bool = False) -> None:
    """Raise UserError if the library has a voice of this name, in whatever case."""
    same = [own for own in _own_names() if own.casefold() == name.casefold()]
    if same and (not force or same != [name]):
        raise UserError(
            f"There is already a voice {same[0]!r}.",
            "Choose another name, or replace it with --force."
            if same == [name]
            else "Choose another name: some systems hold the two for the same.",
        )


@contextlib.contextmanager
def incoming() -> Iterator[Path]:
    """An empty folder on the library's disk for a voice on its way in; gone at the end.

    One at a time: others wait.
    """
    place = home() / "voices" / ".incoming"
    with _locked():
        try:
            shutil.rmtree(place, ignore_errors=True)  # what a killed run left
            place.mkdir(parents=True)
            yield place
        except OSError as error:
            raise cannot_write(place, error) from error
        finally:
            shutil.rmtree(place, ignore_errors=True)


def publish(place: Path, name: str, force: bool = False) -> Path:
    """Move a folder that `incoming` gave to its name; what was there before is deleted."""
    refuse_taken(name, force)
    target = voice_folder(name)
    if target.exists():
        _delete(target)
    os.rename(place, target)
    return target


def remove_voice(name: str) -> Removed:
    """Delete a voice of the library with everything that belongs to it.

    Raises UserError for the voice that ships, a path, and a name that is not there.
    """
    if name == BASE:
        raise UserError(
            "The base voice is part of the program and stays.", "Name a voice of your own."
        )
    name = unicodedata.normalize("NFC", name)
    if name not in _own_names():
        raise unknown("voice", name, _own_names())
    folders = [f for f in (voice_folder(name), training_folder(name)) if f.exists()]
    with contextlib.suppress(UserError):  # a broken voice has none
        kept_graph(voice_hash(voice_folder(name))).unlink(missing_ok=True)
    size = sum(folder_bytes(folder) for folder in folders)
    made = tuple(path for path in made_with(name) if path.exists())
    with _locked():
        try:
            for folder in folders:
                _delete(folder)
        except OSError as error:
            raise UserError(
                f"{error.filename or name} could not be deleted ({error.strerror}).",
                "Close the programs that use it and try again.",
            ) from error
        _write_made([entry for entry in _read_made() if entry[0] != name])
    return Removed(name, tuple(folders), size, made)


def rename_voice(name: str, new: str) -> Path:
    """Give a voice of the library another name; its new folder.

    What was made with it, and its training, follow. Raises UserError for the voice that ships, a
    name that is not there, and one that is taken or cannot be.
    """
    if name == BASE:
        raise UserError(
            "The base voice is part of the program and keeps its name.",
            "Name a voice of your own.",
        )
    name, new = unicodedata.normalize("NFC", name), check_name(new)
    if name not in _own_names():
        raise unknown("voice", name, _own_names())
    from vits.card import read_card, write_card

    with _locked():
        if new.casefold() != name.casefold():
            refuse_taken(new)
        try:
            for place in (training_folder, voice_folder):  # the voice last: then all is done
                if place(name).exists():
                    os.rename(place(name), place(new))
            card = read_card(voice_folder(new))
            write_card(voice_folder(new), replace(card, name=new))
        except OSError as error:
            raise cannot_write(voice_folder(new), error) from error
        _write_made([(new if voice == name else voice, path) for voice, path in _read_made()])
    return voice_folder(new)


def _delete(folder: Path) -> None:
    """Hide first, then delete: a kill in between leaves no half of a voice to be found."""
    hidden = folder.with_name(f".removed-{folder.name}")
    shutil.rmtree(hidden, ignore_errors=True)
    os.rename(folder, hidden)
    shutil.rmtree(hidden)


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    from filelock import FileLock

    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


# ---------------------------------------------------------------- what was made with a voice


def record_made(name: str, paths: Iterable[Path]) -> None:
    """Remember which files were made with the voice `name`, for the day it is removed.

    A library that cannot be written does not stop the work: a warning is logged.
    """
    new = [(name, str(Path(path).absolute())) for path in paths]
    try:
        with _locked():
            known = _read_made()
            fresh = [entry for entry in dict.fromkeys(new) if entry not in known]
            if fresh:
                _write_made(known + fresh)
    except UserError as error:
        log.warning("What was made with %s is not noted: %s", name, error)


def made_with(name: str) -> list[Path]:
    """The files noted as made with this voice, whether they are still there or not."""
    return [Path(path) for voice, path in _read_made() if voice == name]


def _read_made() -> list[tuple[str, str]]:
    try:
        lines = (home() / MADE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
            entries.append((str(entry["voice"]), str(entry["path"])))
        except (ValueError, TypeError, KeyError):
            log.warning("%s has a line that cannot be read: %s", home() / MADE, line[:80])
    return entries


def _write_made(entries: Sequence[tuple[str, str]]) -> None:
    rows = (json.dumps({"voice": v, "path": p}, ensure_ascii=False) for v, p in entries)
    text = "".join(f"{row}\n" for row in rows)
    if text or (home() / MADE).exists():
        write_text(home() / MADE, text)
