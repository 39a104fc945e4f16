"""A trained base as the voice folder that ships: weights, critics, speakers, card, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import torch

from data.dataset import PackedDataset
from data.speaker import centroid
from pipelines.evaluate import evaluate_voice
from pipelines.pretrain.config import Stage, stages
from pipelines.pretrain.work import Work
from pipelines.progress import Progress
from vits.audio import Audio
from vits.card import Card, read_card, software, write_card
from vits.checkpoint import Speaker, VoiceConfig, save_critics, save_voice, with_speakers
from vits.config import DiscriminatorConfig
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.layers import add_weight_norm
from vits.text.symbols import SYMBOLS
from vits.voice import Voice

SCORED_CLIPS = 12  # real recordings of each speaker that the scores are held against


def export(work: Work) -> None:
    """Write the voice folder: weights and critics of the last stage, speakers, card."""
    dataset, model = work.dataset(), work.model()
    trained = [s for s in stages(work.config) if (work.folder / s.name / "state.pt").exists()]
    last = stages(work.config)[-1]
    for name, parts in (*last.parts.items(), (last.name, ())):
        work.start_from(model, name, parts)
    texts = sorted({dataset.rows[i].language for i in _with_text(dataset)})
    languages = work.config.languages or tuple(texts)
    speakers, vectors = _speakers(work, dataset, languages)
    config = VoiceConfig(
        model=model.config,
        audio=work.audio,
        symbols=tuple(SYMBOLS),
        languages=languages,
        noise_scale=work.config.noise_scale,
    )
    model, config = with_speakers(model, config, speakers, torch.from_numpy(vectors))
    save_voice(work.request.output, model, config)
    heard = [s for s in trained if s.critics]
    if heard:
        critics = Discriminators(DiscriminatorConfig())
        add_weight_norm(critics)
        critics.load_state_dict(work.saved(heard[-1].name)["critics"])
        save_critics(work.request.output, critics)
    write_card(work.request.output, _card(work, dataset, trained))
    if work.config.score:
        _score(work, dataset, speakers)


def _with_text(dataset: PackedDataset) -> list[int]:
    return [i for i, row in enumerate(dataset.rows) if row.n_ids]


def _speakers(
    work: Work, dataset: PackedDataset, languages: Sequence[str]
) -> tuple[tuple[Speaker, ...], np.ndarray]:
    """Who the base speaks as, each a language of it, and their verification embeddings (n, 256)."""
    told = {r.speaker: r for c in work.corpora for r in c.recordings}
    chosen = dict(work.config.speakers) or {s: s for s in _most_heard(work, dataset)}
    speakers, vectors = [], []
    for name, source in chosen.items():
        if source not in dataset.speakers:
            raise UserError(
                f"There are no recordings of {source!r} to speak as {name!r}.",
                f"The speakers are {', '.join(dataset.speakers[:20])}.",
            )
        number = dataset.speakers.index(source)
        own = [i for i, row in enumerate(dataset.rows) if row.speaker == number]
        vectors.append(centroid(dataset.embeddings[own]))
        own_language = told[source].language
        language = own_language if own_language in languages else languages[0]
        speakers.append(Speaker(name, told[source].gender, language))
    return tuple(speakers), np.stack(vectors)


def _most_heard(work: Work, dataset: PackedDataset) -> list[str]:
    """Speakers with most recordings that have text, women and men in turn."""
    told = {r.speaker: r.gender for c in work.corpora for r in c.recordings}
    frames = dict.fromkeys(dataset.speakers, 0)
    for i in _with_text(dataset):
        frames[dataset.speakers[dataset.rows[i].speaker]] += dataset.frames(i)
    ordered = sorted((s for s in frames if frames[s]), key=lambda s: (-frames[s], s))
    groups = [[s for s in ordered if told[s] == gender] for gender in ("female", "male", "")]
    turns = [g[i] for i in range(len(ordered)) for g in groups if i < len(g)]
    return turns[: work.config.n_speakers]


def _card(work: Work, dataset: PackedDataset, trained: Sequence[Stage]) -> Card:
    seconds = sum(row.length for row in dataset.rows) / work.audio.sample_rate
    return Card(
        name=work.config.name,
        who="Several readers; see the sources.",
        consent="The recordings were published by their speakers or with their agreement.",
        licence=work.config.licence,
        base=work.config.start_from,
        clips=len(dataset.rows),
        seconds=round(seconds, 1),
        sources=tuple(
            {"name": c.name, "what": c.kind, "licence": c.licence}
            | dict(work.config.sources.get(c.name, {}))
            for c in work.corpora
        ),
        training={
            "config": asdict(work.config),
            "steps": {stage.name: work.steps(stage, work.folder / stage.name)
                      for stage in trained},
        },
        software=software(),
    )  # fmt: skip


def _score(work: Work, dataset: PackedDataset, speakers: Sequence[Speaker]) -> None:
    """How each speaker does against their own recordings, into the card."""
    chosen = dict(work.config.speakers) or {s.name: s.name for s in speakers}
    measured = {}
    for done, speaker in enumerate(speakers, 1):
        number = dataset.speakers.index(chosen[speaker.name])
        own = [i for i, row in enumerate(dataset.rows) if row.speaker == number]
        real = [Audio(dataset.waveform(i).numpy(), work.audio.sample_rate)
                for i in own[:SCORED_CLIPS]]  # fmt: skip
        voice = Voice.load(f"{work.request.output}:{speaker.name}")
        scores = evaluate_voice(voice, real, language=_scored_language(speaker, voice))
        measured[speaker.name] = scores.for_card()
        work.on_progress(Progress("score", done, len(speakers), "speakers"))
    card = read_card(work.request.output)
    write_card(work.request.output, replace(card, scores={"speakers": measured}))


def _scored_language(speaker: Speaker, voice: Voice) -> str:
    return speaker.language if speaker.language in voice.languages else voice.languages[0]
