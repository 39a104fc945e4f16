"""The data set's papers: manifest, LJSpeech list, report.json; and what they say of the whole.

The report holds everything from which the papers follow, so that a decision made by hand writes
them anew at once (`refresh`), and every second of the sources is in it (`data.account`).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from data.account import Share, check, shares, totals
from data.advice import advise
from data.clips import (
    ASIDE,
    MANIFEST,
    METADATA,
    REPORT,
    WAVS,
    Clip,
    write_ljspeech,
    write_manifest,
    write_report,
)
from data.edits import Edit, apply_edits, read_edits, write_edits
from data.intake import Dropped
from data.making import JOURNAL, Record, sound_path
from data.reportpage import write_page
from data.speech import Span
from vits.errors import UserError
from vits.files import cannot_write

PAGE = "report.html"
VERSION = 1
REASONS_SHOWN = 3


@dataclass(frozen=True)
class RecordingReport:
    """One source: its length, what is wrong with it, which parts of its text nobody said."""

    name: str
    seconds: float
    sample_rate: int
    flaw: str = ""
    notes: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    sounding: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Report:
    """What the program found, before a person decided otherwise."""

    sample_rate: int
    records: tuple[Record, ...]
    recordings: tuple[RecordingReport, ...]
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """A data set as it was written. seconds: of the clips in use; totals: seconds of each kind.

    `incomplete` says that something was left out which a user would want to know of.
    """

    folder: Path
    clips: tuple[Clip, ...]
    recordings: tuple[RecordingReport, ...]
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]
    seconds: float
    source_s: float
    totals: dict[str, float]
    verdicts: dict[str, int]
    language: str
    speakers: dict[str, float]
    advice: tuple[str, ...]
    aside: tuple[Dropped, ...]

    @property
    def incomplete(self) -> bool:
        """Whether a source, or a clip for another reason than its speaker, was left out."""
        flawed = any(r.flaw or r.notes or r.unheard for r in self.recordings)
        return bool(self.dropped or self.notes or self.aside) or flawed


def finish(folder: Path, report: Report, made_before: Collection[str] = ()) -> Summary:
    """Write everything. Raises UserError if no clip can be used; the report is there even so."""
    edits = read_edits(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        records = apply_edits(folder, report.records, edits)
        _put_away(folder, records, made_before)
        summary = _summary(folder, report, records)
        write_report(folder, _json(report, records, summary, edits))
        write_page(folder / PAGE, summary, records, _all_shares(report, records))
        if summary.clips:
            write_ljspeech(folder, summary.clips)
            write_manifest(folder, summary.clips)
        else:
            for name in (MANIFEST, METADATA):
                (folder / name).unlink(missing_ok=True)
        (folder / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    if not summary.clips:
        raise _nothing(summary)
    return summary


def refresh(folder: Path, name: str, edit: Edit) -> Summary:
    """Keep one more decision, and write the papers anew."""
    edits = {**read_edits(folder), name: edit}
    report = read_report(folder)
    write_edits(folder, edits)
    return finish(folder, report)


def read_report(folder: Path) -> Report:
    """The report of a data set that `clone-voice prepare` made.

    Raises UserError if there is none or it cannot be understood.
    """
    path = folder / REPORT
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        recordings = [
            RecordingReport(
                **{field.name: _frozen(row[field.name]) for field in fields(RecordingReport)}
            )
            for row in values["recordings"]
        ]
        return Report(
            values["sample_rate"],
            tuple(Record(**row) for row in values["records"]),
            tuple(recordings),
            tuple(Dropped(**row) for row in values["left_out"]),
            tuple(values["notes"]),
        )
    except FileNotFoundError:
        raise UserError(
            f"{folder} is no data set: it has no {REPORT}.", "Make one: clone-voice prepare."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} cannot be understood ({type(error).__name__}: {error}).",
            "Prepare the recordings again.",
        ) from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


# ---------------------------------------------------------------- parts


def _put_away(folder: Path, records: Sequence[Record], made_before: Collection[str]) -> None:
    """Clips that are used lie in wavs/, the others aside; what belongs to no record goes."""
    wanted: set[Path] = set()
    for record in records:
        if not record.wav:
            continue
        used = record.verdict != "drop"
        name = Path(record.wav).name
        target = folder / (WAVS if used and not record.cut_wav else ASIDE) / name
        source = sound_path(folder, record)
        if source != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
        wanted |= {target} | ({folder / record.cut_wav} if record.cut_wav and used else set())
    ours = {Path(wav).stem for wav in (*made_before, *(r.wav for r in records)) if wav}
    ours |= {f"{stem}-cut" for stem in ours}
    for place in (WAVS, ASIDE):
        for path in sorted((folder / place).glob("*.wav")):
            if path.stem in ours and path not in wanted:
                path.unlink()


def _summary(folder: Path, report: Report, records: Sequence[Record]) -> Summary:
    used = [record for record in records if record.verdict != "drop"]
    clips = tuple(_clip(folder, record) for record in used)
    speakers: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for record in used:
        speakers[record.speaker] += round(1000 * record.used_s)
        languages[record.language] += round(1000 * record.used_s)
    verdicts = Counter(record.verdict for record in records)
    return Summary(
        folder=folder,
        clips=clips,
        recordings=report.recordings,
        dropped=report.dropped,
        notes=report.notes,
        seconds=round(sum(record.used_s for record in used), 3),
        source_s=round(sum(recording.seconds for recording in report.recordings), 3),
        totals=totals(share for _, found in _all_shares(report, records) for share in found),
        verdicts={name: verdicts[name] for name in ("use", "doubt", "drop")},
        language=languages.most_common(1)[0][0] if languages else "",
        speakers={name: ms / 1000 for name, ms in sorted(speakers.items())},
        advice=tuple(advise(records)),
        aside=tuple(Dropped(r.source, r.reason, r.text) for r in records if r.verdict == "drop"),
    )


def _all_shares(
    report: Report, records: Sequence[Record]
) -> list[tuple[RecordingReport, list[Share]]]:
    """Every second of every recording; that nothing is missing is asserted."""
    result = []
    for recording in report.recordings:
        own = [record for record in records if record.recording == recording.name]
        sounding = [Span(*span) for span in recording.sounding]
        found = shares(recording.seconds, own, sounding)
        check(recording.seconds, found)
        result.append((recording, found))
    return result


def _clip(folder: Path, record: Record) -> Clip:
    return Clip(
        path=folder / WAVS / Path(record.used_wav).name,
        text=record.text,
        speaker=record.speaker,
        language=record.language,
        seconds=round(record.used_s, 3),
        bandwidth_hz=record.bandwidth_hz,
        verdict=record.verdict,
        reason=record.reason,
        source=record.source,
    )


def _json(
    report: Report, records: Sequence[Record], summary: Summary, edits: dict[str, Edit]
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "sample_rate": report.sample_rate,
        "language": summary.language,
        "source_seconds": summary.source_s,
        "account": summary.totals,
        "seconds": summary.seconds,
        "speakers": summary.speakers,
        "clips": summary.verdicts,
        "advice": summary.advice,
        "notes": report.notes,
        "doubts": _reasons(records, "doubt"),
        "dropped": [asdict(item) for item in (*summary.aside, *report.dropped)],
        "left_out": [asdict(item) for item in report.dropped],
        "recordings": [
            {
                **asdict(recording),
                "account": totals(found),
                "shares": [
                    [round(s.start_s, 3), round(s.end_s, 3), s.kind, s.reason] for s in found
                ],
            }
            for recording, found in _all_shares(report, records)
        ],
        "edits": {name: asdict(edit) for name, edit in sorted(edits.items())},
        "records": [asdict(record) for record in report.records],
    }


def _reasons(records: Sequence[Record], verdict: str) -> list[dict[str, str]]:
    return [{"name": r.source, "reason": r.reason} for r in records if r.verdict == verdict]


def _nothing(summary: Summary) -> UserError:
    reasons = [*map(str, summary.dropped)]
    reasons += [f"{r.name} {note}" for r in summary.recordings for note in r.notes]
    reasons += [*map(str, summary.aside)]
    shown = "; ".join(reasons[:REASONS_SHOWN])
    more = f"; and {len(reasons) - REASONS_SHOWN} more" if len(reasons) > REASONS_SHOWN else ""
    return UserError(
        f"Nothing in the recordings can be used: {shown}{more}.",
        f"See {summary.folder / PAGE}, and record somebody who speaks alone, near the microphone.",
    )
