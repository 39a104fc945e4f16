"""The proof of a voice, from its name and a folder of clips to a report: what the commands call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.evaluate.measure import Evaluation, evaluate, other_people, spoken_language
from pipelines.evaluate.page import write_page
from pipelines.evaluate.reference import Reference, read_reference
from pipelines.evaluate.report import (
    JSON_NAME,
    PAGE_NAME,
    Report,
    read_report,
    write_json,
    write_scores,
)
from pipelines.progress import OnProgress, Progress, silent
from vits.audio import Audio
from vits.errors import UserError
from vits.library import BASE
from vits.voice import Voice, parse_voice


@dataclass(frozen=True)
class Proof:
    """A report, and the recordings and the voice behind it where it was made just now."""

    report: Report
    evaluation: Evaluation | None = None
    voice: Voice | None = None
    by_name: str = ""  # as the voice was asked for

    def keep_scores(self) -> bool:
        """Write the scores into the voice's card; not into that of the installed program's base."""
        if self.voice is None or parse_voice(self.by_name)[0] == BASE:
            return False
        several = len(self.voice.speakers) > 1
        write_scores(self.voice.folder, self.report, several_speakers=several)
        return True


def prove(
    name: str,
    reference: Path,
    *,
    held_out: Path | None = None,
    language: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    on_progress: OnProgress = silent,
) -> Proof:
    """Score a voice of the library, or of a folder, against recordings of the person."""
    voice = Voice.load(name, device)
    clips = read_reference(reference, voice.sample_rate)
    kept = read_reference(held_out, voice.sample_rate) if held_out else None
    spoken = language or spoken_language(voice, None)
    others, whose = _others(voice, seed)

    def heard(done: int, total: int) -> None:
        on_progress(Progress("evaluate", done, total, "recordings", voice.name))

    evaluation = evaluate(
        voice,
        clips.sounds,
        clips.texts,
        held_out=kept.sounds if kept else (),
        held_out_texts=kept.texts if kept else (),
        others=others,
        language=spoken,
        reference_language=clips.language or None,
        seed=seed,
        on_event=heard,
    )
    return Proof(_report(voice, spoken, clips, kept, whose, evaluation), evaluation, voice, name)


def proofs(
    names: Sequence[str],
    reference: Path | None,
    *,
    held_out: Path | None = None,
    language: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    on_progress: OnProgress = silent,
) -> list[Proof]:
    """Each name's proof: reports are read, voices are scored against `reference`."""
    if reference is not None:
        return [
            prove(
                name,
                reference,
                held_out=held_out,
                language=language,
                device=device,
                seed=seed,
                on_progress=on_progress,
            )
            for name in names
        ]
    return [Proof(read_report(_report_path(name))) for name in names]


def _report_path(name: str) -> Path:
    path = Path(name)
    if (path / JSON_NAME).is_file() or path.is_file():
        return path
    raise UserError(
        f"{name!r} is no report, and to score voices there must be recordings.",
        "Add --reference CLIPS, or name reports that `clone-voice evaluate -o REPORT` wrote.",
    )


def write_report(proofs: Sequence[Proof], folder: Path) -> None:
    """Write report.json and report.html into a folder, which may be there already."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file.", "Name a folder for the report.")
    reports = [proof.report for proof in proofs]
    write_json(reports, folder / JSON_NAME)
    write_page(reports, [proof.evaluation for proof in proofs], folder / PAGE_NAME)


def _others(voice: Voice, seed: int) -> tuple[list[Audio], str]:
    """Other people, for the floor: who else this voice can be, else the base's speakers."""
    if len(voice.speakers) > 1:
        return other_people(voice, without=voice.speaker.name, seed=seed), _named(voice)
    base = voice.card.base or BASE
    try:
        found = Voice.load(base)
    except UserError:  # it was made from a base that is not here
        try:
            found = Voice.load(BASE)
        except UserError:
            return [], ""
    return other_people(found, seed=seed), _named(found)


def _named(voice: Voice) -> str:
    return f"the speakers of {voice.name}"


def _report(
    voice: Voice,
    language: str,
    clips: Reference,
    kept: Reference | None,
    whose: str,
    evaluation: Evaluation,
) -> Report:
    return Report(
        voice=voice.name,
        speaker=voice.speaker.name,
        language=language,
        hash=voice.hash,
        reference=clips.source.resolve().name,
        clips=len(clips.clips),
        seconds=round(clips.seconds, 1),
        held_out=len(kept.clips) if kept else 0,
        floor=whose if evaluation.scores.similarity_floor is not None else "",
        scores=evaluation.scores,
    )
