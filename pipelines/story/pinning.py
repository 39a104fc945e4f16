"""`story pin`: what is made now stays, whatever changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.story.casting import cast_story
from pipelines.story.illustrators import Illustrator
from pipelines.story.illustrators import illustrator as find_illustrator
from pipelines.story.narrator import Narrator
from pipelines.story.opening import open_workshop
from pipelines.story.takes import pinned, read_takes, targets, write_takes
from pipelines.story.writer import story_from
from vits.errors import UserError


def pin(
    folder: Path,
    parts: Sequence[str],
    *,
    free: bool = False,
    voice: str = "base",
    narrator: Narrator | None = None,
    artist: Illustrator | None = None,
    illustrator: str | None = None,
) -> list[str]:
    """Pin `parts` of the story in `folder`, or let go of them; returns their names.

    UserError for what the story does not have, and for what is not made yet.
    """
    story = story_from(folder)
    if narrator is None:
        story = cast_story(story, folder, voice, keep=False)
    shop = open_workshop(story, folder, voice, narrator, artist or _artist(illustrator))
    wanted = [target for part in parts for target in targets(shop.story, part)]
    takes = read_takes(folder)
    for target in wanted:
        if not free and not shop.has(target):
            raise UserError(
                f"{target.name} is not made yet, so there is nothing to keep.",
                f"Render the story first: story render {folder} -o {folder}.",
            )
        takes = pinned(takes, target, "" if free else shop.name_of(target))
    write_takes(takes, folder)
    return [target.name for target in wanted]


def _artist(name: str | None) -> Illustrator | None:
    return find_illustrator(name) if name else None
