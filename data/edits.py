"""What a person decides about prepared clips: other words, in or out, cut shorter.

Decisions are kept in `review.json` by the clip's name, apart from what the program found, so that
they can be taken back and a later run of the preparation keeps them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from data.clips import WAVS
from data.intake import tidy
from data.making import Record, sound_path
from vits.audio import Audio, read_audio, write_audio
from vits.errors import UserError
from vits.files import write_text

REVIEW = "review.json"
SHORTEST_S = 0.3
BY_HAND = "a person"


@dataclass(frozen=True)
class Edit:
    """A person's decision on one clip; None leaves a matter as it was found. cut: seconds kept."""

    text: str | None = None
    verdict: str | None = None  # use or drop
    cut: tuple[float, float] | None = None

    def with_changes(self, changes: Mapping[str, Any]) -> Edit:
        """A new decision from plain JSON. Raises UserError, with the reason, for what cannot be."""
        unknown = set(changes) - {"text", "verdict", "cut"}
        if unknown:
            raise UserError(f"There is no {sorted(unknown)[0]!r} to change.", "Reload the page.")
        values: dict[str, Any] = dict(changes)
        if values.get("text") is not None:
            if not isinstance(values["text"], str) or len(values["text"]) > 2000:
                raise UserError("The text is too long.", "A clip holds a sentence or two.")
            values["text"] = tidy(values["text"])
        if values.get("verdict") not in (None, "use", "drop"):
            raise UserError("The verdict must be use or drop.", "Reload the page.")
        if values.get("cut") is not None:
            values["cut"] = _cut(values["cut"])
        return replace(self, **values)


def _cut(value: Any) -> tuple[float, float]:
    try:
        start_s, end_s = (round(float(x), 3) for x in value)
    except (TypeError, ValueError) as error:
        raise UserError("A cut needs its two ends.", "Mark them on the waveform.") from error
    if not (start_s >= 0 and end_s - start_s >= SHORTEST_S):
        raise UserError(f"A cut must leave {SHORTEST_S} seconds.", "Mark more of the clip.")
    return start_s, end_s


def read_edits(folder: Path) -> dict[str, Edit]:
    """The decisions of a data set, by the name of the clip.

    Raises UserError if the file is there and cannot be understood: nobody's work is thrown away.
    """
    path = folder / REVIEW
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): Edit().with_changes(edit) for name, edit in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError, UserError) as error:
        raise UserError(
            f"{path}, which holds what was decided by hand, cannot be understood.",
            "Mend it, or delete it to begin again.",
        ) from error


def write_edits(folder: Path, edits: Mapping[str, Edit]) -> None:
    """Keep the decisions, those that decide something."""
    values = {name: asdict(edit) for name, edit in sorted(edits.items()) if edit != Edit()}
    write_text(folder / REVIEW, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def clip_name(record: Record) -> str:
    """What a clip is called in a review: its file without folder and suffix."""
    return PurePosixPath(record.wav).stem


def apply_edits(folder: Path, records: Sequence[Record], edits: Mapping[str, Edit]) -> list[Record]:
    """The records as they count; sound that is cut is written here."""
    return [
        _edited(folder, record, edits[clip_name(record)])
        if record.wav and clip_name(record) in edits
        else record
        for record in records
    ]


def _edited(folder: Path, record: Record, edit: Edit) -> Record:
    if edit.text is not None:
        record = replace(record, text=edit.text, words_from=BY_HAND, confidence=None)
    if edit.verdict == "drop":
        record = replace(record, verdict="drop", reason="was taken out by hand")
    elif edit.verdict == "use" or (edit.text and record.verdict != "drop"):
        record = replace(record, verdict="use", reason="")
    if edit.cut:
        record = _shortened(folder, record, *edit.cut)
    return record


def _shortened(folder: Path, record: Record, start_s: float, end_s: float) -> Record:
    end_s = min(end_s, record.seconds)
    if end_s - start_s < SHORTEST_S:
        return record
    wav = f"{WAVS}/{clip_name(record)}-cut.wav"
    audio = read_audio(sound_path(folder, record))
    rate = audio.sample_rate
    samples = audio.samples[round(start_s * rate) : round(end_s * rate)]
    write_audio(folder / wav, Audio(samples, rate))
    return replace(record, cut_wav=wav, cut_start_s=start_s, cut_end_s=end_s)
