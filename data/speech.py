"""Where somebody speaks: silero-vad's probabilities, in flat memory, and the stretches of speech.

The network (Silero Team, silero-vad, 2024; MIT) comes with its package as an ONNX file and is run
by onnxruntime; the package itself is not imported, since it would load torch, and it asks for
torchaudio, which is never installed. It hears 32 ms at a time, at 16 kHz, with the 4 ms before;
the form that takes many such frames in one call is three times as fast and gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.recording import Recording
from vits.audio import Audio, Samples
from vits.errors import UserError

VAD_RATE = 16_000  # Hz
FRAME, CONTEXT = 512, 64  # samples
FRAME_S = FRAME / VAD_RATE
CALL_FRAMES = 512  # 16 s of sound in one call of the network
LEVEL_HOP_S = 0.01

# Speech begins where it is likely and ends where it is unlikely: what lies between keeps its state.
BEGIN_P, END_P = 0.5, 0.3
SHORTEST_SPEECH_S = 0.1
SHORTEST_GAP_S = 0.1
LOUD_DB = 25.0
SOUND_S, SOUND_DB, SOUND_LEAST_DB = 0.5, 20.0, -55.0  # of what is loud and no speech

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """From `start_s` to `end_s` of a recording, half open."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Track:
    """What a recording sounds like over time.

    speech: probability of speech, (T,) every `FRAME_S`; levels_db: power, (L,) every 10 ms.
    """

    seconds: float
    sample_rate: int
    flaw: str
    speech: Floats
    levels_db: Floats

    def quietest_s(self, start_s: float, end_s: float) -> float:
        """The time within a span about which 50 ms are quietest."""
        first, last = round(start_s / LEVEL_HOP_S), round(end_s / LEVEL_HOP_S)
        levels = self.levels_db[first:last]
        if len(levels) < 5:
            return (start_s + end_s) / 2
        around = np.convolve(levels, np.ones(5) / 5, "valid")
        # of equals the middle one: digital silence is quiet everywhere
        (best,) = np.nonzero(around <= around.min() + 0.5)
        return float((first + 2 + best[len(best) // 2]) * LEVEL_HOP_S)


def track(path: Path) -> Track:
    """Listen to a whole recording. Raises UserError if it cannot be read."""
    recording = Recording(path)
    hearing = _Hearing()
    levels: list[Floats] = []

    def at_vad_rate() -> Iterator[Samples]:
        import soxr

        stream: Any = None
        for block in recording.blocks():
            rate = recording.sample_rate
            if stream is None:
                stream = soxr.ResampleStream(rate, VAD_RATE, 1, "float32", "HQ")
            yield stream.resample_chunk(block)
        if stream is not None:
            yield stream.resample_chunk(np.zeros(0, np.float32), last=True)

    probabilities = []
    for block in _whole_calls(at_vad_rate()):
        levels.append(_levels(block))
        probabilities.append(hearing.hear(block))
    return Track(
        round(recording.seconds, 6),
        recording.sample_rate,
        recording.flaw,
        np.concatenate(probabilities),
        np.concatenate(levels),
    )


def _levels(block: Samples) -> Floats:
    """Level of each 10 ms, in dB."""
    size = round(LEVEL_HOP_S * VAD_RATE)
    if not len(block):
        return np.zeros(0, np.float32)
    padded = np.pad(block, (0, -len(block) % size))
    power = np.square(padded.reshape(-1, size), dtype=np.float64).mean(axis=1)
    return (10 * np.log10(np.maximum(power, 1e-10))).astype(np.float32)


def _whole_calls(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The same samples in blocks of `CALL_FRAMES` frames; the last one is what is left."""
    size, held = CALL_FRAMES * FRAME, np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    yield held


@lru_cache(maxsize=1)
def _session() -> Any:
    spec = find_spec("silero_vad")
    if spec is None or spec.origin is None:
        raise UserError("The voice detector is missing.", "Install it with: pip install silero-vad")
    import onnxruntime

    folder = Path(spec.origin).parent / "data"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(folder / "silero_vad_16k_sequence.onnx"), options, providers=["CPUExecutionProvider"]
    )


class _Hearing:
    """The network with its memory of what it heard before."""

    def __init__(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def hear(self, samples: Samples) -> Floats:
        """Probabilities of speech, one for each 32 ms of (T,) samples at 16 kHz."""
        count = -(-len(samples) // FRAME)
        if not count:
            return np.zeros(0, np.float32)
        padded = np.pad(samples, (0, count * FRAME - len(samples)))
        heard = np.concatenate([self._context, padded]).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(heard, FRAME + CONTEXT)[::FRAME]
        inputs = {"input": np.ascontiguousarray(frames), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = _session().run(None, inputs)
        self._context = heard[-CONTEXT:]
        return np.asarray(probabilities, np.float32)


# ---------------------------------------------------------------- stretches of speech


def speech_spans(found: Track) -> list[Span]:
    """The stretches in which somebody speaks, in order, pauses of a tenth of a second apart."""
    active, spans, begun = False, list[Span](), 0.0
    for index, probability in enumerate(found.speech):
        if not active and probability >= BEGIN_P:
            active, begun = True, index * FRAME_S
        elif active and probability < END_P:
            active = False
            spans.append(Span(begun, index * FRAME_S))
    if active:
        spans.append(Span(begun, found.seconds))
    return [
        Span(span.start_s, min(span.end_s, found.seconds))
        for span in _joined(spans)
        if span.seconds >= SHORTEST_SPEECH_S
    ]


def _joined(spans: Iterable[Span]) -> list[Span]:
    result: list[Span] = []
    for span in spans:
        if result and span.start_s - result[-1].end_s < SHORTEST_GAP_S:
            result[-1] = Span(result[-1].start_s, span.end_s)
        else:
            result.append(span)
    return result


def sounding_spans(found: Track) -> list[Span]:
    """Where it is loud for a while though nobody speaks: music, noise, a dog."""
    size = round(SOUND_S / LEVEL_HOP_S)
    frames = len(found.levels_db) // size
    if not frames:
        return []
    levels = found.levels_db[: frames * size].reshape(frames, size).mean(axis=1)
    times = (np.arange(frames) + 0.5) * SOUND_S
    at = np.minimum((times / FRAME_S).astype(int), len(found.speech) - 1)
    reach = round(SOUND_S / FRAME_S / 2)
    quiet = np.array([found.speech[max(0, i - reach) : i + reach + 1].max() < END_P for i in at])
    loud = levels > max(np.percentile(levels, 90) - SOUND_DB, SOUND_LEAST_DB)
    spans = [
        Span(i * SOUND_S, min((i + 1) * SOUND_S, found.seconds))
        for i in np.flatnonzero(quiet & loud)
    ]
    return _joined(spans)


def speech_seconds(audio: Audio) -> float:
    """Seconds of a clip in which somebody speaks, without the pauses."""
    import soxr

    samples = soxr.resample(audio.samples, audio.sample_rate, VAD_RATE)
    return float((_Hearing().hear(samples) > BEGIN_P).sum() * FRAME_S)


def speech_share(audio: Audio) -> float:
    """Share of a clip's loud tenths of a second in which there is speech: low for music."""
    import soxr

    samples = soxr.resample(audio.samples, audio.sample_rate, VAD_RATE)
    probabilities = np.concatenate([_Hearing().hear(samples), np.zeros(3, np.float32)])
    tenths = len(probabilities) // 3
    power = np.square(np.pad(samples, (0, 4 * FRAME))[: tenths * 3 * FRAME])
    levels = 10 * np.log10(power.reshape(tenths, 3 * FRAME).mean(axis=1) + 1e-10)
    heard = probabilities[: tenths * 3].reshape(-1, 3).max(axis=1)
    loud = levels > levels.max() - LOUD_DB
    return float((heard[loud] > BEGIN_P).mean())
