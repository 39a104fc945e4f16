"""Text to waveform on one thread, turn about with the paper's network as transformers has it.

The rival, `transformers.VitsModel` in its default sizes (those of arXiv:2106.06103), has random
weights: they decide nothing about its speed but how long it speaks. So its duration predictor runs
as always, and then the frames that our voice gave the same sentence take the place of its result:
both make the same seconds of sound at the same rate. It is handed ids, with the paper's blanks
between them, and spared the reading of the text.

Each round is a process of its own and speaks each sentence once, since words and shapes met before
are faster.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.settings import LANGUAGE, WARM_UP, Settings, in_fresh_process, set_threads, tell
from bench.table import Row, Target, ratio

if TYPE_CHECKING:
    from torch import Tensor

    from vits.voice import Voice

MOST_WORK_S = 0.03  # for a second of speech
LEAST_RATIO = 15.0


@dataclass(frozen=True)
class Round:
    """Seconds that each of the two worked, for the same seconds of speech."""

    audio_s: float
    ours_s: float
    rival_s: float


@dataclass(frozen=True)
class _Said:
    """A sentence that our voice spoke: the work, and the ids and frames of each utterance."""

    work_s: float
    ids: list[list[int]]
    frames: list[int]


def synthesis(settings: Settings) -> list[Row]:
    """Real-time factors of the voice and of the rival, and how many times one is the other."""
    rounds = []
    for number in range(settings.rounds):
        rounds.append(
            in_fresh_process(
                one_round, settings.voice, settings.sentences, dict(settings.rival), number
            )
        )
        tell(f"synthesis: round {number + 1} of {settings.rounds}")
    ours = [r.ours_s / r.audio_s for r in rounds]
    rival = [r.rival_s / r.audio_s for r in rounds]
    count = f"{len(settings.sentences)} sentences, 1 thread"
    spoken = f"median of {len(rounds)} x {statistics.median(r.audio_s for r in rounds):.0f} s"
    ours_are = f"text to waveform, {settings.voice_name}, {count}"
    rival_is = "transformers VitsModel of the paper's size, random weights, ids to waveform"
    return [
        Row(f"synthesis, real-time factor, {ours_are}", statistics.median(ours),
            target=Target(MOST_WORK_S), note=spoken),
        Row(f"{rival_is}, real-time factor, {count}", statistics.median(rival), note=spoken),
        Row("synthesis: how many times faster", ratio(rival, ours), "times",
            Target(LEAST_RATIO, at_least=True)),
    ]  # fmt: skip


def one_round(
    voice_name: str, sentences: Sequence[str], rival_sizes: Mapping[str, Any], seed: int
) -> Round:
    """Speak each sentence with both, one after the other, on one thread."""
    from vits.voice import Voice

    set_threads(1)
    voice = Voice.load(voice_name)
    rival = Rival(len(voice.config.symbols), voice.sample_rate, rival_sizes)
    hop_s = voice.config.audio.hop_length / voice.sample_rate
    warm = _speak(voice, WARM_UP, seed)
    rival.speak(warm.ids, warm.frames)
    audio_s = ours_s = rival_s = 0.0
    for sentence in sentences:
        said = _speak(voice, sentence, seed)
        ours_s += said.work_s
        rival_s += rival.speak(said.ids, said.frames)
        audio_s += sum(said.frames) * hop_s
    return Round(audio_s, ours_s, rival_s)


def _speak(voice: Voice, sentence: str, seed: int) -> _Said:
    """Time the whole path; the silence after an utterance costs no work and does not count."""
    from vits.text import plan

    started = time.perf_counter()
    speeches = list(voice.speak(sentence, language=LANGUAGE, seed=seed))
    work_s = time.perf_counter() - started
    utterances = list(plan(sentence, language=LANGUAGE))
    ids, frames = [], []
    for speech, utterance in zip(speeches, utterances, strict=True):
        silence = round(utterance.pause_s * voice.sample_rate)
        spoken = len(speech.audio.samples) - silence
        if spoken:
            frames.append(spoken // voice.config.audio.hop_length)
            ids.append([voice.config.symbols.index(symbol) for symbol in utterance.symbols])
    return _Said(work_s, ids, frames)


class Rival:
    """transformers' VITS with random weights, made to speak for as long as it is told."""

    def __init__(self, n_symbols: int, sample_rate: int, sizes: Mapping[str, Any]) -> None:
        import torch
        from transformers import VitsConfig, VitsModel

        torch.manual_seed(0)
        config = VitsConfig(**{"vocab_size": n_symbols, "sampling_rate": sample_rate, **sizes})
        self.model = VitsModel(config).eval()
        self.model.duration_predictor.register_forward_hook(self._keep_durations)
        self._log_durations: Tensor | None = None

    def speak(self, ids: Sequence[Sequence[int]], frames: Sequence[int]) -> float:
        """Say utterances of so many frames; seconds of work."""
        import torch

        work_s = 0.0
        for symbols, length in zip(ids, frames, strict=True):
            row = torch.tensor([with_blanks(symbols)])
            self._log_durations = log_durations(row.shape[1], length)
            with torch.inference_mode():
                started = time.perf_counter()
                made = self.model(row)
                work_s += time.perf_counter() - started
            assert made.waveform.shape == (1, length * 256), (made.waveform.shape, length)
            assert torch.isfinite(made.waveform).all()
        return work_s

    def _keep_durations(self, module: object, inputs: object, output: Tensor) -> Tensor:
        assert self._log_durations is not None
        assert self._log_durations.shape == output.shape
        return self._log_durations


def with_blanks(ids: Sequence[int], blank: int = 0) -> list[int]:
    """Ids with a blank before, between and behind, as the paper's networks read them."""
    return [blank, *(x for i in ids for x in (i, blank))]


def log_durations(n_ids: int, frames: int) -> Tensor:
    """What a predictor must say for `frames` frames shared out evenly, (1, 1, n_ids).

    The network rounds exp(x) up: half a frame less is safe from rounding, and -inf is no frame.
    """
    import torch

    ends = torch.arange(n_ids + 1) * frames // n_ids
    return torch.log((ends.diff() - 0.5).clamp(min=0.0)).view(1, 1, n_ids)
