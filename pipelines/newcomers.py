"""The people whom a cloning adds to a base: who they are, where they start, how each one scores.

There may be several at once, as users of VITS-fast-fine-tuning train them: each has a row of the
voice, and each is judged by their own clips and sentences in their own language. A check shares
the sentences out among them; what it says of the voice is the mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from data.clips import Clip
from data.dataset import PackedDataset
from data.speaker import centroid, embed_clips
from pipelines.evaluate import evaluate_voice, load_sentences, other_people, quick_scores
from pipelines.evaluate.measure import QuickScores
from vits.audio import read_audio
from vits.checkpoint import Speaker
from vits.errors import UserError
from vits.text.normalize import READERS
from vits.voice import Voice

SAMPLE_SENTENCE = "The morning train was late, so we drank our tea and told each other stories."
MOST_HEARD = 24  # speakers of a base with a table; a published one has hundreds
MOST_JUDGED = 6  # of several new speakers, in a check
FEWEST_SENTENCES = 2  # of each of several
MEANS = ("similarity", "similarity_ceiling", "similarity_floor", "cer", "wer", "reference_cer",
         "reference_wer")  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One new speaker: their clips among those that are learned from, and their centre (256,)."""

    speaker: Speaker
    clips: tuple[Clip, ...]
    centre: np.ndarray


def people(
    dataset: PackedDataset, clips: Sequence[Clip], used: Sequence[int], name: str
) -> tuple[Person, ...]:
    """Everybody in a packed folder; somebody alone is called as the voice is.

    `used` are the places of the clips that count. Raises UserError for somebody without any.
    """
    by_name = {clip.path.name: clip for clip in clips}
    found = []
    for row, person in enumerate(dataset.speakers):
        own = [i for i in used if dataset.rows[i].speaker == row]
        if not own:
            raise UserError(
                f"None of the clips of {person!r} can be learned from.",
                "Check what is said in them and by whom, add others, or leave this person out.",
            )
        theirs = tuple(by_name[dataset.rows[i].name] for i in own)
        language = Counter(clip.language for clip in theirs).most_common(1)[0][0]
        called = name if len(dataset.speakers) == 1 else person
        speaker = Speaker(called, "", language)
        found.append(Person(speaker, theirs, centroid(dataset.embeddings[own])))
    return tuple(found)


def starting_vectors(base: Voice, those: Sequence[Person]) -> torch.Tensor | None:
    """Where each starts in the base, (n, width): at their centre, or a table's nearest row."""
    if base.config.model.speaker == "none":
        return None
    centres = torch.from_numpy(np.stack([person.centre for person in those]))
    if base.config.model.speaker == "table":
        return _nearest_rows(base, centres)
    return centres


def _nearest_rows(base: Voice, embeddings: torch.Tensor) -> torch.Tensor:
    """The rows of the base's speakers who sound nearest, (n, 256) -> (n, gin).

    They are heard saying one sentence; of very many, an even choice.
    """
    model = base.weights("training from it")
    assert model.speakers is not None
    rows = np.linspace(0, len(base.speakers) - 1, min(len(base.speakers), MOST_HEARD)).round()
    chosen = torch.from_numpy(rows.astype(np.int64))
    heard = []
    for row in chosen.tolist():
        alone = replace(base, speaker=base.speakers[row])
        spoken = alone.speak(sample_sentence(base), language=sample_language(base))
        heard.append(next(iter(spoken)).audio)
    known = torch.from_numpy(embed_clips(heard))
    nearest = chosen[(embeddings @ known.t()).argmax(1)]
    return model.speakers.vectors.detach()[nearest].clone()


def sample_language(voice: Voice) -> str:
    """The language of the sentence that samples say."""
    return "en" if "en" in voice.languages else voice.languages[0]


def sample_sentence(voice: Voice) -> str:
    """A sentence in a language of the voice."""
    if "en" in voice.languages:
        return SAMPLE_SENTENCE
    own = next((language for language in voice.languages if language in READERS), "en")
    return load_sentences(own)[0]


def _sentences(person: Person, purpose: Any) -> list[str]:
    """Those that ship for the person's language, else what the person said."""
    try:
        return load_sentences(person.speaker.language, purpose)
    except UserError:
        return [clip.text for clip in person.clips]


def judge(voice: Voice, those: Sequence[Person], *, count: int, listen: bool) -> QuickScores:
    """What a check says of a voice: the mean over its people, of very many an even choice."""
    places = np.linspace(0, len(those) - 1, min(len(those), MOST_JUDGED)).round().astype(int)
    chosen = [those[i] for i in places]
    each = count if len(chosen) == 1 else max(FEWEST_SENTENCES, -(-count // len(chosen)))
    found = [
        quick_scores(
            voice,
            person.centre,
            speaker=person.speaker.name,
            language=person.speaker.language,
            sentences=_sentences(person, "select")[:each],
            listen=listen,
        )
        for person in chosen
    ]
    return QuickScores(
        float(np.mean([scores.similarity for scores in found])),
        _mean([scores.cer for scores in found]),
        _mean([scores.mos_p808 for scores in found]),
    )


def report(
    voice: Voice,
    those: Sequence[Person],
    base: Voice | None,
    *,
    most: int | None,
    listen: bool,
    on_event: Callable[[int, int], None],
) -> dict[str, Any]:
    """What the card says: of one person their scores; of several the means, and each one's own.

    `base` gives the other people for the floor, None for no floor; `most` sentences are spoken.
    """
    others = other_people(base) if base is not None else []
    cards = {}
    for done, person in enumerate(those):
        texts = _sentences(person, "report")[:most]
        if len(those) > 1:
            texts = texts[: max(FEWEST_SENTENCES, -(-len(texts) // len(those)))]

        def heard(at: int, total: int, done: int = done) -> None:
            on_event(done * total + at, len(those) * total)

        cards[person.speaker.name] = evaluate_voice(
            voice,
            [read_audio(clip.path) for clip in person.clips],
            [clip.text for clip in person.clips],
            others=others,
            sentences=texts,
            speaker=person.speaker.name,
            language=person.speaker.language,
            listen=listen,
            on_event=heard,
        ).for_card()
    first = next(iter(cards.values()))
    return first if len(cards) == 1 else _together(cards)


def _together(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The means of what was measured of every speaker, and under `speakers` each one's own."""
    means: dict[str, Any] = {}
    for name in MEANS:
        values = [card[name] for card in cards.values()]
        known = all(isinstance(value, int | float) for value in values)
        means[name] = round(float(np.mean(values)), 4) if known else "not measured"
    return means | {"speakers": {name: dict(card) for name, card in cards.items()}}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
