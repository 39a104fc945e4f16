"""Words for clips that have none, and a second opinion on the words that were given.

A clip is decoded twice, by beam search and greedily: where the two differ, or the recogniser is not
sure, the clip is used with doubt. A text that came with a clip is never replaced; where something
else was heard, the report lists both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data.checks import Check, together
from data.events import OnStage, StageEvent
from data.kept import Kept
from data.making import Record, sound_path
from data.recognisers import (
    Recogniser,
    Transcriber,
    fetch_whisper,
    how_to_get,
    open_whisper,
    pocketsphinx,
    whisper_folder,
)
from data.words import error_rates
from vits.audio import read_audio

UNSURE, DIFFERENT = 0.6, 0.15  # mean confidence; error rate between the two decodings
# error rate of characters between the given words and what was heard: doubt, other words
WHISPER_LIMITS, POCKETSPHINX_LIMITS = (0.25, 0.60), (0.45, 0.70)
NO_WORDS = "has no words yet"


@dataclass(frozen=True)
class _Listener:
    """Who listens, and from which error rates on given words are doubted or refused."""

    name: str
    listen: Callable[[Path], dict[str, Any]]
    limits: tuple[float, float]


def write_down(
    records: Sequence[Record],
    folder: Path,
    kept: Kept,
    *,
    when: str,
    model: str | None,
    language: str | None,
    tell: OnStage,
) -> tuple[list[Record], list[str]]:
    """The records with words, as far as they can be had, and notes for the report.

    when: `never`, `auto` (clips without words), `always` (those with words are checked as well).
    With `always` or a `model` one may be fetched from the hub; raises UserError where that fails
    and clips need it.
    """
    used = [record for record in records if record.verdict != "drop" and record.wav]
    wordless = [record for record in used if not record.text]
    told = [record for record in used if record.text] if when == "always" else []
    notes: list[str] = []
    listener: _Listener | None = None
    if when != "never" and (wordless or told):
        listener = _listener(wordless, told, when, model, language)
    if wordless and listener is None:
        why = "were not asked for" if when == "never" else "need a model that is not here"
        notes.append(f"{len(wordless)} clips have no words: transcripts {why}. {how_to_get()}")
    if listener is None:
        return [_wordless(record) for record in records], notes
    heard = _listen([*wordless, *told], folder, kept, listener, tell)
    if told and listener.limits == POCKETSPHINX_LIMITS:
        notes.append(f"The words were checked by {listener.name}, which hears only gross mistakes.")
    settled = [_settled(record, heard.get(record.key), listener) for record in records]
    return [_wordless(record) for record in settled], notes


def _listener(
    wordless: Sequence[Record],
    told: Sequence[Record],
    when: str,
    model: str | None,
    language: str | None,
) -> _Listener | None:
    folder = fetch_whisper(model) if model else whisper_folder()
    if folder is not None:
        return _whisper(open_whisper(folder, language))
    if told and not wordless and all(record.language == "en" for record in told):
        return _sphinx(pocketsphinx(quick=True))
    if when == "always":
        return _whisper(open_whisper(fetch_whisper(None), language))
    return None


def _whisper(whisper: Transcriber) -> _Listener:
    def listen(path: Path) -> dict[str, Any]:
        found = whisper.transcribe(read_audio(path))
        return {**asdict(found), "confidence": found.confidence}

    return _Listener(whisper.name, listen, WHISPER_LIMITS)


def _sphinx(recogniser: Recogniser) -> _Listener:
    def listen(path: Path) -> dict[str, Any]:
        return {"text": recogniser.hear(read_audio(path)), "language": "en", "confidence": None}

    return _Listener(recogniser.name, listen, POCKETSPHINX_LIMITS)


def _listen(
    records: Sequence[Record],
    folder: Path,
    kept: Kept,
    listener: _Listener,
    tell: OnStage,
) -> dict[str, dict[str, Any]]:
    heard = {}
    for done, record in enumerate(records):
        tell(StageEvent("words", done, len(records), "clips", record.source))
        heard[record.key] = kept.get_or_make(
            "heard",
            [listener.name, record.sha256],
            lambda record=record: listener.listen(sound_path(folder, record)),  # type: ignore[misc]
        )
    tell(StageEvent("words", len(records), len(records), "clips"))
    return heard


def _settled(record: Record, heard: dict[str, Any] | None, listener: _Listener) -> Record:
    if heard is None:
        return record
    if record.text:
        return with_check(record, _second_opinion(record, heard["text"], listener.limits))
    language = record.language or heard["language"]
    sure = heard["confidence"]
    record = replace(
        record,
        text=heard["text"],
        language=language,
        confidence=None if sure is None else round(sure, 3),
        words_from=listener.name,
    )
    return with_check(record, _trust(record, heard.get("again"), sure))


def _trust(record: Record, again: str | None, sure: float | None) -> Check:
    if not record.text:
        return Check("drop", "has no words in it that can be made out")
    if sure is not None and sure < UNSURE:
        return Check("doubt", f"has words the recogniser is not sure of ({sure:.0%})")
    if again is None:
        return Check()
    rate = error_rates([record.text], [again], record.language).cer or 0.0
    if rate > DIFFERENT:
        return Check("doubt", f"is heard in two ways; the other is: {again!r}")
    return Check()


def _second_opinion(record: Record, heard: str, limits: tuple[float, float]) -> Check:
    rate = error_rates([record.text], [heard], record.language).cer
    if rate is None or rate <= limits[0]:
        return Check()
    verdict = f"other words were heard: {heard!r}" if heard else "no words were heard"
    if rate > limits[1]:
        return Check("drop", f"does not fit its transcript, {verdict}")
    return Check("doubt", f"may not fit its transcript, {verdict}")


def with_check(record: Record, check: Check) -> Record:
    """The record with one more check counted in."""
    whole = together([Check(record.verdict, record.reason), check])
    return replace(record, verdict=whole.verdict, reason=whole.reason)


def _wordless(record: Record) -> Record:
    if record.text or record.verdict == "drop":
        return record
    return with_check(record, Check("doubt", NO_WORDS))
