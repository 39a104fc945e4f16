"""How a book is read: voice, cast, speed, seed, pronunciations; all that decides its sound."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vits.errors import UserError


@dataclass(frozen=True)
class Manner:
    """Everything that decides how a text sounds, as plain values that travel to workers.

    `voice` and the values of `cast` are NAME[:SPEAKER] or folders; `lexicon` is a lexicon's text;
    `hashes` holds the hash of each voice's weights, by name.
    """

    voice: str = "base"
    language: str = "en"
    speed: float = 1.0
    noise: float | None = None
    noise_duration: float | None = None
    seed: int = 0
    lexicon: str = ""
    cast: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def voice_of(self, speaker: str) -> str:
        """The voice of somebody of the cast; the narrator's for everybody else."""
        return self.cast.get(speaker.casefold(), self.voice)


def lexicon_text(paths: tuple[Path, ...]) -> str:
    """Lexicons joined, the later ones (the book's, after the series') winning. UserError."""
    from vits.text import Lexicon

    rows: dict[str, str] = {}
    for path in paths:
        Lexicon.load(path)  # names the line of a bad row
        for line in path.read_text("utf-8-sig").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                rows[line.split("\t", 1)[0].strip().casefold()] = line.strip()
    return "\n".join(rows.values())


def cast_from(path: Path) -> dict[str, str]:
    """Who of a book speaks with which voice: a YAML mapping `Name: VOICE[:SPEAKER]`. UserError."""
    import yaml

    try:
        data = yaml.safe_load(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} is not YAML in UTF-8.", "Write lines 'Name: VOICE'.") from error
    if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
        raise UserError(
            f"{path} is no cast.", "Write lines 'Name: VOICE' or 'Name: VOICE:SPEAKER'."
        )
    return {str(name).casefold(): voice for name, voice in data.items()}


@dataclass(frozen=True)
class SpeakerFacts:
    """A speaker's name, as `vits.checkpoint.Speaker` has it."""

    name: str


@dataclass(frozen=True)
class VoiceFacts:
    """What a voice's files say, without loading it: the network is for those who speak."""

    name: str
    folder: Path
    hash: str
    languages: tuple[str, ...]
    speakers: tuple[SpeakerFacts, ...]

    @property
    def speaker(self) -> SpeakerFacts:
        return self.speakers[0]


def facts_of(name: str) -> VoiceFacts:
    """The facts of a voice by its name or folder. UserError for one that is not there or broken."""
    from vits.library import describe, find_voice, voice_hash

    folder = find_voice(name)
    entry = describe(folder)
    if entry.problem or not entry.speakers or not entry.languages:
        raise UserError(
            f"The voice '{name}' is broken: {entry.problem or 'it names nobody'}.",
            "Train it again, or take it in again.",
        )
    speakers = tuple(map(SpeakerFacts, entry.speakers))
    return VoiceFacts(entry.name, folder, voice_hash(folder), entry.languages, speakers)


def with_voices(manner: Manner, known: dict[str, VoiceFacts]) -> Manner:
    """The manner with the hashes of its voices, whose facts are put into `known`.

    UserError for a voice or a speaker that is not there or does not speak the book's language.
    """
    from vits.library import parse_voice

    hashes = {}
    for spec in dict.fromkeys((manner.voice, *manner.cast.values())):
        name, _ = parse_voice(spec)
        voice = known[name] = known.get(name) or facts_of(name)
        hashes[name] = voice.hash
        if manner.language not in voice.languages:
            spoken = ", ".join(voice.languages)
            raise UserError(
                f"The voice '{name}' does not speak the book's language, {manner.language}.",
                f"It speaks {spoken}: choose another voice, or say --language.",
            )
        speaker_of(known, spec)
    return dataclasses.replace(manner, hashes=hashes)


def load_voices(names: Iterable[str], device: str, loaded: dict[str, Any]) -> dict[str, Any]:
    """`loaded` with these voices in it, loaded where they are not. UserError."""
    from vits.voice import Voice

    for name in names:
        if name not in loaded:
            loaded[name] = Voice.load(name, device)
    return loaded


def speaker_of(voices: Mapping[str, Any], spec: str) -> tuple[Any, str]:
    """(voice, speaker's name) that NAME[:SPEAKER] means. UserError for a speaker not there."""
    from vits.library import parse_voice, unknown

    name, asked = parse_voice(spec)
    voice = voices[name]
    names = [speaker.name for speaker in voice.speakers]
    if asked is None:
        return voice, voice.speaker.name
    found = next((n for n in names if n.casefold() == asked.casefold()), None)
    if found is None:
        raise unknown("speaker", asked, names)
    return voice, found
