from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import speech

from data.checks import (
    Check,
    Measures,
    bandwidth_hz,
    check_cleaned,
    check_sound,
    check_text,
    clipped_share,
    guess_language,
    measure,
    script,
    snr_db,
    together,
)
from vits.audio import Audio, read_audio, resample, write_audio

RATE = 22050
GOOD = Measures(seconds=5, loudness_lufs=-20, snr_db=40, clipped=0, bandwidth_hz=11025)


def with_noise(audio: Audio, level: float) -> Audio:
    noise = np.random.default_rng(1).normal(0, level, len(audio.samples))
    return Audio((audio.samples + noise).astype(np.float32), audio.sample_rate)


def test_good_speech_is_used() -> None:
    assert check_sound(measure(speech(5))) == Check("use", "")


def test_silence_and_noise_without_speech_are_dropped() -> None:
    silent = Audio(np.zeros(2 * RATE, np.float32), RATE)
    assert check_sound(measure(silent)) == Check("drop", "is silent")
    faint = Audio(1e-4 * speech(2).samples, RATE)
    assert check_sound(measure(faint)).reason == "is silent"
    noise = with_noise(silent, 0.1)
    assert "no speech above its noise" in check_sound(measure(noise)).reason


def test_noise_is_measured_and_doubted() -> None:
    levels = [snr_db(with_noise(speech(5), level)) for level in (0.0, 0.003, 0.01, 0.03)]
    assert levels == sorted(levels, reverse=True)
    noisy = measure(with_noise(speech(5), 0.05))
    assert check_sound(noisy).verdict == "doubt"
    assert "noisy" in check_sound(noisy).reason


def test_clipping_is_measured_and_doubted_and_if_bad_dropped() -> None:
    clean = speech(5)
    assert clipped_share(clean) < 1e-4
    shares = []
    for gain in (3, 10):
        clipped = Audio(np.clip(gain * clean.samples, -1, 1), RATE)
        shares.append(clipped_share(clipped))
        quieter = Audio(0.3 * clipped.samples, RATE)  # clipped first, turned down after
        assert clipped_share(quieter) == pytest.approx(shares[-1], rel=0.05)
    assert 0.0005 < shares[0] < 0.02 < shares[1]
    assert (
        "is clipped" in check_sound(measure(Audio(np.clip(3 * clean.samples, -1, 1), RATE))).reason
    )


def test_a_pure_tone_is_not_clipped() -> None:
    t = np.arange(RATE) / RATE
    assert clipped_share(Audio(np.sin(2 * np.pi * 440 * t).astype(np.float32), RATE)) == 0


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100])
def test_a_full_sound_has_half_its_rate_as_bandwidth(sample_rate: int) -> None:
    assert bandwidth_hz(speech(3, sample_rate)) == sample_rate // 2


@pytest.mark.parametrize("narrow", [8000, 11025, 16000])
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".opus"])
def test_an_upsampled_sound_is_known_by_its_cliff(tmp_path: Path, narrow: int, suffix: str) -> None:
    write_audio(tmp_path / f"a{suffix}", resample(speech(3, narrow), RATE))
    found = bandwidth_hz(read_audio(tmp_path / f"a{suffix}"))
    assert found == pytest.approx(narrow / 2, abs=500)


def test_a_dull_voice_is_not_taken_for_a_filtered_one() -> None:
    sound = speech(3).samples.astype(np.float64)
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    dull = np.fft.irfft(spectrum * 10 ** (-hz / 250 / 20), len(sound))  # 4 dB each kHz
    assert bandwidth_hz(Audio(dull.astype(np.float32), RATE)) == RATE // 2


def test_sounds_of_a_few_samples_can_be_measured() -> None:
    for count in (1, 10, 300):
        assert measure(Audio(np.full(count, 0.1, np.float32), RATE)).seconds == count / RATE


@pytest.mark.parametrize(
    ("char", "expected"),
    [("a", "Latin"), ("ß", "Latin"), ("Ａ", "Latin"), ("中", "Han"), ("々", "Han"),
     ("ж", "Cyrillic"), ("あ", "Hiragana"), ("ｱ", "Katakana"),
     ("한", "Hangul"), ("1", ""), ("。", ""), (" ", "")],
)  # fmt: skip
def test_letters_have_a_script(char: str, expected: str) -> None:
    assert script(char) == expected


@pytest.mark.parametrize("text", ["", " ", "...", "—!?", "。", "\N{MICROPHONE}"])
def test_a_transcript_without_words_is_dropped(text: str) -> None:
    assert check_text(text, "en") == Check("drop", "has an empty transcript")


@pytest.mark.parametrize(
    ("text", "language", "verdict"),
    [
        ("Hello there.", "en", "use"),
        ("In 1999", "en", "use"),
        ("1999", "zh", "use"),
        ("Größe, naïve, Čapek", "de", "use"),
        ("Привет, как дела?", "en", "drop"),
        ("你好，世界。", "en", "drop"),
        ("The word 你好 means hello.", "en", "doubt"),
        ("我用 Python 写程序。", "zh", "use"),
        ("Only English here.", "zh", "drop"),
        ("ありがとう、世界", "ja", "use"),
        ("ありがとう", "zh", "drop"),
        ("안녕하세요", "ja", "drop"),
    ],
)
def test_a_transcript_has_the_script_of_its_language(
    text: str, language: str, verdict: str
) -> None:
    check = check_text(text, language)
    assert check.verdict == verdict
    assert bool(check.reason) == (verdict != "use")


@pytest.mark.parametrize(
    ("text", "language", "seconds", "verdict"),
    [
        ("It was a matter of course that it was so.", "en", 3.0, "use"),
        ("It was a matter of course that it was so.", "en", 1.2, "doubt"),
        ("It was a matter of course that it was so.", "en", 0.6, "drop"),
        ("Well, now.", "en", 4.0, "doubt"),
        ("Well, now.", "en", 14.0, "drop"),
        ("1999", "en", 5.0, "use"),
        ("今天天气很好我们去公园", "zh", 3.0, "use"),
        ("今天天气很好我们去公园", "zh", 0.7, "drop"),
        ("word " * 50, "en", 16.0, "doubt"),
        ("word " * 100, "en", 31.0, "drop"),
        ("word", "en", 0.3, "drop"),
    ],
)
def test_length_and_speed_decide(text: str, language: str, seconds: float, verdict: str) -> None:
    assert check_cleaned(text, language, seconds).verdict == verdict


def test_short_recordings_are_dropped_with_their_length() -> None:
    short = Measures(0.2, -20, 40, 0, 11025)
    assert check_sound(short) == Check("drop", "is too short (0.20 s; 0.5 s is the least)")


def test_verdicts_together_are_the_gravest_with_all_doubts() -> None:
    a, b, c = Check("doubt", "is a"), Check("doubt", "is b"), Check("drop", "is c")
    assert together([Check(), Check()]) == Check()
    assert together([a, Check(), b]) == Check("doubt", "is a; is b")
    assert together([a, c, b]) == c
    assert check_sound(GOOD) == Check()


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["It is the first of the two."], "en"),
        (["Das ist der erste von den beiden.", "Größe"], "de"),
        (["你好，世界。"], "zh"),
        (["これは本です。"], "ja"),
        ([], "en"),
    ],
)
def test_the_language_of_a_list_is_guessed(texts: list[str], language: str) -> None:
    assert guess_language(texts) == language
