"""Public corpora of speech as they are downloaded, unedited: who says what in which file.

Each reader knows one layout. Names of speakers carry the corpus, so that two corpora may both have
a p225. A folder may hold the corpus itself or a folder with it, as archives unpack.

    LJSpeech      metadata.csv, wavs/                       Ito and Johnson 2017
    VCTK          txt/p225/, wav48_silence_trimmed/p225/    Yamagishi et al. 2019; wav48/ too
    LibriTTS      SPEAKERS.txt, train-clean-100/19/198/     Zen et al. 2019; LibriTTS-R likewise
    Common Voice  validated.tsv, clips/                     Ardila et al. 2020
    AISHELL-3     train/content.txt, train/wav/SSB0005/     Shi et al. 2021
    Baker         ProsodyLabeling/, Wave/                   Databaker 2018 (BZNSYP)
    THCHS-30      data/*.wav, data/*.wav.trn                Wang and Zhang 2015
    CSS10         transcript.txt, one folder for each book  Park and Mulc 2019
    JSUT          basic5000/transcript_utf8.txt, wav/       Sonobe et al. 2017
    ours          manifest.tsv: path, text, speaker, gender, language
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data.checks import guess_language
from data.encodings import read_text
from data.intake import language_code, tidy
from vits.errors import UserError

GENDERS = {"f": "female", "m": "male", "female": "female", "male": "male",
           "female_feminine": "female", "male_masculine": "male"}  # fmt: skip
GUESS_FROM = 200  # texts


@dataclass(frozen=True)
class Recording:
    """One file of a corpus. `text` '' where there is none; gender '' where it is not known."""

    path: Path
    name: str
    text: str
    speaker: str
    language: str
    gender: str = ""


@dataclass(frozen=True)
class Corpus:
    """What was found in a folder: `kind` names the layout, `licence` what it is published under."""

    kind: str
    name: str
    licence: str
    recordings: tuple[Recording, ...]


@dataclass(frozen=True)
class _Layout:
    """A layout: how it is known, how it is read, and the licence that it is published under."""

    kind: str
    mark: str  # a file or folder that tells it
    read: Callable[[Path], Iterator[Recording]]
    licence: str


def read_corpus(folder: str | Path) -> Corpus:
    """The recordings of a corpus, in a stable order, those whose file is missing left out.

    Raises UserError for a folder that is not there, is in no layout known, or lists nothing that
    is there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.", "Check the path of the corpus.")
    found = _find(folder)
    if found is None:
        known = ", ".join(layout.kind for layout in _LAYOUTS)
        raise UserError(
            f"{folder} is in no layout that is known ({known}).",
            "Name the folder that the corpus unpacks to, or write a manifest.tsv with the columns "
            "path, text, speaker and language.",
        )
    root, layout = found
    recordings = tuple(r for r in layout.read(root) if r.path.is_file())
    if not recordings:
        raise UserError(
            f"{root} lists no recordings that are there.",
            f"Unpack {layout.kind} again: its lists and its sounds belong together.",
        )
    name = f"{layout.kind.lower().replace(' ', '-')}-{root.resolve().name}"
    name = root.resolve().name if layout.kind == "manifest" else name
    return Corpus(layout.kind, name, layout.licence, _with_language(recordings))


def _find(folder: Path) -> tuple[Path, _Layout] | None:
    """The corpus in a folder, or in the only folder inside it that has one."""
    for layout in _LAYOUTS:
        if any(folder.glob(layout.mark)):
            return folder, layout
    inner = [f for f in (_find(p) for p in sorted(folder.iterdir()) if p.is_dir()) if f]
    return inner[0] if len(inner) == 1 else None


def _with_language(recordings: tuple[Recording, ...]) -> tuple[Recording, ...]:
    """The language of those that do not tell it, guessed from all their texts together."""
    texts = [r.text for r in recordings if not r.language and r.text]
    if not texts:
        return recordings
    guessed = guess_language(texts[:: max(1, len(texts) // GUESS_FROM)])
    return tuple(r if r.language else replace(r, language=guessed) for r in recordings)


def _lines(path: Path) -> Iterator[str]:
    for line in read_text(path).replace("\r\n", "\n").split("\n"):
        if line.strip():
            yield line


def _table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file with a header, in which quotes are only quotes."""
    rows = csv.reader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(rows, [])
    for row in rows:
        yield dict(zip(header, row, strict=False))


def _gender(text: str) -> str:
    return GENDERS.get(text.strip().lower(), "")


# ---------------------------------------------------------------- readers


def _ljspeech(root: Path) -> Iterator[Recording]:
    for line in _lines(root / "metadata.csv"):
        name, *texts = line.split("|")
        text = next((t for t in reversed(texts[:2]) if t.strip()), "")
        path = root / "wavs" / f"{name}.wav"
        speaker = root.resolve().name.split("-")[0].lower()
        yield Recording(path, name, tidy(text), speaker, "")


def _vctk(root: Path) -> Iterator[Recording]:
    genders = {}
    for line in _lines(root / "speaker-info.txt") if (root / "speaker-info.txt").is_file() else ():
        fields = line.split()
        if len(fields) > 2:
            genders["p" + fields[0].removeprefix("p")] = _gender(fields[2])
    for text_file in sorted((root / "txt").glob("*/*.txt")):
        speaker, stem = text_file.parent.name, text_file.stem
        places = (
            root / "wav48_silence_trimmed" / speaker / f"{stem}_mic1.flac",
            root / "wav48" / speaker / f"{stem}.wav",
        )
        path = next((p for p in places if p.is_file()), places[0])
        text = tidy(read_text(text_file))
        gender = genders.get(speaker, "")
        yield Recording(path, stem, text, f"vctk-{speaker}", "en", gender)


def _libritts(root: Path) -> Iterator[Recording]:
    genders = {}
    for name in ("SPEAKERS.txt", "speakers.tsv"):
        for line in _lines(root / name) if (root / name).is_file() else ():
            fields = [f.strip() for f in re.split(r"[|\t]", line)]
            if len(fields) > 1 and fields[0].isdigit():
                genders[fields[0]] = _gender(fields[1])
    for text_file in sorted(root.glob("*/*/*/*.normalized.txt")):
        stem = text_file.name.removesuffix(".normalized.txt")
        speaker = stem.split("_")[0]
        path = text_file.with_name(f"{stem}.wav")
        text, gender = tidy(read_text(text_file)), genders.get(speaker, "")
        yield Recording(path, stem, text, f"libritts-{speaker}", "en", gender)


def _common_voice(root: Path) -> Iterator[Recording]:
    for row in _table(root / "validated.tsv"):
        path = root / "clips" / row.get("path", "")
        if not path.suffix:
            path = path.with_suffix(".mp3")
        yield Recording(
            path,
            path.stem,
            tidy(row.get("sentence", "")),
            f"cv-{row.get('client_id', '')[:16]}",
            language_code(row.get("locale", "") or root.resolve().name),
            _gender(row.get("gender", "")),
        )


def _aishell3(root: Path) -> Iterator[Recording]:
    genders = {}
    for line in _lines(root / "spk-info.txt") if (root / "spk-info.txt").is_file() else ():
        fields = line.split()
        if len(fields) > 2 and not line.startswith("#"):
            genders[fields[0]] = _gender(fields[2])
    for part in ("train", "test"):
        listed = root / part / "content.txt"
        for line in _lines(listed) if listed.is_file() else ():
            name, _, text = line.partition("\t")
            speaker = name[:7]
            characters = "".join(text.split()[0::2])  # each followed by its pinyin
            path = root / part / "wav" / speaker / name.strip()
            gender = genders.get(speaker, "")
            yield Recording(path, path.stem, characters, f"aishell-{speaker}", "zh", gender)


def _baker(root: Path) -> Iterator[Recording]:
    for listed in sorted((root / "ProsodyLabeling").glob("*.txt")):
        for line in _lines(listed):
            number, _, text = line.partition("\t")
            if number.strip().isdigit():  # the line after it, which is indented, has the pinyin
                name = number.strip()
                path = root / "Wave" / f"{name}.wav"
                plain = tidy(re.sub(r"#\d", "", text))
                yield Recording(path, name, plain, "baker", "zh", "female")


def _thchs30(root: Path) -> Iterator[Recording]:
    for listed in sorted((root / "data").glob("*.wav.trn")):
        first = next(_lines(listed), "")
        name = listed.name.removesuffix(".wav.trn")
        path = listed.with_name(f"{name}.wav")
        speaker = name.split("_")[0]
        yield Recording(path, name, "".join(first.split()), f"thchs30-{speaker}", "zh")


def _css10(root: Path) -> Iterator[Recording]:
    for line in _lines(root / "transcript.txt"):
        place, *texts = line.split("|")
        text = next((t for t in reversed(texts[:2]) if t.strip()), "")
        path = root / place
        yield Recording(path, Path(place).stem, tidy(text), f"css10-{root.resolve().name}", "")


def _jsut(root: Path) -> Iterator[Recording]:
    for listed in sorted(root.glob("*/transcript_utf8.txt")):
        for line in _lines(listed):
            name, _, text = line.partition(":")
            path = listed.parent / "wav" / f"{name.strip()}.wav"
            yield Recording(path, name.strip(), tidy(text), "jsut", "ja", "female")


def _manifest(root: Path) -> Iterator[Recording]:
    for row in _table(root / "manifest.tsv"):
        if row.get("verdict") == "drop":
            continue
        path = root / row.get("path", "")
        yield Recording(
            path,
            row.get("path", ""),
            tidy(row.get("text") or ""),
            row.get("speaker") or root.resolve().name,
            language_code(row.get("language") or ""),
            _gender(row.get("gender") or ""),
        )


_LAYOUTS = (
    _Layout("manifest", "manifest.tsv", _manifest, "see its own terms"),
    _Layout("Common Voice", "validated.tsv", _common_voice, "CC0 1.0"),
    _Layout("AISHELL-3", "train/content.txt", _aishell3, "Apache-2.0"),
    _Layout("Baker", "ProsodyLabeling/*.txt", _baker, "non-commercial use"),
    _Layout("THCHS-30", "data/*.wav.trn", _thchs30, "Apache-2.0"),
    _Layout("JSUT", "*/transcript_utf8.txt", _jsut, "CC BY-SA 4.0 and per part; see its LICENCE"),
    _Layout("CSS10", "transcript.txt", _css10, "public domain (LibriVox)"),
    _Layout("VCTK", "txt/p*/*.txt", _vctk, "CC BY 4.0"),
    _Layout("LibriTTS", "*/*/*/*.normalized.txt", _libritts, "CC BY 4.0"),
    _Layout("LJSpeech", "metadata.csv", _ljspeech, "public domain"),
)
