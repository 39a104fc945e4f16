"""A person's recordings -> a dataset folder: find, read, check, clean, write, report.

Everything is decided by the content of the sources, so the same clips give the same bytes. What
was made before is kept where its source has not changed, and a kill loses the clip in work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data import checks
from data.checks import Verdict
from data.clips import (
    MANIFEST,
    METADATA,
    Clip,
    write_ljspeech,
    write_manifest,
    write_report,
)
from data.intake import NO_TRANSCRIPT, Dropped, Intake, find_clips, language_code
from data.making import JOURNAL, VERSION, Record, Workshop
from vits.audio import AUDIO_SUFFIXES
from vits.errors import UserError
from vits.files import cannot_write

FEWEST_CLIPS = 2
LEAST_SECONDS = 10.0
REASONS_SHOWN = 3


@dataclass(frozen=True)
class ClipEvent:
    """Progress: one more clip has its verdict. `reused` if it was made in an earlier run."""

    done: int
    total: int
    name: str
    verdict: Verdict
    reason: str
    reused: bool


@dataclass(frozen=True)
class PreparedClips:
    """A dataset folder as it was written. `seconds` and `language` are of the clips in use."""

    folder: Path
    clips: tuple[Clip, ...]
    dropped: tuple[Dropped, ...]
    seconds: float
    language: str


def prepare_clips(
    source: str | Path,
    out_dir: str | Path,
    *,
    sample_rate: int = 22050,
    language: str | None = None,
    on_event: Callable[[ClipEvent], None] | None = None,
) -> PreparedClips:
    """Make a dataset folder of the clips in `source`, in any form that `data.intake` knows.

    `language` is that of clips whose list does not say; without it it is guessed from the text.
    Raises UserError if there are no clips, fewer than two can be used, or less than 10 seconds of
    them (report.json then tells of each), and for an output folder that cannot be written.
    """
    source, out_dir = Path(source), Path(out_dir)
    if source.exists() and out_dir.exists() and source.samefile(out_dir):
        raise UserError(
            f"{source} cannot be both the clips and where they are prepared.",
            "Name another folder for the result.",
        )
    intake = find_clips(source, without=out_dir)
    if not intake.found and not intake.dropped:
        raise _no_clips(source)
    intake = _with_languages(intake, language)
    work = Workshop(out_dir, sample_rate)
    records = []
    for done, found in enumerate(intake.found, 1):
        record, reused = work.prepare(found)
        records.append(record)
        if on_event:
            total = len(intake.found)
            event = ClipEvent(done, total, found.name, record.verdict, record.reason, reused)
            on_event(event)
    return _finish(source, work, records, intake.dropped)


def _with_languages(intake: Intake, language: str | None) -> Intake:
    texts = [found.text for found in intake.found if not found.language]
    default = language_code(language) if language else checks.guess_language(texts)
    found = [replace(found, language=found.language or default) for found in intake.found]
    return replace(intake, found=tuple(found))


# ---------------------------------------------------------------- the whole


def _finish(
    source: Path, work: Workshop, records: list[Record], dropped: tuple[Dropped, ...]
) -> PreparedClips:
    folder = work.folder
    used = [record for record in records if record.verdict != "drop"]
    clips = [_clip(folder, record) for record in used]
    seconds = round(sum(clip.seconds for clip in clips), 3)
    rejected = [Dropped(r.source, r.reason, r.text) for r in records if r.verdict == "drop"]
    all_dropped = (*rejected, *dropped)
    languages: Counter[str] = Counter()
    for clip in clips:
        languages[clip.language] += round(1000 * clip.seconds)
    language = languages.most_common(1)[0][0] if languages else ""
    problem = _too_few(source, clips, seconds, all_dropped)
    try:
        for name in (MANIFEST, METADATA) if problem else ():
            (folder / name).unlink(missing_ok=True)  # that of an earlier run is no longer true
        for wav in work.before - {record.wav for record in used}:
            (folder / wav).unlink(missing_ok=True)
        write_report(folder, _report(work, records, all_dropped, seconds, language))
        if not problem:
            write_ljspeech(folder, clips)
            write_manifest(folder, clips)
        (folder / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    if problem:
        raise problem
    return PreparedClips(folder, tuple(clips), all_dropped, seconds, language)


def _clip(folder: Path, record: Record) -> Clip:
    return Clip(
        path=folder / record.wav,
        text=record.text,
        speaker=record.speaker,
        language=record.language,
        seconds=record.seconds,
        bandwidth_hz=record.bandwidth_hz,
        verdict=record.verdict,
        reason=record.reason,
        source=record.source,
    )


def _report(
    work: Workshop,
    records: list[Record],
    dropped: tuple[Dropped, ...],
    seconds: float,
    language: str,
) -> dict[str, Any]:
    verdicts = Counter(record.verdict for record in records)
    return {
        "version": VERSION,
        "sample_rate": work.sample_rate,
        "language": language,
        "seconds": seconds,
        "clips": {"use": verdicts["use"], "doubt": verdicts["doubt"], "drop": len(dropped)},
        "doubts": [{"name": r.source, "reason": r.reason} for r in records if r.verdict == "doubt"],
        "dropped": [asdict(item) for item in dropped],
        "records": [asdict(record) for record in records],
    }


def _no_clips(source: Path) -> UserError:
    return UserError(
        f"There are no clips in {source}.",
        "Put about 20 recordings of 2 to 10 seconds there "
        f"({' '.join(AUDIO_SUFFIXES[:3])} .mp3 .m4a ...), each with its words in a .txt of the "
        "same name, or a list of them (metadata.csv, manifest.tsv).",
    )


def _too_few(
    source: Path, clips: list[Clip], seconds: float, dropped: tuple[Dropped, ...]
) -> UserError | None:
    if len(clips) >= FEWEST_CLIPS and seconds >= LEAST_SECONDS:
        return None
    if not clips:
        cause = f"None of the clips in {source} can be used"
    elif len(clips) == 1:
        cause = f"Only one clip in {source} can be used, and a voice needs about 20"
    else:
        cause = (
            f"The {len(clips)} clips in {source} that can be used last {seconds:.1f} s in all, "
            f"and a voice needs {LEAST_SECONDS:.0f} s, better two minutes"
        )
    reasons = "; ".join(map(str, dropped[:REASONS_SHOWN]))
    if len(dropped) > REASONS_SHOWN:
        reasons += f"; and {len(dropped) - REASONS_SHOWN} more"
    if dropped and all(item.reason == NO_TRANSCRIPT for item in dropped):
        remedy = "Write the words of each clip into a .txt of the same name."
    else:
        remedy = "Add recordings of 2 to 10 seconds, or mend those that were dropped."
    return UserError(f"{cause}: {reasons}." if reasons else f"{cause}.", remedy)
