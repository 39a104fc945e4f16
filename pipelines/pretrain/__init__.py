"""Corpora of many speakers -> a base voice that others are cloned from.

pack         recordings -> one packed folder: checked, trimmed, levelled, embedded, spelled
align        frames of every symbol, by flat-start alignment
autoencoder  posterior encoder and decoder on segments of everything, no text, no critics
critics      decoder and critics on segments, the posterior encoder standing still
prior        text encoder, flow and durations on whole utterances, latents standing still
join         everything but critics, the prior's own drawings decoded too
finish       everything together, critics listening
export       the voice folder: weights, critics, speakers, card, scores

What needs no text comes first, since every hour counts there and a segment costs a fraction of a
sentence (measured in bench/EXPERIMENTS.md). Each stage resumes where it was killed, and one that
is done is not done again. Under `accelerate launch` the stages share several devices.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from data.corpora import Corpus, read_corpus
from pipelines.pretrain.config import PretrainConfig, read_config, stages
from pipelines.pretrain.export import export
from pipelines.pretrain.work import PretrainRequest, Work, process_rank
from pipelines.progress import OnProgress, silent
from vits.errors import UserError
from vits.text import LANGUAGES

__all__ = [
    "PretrainConfig",
    "PretrainRequest",
    "pretrain",
    "process_rank",
    "read_config",
    "stages",
]

log = logging.getLogger(__name__)


def pretrain(
    request: PretrainRequest,
    *,
    resume: bool = False,
    on_progress: OnProgress = silent,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Make a base of corpora, or go on making it; the folder that it is in.

    Raises UserError for what a user can mend, and KeyboardInterrupt, with everything saved, once
    `should_stop` says so.
    """
    corpora = [read_corpus(folder) for folder in request.corpora]
    _check_texts(corpora)
    work = Work(request, corpora, on_progress, should_stop)
    work.begin(resume)
    work.pack()
    for stage in stages(request.config):
        work.take(stage)
    if process_rank() == 0:
        export(work)
    return request.output


def _check_texts(corpora: Sequence[Corpus]) -> None:
    """Refuse corpora in which nothing can be read, and say which languages cannot."""
    spoken = {r.language for c in corpora for r in c.recordings if r.text}
    unread = sorted(spoken - set(LANGUAGES))
    if unread and not spoken & set(LANGUAGES):
        raise UserError(
            f"The texts are in {', '.join(unread)}, which this program cannot read.",
            f"It reads {', '.join(sorted(LANGUAGES))}.",
        )
    if not spoken:
        raise UserError(
            "None of the corpora has texts, and without any nothing learns to read.",
            "Add one with texts.",
        )
    for language in unread:
        log.warning("texts in %s cannot be read: their recordings train the sound alone", language)
