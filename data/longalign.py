"""A long text and a long recording of it: when each word is said.

The phone models that ship (`data.acoustic`) are laid along the recording window by window; what is
sure of a window is kept, the models move towards the voice, and the next window begins where the
sure part ends. So an hour needs the memory of a minute. Speech that is not in the text and text
that nobody says are passed over (`data.longpath`), and the account says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data.acoustic import FRAME_S, HOP, RATE, Phones, shipped, spelled
from data.cepstra import Floats, alignment_features
from data.longpath import REST, WordPath, best_words
from data.recording import SpanReader
from data.slicing import Piece, TimedWord
from data.speech import FRAME_S as VAD_FRAME_S
from data.speech import Track
from vits.audio import resample
from vits.errors import UserError
from vits.text import plan
from vits.text.phonemes import LANGUAGES

WINDOW_S, UNSURE_S = 60.0, 15.0
WORDS_PER_S = 5.0  # more than anybody says for long
TWICE_WINDOWS = 3  # the first windows are aligned again with models that know the voice
# What a frame is worth that is no phone of the text: above -4 right words are passed over, and at
# -6 speech that is not in the text takes words of its neighbours.
OTHER_SOUND = -4.5
NO_SPEECH_P, SPEECH_P, VAD_SCORE = 0.1, 0.9, 3.0
# Mean score of the frames of a word: certainly right, certainly wrong. Of two readers whom the
# models never heard, texts of half a minute and more have -1.9 to -2.3 where they are right, and
# -2.9 to -3.3 where they are those of something else.
SURE_SCORE, UNSURE_SCORE = -1.8, -3.8
OTHER_TEXT = 0.58  # a whole text of less (-2.6) is that of something else
OTHER_PART = 0.74  # so is one of which less than half was found; a part that is said has 0.8
LONGEST_LETTERS_PER_S, SHORTEST_LETTERS_PER_S = 40.0, 0.5
LATE_S = 1.0  # subtitles this far off are said to be
SENTENCE_ENDS = ".!?…。！？"
CLOSING = "\"'”’»」』）)]》"


@dataclass(frozen=True)
class SaidWord:
    """A word of the text: its place there, its phones, and whether a sentence ends with it."""

    char_start: int
    char_end: int
    phones: tuple[str, ...]
    ends_sentence: bool


@dataclass(frozen=True)
class AlignedWord:
    """Where a word was found, in seconds, and how well it fits, 0 to 1."""

    index: int
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class AlignedText:
    """The words of a text with their times, those that were found."""

    text: str
    said: tuple[SaidWord, ...] = ()
    found: tuple[AlignedWord, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def words(self) -> tuple[TimedWord, ...]:
        return tuple(
            TimedWord(self._written(w.index), w.start_s, w.end_s, self.said[w.index].ends_sentence)
            for w in self.found
        )

    @cached_property
    def unheard(self) -> tuple[str, ...]:
        """The stretches of the text that were not found."""
        missing = sorted(set(range(len(self.said))) - {word.index for word in self.found})
        runs: list[list[int]] = []
        for index in missing:
            if runs and index == runs[-1][-1] + 1:
                runs[-1].append(index)
            else:
                runs.append([index])
        return tuple(self._span(run[0], run[-1]) for run in runs)

    def of_pieces(self, pieces: Sequence[Piece]) -> tuple[list[str], list[float | None]]:
        """The text of each piece, and the mean confidence of its words."""
        texts: list[str] = []
        sure: list[float | None] = []
        middles = np.array([(word.start_s + word.end_s) / 2 for word in self.found])
        for piece in pieces:
            first, last = np.searchsorted(middles, [piece.start_s, piece.end_s])
            own = self.found[first:last]
            texts.append(self._joined([word.index for word in own]))
            sure.append(round(_mean_confidence(own), 3) if own else None)
        return texts, sure

    def _joined(self, indices: Sequence[int]) -> str:
        """The text of words in order, with the one or two between them that were not found."""
        parts: list[str] = []
        start = 0
        for place, index in enumerate(indices):
            last = place + 1 == len(indices)
            if last or indices[place + 1] - index > 3:
                parts.append(self._span(indices[start], index))
                start = place + 1
        return " ".join(parts)

    def _span(self, first: int, last: int) -> str:
        """The text from one word to another, with the marks that belong to them."""
        begin, end = self.said[first].char_start, self._end(last)
        while begin > 0 and self.text[begin - 1] in "\"'“‘«„「『（(《¿¡":
            begin -= 1
        return " ".join(self.text[begin:end].split())

    def _end(self, index: int) -> int:
        end = self.said[index].char_end
        limit = self.said[index + 1].char_start if index + 1 < len(self.said) else len(self.text)
        while (
            end < limit and not self.text[end].isspace() and self.text[end] not in "“‘«„「『（(《"
        ):
            end += 1
        return end

    def _written(self, index: int) -> str:
        return self.text[self.said[index].char_start : self._end(index)]


def align_long(
    path: Path, text: str, language: str, heard: Track, captions: Sequence[Sequence[Any]] = ()
) -> AlignedText:
    """Find the words of `text` in a recording. Where that cannot be, the notes say why.

    captions: (text, start, end) of each, whose words joined are `text`; their times are used only
    where the language has no reader.
    """
    spoken_s = float((heard.speech > 0.5).sum() * VAD_FRAME_S)
    rate = sum(char.isalnum() for char in text) / max(spoken_s, 1.0)
    wide = sum("\u3040" <= char <= "\u9fff" for char in text) * 2 > len(text)
    if rate > LONGEST_LETTERS_PER_S / (3 if wide else 1):
        note = f"has a transcript far too long for it ({rate:.0f} letters a second); not used"
        return AlignedText(text, notes=(note,))
    if language not in LANGUAGES:
        return _by_captions(text, language, captions, heard)
    try:
        said = _said(text, language)
    except UserError as error:
        return AlignedText(text, notes=(f"has a transcript that cannot be read: {error.cause}",))
    found = list(_align(path, said, heard))
    notes = _notes(said, found, rate)
    least = OTHER_TEXT if len(found) >= 0.5 * len(said) else OTHER_PART
    if found and _mean_confidence(found) < least:
        note = (
            f"has a transcript that does not fit what is said ({len(found)} of {len(said)} words)"
        )
        return AlignedText(text, notes=(f"{note}; not used",))
    notes += _caption_notes(text, said, found, captions)
    return AlignedText(text, tuple(said), tuple(found), tuple(notes))


def _said(text: str, language: str) -> list[SaidWord]:
    """The words of a text that have sounds."""
    result: list[SaidWord] = []
    for utterance in plan(text, language=language):
        for word in utterance.words:
            phones = spelled(utterance.symbols[word.symbol_start : word.symbol_end])
            if phones:
                ends = _ends_sentence(text, word.char_end)
                result.append(SaidWord(word.char_start, word.char_end, tuple(phones), ends))
    return result


def _ends_sentence(text: str, at: int) -> bool:
    tail = text[at : at + 4].split(" ")[0].rstrip(CLOSING)
    return bool(tail) and tail[-1] in SENTENCE_ENDS


def _notes(said: Sequence[SaidWord], found: Sequence[AlignedWord], rate: float) -> list[str]:
    if not said:
        return ["has a transcript without words"]
    share = len(found) / len(said)
    if share < 0.5:
        return [f"has a transcript of which only {share:.0%} of the words were heard"]
    if rate < SHORTEST_LETTERS_PER_S:
        return ["has a transcript that is far too short for it"]
    return []


# ---------------------------------------------------------------- the windows


def _align(path: Path, said: Sequence[SaidWord], heard: Track) -> Iterator[AlignedWord]:
    phones = shipped()
    reader = SpanReader(path)
    now_s, word = 0.0, 0
    windows = 0
    while word < len(said) and now_s < heard.seconds - 0.1:
        end_s = min(now_s + WINDOW_S, heard.seconds)
        audio = resample(reader.read(now_s, end_s), RATE)
        if len(audio.samples) < 10 * HOP:
            break
        features = alignment_features(audio.samples, RATE, HOP)
        ahead = said[word : word + _reach(heard, now_s, end_s)]
        states = [phones.states(list(w.phones)) for w in ahead]
        speech = _speech(heard, now_s, len(features))
        sure_s = end_s - now_s if end_s >= heard.seconds else WINDOW_S - UNSURE_S
        for again in range(2 if windows < TWICE_WINDOWS else 1):
            path_found = best_words(*_scores(phones, features, speech), states)
            if again == 0:
                phones = _adapted(phones, features, path_found, sure_s)
        windows += 1
        last = -1
        for index in np.flatnonzero(path_found.ends >= 0):
            begin_s, stop_s = path_found.begins[index] * FRAME_S, path_found.ends[index] * FRAME_S
            if stop_s > sure_s:
                break
            last = int(index)
            yield AlignedWord(
                word + last,
                round(now_s + begin_s, 3),
                round(now_s + stop_s, 3),
                round(_confidence(path_found.scores[index]), 3),
            )
        now_s += path_found.ends[last] * FRAME_S if last >= 0 else sure_s
        word += last + 1
    reader.close()


def _reach(heard: Track, start_s: float, end_s: float) -> int:
    """How many words may be said in a window, at most."""
    frames = heard.speech[int(start_s / VAD_FRAME_S) : int(end_s / VAD_FRAME_S) + 1]
    return int((frames > 0.3).sum() * VAD_FRAME_S * WORDS_PER_S) + 20


def _speech(heard: Track, start_s: float, n_frames: int) -> Floats:
    """Probability of speech of each frame of a window."""
    times = start_s + (np.arange(n_frames) + 0.5) * FRAME_S
    at = np.minimum((times / VAD_FRAME_S).astype(int), len(heard.speech) - 1)
    return heard.speech[at]


def _scores(phones: Phones, features: Floats, speech: Floats) -> tuple[Floats, Floats]:
    """Of all states and of resting: (T, N), (T,), below the best phone of each frame."""
    table = phones.model.scores(features, np.arange(len(phones.model.mean)))
    best = table.max(axis=1, keepdims=True)
    table = table - best
    silence = table[:, 0] - np.where(speech > SPEECH_P, VAD_SCORE, 0.0)
    rest = np.maximum(silence, OTHER_SOUND)
    rest = np.where(speech < NO_SPEECH_P, 0.0, rest)
    table[:, 1:] -= np.where(speech < NO_SPEECH_P, VAD_SCORE, 0.0)[:, None].astype(np.float32)
    return np.ascontiguousarray(table, np.float32), rest.astype(np.float32)


def _adapted(phones: Phones, features: Floats, found: WordPath, sure_s: float) -> Phones:
    frames = np.flatnonzero(found.states != REST)
    frames = frames[frames < sure_s / FRAME_S]
    if not len(frames):
        return phones
    quiet = np.flatnonzero(found.states == REST)
    quiet = quiet[features[quiet, 0] < np.percentile(features[:, 0], 25)]
    known = np.concatenate([frames, quiet])
    states = np.concatenate([found.states[frames], np.zeros(len(quiet), np.int64)])
    return phones.adapted(features[known], states)


def _mean_confidence(words: Sequence[AlignedWord]) -> float:
    """Of the time in which the words are said."""
    seconds = [word.end_s - word.start_s for word in words]
    return float(np.average([word.confidence for word in words], weights=seconds))


def _confidence(score: float) -> float:
    return float(np.clip((score - UNSURE_SCORE) / (SURE_SCORE - UNSURE_SCORE), 0.0, 1.0))


# ---------------------------------------------------------------- subtitles


def _by_captions(
    text: str, language: str, captions: Sequence[Sequence[Any]], heard: Track
) -> AlignedText:
    """The captions where they say they are, if most of their time is speech."""
    if not captions:
        note = f"has a long transcript in '{language}', which cannot be laid along the sound yet"
        return AlignedText(text, notes=(note,))
    inside = np.array([_spoken_share(heard, c[1], c[2]) for c in captions])
    if np.mean(inside > 0.5) < 0.7:
        share = f"{np.mean(inside > 0.5):.0%}"
        note = f"has subtitles whose times are wrong ({share} of them stand where somebody speaks)"
        return AlignedText(text, notes=(note,))
    said, found, at = [], [], 0
    for index, (words, start_s, end_s) in enumerate(captions):
        at = text.index(words, at)
        said.append(SaidWord(at, at + len(words), (), ends_sentence=True))
        found.append(AlignedWord(index, start_s, min(end_s, heard.seconds), float(inside[index])))
        at += len(words)
    return AlignedText(text, tuple(said), tuple(found))


def _spoken_share(heard: Track, start_s: float, end_s: float) -> float:
    frames = heard.speech[int(start_s / VAD_FRAME_S) : max(1, int(end_s / VAD_FRAME_S))]
    return float((frames > 0.5).mean()) if len(frames) else 0.0


def _caption_notes(
    text: str,
    said: Sequence[SaidWord],
    found: Sequence[AlignedWord],
    captions: Sequence[Sequence[Any]],
) -> list[str]:
    """How far the times of subtitles are from where their words were heard."""
    if not captions or not found:
        return []
    starts = np.array([said[word.index].char_start for word in found])
    off: list[float] = []
    at = 0
    for words, start_s, _ in captions:
        at = text.index(words, at)
        place = int(np.searchsorted(starts, at))
        if place < len(found) and starts[place] < at + len(words):
            off.append(found[place].start_s - start_s)
        at += len(words)
    middle = float(np.median(off)) if off else 0.0
    if abs(middle) < LATE_S:
        return []
    where = "early" if middle > 0 else "late"
    return [f"has subtitles that are {abs(middle):.1f} s too {where}; mended"]
