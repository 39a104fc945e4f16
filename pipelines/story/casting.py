"""Voices for who has none: chosen from the library by gender, age and language, and then kept.

    DIR/cast.yaml      Tilly: base:kerstin

The file is written once for a story and added to for new characters, so that a new voice in the
library does not change who speaks; a person may change it.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipelines.story.script import NARRATOR, Role, Story
from vits.errors import UserError
from vits.files import write_text

log = logging.getLogger(__name__)

FILE_NAME = "cast.yaml"
# How fast somebody of an age speaks where the story does not say; children a little faster.
PACES = {"child": 1.06, "young": 1.02, "adult": 1.0, "old": 0.9}


@dataclass(frozen=True)
class Candidate:
    """A speaker that could play somebody: 'VOICE:SPEAKER'."""

    voice: str
    gender: str
    languages: tuple[str, ...]


def candidates() -> list[Candidate]:
    """Every speaker of every whole voice of the library, in order."""
    from vits.checkpoint import load_config
    from vits.library import list_voices

    found = []
    for entry in list_voices():
        if entry.problem:
            continue
        config = load_config(entry.folder)
        several = len(config.speakers) > 1
        for speaker in config.speakers:
            name = f"{entry.name}:{speaker.name}" if several else entry.name
            found.append(Candidate(name, speaker.gender, config.languages))
    return found


def cast_story(
    story: Story,
    folder: Path,
    narrator: str,
    library: Sequence[Candidate] | None = None,
    *,
    keep: bool = True,
) -> Story:
    """The story with a voice for everybody who has none, the choice kept in `folder`.

    `narrator` is the voice of the render, which others take only where nobody else is left.
    """
    without = [n for n, role in story.cast.items() if n != NARRATOR and not role.voice]
    if not without:
        return story
    kept = read_cast(folder)
    taken = Counter(role.voice for role in story.cast.values() if role.voice)
    taken.update(voice for name, voice in kept.items() if name in without)
    taken[narrator] += 1
    chosen = dict(kept)
    for name in without:
        if name not in chosen:
            library = candidates() if library is None else library
            voice = choose(name, story.cast[name], story.language, library, taken)
            if voice:
                chosen[name] = voice
                taken[voice] += 1
    if keep and chosen != kept:
        write_cast(chosen, folder)
    cast = {name: _played(role, chosen.get(name)) for name, role in story.cast.items()}
    return story.model_copy(update={"cast": cast})


def choose(
    name: str, role: Role, language: str, library: Sequence[Candidate], taken: Mapping[str, int]
) -> str:
    """The voice that fits best, '' where none speaks the language.

    Gender counts first (children may have a woman's voice), then that nobody else has it; names
    settle the rest, so that the choice is always the same.
    """

    def rank(candidate: Candidate) -> tuple[int, int, str]:
        wanted = role.gender or ("female" if role.age == "child" else "")
        other = bool(wanted and candidate.gender and candidate.gender != wanted)
        if role.age == "child" and candidate.gender == "female":
            other = False
        unknown = bool(wanted and not candidate.gender)
        used = taken.get(candidate.voice, 0) + taken.get(candidate.voice.partition(":")[0], 0)
        mix = hashlib.sha256(f"{name}\0{candidate.voice}".encode()).hexdigest()
        return 2 * other + unknown, used, mix

    able = [candidate for candidate in library if language in candidate.languages]
    return min(able, key=rank).voice if able else ""


def read_cast(folder: Path) -> dict[str, str]:
    """Who was given which voice before. UserError for a file gone wrong."""
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    try:
        data = yaml.safe_load(path.read_text("utf-8-sig")) or {}
        if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
            raise ValueError("it is not a list of 'name: voice'")
        return {str(name): voice for name, voice in data.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{path} cannot be read ({reason}).", "Mend it, or delete it to cast anew."
        ) from error


def write_cast(chosen: Mapping[str, str], folder: Path) -> None:
    """Keep who has which voice."""
    head = "# Voices given to the cast. Change them here, or write 'voice:' into the story.\n"
    write_text(folder / FILE_NAME, head + yaml.safe_dump(dict(chosen), allow_unicode=True))


def _played(role: Role, voice: str | None) -> Role:
    """The role with the voice, and the pace of its age where the story sets none."""
    if role.voice or not voice:
        return role
    pace = PACES[role.age] if role.age and role.speed == 1.0 else role.speed
    return role.model_copy(update={"voice": voice, "speed": pace})
