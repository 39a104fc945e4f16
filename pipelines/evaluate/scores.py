"""The scores of a voice, in memory, in JSON and in its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DIGITS = 4  # decimals of a score that are kept


@dataclass(frozen=True)
class SentenceScore:
    """One spoken sentence and its scores; `heard`, cer and wer are None without a recogniser."""

    text: str
    heard: str | None
    similarity: float
    cer: float | None
    wer: float | None
    mos_p808: float | None
    seconds: float


@dataclass(frozen=True)
class Naturalness:
    """How some recordings sound; None: not measured.

    mos_p808, mos_overall: DNSMOS, 1 to 5. pitch_hz: the median; pitch_spread: its deviation in
    semitones. sounds_per_s: phonemes in a second. pause_s: mean length of the pauses inside the
    sentences, of which there are pauses_per_min.
    """

    mos_p808: float | None = None
    mos_overall: float | None = None
    pitch_hz: float | None = None
    pitch_spread: float | None = None
    sounds_per_s: float | None = None
    pause_s: float | None = None
    pauses_per_min: float | None = None


@dataclass(frozen=True)
class Speed:
    """Seconds of work for a second of speech on so many threads."""

    threads: int
    real_time_factor: float


@dataclass(frozen=True)
class Scores:
    """The scores of a voice.

    similarity: the mean of the sentences. similarity_ceiling: the mean of held-out real clips, or
    else of each real clip against all others; None for a single clip. similarity_floor: what other
    people reach. cer, wer: edits over all sentences by their length. mel_cepstral_distortion: in
    dB, of `distortion_clips` sentences of which the person's own reading exists. reference_...:
    the real clips' scores. None: not measured.
    """

    similarity: float
    similarity_lowest: float
    similarity_ceiling: float | None
    similarity_floor: float | None
    cer: float | None
    wer: float | None
    reference_cer: float | None
    reference_wer: float | None
    asr: str
    naturalness: Naturalness
    reference_naturalness: Naturalness
    mel_cepstral_distortion: float | None
    distortion_clips: int
    speeds: tuple[Speed, ...]
    seed: int
    sentences: tuple[SentenceScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything, in plain values: `Scores.from_json` takes them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Scores:
        """The scores that `to_json` gave. Raises TypeError or KeyError for anything else."""
        parts: dict[str, Any] = {
            "sentences": tuple(SentenceScore(**row) for row in values["sentences"]),
            "speeds": tuple(Speed(**row) for row in values["speeds"]),
            "naturalness": Naturalness(**values["naturalness"]),
            "reference_naturalness": Naturalness(**values["reference_naturalness"]),
        }
        return cls(**{**values, **parts})

    def for_card(self) -> dict[str, Any]:
        """What a voice's card says: rounded, and without times, which differ from run to run."""
        measured = {
            "similarity": self.similarity,
            "similarity_lowest": self.similarity_lowest,
            "similarity_ceiling": self.similarity_ceiling,
            "similarity_floor": self.similarity_floor,
            "cer": self.cer,
            "wer": self.wer,
            "reference_cer": self.reference_cer,
            "reference_wer": self.reference_wer,
            "mel_cepstral_distortion": self.mel_cepstral_distortion,
            **asdict(self.naturalness),
            **{f"reference_{k}": v for k, v in asdict(self.reference_naturalness).items()},
        }
        card: dict[str, Any] = {
            name: "not measured" if value is None else round(value, DIGITS)
            for name, value in measured.items()
        }
        return card | {"asr": self.asr, "sentences": len(self.sentences), "seed": self.seed}
