"""Who is speaking: a speaker-verification embedding of a recording.

The encoder is Resemblyzer's, a three-layer LSTM trained with the generalised end-to-end loss
(Wan et al. 2018, arXiv:1710.10467). A recording is cut into windows of 1.6 s which overlap by
half, each window gives a vector, and the mean of the vectors, scaled to length 1, stands for the
recording. The cosine of two embeddings is their speakers' similarity: about 0.95 for two
recordings of one reader, 0.5 to 0.7 for two readers.

Two uses, kept apart: it conditions the voices (where a new speaker starts), and it scores them.
It is never a training loss. It runs on the CPU and depends on no random number.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from data.overlap import overlap_scores
from vits.errors import UserError

if TYPE_CHECKING:
    from vits.audio import Audio

EMBEDDING_SIZE = 256
ENCODER_SAMPLE_RATE = 16_000  # Hz
LEVEL_DBFS = -30.0  # quieter recordings are raised to this level before anything else
WINDOWS_PER_S = 1.3  # with windows of 1.6 s: an overlap of one half
LAST_WINDOW_COVERAGE = 0.75  # a last window with less sound than this share is left out
BATCH_WINDOWS = 64  # an LSTM step over 64 windows costs a sixth of 64 single steps


def speaker_embedding(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Embed one recording: (T,) in [-1, 1] at `sample_rate` Hz -> (256,) float32 of length 1.

    Long pauses do not count. Raises UserError if the recording is empty or digitally silent, or
    if Resemblyzer is not installed.
    """
    return _embed([spoken_part(samples, sample_rate)])[0]


def embed_clips(clips: Iterable[Audio], most_windows: int | None = None) -> np.ndarray:
    """Embed N recordings, (N, 256) float32, each row of length 1.

    With `most_windows` only so many windows of each are heard, spread evenly over it.

    Windows of different clips share a batch, which is several times faster than clip by clip;
    the rows equal `speaker_embedding` of each clip up to rounding. Raises like it does.
    """
    spoken = (spoken_part(clip.samples, clip.sample_rate) for clip in clips)
    return _embed(spoken, most_windows)


@dataclass(frozen=True)
class Heard:
    """Who speaks in a recording, (256,) of length 1, and whether it sounds like two at once.

    overlap: log-odds of that, the mean over its windows (`data.overlap`).
    """

    embedding: np.ndarray
    overlap: float


def hear_clips(clips: Iterable[Audio], most_windows: int | None = None) -> list[Heard]:
    """`embed_clips`, and of each clip how much it sounds like two people at once."""
    spoken = (spoken_part(clip.samples, clip.sample_rate) for clip in clips)
    heard = _by_recording(spoken, most_windows)
    return [
        Heard(_unit(vectors.mean(axis=0)), float(overlap_scores(states).mean()))
        for vectors, states in heard
    ]


def centroid(embeddings: np.ndarray) -> np.ndarray:
    """Mean of N embeddings scaled to length 1: (N, 256) -> (256,) float32."""
    assert embeddings.ndim == 2, embeddings.shape
    assert len(embeddings), "no embeddings"
    return _unit(embeddings.mean(axis=0))


def similarity(embeddings: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Cosine of each embedding with a reference: (N, 256), (256,) -> (N,)."""
    return embeddings @ reference


@lru_cache(maxsize=1)
def _encoder() -> Any:
    """Resemblyzer's network with the weights that come with the package, on the CPU."""
    try:
        with warnings.catch_warnings():
            # it imports scipy.ndimage.morphology, a name SciPy announces to drop
            warnings.simplefilter("ignore", DeprecationWarning)
            from resemblyzer import VoiceEncoder
    except ImportError as error:
        raise UserError(
            f"The speaker encoder cannot be loaded ({error}).",
            "Install it with: pip install webrtcvad-wheels && pip install --no-deps resemblyzer",
        ) from error
    return VoiceEncoder("cpu", verbose=False).eval()


def spoken_part(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """The recording as the encoder wants it: 16 kHz, at least -30 dBFS, long pauses cut.

    Where the voice detector finds no speech at all, the recording is kept whole.
    """
    import soxr

    assert samples.ndim == 1, samples.shape
    if not np.any(samples):
        raise UserError(
            "A recording is empty or silent, so it has no speaker.",
            "Leave it out, or record it again.",
        )
    _encoder()  # a missing package is reported by its own message
    from resemblyzer.audio import normalize_volume, trim_long_silences

    wave = soxr.resample(samples.astype(np.float32), sample_rate, ENCODER_SAMPLE_RATE)
    wave = normalize_volume(wave, LEVEL_DBFS, increase_only=True)
    wave = np.clip(wave, -1.0, 1.0)  # the detector takes 16-bit samples, which would wrap
    spoken = trim_long_silences(wave)
    return spoken if len(spoken) else wave


def window_states(windows: Iterable[np.ndarray]) -> np.ndarray:
    """What `data.overlap` is learned from: N windows (25600,) at 16 kHz -> (N, 256)."""
    _encoder()  # a missing package is reported by its own message
    from resemblyzer.audio import wav_to_mel_spectrogram

    frames = _encoder().compute_partial_slices(1, WINDOWS_PER_S, LAST_WINDOW_COVERAGE)[1][0].stop
    mels = (wav_to_mel_spectrogram(window)[:frames] for window in windows)
    return np.concatenate([states for _, states in _encode(mels)])


def _windows(spoken: np.ndarray) -> list[np.ndarray]:
    """Mel spectrograms, (160, 40) float32 each, of the overlapping windows of a recording."""
    from resemblyzer.audio import wav_to_mel_spectrogram

    in_samples, in_frames = _encoder().compute_partial_slices(
        len(spoken), WINDOWS_PER_S, LAST_WINDOW_COVERAGE
    )
    missing = max(0, in_samples[-1].stop - len(spoken))
    mel = wav_to_mel_spectrogram(np.pad(spoken, (0, missing)))
    return [mel[frames] for frames in in_frames]


def _embed(recordings: Iterable[np.ndarray], most_windows: int | None = None) -> np.ndarray:
    """Embeddings (N, 256) of N prepared recordings."""
    vectors = [_unit(own.mean(axis=0)) for own, _ in _by_recording(recordings, most_windows)]
    return np.stack(vectors) if vectors else np.zeros((0, EMBEDDING_SIZE), np.float32)


def _by_recording(
    recordings: Iterable[np.ndarray], most_windows: int | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Vectors and states (n, 256) of each recording's windows, all batched together."""
    counts: list[int] = []

    def all_windows() -> Iterator[np.ndarray]:
        for spoken in recordings:
            windows = _some(_windows(spoken), most_windows)
            counts.append(len(windows))
            yield from windows

    batches = list(_encode(all_windows()))
    if not batches:
        return []
    ends = np.cumsum(counts)[:-1]
    vectors, states = (np.split(np.concatenate(part), ends) for part in zip(*batches, strict=True))
    return list(zip(vectors, states, strict=True))


def _some(windows: list[np.ndarray], most: int | None) -> list[np.ndarray]:
    """At most so many of them, evenly spread."""
    if most is None or len(windows) <= most:
        return windows
    return [windows[i] for i in np.linspace(0, len(windows) - 1, most).round().astype(int)]


def _encode(windows: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Vectors of windows (160, 40) and the mean states of the top layer, (n, 256), in batches."""
    import torch

    encoder = _encoder()
    while batch := list(islice(windows, BATCH_WINDOWS)):
        with torch.inference_mode():
            states, (last, _) = encoder.lstm(torch.from_numpy(np.stack(batch)))
            vectors = torch.relu(encoder.linear(last[-1]))
            vectors = vectors / vectors.norm(dim=1, keepdim=True)
            yield vectors.numpy(), states.mean(dim=1).numpy()


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    assert length > 0, "an embedding of length 0"
    return (vector / length).astype(np.float32)
