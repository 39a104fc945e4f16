"""Spectrogram and mel: one definition for training, evaluation and synthesis.

Frames are hop_length apart and centred so that T samples give exactly T // hop_length frames
(reflected edges of (n_fft - hop_length) / 2), as in HiFi-GAN and VITS.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import librosa
import torch
import torch.nn.functional as F
from torch import Tensor

from vits.config import AudioConfig


def spectrogram(waveform: Tensor, audio: AudioConfig) -> Tensor:
    """Linear magnitude spectrogram, (B, T_samples) -> (B, n_fft // 2 + 1, T).

    Waveform in [-1, 1]. Raises ValueError if shorter than one window.
    """
    if waveform.shape[-1] < audio.n_fft:
        raise ValueError(f"{waveform.shape[-1]} samples are fewer than a window of {audio.n_fft}")
    pad = (audio.n_fft - audio.hop_length) // 2
    padded = F.pad(waveform.unsqueeze(1), (pad, pad), mode="reflect").squeeze(1)
    window = _window(audio.win_length, waveform.device, waveform.dtype)
    return stft_magnitude(padded, audio.n_fft, audio.hop_length, window)


def stft_magnitude(waveform: Tensor, n_fft: int, hop_length: int, window: Tensor) -> Tensor:
    """Magnitudes without padding, (B, T_samples) -> (B, n_fft // 2 + 1, T), never exactly zero."""
    short = n_fft - len(window)
    window = F.pad(window, (short // 2, short - short // 2))
    frames = waveform.unfold(-1, n_fft, hop_length) * window
    magnitude: Tensor = _Magnitude.apply(frames)
    return magnitude.transpose(-2, -1)


class _Magnitude(torch.autograd.Function):
    """Magnitudes of the real Fourier transform, (..., n_fft) -> (..., n_fft // 2 + 1).

    The gradient of a real transform is an inverse real transform; left to itself, torch takes a
    complex one of twice the size on a padded copy, which was a quarter of a training step.
    """

    @staticmethod
    def forward(ctx: Any, frames: Tensor) -> Tensor:
        spec = torch.fft.rfft(frames)
        # the square root has no gradient at zero
        magnitude = torch.sqrt(spec.real.square() + spec.imag.square() + 1e-6)
        ctx.save_for_backward(spec, magnitude)
        return magnitude

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        spec, magnitude = ctx.saved_tensors
        n_fft = 2 * (spec.shape[-1] - 1)
        scaled = gradients[0] / magnitude * (n_fft / 2)
        scaled[..., 0] *= 2  # the ends of a half spectrum stand for themselves alone
        scaled[..., -1] *= 2
        return torch.fft.irfft(spec * scaled, n=n_fft)


def mel_from_spectrogram(spec: Tensor, audio: AudioConfig) -> Tensor:
    """Natural-log mel, (B, n_bins, T) -> (B, n_mels, T), floored at 1e-5."""
    return torch.log(torch.clamp(_filters(audio, spec.device, spec.dtype) @ spec, min=1e-5))


def mel_spectrogram(waveform: Tensor, audio: AudioConfig) -> Tensor:
    """Natural-log mel of a waveform, (B, T_samples) -> (B, n_mels, T)."""
    return mel_from_spectrogram(spectrogram(waveform, audio), audio)


def low_pass(waveform: Tensor, bandwidth_hz: Tensor, sample_rate: int) -> Tensor:
    """Remove what lies above each row's bandwidth, (B, T_samples), (B,) in Hz -> (B, T_samples).

    A narrow-band source says nothing about its missing treble, so nothing above it is judged.
    The transition is a raised cosine of 500 Hz.
    """
    n = waveform.shape[-1]
    spectrum = torch.fft.rfft(waveform)
    hz = torch.fft.rfftfreq(n, 1 / sample_rate, device=waveform.device)
    ramp = ((bandwidth_hz[:, None] - hz[None]) / 500.0).clamp(0.0, 1.0)
    gain = 0.5 - 0.5 * torch.cos(torch.pi * ramp)
    gain = torch.where(bandwidth_hz[:, None] >= sample_rate / 2, torch.ones_like(gain), gain)
    return torch.fft.irfft(spectrum * gain, n=n)


@lru_cache(maxsize=16)
def _window(length: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    return torch.hann_window(length, device=device, dtype=dtype)


@lru_cache(maxsize=16)
def _filters(audio: AudioConfig, device: torch.device, dtype: torch.dtype) -> Tensor:
    bank = librosa.filters.mel(
        sr=audio.sample_rate,
        n_fft=audio.n_fft,
        n_mels=audio.n_mels,
        fmin=audio.f_min,
        fmax=audio.f_max,
    )
    return torch.from_numpy(bank).to(device, dtype)
