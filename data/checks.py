"""Is a clip fit to learn from: what is measured of its sound and text, and the verdict.

`use` is good, `doubt` is used and should be looked at, `drop` is not used. Every verdict but
`use` carries a reason in plain words that follow the clip's name ("is silent").
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.cleaning import frame_levels_db
from data.room import reverberation_s
from vits.audio import Audio, loudness_lufs

Verdict = Literal["use", "doubt", "drop"]

SHORTEST_S = 0.5  # less is not a word between its two edges
LONG_S, LONGEST_S = 15.0, 30.0  # sentences are shorter; memory grows with the longest clip
RECORDING_S = 300.0  # not a clip with long edges any more
SILENT_LUFS = -60.0
NOISY_DB, SPEECHLESS_DB = 20.0, 6.0  # loud frames over quiet ones, 4 dB above the true ratio
REVERBERANT_S = 0.8  # T60; a furnished room has 0.4
NARROW_HZ = 5500  # a telephone ends at 3400 or 4000
CLIPPED, BADLY_CLIPPED = 0.0005, 0.02  # share of samples at the ceiling
CLIPPED_RUN = 4  # so many neighbours within a thousandth of the peak are no wave's crest
CEILING = 0.999
# letters in a second of speech, (absurd, slow, fast, absurd): alphabets; Chinese characters, kana
RATES = {True: (1.0, 2.0, 24.0, 35.0), False: (0.3, 0.8, 9.0, 14.0)}
BANDWIDTH_BAND_HZ = 250.0
BANDWIDTH_DB = 60.0  # below the strongest band there is nothing left to learn
CLIFF_DB, CLIFF_HZ = 15.0, 1000.0  # a filter falls as steeply as this, a voice does not
SCRIPTS = {"zh": ("Han",), "ja": ("Han", "Hiragana", "Katakana"), "ru": ("Cyrillic",)}
GERMAN = ("der", "die", "das", "und", "ist", "nicht", "ein", "eine", "ich", "sie", "mit", "zu")
ENGLISH = ("the", "and", "of", "to", "is", "in", "that", "it", "he", "she", "was", "you", "with")


@dataclass(frozen=True)
class Measures:
    """What the sound of a clip says about itself."""

    seconds: float
    loudness_lufs: float
    snr_db: float  # loud frames over the quietest; of speech without a pause an underestimate
    clipped: float  # share of samples in runs at the ceiling
    bandwidth_hz: int  # nothing but filter and noise above it; half the rate where it is full
    reverberation_s: float = 0.0  # how long the room sounds on, by 60 dB; 0 where it cannot be told


@dataclass(frozen=True)
class Check:
    """A verdict and its reason, empty for `use`."""

    verdict: Verdict = "use"
    reason: str = ""


# ---------------------------------------------------------------- sound


def measure(audio: Audio) -> Measures:
    """Measure a recording as it came, before cleaning."""
    return Measures(
        seconds=audio.duration_s,
        loudness_lufs=loudness_lufs(audio),
        snr_db=snr_db(audio),
        clipped=clipped_share(audio),
        bandwidth_hz=bandwidth_hz(audio),
        reverberation_s=reverberation_s(audio),
    )


def snr_db(audio: Audio) -> float:
    """The loudest twentieth of the frames over the quietest, in dB: 0 for a tone, 60 at best."""
    quiet, loud = 10 ** (np.percentile(frame_levels_db(audio), [5, 95]) / 10)
    return float(10 * np.log10(max(loud - quiet, 1e-10) / quiet)) if loud > quiet else 0.0


def clipped_share(audio: Audio) -> float:
    """Share of the samples in flat runs at the highest level, where a crest was cut off."""
    size = np.abs(audio.samples)
    at_ceiling = np.concatenate([[False], size >= CEILING * size.max(), [False]])
    if not size.max():
        return 0.0
    edges = np.flatnonzero(np.diff(at_ceiling.astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= CLIPPED_RUN].sum() / len(size))


def bandwidth_hz(audio: Audio) -> int:
    """The frequency above which the recording holds nothing, if it was filtered or upsampled.

    A sound of 8 kHz saved at 22.05 kHz gives about 4000, a full one half its rate. What decides
    is a cliff in the spectrum of the loud moments: a voice fades out upwards, a filter cuts.
    """
    half = audio.sample_rate / 2
    size = int(2 * audio.sample_rate / BANDWIDTH_BAND_HZ)
    if len(audio.samples) < 2 * size:
        return int(half)
    levels = _band_levels_db(audio, size)
    wide = int(CLIFF_HZ / BANDWIDTH_BAND_HZ)
    (audible,) = np.nonzero(levels > levels.max() - BANDWIDTH_DB)
    edge = int(audible[-1]) + 1  # first band with nothing in it
    if edge > len(levels) - 2:
        return int(half)
    below, above = (
        levels[max(0, edge - wide) : edge].max(),
        levels[edge + 1 : edge + 1 + wide].max(),
    )
    return int(edge * BANDWIDTH_BAND_HZ) if below - above >= CLIFF_DB else int(half)


def _band_levels_db(audio: Audio, size: int) -> np.ndarray:
    """Level of each 250 Hz band in its loud moments (95th percentile over time), in dB."""
    frames = np.lib.stride_tricks.sliding_window_view(audio.samples, size)[:: size // 2]
    power = np.abs(np.fft.rfft(frames * np.blackman(size), axis=1)) ** 2
    loud = np.percentile(power, 95, axis=0)[1:-1]  # without DC and the half rate
    bands = loud[: len(loud) // 2 * 2].reshape(-1, 2).max(axis=1)
    return 10 * np.log10(bands + 1e-16)


# ---------------------------------------------------------------- text


def script(char: str) -> str:
    """The script of a letter by its Unicode name: Latin, Han, Cyrillic, ...; '' for the rest."""
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    word = name.split(" ")[0].split("-")[0]
    return "Han" if word in ("CJK", "IDEOGRAPHIC") else word.capitalize()


def scripts(text: str) -> Counter[str]:
    """How many letters of each script a text has."""
    return Counter(name for name in map(script, text) if name)


def guess_language(texts: Iterable[str]) -> str:
    """zh, ja, de or en, by script and by the commonest words: for lists that do not say."""
    joined = " ".join(texts)
    counts = scripts(joined)
    if counts["Hiragana"] + counts["Katakana"] > 0.1 * counts.total():
        return "ja"
    if counts["Han"] > 0.5 * counts.total():
        return "zh"
    words = Counter(joined.lower().split())
    german = sum(words[word] for word in GERMAN) + sum(joined.count(char) for char in "äöüßÄÖÜ")
    return "de" if german > sum(words[word] for word in ENGLISH) else "en"


def check_text(text: str, language: str) -> Check:
    """Whether there are words, and in the script that the language is written in."""
    if not any(char.isalnum() for char in text):
        return Check("drop", "has an empty transcript")
    counts = scripts(text)
    own = SCRIPTS.get(language, ("Latin",))
    allowed = (*own, "Latin")  # names and loan words
    foreign = Counter({name: count for name, count in counts.items() if name not in allowed})
    if foreign:
        name, count = foreign.most_common(1)[0]
        words = f"{name} letters in its transcript, which '{language}' is not written in"
        if foreign.total() > 0.5 * counts.total():
            return Check("drop", f"has {words}")
        return Check("doubt", f"has {count} {words}")
    if counts and not any(counts[name] for name in own):
        return Check("drop", f"has a transcript in Latin letters, not in those of '{language}'")
    return Check()


def letters_per_second(text: str, seconds: float) -> float:
    """Letters and digits of a text in a second of cleaned clip."""
    return sum(char.isalnum() for char in text) / seconds


# ---------------------------------------------------------------- verdict


def check_sound(measures: Measures) -> Check:
    """What can be said before cleaning: silence, noise, clipping, length."""
    if measures.loudness_lufs < SILENT_LUFS:
        return Check("drop", "is silent")
    if measures.seconds < SHORTEST_S:
        return Check(
            "drop", f"is too short ({measures.seconds:.2f} s; {SHORTEST_S} s is the least)"
        )
    if measures.snr_db < SPEECHLESS_DB:
        return Check("drop", f"has no speech above its noise ({measures.snr_db:.0f} dB)")
    if measures.clipped > BADLY_CLIPPED:
        return Check("drop", f"is badly clipped ({measures.clipped:.1%} of its samples)")
    doubts = []
    if measures.snr_db < NOISY_DB:
        doubts.append(f"is noisy (speech {measures.snr_db:.0f} dB above noise)")
    if measures.clipped > CLIPPED:
        doubts.append(f"is clipped ({measures.clipped:.2%} of its samples)")
    return _doubt(doubts)


def check_room(measures: Measures) -> Check:
    """What the room and the line did to the voice."""
    doubts = []
    if measures.reverberation_s > REVERBERANT_S:
        doubts.append(f"is reverberant (the room sounds on for {measures.reverberation_s:.1f} s)")
    if measures.bandwidth_hz < NARROW_HZ:
        doubts.append(
            f"is as dull as a telephone (nothing above {measures.bandwidth_hz / 1000:.1f} kHz)"
        )
    return _doubt(doubts)


def check_cleaned(text: str, language: str, seconds: float) -> Check:
    """What depends on the length after cleaning: too long or short, and whether the text fits."""
    return together([check_length(seconds), check_fit(text, language, seconds)])


def check_length(seconds: float) -> Check:
    """Whether a clip is too short or too long to learn from."""
    if seconds > LONGEST_S:
        return Check("drop", f"is too long ({seconds:.0f} s; cut it into sentences)")
    if seconds < SHORTEST_S:
        return Check("drop", f"is too short ({seconds:.2f} s of speech)")
    return Check("doubt", f"is long ({seconds:.0f} s)") if seconds > LONG_S else Check()


def check_fit(text: str, language: str, seconds: float) -> Check:
    """Whether so many words can be said in so much time."""
    rate = letters_per_second(text, seconds)
    alphabetic = scripts(text)["Latin"] * 2 > scripts(text).total() or language not in ("zh", "ja")
    absurd_slow, slow, fast, absurd_fast = RATES[alphabetic]
    fit = f"({rate:.1f} letters a second)"
    if rate > absurd_fast or (rate < absurd_slow and not _has_digits(text)):
        return Check("drop", f"does not fit its transcript {fit}")
    if rate > fast or (rate < slow and not _has_digits(text)):
        return Check("doubt", f"may not fit its transcript {fit}")
    return Check()


def together(checks: Iterable[Check]) -> Check:
    """The gravest verdict; the reasons of all doubts, or that of the first drop."""
    checks = list(checks)
    dropped = next((check for check in checks if check.verdict == "drop"), None)
    return dropped or _doubt([check.reason for check in checks if check.verdict == "doubt"])


def _doubt(reasons: list[str]) -> Check:
    return Check("doubt", "; ".join(reasons)) if reasons else Check()


def _has_digits(text: str) -> bool:
    """Numbers are written much shorter than they are said."""
    return any(char.isdigit() for char in text)
