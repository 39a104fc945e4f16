"""Who draws the pictures of a story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from pipelines.assets import Assets, asset_key, file_hash
from pipelines.story import cards
from pipelines.story.script import TITLE_ID, Scene, Story, did_you_mean
from pipelines.story.typeset import FONT
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.story.collage.staging import Stage


class Illustrator(Protocol):
    """Draws a scene; the story's title page is a scene too, with the id TITLE_ID."""

    def draw(self, scene: Scene, story: Story, previous: Image.Image | None) -> Image.Image:
        """The picture of `scene`. `previous` is the one before it, for who keeps things alike."""
        ...

    def fingerprint(self, scene: Scene, story: Story) -> dict[str, object]:
        """Everything beside `previous` that decides the picture, as plain JSON values."""
        ...


@dataclass(frozen=True)
class Cards:
    """Pages set in type, see `cards.py`. Needs no model and does not look at `previous`."""

    VERSION = 1  # of the drawing: another number draws every page anew

    size: tuple[int, int] = cards.SIZE

    def draw(self, scene: Scene, story: Story, previous: Image.Image | None) -> Image.Image:
        return cards.draw_page(scene, story, self.size)

    def fingerprint(self, scene: Scene, story: Story) -> dict[str, object]:
        facts = cards.facts(scene, story)
        return {
            "illustrator": "cards",
            "version": self.VERSION,
            "size": list(self.size),
            "font": _font_hash(),
            **facts,
        }


@dataclass(frozen=True)
class Collage:
    """Pages of a picture book from the bundled pictograms, see `collage/`. Needs no model."""

    VERSION = 1

    size: tuple[int, int] = cards.SIZE

    def draw(self, scene: Scene, story: Story, previous: Image.Image | None) -> Image.Image:
        from pipelines.story.collage.page import draw_stage, letter

        page = draw_stage(_stage(scene, story), self.size)
        return letter(page, story.title, story.author) if scene.id == TITLE_ID else page

    def fingerprint(self, scene: Scene, story: Story) -> dict[str, object]:
        from pipelines.story.collage.glyphs import pictograms_hash
        from pipelines.story.collage.staging import facts

        words = [story.title, story.author, _font_hash()] if scene.id == TITLE_ID else []
        return {
            "illustrator": "collage",
            "version": self.VERSION,
            "size": list(self.size),
            "pictograms": pictograms_hash(),
            "stage": facts(_stage(scene, story)),
            "words": words,
        }


def _stage(scene: Scene, story: Story) -> Stage:
    return _stages(story.model_dump_json())[scene.id]


@lru_cache(maxsize=4)
def _stages(story: str) -> dict[str, Stage]:
    """What each scene of a story shows; the whole story is read once for all its scenes."""
    from pipelines.story.collage.staging import stages

    return stages(Story.model_validate_json(story))


DEFAULT = "collage"
BUILTINS: dict[str, Callable[[], Illustrator]] = {"collage": Collage, "cards": Cards}


def illustrator(name: str) -> Illustrator:
    """The built-in illustrator `name`; UserError lists them if there is none such."""
    if name not in BUILTINS:
        raise UserError(
            f"There is no illustrator '{name}'{did_you_mean(name, tuple(BUILTINS))}.",
            f"Choose one of: {', '.join(BUILTINS)}.",
        )
    return BUILTINS[name]()


def picture_key(artist: Illustrator, scene: Scene, story: Story) -> str:
    """Name of the picture of `scene` among the assets."""
    return asset_key("picture", 1, artist.fingerprint(scene, story))


def make_picture(artist: Illustrator, scene: Scene, story: Story, assets: Assets) -> Path:
    """The picture of `scene` as a labelled PNG, drawn if it is not there yet."""
    from pipelines.media.labels import save_image

    def draw(path: Path) -> None:
        save_image(artist.draw(scene, story, None), path)

    return assets.get_or_make(picture_key(artist, scene, story), ".png", draw)


@lru_cache(maxsize=1)
def _font_hash() -> str:
    return file_hash(FONT)
