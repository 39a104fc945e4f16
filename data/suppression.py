"""Taking noise out of clips, for those who ask for it: off by default, and never for the worse.

`spectral` needs no weights: the noise of each frequency is learned from the quietest frames of a
clip and a gain follows the ratio above it (the decision-directed estimate of Ephraim and Malah 1984
in a Wiener filter with a floor). A model that the user names, against noise or to take music away,
sits behind the same one method: a folder with `model.onnx`, waveform (1, T) in and out, and
`config.json` with its `sample_rate`.

What a suppressor made is kept only if it is better by the program's own measure: more speech over
noise, and still speech. Otherwise the clip stays as it was, and its record says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data.checks import snr_db
from data.making import file_hash
from data.speech import speech_share
from vits.audio import Audio, resample
from vits.errors import UserError

N_FFT_S, OVERLAP = 0.032, 4
NOISE_SHARE = 10.0  # percentile of the frames that is taken for noise
SMOOTHING = 0.96  # of the decision-directed ratio
FLOOR_DB = -18.0  # more leaves a hole that rings
NOISE_BIAS = 1.5  # a low percentile is below the mean of the noise
LEAST_GAIN_DB = 1.0  # of the speech over the noise
LOST_SPEECH = 0.05
CLEAN_DB = 45.0  # nothing is to be gained above


class Suppressor(Protocol):
    """Something that takes noise, or music, out of a clip."""

    name: str

    def suppress(self, audio: Audio) -> Audio:
        """The same length at the same rate, with less of what is no speech."""
        ...


@dataclass(frozen=True)
class Guarded:
    """A suppressor whose result must be better than what went in."""

    suppressor: Suppressor

    @property
    def name(self) -> str:
        return self.suppressor.name

    def __call__(self, audio: Audio) -> tuple[Audio, str]:
        """The better of both, and what was done."""
        before = snr_db(audio)
        if before > CLEAN_DB:
            return audio, "was clean"
        made = self.suppressor.suppress(audio)
        assert len(made.samples) == len(audio.samples), self.name
        after = snr_db(made)
        if not np.isfinite(made.samples).all() or after < before + LEAST_GAIN_DB:
            return audio, f"{self.name} made it no better ({before:.0f} to {after:.0f} dB); kept"
        if speech_share(made) < speech_share(audio) - LOST_SPEECH:
            return audio, f"{self.name} took speech away; kept as it was"
        return made, f"{self.name} ({before:.0f} to {after:.0f} dB)"


def suppression(wish: str) -> Guarded | None:
    """What `--denoise` asks for: off, spectral, or the folder or hub name of a model.

    Raises UserError for a model that is not there or cannot be used.
    """
    if wish == "off":
        return None
    if wish == "spectral":
        return Guarded(Spectral())
    return Guarded(OnnxSuppressor(_folder(wish)))


def _folder(wish: str) -> Path:
    folder = Path(wish)
    if folder.is_dir():
        return folder
    if wish.count("/") != 1 or wish.startswith((".", "/")):
        raise UserError(
            f"There is no folder {wish}.", "Give --denoise off, spectral, or a model's folder."
        )
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(wish, allow_patterns=["model.onnx", "config.json"]))
    except ImportError as error:
        raise UserError(
            "huggingface-hub is not installed.", "Install it, or name a local folder."
        ) from error
    except Exception as error:  # the hub's client raises a dozen kinds
        raise UserError(
            f"The model {wish!r} could not be fetched ({type(error).__name__}).",
            f"Run `hf download {wish} --local-dir denoiser` where there is a network, and give "
            "--denoise denoiser.",
        ) from error


# ---------------------------------------------------------------- without weights


class Spectral:
    """A Wiener filter whose noise is the clip's own quietest frames."""

    name = "spectral"

    def suppress(self, audio: Audio) -> Audio:
        size = 2 * round(N_FFT_S * audio.sample_rate / 2)
        hop = size // OVERLAP
        window = np.hanning(size + 1)[:-1]
        count = len(audio.samples)
        padded = np.pad(audio.samples.astype(np.float64), (size, size + (-count) % hop))
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * window
        spectrum = np.fft.rfft(frames, axis=1)
        filtered = (
            np.fft.irfft(spectrum * self._gains(np.abs(spectrum) ** 2), size, axis=1) * window
        )
        result, weight = np.zeros(len(padded)), np.zeros(len(padded))
        for index, frame in enumerate(filtered):
            result[index * hop : index * hop + size] += frame
            weight[index * hop : index * hop + size] += window**2
        result = result[size : size + count] / np.maximum(weight[size : size + count], 1e-3)
        return Audio(np.clip(result, -1, 1).astype(np.float32), audio.sample_rate)

    def _gains(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gain of each frame and frequency, (T, F)."""
        level = power.sum(axis=1)
        inside = level > 0  # the padding is no noise
        quiet = (
            inside & (level <= np.percentile(level[inside], NOISE_SHARE))
            if inside.any()
            else inside
        )
        noise = (
            NOISE_BIAS * power[quiet].mean(axis=0) + 1e-12 if quiet.any() else power[:1] * 0 + 1e-12
        )
        floor = 10 ** (FLOOR_DB / 20)
        gains = np.empty_like(power)
        clean = np.zeros(power.shape[1])
        for index, row in enumerate(power):
            posterior = row / noise
            prior = SMOOTHING * clean / noise + (1 - SMOOTHING) * np.maximum(posterior - 1, 0)
            gain = np.maximum(prior / (1 + prior), floor)
            gains[index], clean = gain, (gain**2 * row).reshape(-1)
        return gains


# ---------------------------------------------------------------- with a model


class OnnxSuppressor:
    """A network from a folder: `model.onnx`, and `config.json` with `sample_rate` and, where
    several sounds come out, the `output` that is the voice."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        path = folder / "model.onnx"
        try:
            config: dict[str, Any] = json.loads(
                (folder / "config.json").read_text(encoding="utf-8")
            )
            self.sample_rate = int(config["sample_rate"])
            self.output = int(config.get("output", 0))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unusable(folder, error) from error
        except Exception as error:  # onnxruntime's own kinds have no common base
            raise _unusable(folder, error) from error
        self.name = f"{folder.name} {file_hash(path)[:8]}"
        self._input = self._session.get_inputs()[0].name

    def suppress(self, audio: Audio) -> Audio:
        samples = resample(audio, self.sample_rate).samples
        made = np.asarray(self._session.run(None, {self._input: samples[None]})[0], np.float32)
        rows = made.reshape(-1, made.shape[-1])
        voice = rows[min(self.output, len(rows) - 1)]
        back = resample(Audio(np.clip(voice, -1, 1), self.sample_rate), audio.sample_rate).samples
        missing = max(0, len(audio.samples) - len(back))
        return Audio(np.pad(back, (0, missing))[: len(audio.samples)], audio.sample_rate)


def _unusable(folder: Path, error: Exception) -> UserError:
    cause = " ".join(str(error).split())[:200]
    return UserError(
        f"The model in {folder} cannot be used ({cause}).",
        "It needs model.onnx, waveform in and out, and config.json with its sample_rate.",
    )
