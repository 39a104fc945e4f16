"""The factored transform is the fast one, in both directions, for every size that voices have."""

from __future__ import annotations

import pytest
import torch

from vits.config import AudioConfig
from vits.decoder import InverseStft
from vits.fourier import FactoredStft
from vits.source import HarmonicSource

SIZES = [(1024, 256), (64, 16), (2048, 512), (512, 128), (1200, 300)]


def audio_of(n_fft: int, hop: int) -> AudioConfig:
    return AudioConfig(n_fft=n_fft, hop_length=hop, win_length=n_fft)


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_spectra_are_those_of_the_fast_transform(n_fft: int, hop: int) -> None:
    signal = torch.randn(2, 19 * hop + n_fft)
    spectra = torch.fft.rfft(signal.unfold(1, n_fft, hop) * torch.hann_window(n_fft))
    expected = torch.cat([spectra.real, spectra.imag], -1)
    found = FactoredStft(audio_of(n_fft, hop))(signal)
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_frames_are_added_up_as_by_the_fast_transform(n_fft: int, hop: int) -> None:
    inverse = InverseStft(audio_of(n_fft, hop))
    real, imaginary = torch.randn(2, 2, 20, n_fft // 2 + 1)
    mask = torch.ones(2, 20, 1)
    mask[1, 12:] = 0
    expected = inverse(real, imaginary), inverse(real, imaginary, mask)
    inverse.factored = FactoredStft(audio_of(n_fft, hop))
    found = inverse(real, imaginary), inverse(real, imaginary, mask)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_source_has_the_same_spectra_either_way() -> None:
    torch.manual_seed(0)
    source, pitch = HarmonicSource(4, 0, 8, AudioConfig()), torch.linspace(100, 300, 20)[None]
    expected = source(pitch)
    source.factored = FactoredStft(AudioConfig())
    torch.testing.assert_close(source(pitch), expected, atol=1e-3, rtol=1e-4)


def test_sizes_without_a_common_even_factor_are_refused() -> None:
    with pytest.raises(ValueError, match="even factor"):
        FactoredStft(audio_of(75, 25))
