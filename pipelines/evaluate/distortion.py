"""How far a voice's reading of a sentence is from the person's own: mel-cepstral distortion.

Kubichek 1993: 10 / ln 10 * sqrt(2 * sum of squared differences) in dB, over cepstra 1 to 13 of a
mel spectrum, each frame with its partner on the cheapest path through both readings (dynamic time
warping), so that a slower reading is not a worse one. About 5 to 8 dB between two good readings;
only values measured in the same way compare.
"""

from __future__ import annotations

import numpy as np

from data.cleaning import clean
from vits.audio import Audio

SAMPLE_RATE, N_FFT, HOP, N_MELS = 22_050, 1024, 256, 80
CEPSTRA = slice(1, 14)  # without the zeroth, which is the level
FLOOR = 1e-5


def mel_cepstral_distortion(spoken: Audio, real: Audio) -> float:
    """Distance in dB of two readings of the same words, level and silent edges evened out."""
    import librosa

    ours, theirs = mel_cepstra(spoken), mel_cepstra(real)
    _, path = librosa.sequence.dtw(ours, theirs, metric="euclidean")
    difference = ours[:, path[:, 0]] - theirs[:, path[:, 1]]
    return float(10 / np.log(10) * np.sqrt(2 * (difference**2).sum(axis=0)).mean())


def mel_cepstra(audio: Audio) -> np.ndarray:
    """Mel cepstra 1 to 13 of a recording, (13, T)."""
    import librosa
    from scipy.fft import dct

    samples = clean(audio, SAMPLE_RATE).samples
    mel = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, power=1.0, fmax=8000
    )
    log_mel = np.log(np.maximum(mel, FLOOR))
    # log S = c_0 + 2 * sum of c_k cos(...): the scale that the formula is meant for
    cepstra = dct(log_mel, type=2, norm="ortho", axis=0) / np.sqrt(2 * N_MELS)
    return np.asarray(cepstra[CEPSTRA], dtype=np.float64)
