"""Who speaks in a book's dialogue, by a language model; without one, rules look beside quotations.

The model labels numbered spans and cannot change a word (`pipelines/story/labelling.py`). What it
answered is kept beside the sentences: the same chapter is never asked about again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.assets import Assets
from pipelines.books.book import Block
from pipelines.story.script import NARRATOR

# of a block by its place: (speaker, words) in order, '' for the narrator; joined, its text
Labels = tuple[tuple[int, tuple[tuple[str, str], ...]], ...]
SILENT = ("heading", "break", "verse")  # nobody speaks in them


def label_blocks(blocks: Sequence[Block], llm: str, folder: Path, seed: int) -> Labels:
    """The speakers of a chapter by the model `llm`, where anybody but the narrator speaks.

    A model that does not answer in form leaves its part to the narrator. UserError for a model
    that cannot be used.
    """
    from pipelines.llm import open_model
    from pipelines.llm.memo import Remembering
    from pipelines.story.labelling import label_paragraphs

    model = Remembering(open_model(llm), Assets(folder))
    places = [place for place, block in enumerate(blocks) if block.kind not in SILENT]
    found = label_paragraphs([blocks[place].text for place in places], model, seed=seed)
    labels = []
    for place, pieces in zip(places, found, strict=True):
        if any(piece.speaker != NARRATOR for piece in pieces):
            said = [("" if p.speaker == NARRATOR else p.speaker, p.text) for p in pieces]
            labels.append((place, tuple(said)))
    return tuple(labels)
