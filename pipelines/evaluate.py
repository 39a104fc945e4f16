"""How good a voice is: how near to the person it sounds, how well it is understood, how fast.

The voice speaks sentences that no training text holds, and is compared with real recordings of
the person in the same run:
- similarity: the cosine of each spoken sentence's speaker embedding (`data.speaker`) with the
  centroid of the real clips; its ceiling is what real clips reach;
- intelligibility: the character and word error rates of a speech recogniser, beside the same
  recogniser's on the real clips.

Sentences come in two sets. `report` is what scores are reported on; `select` chooses among
checkpoints, so that a reported score was never a goal. Everything but the time it took repeats
exactly for a voice, a seed and a number of threads.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Literal, Protocol

import numpy as np

from data.speaker import centroid, embed_clips
from vits.audio import Audio, resample
from vits.errors import UserError
from vits.text.normalize import READERS, normalize
from vits.voice import Voice

Purpose = Literal["report", "select"]
OnEvent = Callable[[int, int], None]  # recordings dealt with, of how many

ASR_SAMPLE_RATE = 16_000  # Hz
REFERENCE_S = 60.0  # of real speech that the recogniser hears: it takes half the time of the sound
DIGITS = 4  # decimals of a score that are kept


# ---------------------------------------------------------------- scores


@dataclass(frozen=True)
class SentenceScore:
    """One spoken sentence and its scores; `heard`, cer and wer are None without a recogniser."""

    text: str
    heard: str | None
    similarity: float
    cer: float | None
    wer: float | None
    seconds: float


@dataclass(frozen=True)
class Scores:
    """The scores of a voice.

    similarity: the mean of the sentences. similarity_ceiling: the mean of held-out real clips, or
    else of each real clip against all others; None for a single clip. cer, wer: edits over all
    sentences by their length; reference_cer, reference_wer: the real clips'. None: not measured.
    real_time_factor: seconds of work for a second of speech on `threads` threads.
    """

    similarity: float
    similarity_lowest: float
    similarity_ceiling: float | None
    cer: float | None
    wer: float | None
    reference_cer: float | None
    reference_wer: float | None
    asr: str
    seed: int
    real_time_factor: float
    threads: int
    sentences: tuple[SentenceScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything, in plain values: `Scores.from_json` takes them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Scores:
        """The scores that `to_json` gave."""
        rows = tuple(SentenceScore(**row) for row in values["sentences"])
        return cls(**{**values, "sentences": rows})

    def for_card(self) -> dict[str, Any]:
        """What a voice's card says: rounded, and without times, which differ from run to run."""
        measured = {
            "similarity": self.similarity,
            "similarity_lowest": self.similarity_lowest,
            "similarity_ceiling": self.similarity_ceiling,
            "cer": self.cer,
            "wer": self.wer,
            "reference_cer": self.reference_cer,
            "reference_wer": self.reference_wer,
        }
        card: dict[str, Any] = {
            name: "not measured" if value is None else round(value, DIGITS)
            for name, value in measured.items()
        }
        return card | {"asr": self.asr, "sentences": len(self.sentences), "seed": self.seed}


# ---------------------------------------------------------------- evaluation


def evaluate_voice(
    voice: Voice,
    reference_clips: Sequence[Audio],
    reference_texts: Sequence[str] = (),
    *,
    held_out: Sequence[Audio] = (),
    sentences: Sequence[str] | None = None,
    speaker: str | None = None,
    language: str | None = None,
    seed: int = 0,
    on_event: OnEvent | None = None,
) -> Scores:
    """Let a voice speak, and score it against real clips of the person.

    reference_clips: one or more, of which the centroid is the person; reference_texts: their
    words, where they are known. held_out: clips that are in no centroid, for the ceiling.
    language: the speaker's own unless given; sentences: its `report` set unless given.
    """
    assert reference_clips, "no reference clips"
    language = language or _language(voice, speaker)
    texts = load_sentences(language) if sentences is None else sentences
    asr = recogniser(language)
    check_clips, check_texts = _some(reference_clips, reference_texts if asr else ())
    step = _Steps(2 * len(texts) + len(check_clips), on_event)

    embeddings = embed_clips(reference_clips)
    spoken, elapsed_s = _speak(voice, texts, speaker, language, seed, step)
    similarity = _similarities(spoken, centroid(embeddings))
    heard = [_heard(asr, audio, step) for audio in spoken]
    real = _error_rates(check_texts, [_heard(asr, c, step) for c in check_clips], language)
    ours = _error_rates(texts, heard, language)
    return Scores(
        similarity=float(similarity.mean()),
        similarity_lowest=float(similarity.min()),
        similarity_ceiling=_ceiling(embeddings, held_out),
        cer=ours.cer,
        wer=ours.wer,
        reference_cer=real.cer,
        reference_wer=real.wer,
        asr=asr.name if asr else "",
        seed=seed,
        real_time_factor=elapsed_s / sum(audio.duration_s for audio in spoken),
        threads=_threads(),
        sentences=_rows(texts, heard, similarity, spoken, language),
    )


def quick_scores(
    voice: Voice,
    reference: np.ndarray,
    *,
    speaker: str | None = None,
    language: str | None = None,
    seed: int = 0,
) -> tuple[float, float | None]:
    """Mean similarity to a person's centroid (256,), and CER, on the `select` sentences.

    For choosing among checkpoints. The CER is None where there is no recogniser for the language.
    """
    language = language or _language(voice, speaker)
    texts = load_sentences(language, "select")
    step = _Steps(0, None)
    spoken, _ = _speak(voice, texts, speaker, language, seed, step)
    asr = recogniser(language)
    heard = [_heard(asr, audio, step) for audio in spoken]
    similarity = _similarities(spoken, reference)
    return float(similarity.mean()), _error_rates(texts, heard, language).cer


class _Steps:
    """Counts what is done and says so."""

    def __init__(self, total: int, on_event: OnEvent | None) -> None:
        self._done, self._total, self._on_event = 0, total, on_event

    def __call__(self) -> None:
        self._done += 1
        if self._on_event:
            self._on_event(self._done, self._total)


def _language(voice: Voice, speaker: str | None) -> str:
    """The language that the voice speaks unless told otherwise."""
    name = speaker or voice.speaker.name
    own = [s.language for s in voice.speakers if s.name == name and s.language in voice.languages]
    return own[0] if own else voice.languages[0]


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _some(clips: Sequence[Audio], texts: Sequence[str]) -> tuple[list[Audio], list[str]]:
    """The first clips with words, about `REFERENCE_S` of them."""
    if not texts:
        return [], []
    pairs = [(c, t) for c, t in zip(clips, texts, strict=True) if t.strip()]
    before_s = np.cumsum([0.0, *(clip.duration_s for clip, _ in pairs)])
    kept = [pair for pair, start_s in zip(pairs, before_s, strict=False) if start_s < REFERENCE_S]
    return [clip for clip, _ in kept], [text for _, text in kept]


def _speak(
    voice: Voice,
    texts: Sequence[str],
    speaker: str | None,
    language: str,
    seed: int,
    step: _Steps,
) -> tuple[list[Audio], float]:
    """Each text spoken whole, and the seconds that it took."""
    voice.warm_up()
    started, spoken = time.perf_counter(), []
    for text in texts:
        parts = [
            speech.audio.samples
            for speech in voice.speak(text, speaker=speaker, language=language, seed=seed)
        ]
        spoken.append(Audio(np.concatenate(parts), voice.sample_rate))
        step()
    return spoken, time.perf_counter() - started


# ---------------------------------------------------------------- similarity


def _similarities(spoken: Sequence[Audio], reference: np.ndarray) -> np.ndarray:
    """Cosine of each recording with the reference (256,), (N,); a silent one has 0."""
    result = np.zeros(len(spoken))
    sounding = [i for i, audio in enumerate(spoken) if np.any(audio.samples)]
    result[sounding] = embed_clips([spoken[i] for i in sounding]) @ reference
    return result


def _ceiling(embeddings: np.ndarray, held_out: Sequence[Audio]) -> float | None:
    """What the person's own recordings reach: (N, 256) of the clips, and others of hers."""
    if held_out:
        return float((embed_clips(held_out) @ centroid(embeddings)).mean())
    if len(embeddings) < 2:
        return None
    others = (centroid(np.delete(embeddings, i, axis=0)) for i in range(len(embeddings)))
    return float(np.mean([own @ rest for own, rest in zip(embeddings, others, strict=True)]))


# ---------------------------------------------------------------- intelligibility


class Recogniser(Protocol):
    """Something that writes down what it hears."""

    name: str

    def hear(self, audio: Audio) -> str:
        """The words of a recording, '' for none."""
        ...


class Pocketsphinx:
    """CMU Pocketsphinx with the American English model that comes with it: small and offline.

    It misreads a twelfth of a clear reader's characters, so what counts is the distance to the
    real clips' rate.
    """

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise UserError(
                f"The speech recogniser cannot be loaded ({error}).",
                "Install it with: pip install pocketsphinx",
            ) from error
        self.name = f"pocketsphinx {version('pocketsphinx')}"
        self._decoder = Decoder(loglevel="FATAL")

    def hear(self, audio: Audio) -> str:
        samples = resample(audio, ASR_SAMPLE_RATE).samples
        pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
        # Otherwise what was heard before changes what is heard now.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        if len(pcm):
            self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""


@lru_cache(maxsize=1)
def _pocketsphinx() -> Pocketsphinx:
    return Pocketsphinx()


def recogniser(language: str) -> Recogniser | None:
    """The recogniser for a language, None where there is none."""
    return _pocketsphinx() if language == "en" else None


@dataclass(frozen=True)
class ErrorRates:
    """Edits by length of the reference, of characters and of words; None: not measured."""

    cer: float | None
    wer: float | None


def error_rates(texts: Sequence[str], heard: Sequence[str], language: str = "en") -> ErrorRates:
    """The error rates of what was heard, over all texts together.

    Both sides are compared as they are said: '25' is 'twenty five', case and punctuation are not
    heard. Texts in which nothing is said do not count.
    """
    import jiwer

    pairs = [(said(t, language), said(h, language)) for t, h in zip(texts, heard, strict=True)]
    pairs = [pair for pair in pairs if pair[0]]
    if not pairs:
        return ErrorRates(None, None)
    truth, guess = [t for t, _ in pairs], [h for _, h in pairs]
    return ErrorRates(cer=float(jiwer.cer(truth, guess)), wer=float(jiwer.wer(truth, guess)))


def said(text: str, language: str) -> str:
    """A text as it is said: words in small letters with single spaces, numbers written out."""
    if language in READERS:
        words = [_spoken_word(token.spoken, text[token.char_start : token.char_end])
                 for token in normalize(text, language).tokens if token.spoken]  # fmt: skip
        text = " ".join(words)
    letters = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(re.sub(r"[^\w']|_", " ", letters).split())


def _spoken_word(spoken: tuple[str, ...], written: str) -> str:
    """The words of a token; where the reader gives sounds in place of words, as it is written."""
    return written if any(word.startswith("/") for word in spoken) else " ".join(spoken)


def _heard(asr: Recogniser | None, audio: Audio, step: _Steps) -> str | None:
    heard = asr.hear(audio) if asr else None
    step()
    return heard


def _error_rates(texts: Sequence[str], heard: Sequence[str | None], language: str) -> ErrorRates:
    known = [h for h in heard if h is not None]
    if not known:
        return ErrorRates(None, None)
    return error_rates(texts, known, language)


def _rows(
    texts: Sequence[str],
    heard: Sequence[str | None],
    similarity: np.ndarray,
    spoken: Sequence[Audio],
    language: str,
) -> tuple[SentenceScore, ...]:
    rows = []
    for text, words, near, audio in zip(texts, heard, similarity, spoken, strict=True):
        rates = _error_rates([text], [words], language)
        rows.append(SentenceScore(text, words, float(near), rates.cer, rates.wer, audio.duration_s))
    return tuple(rows)


# ---------------------------------------------------------------- sentences


def load_sentences(language: str, purpose: Purpose = "report") -> list[str]:
    """The sentences of a language that ship for reporting (20), or for choosing (12).

    Raises UserError where there are none.
    """
    name = language if purpose == "report" else f"{language}-{purpose}"
    try:
        text = (files("pipelines") / "sentences" / f"{name}.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"There are no sentences to evaluate a voice in {language!r}.",
            "Give sentences of your own.",
        ) from None
    return [line for line in text.splitlines() if line]
