"""An evaluation written down: as JSON, as a table of one or several voices, in a voice's card."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipelines.evaluate.scores import Naturalness, Scores
from vits.card import read_card, write_card
from vits.errors import UserError
from vits.files import write_text

FORMAT = "clone-voice evaluation 1"
JSON_NAME, PAGE_NAME = "report.json", "report.html"
NOT_MEASURED = "not measured"
Value = Callable[[Scores], float | None]


@dataclass(frozen=True)
class Report:
    """The scores of one voice and what they are of.

    `reference` is the name of what it was compared with, of which there are `clips` recordings of
    `seconds` in all and `held_out` that were kept apart; `floor` says who the other people are.
    """

    voice: str
    speaker: str
    language: str
    hash: str
    reference: str
    clips: int
    seconds: float
    held_out: int
    floor: str
    scores: Scores

    @property
    def title(self) -> str:
        """The voice's name, and who of it speaks where that is not plain."""
        return self.voice if self.speaker in ("", self.voice) else f"{self.voice}:{self.speaker}"

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self), "scores": self.scores.to_json()}


def read_report(path: Path) -> Report:
    """The report in a folder or a JSON file. Raises UserError if it is none."""
    path = path / JSON_NAME if path.is_dir() else path
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            raise ValueError("it has another format")
        return Report(**{**values, "scores": Scores.from_json(values["scores"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not an evaluation of this program ({type(error).__name__}: {error}).",
            "Make it again: clone-voice evaluate VOICE --reference CLIPS -o REPORT",
        ) from error


def write_json(reports: Sequence[Report], path: Path) -> None:
    """One report as an object, several as a list of them."""
    values: Any = [report.to_json() for report in reports]
    values = values[0] if len(reports) == 1 else values
    write_text(path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


# ---------------------------------------------------------------- table


@dataclass(frozen=True)
class Metric:
    """A line of the table: the voice's value, the real clips' value, and which way is better."""

    label: str
    value: Value
    real: Value | None
    digits: int
    unit: str = ""
    better: Literal["more", "less", "near", ""] = ""

    def best(self, reports: Sequence[Report]) -> set[int]:
        """Which of several voices do best here; nobody where it cannot be said."""
        known = {i: d for i, r in enumerate(reports) if (d := self._distance(r.scores)) is not None}
        if len(reports) < 2 or len(known) < 2:
            return set()
        least = min(known.values())
        return {i for i, d in known.items() if abs(d - least) < 10**-self.digits / 2}

    def _distance(self, scores: Scores) -> float | None:
        value = self.value(scores)
        if value is None or not self.better:
            return None
        if self.better == "near":
            real = self.real(scores) if self.real else None
            return None if real is None else abs(value - real)
        return -value if self.better == "more" else value


def _natural(name: str) -> tuple[Value, Value]:
    def of(naturalness: Naturalness) -> float | None:
        value: float | None = getattr(naturalness, name)
        return value

    return (lambda s: of(s.naturalness)), (lambda s: of(s.reference_naturalness))


METRICS = (
    Metric(
        "similarity, mean", lambda s: s.similarity, lambda s: s.similarity_ceiling, 3, "", "more"
    ),
    Metric("similarity, lowest sentence", lambda s: s.similarity_lowest, None, 3, "", "more"),
    Metric("similarity of other people", lambda s: s.similarity_floor, None, 3),
    Metric("character error rate", lambda s: s.cer, lambda s: s.reference_cer, 3, "", "less"),
    Metric("word error rate", lambda s: s.wer, lambda s: s.reference_wer, 3, "", "less"),
    Metric("DNSMOS P.808", *_natural("mos_p808"), 2, "", "more"),
    Metric("DNSMOS overall", *_natural("mos_overall"), 2, "", "more"),
    Metric("pitch, median", *_natural("pitch_hz"), 0, "Hz", "near"),
    Metric("pitch, spread", *_natural("pitch_spread"), 1, "semitones", "near"),
    Metric("speaking rate", *_natural("sounds_per_s"), 1, "sounds/s", "near"),
    Metric("pauses, mean length", *_natural("pause_s"), 2, "s", "near"),
    Metric("pauses", *_natural("pauses_per_min"), 1, "a minute", "near"),
    Metric("mel-cepstral distortion", lambda s: s.mel_cepstral_distortion, None, 2, "dB", "less"),
    Metric("work for 1 s, one thread", lambda s: _real_time_factor(s, 0), None, 3, "s", "less"),
    Metric("work for 1 s, all threads", lambda s: _real_time_factor(s, -1), None, 3, "s", "less"),
)


def _real_time_factor(scores: Scores, which: int) -> float | None:
    if not scores.speeds or (which and len(scores.speeds) < 2):
        return None
    return scores.speeds[which].real_time_factor


def table(reports: Sequence[Report]) -> list[list[str]]:
    """Rows of text, the first of titles: what, a column for each voice, the real clips.

    Voices that were compared with different clips have each a column of real clips beside them.
    What nobody measured has no row, but for similarity, errors and naturalness.
    """
    shared = len({_real_values(report) for report in reports}) == 1
    head = ["", *(cell for r in reports for cell in _titles(r, shared))]
    rows = [head if not shared else [*head, "real clips"]]
    for metric in METRICS:
        values = [metric.value(r.scores) for r in reports]
        if all(value is None for value in values) and not metric.real:
            continue
        rows.append([_label(metric), *_cells(metric, reports, shared)])
    return rows


def _titles(report: Report, shared: bool) -> list[str]:
    return [report.title] if shared else [report.title, f"real clips of {report.reference}"]


def _cells(metric: Metric, reports: Sequence[Report], shared: bool) -> list[str]:
    best = metric.best(reports)
    cells: list[str] = []
    for i, report in enumerate(reports):
        mark = " *" if i in best else ""
        cells.append(number(metric.value(report.scores), metric.digits) + mark)
        if not shared:
            cells.append(_real_cell(metric, report.scores))
    return [*cells, _real_cell(metric, reports[0].scores)] if shared else cells


def _real_cell(metric: Metric, scores: Scores) -> str:
    return number(metric.real(scores), metric.digits) if metric.real else ""


def _real_values(report: Report) -> tuple[float | None, ...]:
    return tuple(m.real(report.scores) for m in METRICS if m.real)


def _label(metric: Metric) -> str:
    return f"{metric.label} ({metric.unit})" if metric.unit else metric.label


def number(value: float | None, digits: int) -> str:
    return NOT_MEASURED if value is None else f"{value:.{digits}f}"


def notes(reports: Sequence[Report]) -> list[str]:
    """What the reader of the table must know of each voice's row."""
    lines = []
    for report in reports:
        scores = report.scores
        held = f", {report.held_out} more held out" if report.held_out else ""
        heard = scores.asr or f"no recogniser for {report.language} on this machine"
        lines.append(
            f"{report.title}: {len(scores.sentences)} sentences ({report.language}, seed "
            f"{scores.seed}) against {report.clips} clips of {report.reference}, "
            f"{report.seconds:.0f} s{held}; errors by {heard}; "
            f"other people: {report.floor or 'none'}" + _distortion_note(scores)
        )
    return lines


def _distortion_note(scores: Scores) -> str:
    if not scores.distortion_clips:
        return ""
    return f"; distortion over {scores.distortion_clips} sentences that the person read too"


# ---------------------------------------------------------------- card


def write_scores(folder: Path, report: Report, *, several_speakers: bool) -> None:
    """Put the scores into a voice's card; of several speakers each has its own."""
    card, measured = read_card(folder), report.scores.for_card()
    scores: Mapping[str, Any] = measured
    if several_speakers:
        speakers = dict(card.scores.get("speakers", {}))
        speakers[report.speaker] = measured
        scores = {**card.scores, "speakers": speakers}
    write_card(folder, replace(card, scores=scores))
