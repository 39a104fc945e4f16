"""Who draws the pictures of a story."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    VERSION = 2

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

    def credits(self, story: Story) -> list[str]:
        return ["Noto Emoji, Google LLC, Apache-2.0"]


def _stage(scene: Scene, story: Story) -> Stage:
    return _stages(story.model_dump_json())[scene.id]


@lru_cache(maxsize=4)
def _stages(story: str) -> dict[str, Stage]:
    """What each scene of a story shows; the whole story is read once for all its scenes."""
    from pipelines.story.collage.staging import stages

    return stages(Story.model_validate_json(story))


DEFAULT = "collage"
MODELS = ("sd", "a1111", "openai")
BUILTINS: dict[str, Callable[[], Illustrator]] = {"collage": Collage, "cards": Cards}


def illustrator(name: str, options: Mapping[str, str] | None = None) -> Illustrator:
    """The illustrator of that name: a built-in, or a model's `sd:`, `a1111:` or `openai:`.

    `options` are for models. UserError lists the built-ins if there is none such.
    """
    kind, colon, rest = name.partition(":")
    if colon and kind in MODELS:
        from pipelines.story.painter import open_painter

        return open_painter(kind, rest, options or {})
    if options:
        raise UserError(
            "Options of an image model were given, and no image model.",
            f"Name one: {', '.join(f'{kind}:...' for kind in MODELS)}.",
        )
    if name not in BUILTINS:
        raise UserError(
            f"There is no illustrator '{name}'{did_you_mean(name, tuple(BUILTINS))}.",
            f"Choose one of: {', '.join(BUILTINS)}, sd:MODEL, a1111:URL, openai:MODEL@URL.",
        )
    return BUILTINS[name]()


def in_shape(artist: Illustrator, film: tuple[int, int]) -> Illustrator:
    """The collage in the shape and fineness of a film; others draw as they do."""
    if not isinstance(artist, Collage) or film == (1280, 720):
        return artist
    return Collage((round(film[0] * 1.25 / 2) * 2, round(film[1] * 1.25 / 2) * 2))


def picture_key(
    artist: Illustrator, scene: Scene, story: Story, portraits: Sequence[Scene] | None = None
) -> str:
    """Name of the picture of `scene` among the assets, drawn after all its portraits or those."""
    portraits = _portraits(artist, scene, story) if portraits is None else portraits
    facts = artist.fingerprint(scene, story)
    if before := _before(artist, scene, story):
        facts = {**facts, "before": picture_key(artist, before, story)}
    if portraits:
        facts = {**facts, "portraits": [picture_key(artist, p, story) for p in portraits]}
    return asset_key("picture", 1, facts)


def make_picture(artist: Illustrator, scene: Scene, story: Story, assets: Assets) -> Path:
    """The picture of `scene` as a labelled PNG, drawn if it is not there yet.

    Where a model gives none, it is a card; the artist's `failures` say why, by the scene's id,
    and the next run tries again.
    """
    from pipelines.images.failure import PictureFailed
    from pipelines.images.wish import CHUNK
    from pipelines.media.labels import save_image
    from pipelines.media.picture import read_picture

    before = _before(artist, scene, story)
    earlier = make_picture(artist, before, story, assets) if before else None
    wanted = [(p, make_picture(artist, p, story, assets)) for p in _portraits(artist, scene, story)]
    drawn = [(p, path) for p, path in wanted if p.id not in failures(artist)]
    portraits, faces = [p for p, _ in drawn], [path for _, path in drawn]

    def draw(path: Path) -> None:
        begun = read_picture(earlier) if earlier else None
        if faces:
            after = [read_picture(face) for face in faces]
            picture = artist.draw_after(scene, story, begun, after)  # type: ignore[attr-defined]
        else:
            picture = artist.draw(scene, story, begun)
        told = {CHUNK: picture.info[CHUNK]} if CHUNK in picture.info else None
        save_image(picture, path, text=told)

    try:
        return assets.get_or_make(picture_key(artist, scene, story, portraits), ".png", draw)
    except PictureFailed as error:
        failures(artist)[scene.id] = str(error)
        return make_picture(Cards(), _on_a_card(scene, story), story, assets)


def _on_a_card(scene: Scene, story: Story) -> Scene:
    """The scene that a card shows; a portrait's has the story's title."""
    return scene if scene.id in {s.id for s in story.all_scenes} else story.title_scene


def failures(artist: Illustrator) -> dict[str, str]:
    """Why pictures are missing, by the ids of their scenes; empty for who never fails."""
    found: dict[str, str] = getattr(artist, "failures", {})
    return found


def credits(artist: Illustrator, story: Story) -> list[str]:
    """What the pictures were made with, a line each: pictograms, or a model and its licence."""
    told = getattr(artist, "credits", None)
    return list(told(story)) if told else []


def _portraits(artist: Illustrator, scene: Scene, story: Story) -> list[Scene]:
    """Whose portraits are drawn before the scene, for an artist who keeps faces alike so."""
    told = getattr(artist, "portraits", None)
    found: list[Scene] = told(scene, story) if told else []
    return found


def _before(artist: Illustrator, scene: Scene, story: Story) -> Scene | None:
    """The scene whose picture this one begins with, for an artist who works so."""
    scenes = story.scenes
    at = next((i for i, other in enumerate(scenes) if other.id == scene.id), 0)
    return scenes[at - 1] if at and getattr(artist, "follows", False) else None


@lru_cache(maxsize=1)
def _font_hash() -> str:
    return file_hash(FONT)
