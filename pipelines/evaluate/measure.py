"""Let a voice speak, and score it.

Everything but the speed repeats exactly for a voice and a seed on one machine: what is scored is
spoken on one thread, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from data.recognisers import Recogniser, recogniser
from data.speaker import centroid, embed_clips
from data.words import ErrorRates, known_rates
from pipelines.evaluate.delivery import delivery
from pipelines.evaluate.distortion import mel_cepstral_distortion
from pipelines.evaluate.likeness import ceiling, floor, similarities
from pipelines.evaluate.mos import Opinion, mean_opinion, opinion
from pipelines.evaluate.scores import Naturalness, Scores, SentenceScore
from pipelines.evaluate.sentences import load_sentences
from pipelines.evaluate.speed import measure_speeds, on_threads
from vits.audio import Audio
from vits.voice import Voice

OnEvent = Callable[[int, int], None]  # recordings dealt with, of how many

REFERENCE_S = 60.0  # of real speech that the recogniser hears: it takes half the time of the sound
DISTORTION_CLIPS = 6  # real sentences that the voice reads too
OTHER_SPEAKERS = 8  # whose similarity is the floor
OTHER_SENTENCES = 2  # of each


@dataclass(frozen=True)
class Pair:
    """A sentence as the voice reads it and as the person did."""

    text: str
    spoken: Audio
    real: Audio
    distortion: float


@dataclass(frozen=True)
class Evaluation:
    """The scores of a voice and the recordings behind them, the sentences' order in both."""

    scores: Scores
    spoken: tuple[Audio, ...]
    real: tuple[Audio, ...]
    real_texts: tuple[str, ...]
    pairs: tuple[Pair, ...]


def evaluate_voice(
    voice: Voice,
    reference_clips: Sequence[Audio],
    reference_texts: Sequence[str] = (),
    *,
    held_out: Sequence[Audio] = (),
    others: Sequence[Audio] = (),
    sentences: Sequence[str] | None = None,
    speaker: str | None = None,
    language: str | None = None,
    seed: int = 0,
    listen: bool = True,
    on_event: OnEvent | None = None,
) -> Scores:
    """The scores of `evaluate` without its recordings, and without the speed."""
    return evaluate(
        voice,
        reference_clips,
        reference_texts,
        held_out=held_out,
        others=others,
        sentences=sentences,
        speaker=speaker,
        language=language,
        seed=seed,
        speed=False,
        listen=listen,
        on_event=on_event,
    ).scores


def evaluate(
    voice: Voice,
    reference_clips: Sequence[Audio],
    reference_texts: Sequence[str] = (),
    *,
    held_out: Sequence[Audio] = (),
    held_out_texts: Sequence[str] = (),
    others: Sequence[Audio] = (),
    sentences: Sequence[str] | None = None,
    speaker: str | None = None,
    language: str | None = None,
    reference_language: str | None = None,
    seed: int = 0,
    speed: bool = True,
    listen: bool = True,
    on_event: OnEvent | None = None,
) -> Evaluation:
    """Let a voice speak, and score it against real clips of the person.

    reference_clips: one or more, of which the centroid is the person; reference_texts: their
    words, where they are known. held_out: clips that are in no centroid, for the ceiling and for
    what is read twice. others: recordings of other people, for the floor. language: the speaker's
    own unless given; reference_language: the clips', the same unless given. sentences: the
    language's `report` set unless given. listen: let the recogniser hear, which takes longest.
    """
    assert reference_clips, "no reference clips"
    language = language or spoken_language(voice, speaker)
    heard_language = reference_language or language
    texts = load_sentences(language) if sentences is None else list(sentences)
    real, real_texts = _some(reference_clips, reference_texts)
    twins = _twins(held_out, held_out_texts, real, real_texts, heard_language == language)
    asr = recogniser(language) if listen else None
    real_asr = recogniser(heard_language) if listen else None
    step = _Steps(2 * len(texts) + len(real) + len(twins), on_event)

    with on_threads(1):
        embeddings = embed_clips(reference_clips)
        person = centroid(embeddings)
        spoken = _speak(voice, texts, speaker, language, seed, step)
        near = similarities(spoken, person)
        highest, lowest = ceiling(embeddings, held_out), floor(others, person)
        pairs = [_pair(voice, *twin, speaker, language, seed, step) for twin in twins]
    judged = [_judge(asr, audio, step) for audio in spoken]
    real_judged = [_judge(real_asr if t else None, a, step)
                   for a, t in zip(real, real_texts, strict=True)]  # fmt: skip
    ours = known_rates(texts, [j.heard for j in judged], language)
    theirs = _real_rates(real_texts, real_judged, heard_language)
    scores = Scores(
        similarity=float(near.mean()),
        similarity_lowest=float(near.min()),
        similarity_ceiling=highest,
        similarity_floor=lowest,
        cer=ours.cer,
        wer=ours.wer,
        reference_cer=theirs.cer,
        reference_wer=theirs.wer,
        asr=asr.name if asr else "",
        naturalness=_naturalness(spoken, texts, language, judged),
        reference_naturalness=_naturalness(real, real_texts, heard_language, real_judged),
        mel_cepstral_distortion=float(np.mean([p.distortion for p in pairs])) if pairs else None,
        distortion_clips=len(pairs),
        speeds=measure_speeds(voice, texts, speaker=speaker, language=language) if speed else (),
        seed=seed,
        sentences=_rows(texts, judged, near, spoken, language),
    )
    return Evaluation(scores, tuple(spoken), tuple(real), tuple(real_texts), tuple(pairs))


@dataclass(frozen=True)
class QuickScores:
    """What chooses among checkpoints; None: not measured."""

    similarity: float
    cer: float | None
    mos_p808: float | None


def quick_scores(
    voice: Voice,
    reference: np.ndarray,
    *,
    speaker: str | None = None,
    language: str | None = None,
    seed: int = 0,
    sentences: Sequence[str] | None = None,
    listen: bool = True,
) -> QuickScores:
    """Similarity to a person's centroid (256,), errors and DNSMOS on the `select` sentences.

    For choosing among checkpoints: on `sentences`, if given; without `listen`, which takes most
    of the time, similarity alone. The CER is None where there is no recogniser for the language.
    """
    language = language or spoken_language(voice, speaker)
    texts = load_sentences(language, "select") if sentences is None else list(sentences)
    spoken = _speak(voice, texts, speaker, language, seed, _Steps(0, None))
    near = float(similarities(spoken, reference).mean())
    if not listen:
        return QuickScores(near, None, None)
    asr = recogniser(language)
    heard = [asr.hear(audio) if asr else None for audio in spoken]
    mean = mean_opinion([opinion(audio) for audio in spoken])
    cer = known_rates(texts, heard, language).cer
    return QuickScores(near, cer, mean.p808 if mean else None)


def other_people(voice: Voice, *, without: str | None = None, seed: int = 0) -> list[Audio]:
    """The speakers of a voice, saying two sentences each, without the one that is scored."""
    others = [s for s in voice.speakers if s.name != without][:OTHER_SPEAKERS]
    sounds = []
    for other in others:
        language = spoken_language(voice, other.name)
        texts = load_sentences(language)[:OTHER_SENTENCES]
        with on_threads(1):
            sounds += _speak(voice, texts, other.name, language, seed, _Steps(0, None))
    return sounds


def spoken_language(voice: Voice, speaker: str | None) -> str:
    """The language that the voice speaks unless told otherwise."""
    name = speaker or voice.speaker.name
    own = [s.language for s in voice.speakers if s.name == name and s.language in voice.languages]
    return own[0] if own else voice.languages[0]


# ---------------------------------------------------------------- parts


class _Steps:
    """Counts what is done and says so."""

    def __init__(self, total: int, on_event: OnEvent | None) -> None:
        self._done, self._total, self._on_event = 0, total, on_event

    def __call__(self) -> None:
        self._done += 1
        if self._on_event:
            self._on_event(self._done, self._total)


@dataclass(frozen=True)
class _Judgement:
    """What a recogniser heard, and how natural it sounded; None: nobody listened."""

    heard: str | None
    opinion: Opinion | None


def _judge(asr: Recogniser | None, audio: Audio, step: _Steps) -> _Judgement:
    judged = _Judgement(asr.hear(audio) if asr else None, opinion(audio))
    step()
    return judged


def _some(clips: Sequence[Audio], texts: Sequence[str]) -> tuple[list[Audio], list[str]]:
    """The first clips, about `REFERENCE_S` of them: those with words, if any have some."""
    pairs = list(zip(clips, texts or [""] * len(clips), strict=True))
    pairs = [pair for pair in pairs if pair[1].strip()] or pairs
    before_s = np.cumsum([0.0, *(clip.duration_s for clip, _ in pairs)])
    kept = [pair for pair, start_s in zip(pairs, before_s, strict=False) if start_s < REFERENCE_S]
    return [clip for clip, _ in kept], [text for _, text in kept]


def _twins(
    held_out: Sequence[Audio],
    held_out_texts: Sequence[str],
    real: Sequence[Audio],
    real_texts: Sequence[str],
    same_language: bool,
) -> list[tuple[str, Audio]]:
    """Real sentences that the voice is to read too: of the held-out clips where they have words."""
    if not same_language:
        return []
    unseen = [(t, a) for a, t in zip(held_out, held_out_texts, strict=False) if t.strip()]
    known = [(t, a) for a, t in zip(real, real_texts, strict=True) if t.strip()]
    return (unseen or known)[:DISTORTION_CLIPS]


def _speak(
    voice: Voice,
    texts: Iterable[str],
    speaker: str | None,
    language: str,
    seed: int,
    step: _Steps,
) -> list[Audio]:
    """Each text spoken whole."""
    spoken = []
    for text in texts:
        spoken.append(_one(voice, text, speaker, language, seed))
        step()
    return spoken


def _one(voice: Voice, text: str, speaker: str | None, language: str, seed: int) -> Audio:
    parts = [
        speech.audio.samples
        for speech in voice.speak(text, speaker=speaker, language=language, seed=seed)
    ]
    return Audio(np.concatenate(parts or [np.zeros(1, np.float32)]), voice.sample_rate)


def _pair(
    voice: Voice,
    text: str,
    real: Audio,
    speaker: str | None,
    language: str,
    seed: int,
    step: _Steps,
) -> Pair:
    spoken = _one(voice, text, speaker, language, seed)
    step()
    return Pair(text, spoken, real, mel_cepstral_distortion(spoken, real))


def _naturalness(
    sounds: Sequence[Audio], texts: Sequence[str], language: str, judged: Sequence[_Judgement]
) -> Naturalness:
    mean = mean_opinion([j.opinion for j in judged])
    told = delivery(sounds, texts, language)
    return Naturalness(
        mos_p808=mean.p808 if mean else None,
        mos_overall=mean.overall if mean else None,
        **asdict(told),
    )


def _real_rates(texts: Sequence[str], judged: Sequence[_Judgement], language: str) -> ErrorRates:
    pairs = [(t, j.heard) for t, j in zip(texts, judged, strict=True) if j.heard is not None]
    return known_rates([t for t, _ in pairs], [h for _, h in pairs], language)


def _rows(
    texts: Sequence[str],
    judged: Sequence[_Judgement],
    near: np.ndarray,
    spoken: Sequence[Audio],
    language: str,
) -> tuple[SentenceScore, ...]:
    rows = []
    for text, told, likeness, audio in zip(texts, judged, near, spoken, strict=True):
        rates = known_rates([text], [told.heard], language)
        mos = told.opinion.p808 if told.opinion else None
        row = SentenceScore(
            text, told.heard, float(likeness), rates.cer, rates.wer, mos, audio.duration_s
        )
        rows.append(row)
    return tuple(rows)
