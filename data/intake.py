"""Finding a person's clips: pairs of a sound file and its words, in every form people have them.

Forms: a folder of sounds with `.txt` or `.lab` files of the same names; an LJSpeech folder
(`metadata.csv`, `id|text` or `id|text|normalised text`); a VITS file list (`path|text`,
`path|speaker|text`, `path|speaker|language|text`); a tab-separated `manifest.tsv` with a header.
A list may be named itself or be found in its folder. Text is UTF-8 with or without a mark,
UTF-16 with one, GBK, or Windows Latin.

What has no partner is not passed over: it comes back as dropped, with the reason.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from data.encodings import read_text
from vits.audio import AUDIO_SUFFIXES
from vits.errors import UserError

SIDECAR_SUFFIXES = (".txt", ".lab")
SUBTITLE_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".list", ".lab")
HEADER_NAMES = {
    "path": ("path", "file", "filename", "file_name", "audio", "audio_file", "wav", "id"),
    "text": ("normalized_text", "text", "transcript", "transcription", "sentence"),
    "speaker": ("speaker", "speaker_name", "speaker_id"),
    "language": ("language", "lang", "locale"),
    "verdict": ("verdict",),
}
OTHER_CODES = {"jp": "ja", "cn": "zh", "cmn": "zh", "eng": "en", "deu": "de", "ger": "de"}
NOT_TRANSCRIPTS = re.compile(r"(readme|licen[cs]e|copying|notes?|credits|changelog)\b", re.I)
NO_TRANSCRIPT = "has no transcript (no .txt or .lab of the same name, no line in a list)"


@dataclass(frozen=True)
class Found:
    """A sound file and its words. `name` is how a report calls it: relative, with slashes.

    `subtitles` is a file with the words and their times, where there is nothing better.
    """

    path: Path
    name: str
    text: str
    speaker: str = ""
    language: str = ""
    subtitles: Path | None = None


@dataclass(frozen=True)
class Dropped:
    """Something that will not be used, and why, in words that follow its name."""

    name: str
    reason: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.reason}"


@dataclass(frozen=True)
class Intake:
    """What was found in a source, in a stable order."""

    found: tuple[Found, ...]
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True)
class _Row:
    """One line of a list: a path as written, and the list and line it stands in."""

    where: str
    path: str
    text: str
    speaker: str = ""
    language: str = ""
    verdict: str = ""


def find_clips(
    source: str | Path, *, without: Path | None = None, wordless: bool = False
) -> Intake:
    """The clips of a folder, a list, or a single sound file, in any form named above.

    Folders are searched with their subfolders, except `without` (where the result goes, say).
    With `wordless`, sounds without a transcript are found too, and so are subtitles beside them.
    Raises UserError if there is no such source or a list cannot be read.
    """
    source = Path(source)
    if not source.exists():
        raise UserError(f"There is no folder or file {source}.", "Check the path of the clips.")
    if source.suffix.lower() in AUDIO_SUFFIXES and not source.is_dir():
        return _with_sidecars([source], source.parent, wordless)
    folder = source if source.is_dir() else source.parent
    sounds = _Sounds.below(folder, without)
    if not source.is_dir():
        return _with_rows(_read_list(source), sounds)
    texts = [p for p in _walk(folder, without) if p.suffix.lower() in TEXT_SUFFIXES]
    lists = _lists_among(texts, sounds)
    if not lists:
        alone = _texts_without_sound(texts, sounds.files, folder)
        intake = _with_sidecars(sounds.files, folder, wordless)
    else:
        rows = [row for path in lists for row in _read_list(path)]
        intake = _with_rows(rows, sounds)
        alone = _sounds_without_line(sounds, intake, lists)
        if wordless:
            intake, alone = _with_silent_partners(sounds, intake, alone), []
    return Intake(intake.found, (*intake.dropped, *alone))


# ---------------------------------------------------------------- text files


def tidy(text: str) -> str:
    """One line, single spaces, composed characters."""
    return " ".join(unicodedata.normalize("NFC", text).replace("\ufeff", "").split())


def language_code(name: str) -> str:
    """'EN', 'en-US', 'jp' -> 'en', 'en', 'ja'; an unknown name stays what it is."""
    code = re.split(r"[-_]", name.strip().lower())[0]
    return OTHER_CODES.get(code, code)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank; only newlines end a line, not every Unicode break."""
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


# ---------------------------------------------------------------- sound files


def _walk(folder: Path, without: Path | None) -> Iterator[Path]:
    """Files below a folder in a stable order, without hidden ones and resource forks."""
    without = without.resolve() if without else None
    try:
        entries = sorted(folder.iterdir(), key=lambda path: _natural(path.name))
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be read ({error.strerror}).",
            "Name a folder that you may read.",
        ) from error
    for path in entries:
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if path.is_dir():
            if path.resolve() != without:
                yield from _walk(path, without)
        elif path.is_file():
            yield path


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key by which clip2 comes before clip10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(int(p), "") if p[0] in "0123456789" else (-1, p) for p in parts], name


def _key(name: str) -> str:
    """Names as people compare them: macOS decomposes accents, Windows ignores case."""
    return unicodedata.normalize("NFC", name).casefold()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the system allows
        return False


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


@dataclass(frozen=True)
class _Sounds:
    """The sound files below a folder, to be found by the paths that lists write."""

    folder: Path
    files: list[Path]
    by_name: dict[str, list[Path]] = field(default_factory=dict)

    @classmethod
    def below(cls, folder: Path, without: Path | None) -> _Sounds:
        files = [p for p in _walk(folder, without) if p.suffix.lower() in AUDIO_SUFFIXES]
        sounds = cls(folder, files)
        for path in files:
            for name in {_key(path.name), _key(path.stem)}:
                sounds.by_name.setdefault(name, []).append(path)
        return sounds

    def find(self, written: str) -> Path | None:
        """The file that a list means by `written`.

        As it stands, from the list's folder, from `wavs` in it, and last by its name alone where
        only one file has it, since lists travel between machines with the paths of the first.
        """
        slashed = PurePosixPath(written.strip().replace("\\", "/"))
        for start in (self.folder, self.folder / "wavs", self.folder.parent):
            for name in (written.strip(), str(slashed)):
                path = start / name  # an absolute name stands for itself
                if path.suffix.lower() in AUDIO_SUFFIXES and _is_file(path):
                    return path
        same_name = self.by_name.get(_key(slashed.name), [])
        places = {path.with_suffix("") for path in same_name}  # a.wav and a.flac are one
        return same_name[0] if len(places) == 1 else None


# ---------------------------------------------------------------- sounds with sidecars


def _with_sidecars(sounds: Sequence[Path], folder: Path, wordless: bool) -> Intake:
    found: list[Found] = []
    dropped: list[Dropped] = []
    for path in sounds:
        name = _relative(path, folder)
        sidecar = _sidecar(path)
        if sidecar is None:
            if wordless:
                found.append(Found(path, name, "", subtitles=_subtitles(path)))
            else:
                dropped.append(Dropped(name, NO_TRANSCRIPT))
            continue
        text = read_text(sidecar)
        if _is_phone_labels(text):
            dropped.append(Dropped(name, f"has times and phones in {sidecar.name}, not words"))
        else:
            found.append(Found(path, name, tidy(text)))
    return Intake(tuple(found), tuple(dropped))


def _sidecar(sound: Path) -> Path | None:
    """The transcript of a.wav: a.txt, a.lab, a.wav.txt or a.wav.lab, the first there is."""
    for stem in (sound.with_suffix(""), sound):
        for suffix in SIDECAR_SUFFIXES:
            for ending in (suffix, suffix.upper()):
                if _is_file(path := stem.with_name(stem.name + ending)):
                    return path
    return None


def _subtitles(sound: Path) -> Path | None:
    """The subtitles of a.mp4: a.srt, a.vtt, a.ass, or one with a language, a.zh.srt."""
    for suffix in SUBTITLE_SUFFIXES:
        for name in (sound.stem + suffix, sound.name + suffix):
            if _is_file(path := sound.with_name(name)):
                return path
    start = f"{sound.stem}."
    beside = sorted(p for p in sound.parent.iterdir() if p.suffix.lower() in SUBTITLE_SUFFIXES)
    return next(
        (p for p in beside if p.stem.startswith(start) and len(p.stem) < len(start) + 9), None
    )


def _with_silent_partners(sounds: _Sounds, intake: Intake, alone: Sequence[Dropped]) -> Intake:
    """The sounds that no list names, as found without words."""
    names = {item.name for item in alone}
    more = [
        Found(path, name, "", subtitles=_subtitles(path))
        for path in sounds.files
        if (name := _relative(path, sounds.folder)) in names
    ]
    return Intake((*intake.found, *more), intake.dropped)


def _is_phone_labels(text: str) -> bool:
    """Whether this is HTK's other use of .lab: begin, end and name of each phone."""
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and all(re.match(r"\s*\d+\s+\d+\s+\S+\s*$", line) for line in lines)


def _texts_without_sound(
    texts: Iterable[Path], sounds: Iterable[Path], folder: Path
) -> list[Dropped]:
    used = {_sidecar(sound) for sound in sounds}
    stems = {path.with_suffix("") for path in sounds}
    return [
        Dropped(_relative(path, folder), "has no sound file of the same name")
        for path in texts
        if path.suffix.lower() in SIDECAR_SUFFIXES
        and path not in used
        and path.with_suffix("") not in stems  # a .lab beside the .txt that was read
        and not NOT_TRANSCRIPTS.match(path.name)
    ]


# ---------------------------------------------------------------- lists


def _lists_among(texts: Iterable[Path], sounds: _Sounds) -> list[Path]:
    """The lists of a folder: its manifest.tsv, else its metadata.csv, else all that look so."""
    for name in ("manifest.tsv", "metadata.csv"):
        if _is_file(path := sounds.folder / name):
            return [path]
    stems = {path.with_suffix("") for path in sounds.files}
    return [p for p in texts if p.with_suffix("") not in stems and _is_list(p, sounds)]


def _is_list(path: Path, sounds: _Sounds) -> bool:
    first = next(_lines(path), None)
    if first is None:
        return False
    fields = _fields(first[1], _separator(first[1]))
    if len(fields) < 2:
        return False
    named = PurePosixPath(fields[0].strip().replace("\\", "/"))
    known = named.suffix.lower() in AUDIO_SUFFIXES or sounds.find(fields[0]) is not None
    return known or _header(fields) is not None


def _separator(line: str) -> str:
    return next((mark for mark in "|\t," if mark in line), "|")


def _fields(line: str, separator: str) -> list[str]:
    if separator == ",":
        return next(csv.reader([line]))
    return [_unquoted(part) if separator == "\t" else part for part in line.split(separator)]


def _unquoted(part: str) -> str:
    """A field as spreadsheets write it, \"he said \"\"no\"\"\"; other quotes belong to the text."""
    inner = part[1:-1]
    quoted = len(part) > 1 and part[0] == part[-1] == '"' and '""' in inner
    if quoted and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return part


def _header(fields: Sequence[str]) -> dict[str, int] | None:
    """Which column holds what, if the first line says so."""
    names = [name.strip().lower() for name in fields]
    columns = {
        what: names.index(next(name for name in known if name in names))
        for what, known in HEADER_NAMES.items()
        if set(known) & set(names)
    }
    return columns if {"path", "text"} <= columns.keys() else None


def _read_list(path: Path) -> list[_Row]:
    """The rows of a list in any of its forms. Raises UserError if it is not one."""
    lines = list(_lines(path))
    if not lines:
        raise UserError(f"{path} is empty.", "Write one clip per line: path|text.")
    separator = _separator(lines[0][1])
    columns = _header(_fields(lines[0][1], separator))
    if columns is None and "|" not in lines[0][1]:
        raise UserError(
            f"{path} is not a list of clips: line {lines[0][0]} has neither '|' "
            "nor a header with the columns path and text.",
            "Write one clip per line, path|text, or a first line path<TAB>text.",
        )
    in_ljspeech = path.name.lower() == "metadata.csv"
    rows = []
    for number, line in lines[1:] if columns else lines:
        fields = _fields(line, separator)
        where = f"{path.name} line {number}"
        rows.append(
            _by_header(fields, columns, where) if columns else _by_place(fields, where, in_ljspeech)
        )
    return rows


def _by_header(fields: Sequence[str], columns: dict[str, int], where: str) -> _Row:
    values = {what: tidy(fields[at]) if at < len(fields) else "" for what, at in columns.items()}
    return _Row(where, **{**values, "path": fields[columns["path"]].strip()})


def _by_place(fields: Sequence[str], where: str, in_ljspeech: bool) -> _Row:
    path, *rest = (field.strip() for field in fields)
    if in_ljspeech or PurePosixPath(path).suffix.lower() not in AUDIO_SUFFIXES:
        # LJSpeech: id, text as printed, text as read; the last is the better one
        return _Row(where, path, next((text for text in reversed(rest[:2]) if text), ""))
    if len(rest) < 2:
        return _Row(where, path, "".join(rest))
    if len(rest) > 2 and re.fullmatch(r"[A-Za-z]{2,3}", rest[1]):
        return _Row(where, path, "|".join(fields[3:]), rest[0], rest[1])
    return _Row(where, path, "|".join(fields[2:]), rest[0])


def _with_rows(rows: Iterable[_Row], sounds: _Sounds) -> Intake:
    found: list[Found] = []
    dropped: list[Dropped] = []
    seen: set[Path] = set()
    for row in rows:
        path = sounds.find(row.path)
        text = tidy(row.text)
        name = _relative(path, sounds.folder) if path else row.path
        if path is None:
            dropped.append(
                Dropped(name, f"has no sound file, or several of its name ({row.where})", text)
            )
        elif path in seen:
            dropped.append(Dropped(name, f"is listed a second time ({row.where})", text))
        elif row.verdict == "drop":
            dropped.append(Dropped(name, f"is marked drop ({row.where})", text))
        else:
            found.append(Found(path, name, text, tidy(row.speaker), language_code(row.language)))
            seen.add(path)
    return Intake(tuple(found), tuple(dropped))


def _sounds_without_line(sounds: _Sounds, intake: Intake, lists: Sequence[Path]) -> list[Dropped]:
    named = {item.path for item in intake.found}
    dropped = {item.name for item in intake.dropped}
    where = ", ".join(path.name for path in lists)
    return [
        Dropped(name, f"has no transcript (no line in {where})")
        for path in sounds.files
        if path not in named and (name := _relative(path, sounds.folder)) not in dropped
    ]
