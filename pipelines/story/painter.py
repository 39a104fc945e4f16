"""The illustrator that asks an image model: a prompt for each scene, tried again when it fails.

A failed picture (of one colour, an error of the server) is asked for again with another seed;
then `PictureFailed` says why, and a card takes its place.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from pipelines.images.failure import PictureFailed
from pipelines.images.samplers import check_sampler
from pipelines.images.wish import Wish
from pipelines.story.prompting import PromptAssistant, present
from pipelines.story.script import TITLE_ID, Line, Scene, Story, did_you_mean
from vits.errors import UserError
from vits.library import home

log = logging.getLogger(__name__)

PORTRAIT = "portrait:"  # begins the id of a portrait's scene
MOST_PORTRAITS = 2  # in one picture: with more, faces melt into each other
TRIES = 3
NEXT_SEED = 1_000_003  # from one try's seed to the next's
CHILD = 13  # under it, `safety` is on unless told otherwise
WISHES = ("steps", "sampler", "cfg", "width", "height", "hires", "hires_steps", "strength")
SOURCES = ("config", "vae", "webui", "device", "ip_adapter")


class Backend(Protocol):
    """What draws one wish, and says what decides how."""

    @property
    def name(self) -> str: ...

    def usual(self, wish: Wish) -> Wish: ...

    def facts(self, wish: Wish) -> dict[str, object]: ...

    def credits(self, wish: Wish) -> list[str]: ...

    def draw(self, wish: Wish, before: Image.Image | None = None) -> Image.Image: ...


@dataclass
class Painter:
    """Draws scenes by a model. With `follows` each begins with the picture before it.

    `safety` None means: for listeners under 13.
    """

    VERSION = 1

    backend: Backend
    wish: Wish
    follows: bool = False
    safety: bool | None = None
    failures: dict[str, str] = field(default_factory=dict)

    def draw(self, scene: Scene, story: Story, previous: Image.Image | None) -> Image.Image:
        """The picture; PictureFailed after several tries."""
        return self._drawn(scene, story, previous, {})

    def _drawn(
        self, scene: Scene, story: Story, previous: Image.Image | None, more: dict[str, Any]
    ) -> Image.Image:
        wish = self.wish_for(scene, story)
        if found := self._unsafe(wish, scene, story):
            raise PictureFailed(f"the words of the scene are not for children: {', '.join(found)}")
        ask: Any = self.backend.draw  # who takes portraits has a place for them
        reason = ""
        for number in range(TRIES):
            seed = (wish.seed + number * NEXT_SEED) % 2**31
            try:
                picture: Image.Image = ask(replace(wish, seed=seed), previous, **more)
                return picture
            except PictureFailed as error:
                reason = str(error)
                log.warning("picture of scene %s, try %d: %s", scene.id, number + 1, reason)
        raise PictureFailed(reason)

    def portraits(self, scene: Scene, story: Story) -> list[Scene]:
        """Whose portraits the picture is drawn after, as scenes of their own to be drawn first."""
        if not getattr(self.backend, "takes_portraits", False) or _of_portrait(scene):
            return []
        names = [name for name in present(scene, story) if story.cast[name].look]
        return [portrait_scene(name) for name in names[:MOST_PORTRAITS]]

    def draw_after(
        self,
        scene: Scene,
        story: Story,
        previous: Image.Image | None,
        portraits: Sequence[Image.Image],
    ) -> Image.Image:
        """As `draw`, with who is in the picture as they look in their portraits."""
        return self._drawn(scene, story, previous, {"portraits": portraits})

    def fingerprint(self, scene: Scene, story: Story) -> dict[str, object]:
        wish = self.wish_for(scene, story)
        return {
            "illustrator": self.backend.name,
            "version": self.VERSION,
            "wish": wish.facts(),
            "model": self.backend.facts(wish),
            "safety": self._is_safe(story),
        }

    def wish_for(self, scene: Scene, story: Story) -> Wish:
        """What the scene is drawn by."""
        assistant, name = PromptAssistant(story), _of_portrait(scene)
        prompt = assistant.portrait(name) if name else assistant.prompt(scene)
        seed = story.seed if scene.seed is None else scene.seed
        side = min(self.wish.width, self.wish.height)
        size = (side, side) if name else (self.wish.width, self.wish.height)
        shift = _shift(scene, story)
        wish = replace(
            self.wish,
            width=size[0],
            height=size[1],
            prompt=prompt.positive,
            negative=prompt.negative,
            seed=(seed + 7919 * shift) % 2**31,
        )
        return self.backend.usual(wish)

    def credits(self, story: Story) -> list[str]:
        """The model and the LoRAs of every scene: name, hash, licence."""
        lines = [
            line
            for scene in story.all_scenes
            for line in self.backend.credits(self.wish_for(scene, story))
        ]
        return list(dict.fromkeys(lines))

    def _is_safe(self, story: Story) -> bool:
        for_children = story.age is not None and story.age < CHILD
        return for_children if self.safety is None else self.safety

    def _unsafe(self, wish: Wish, scene: Scene, story: Story) -> list[str]:
        if not self._is_safe(story):
            return []
        told = " ".join(
            (wish.prompt, scene.title, scene.picture, *(li.shown for li in scene.lines))
        )
        return unsafe_words(told)


def portrait_scene(name: str) -> Scene:
    """The scene that stands for somebody's portrait."""
    return Scene(id=f"{PORTRAIT}{name}", title=name, lines=(Line(text=name),))


def _of_portrait(scene: Scene) -> str:
    """Whose portrait the scene is; '' for a scene of the story."""
    return scene.id.removeprefix(PORTRAIT) if scene.id.startswith(PORTRAIT) else ""


def _shift(scene: Scene, story: Story) -> int:
    """What tells one picture's chance from another's."""
    if scene.id == TITLE_ID:
        return 0
    if name := _of_portrait(scene):
        return 10_000 + list(story.cast).index(name)
    return 1 + [s.id for s in story.scenes].index(scene.id)


def unsafe_words(text: str) -> list[str]:
    """Words of `text` that the list has; a word in another (grape) is none."""
    folded = text.casefold()
    return [word for word in _word_list() if re.search(_pattern(word), folded)]


def _pattern(word: str) -> str:
    escaped = re.escape(word)
    return rf"\b{escaped}\b" if word.isascii() else escaped


def _word_list() -> list[str]:
    """The user's own list where there is one, else the package's."""
    own = user_list()
    text = (
        own.read_text("utf-8")
        if own.is_file()
        else files("pipelines.story").joinpath("unsafe.txt").read_text("utf-8")
    )
    lines = (line.strip().casefold() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def user_list() -> Path:
    """Where a user's own list of words is read from."""
    return home() / "unsafe.txt"


# ---------------------------------------------------------------- opening


def open_painter(kind: str, name: str, options: Mapping[str, str]) -> Painter:
    """The painter that `sd:MODEL`, `a1111:URL` or `openai:MODEL@URL` names.

    `options` are texts: settings of a wish, `follow`, `safety`, and where the parts of a model
    are. UserError for what is not known or not a number.
    """
    known = (*WISHES, *SOURCES, "ip_scale", "model", "follow", "safety")
    for option in options:
        if option not in known:
            raise UserError(
                f"An image model has no option '{option}'{did_you_mean(option, known)}.",
                f"Its options are: {', '.join(known)}.",
            )
    wish = _wish(options)
    safety = _truth(options["safety"]) if "safety" in options else None
    backend = _backend(kind, name, options, safety=bool(safety))
    return Painter(backend, wish, _truth(options.get("follow", "no")), safety)


def _backend(kind: str, name: str, options: Mapping[str, str], *, safety: bool) -> Backend:
    if kind == "sd":
        from pipelines.images.diffusion import Diffusion, Source

        parts: dict[str, Any] = {key: options[key] for key in SOURCES if key in options}
        if "ip_scale" in options:
            parts["ip_scale"] = _number("ip_scale", options["ip_scale"], float)
        return Diffusion(Source(name, safety=safety, **parts))
    from pipelines.images.servers import OpenAIImages, WebUI

    if kind == "a1111":
        return WebUI(name, options.get("model", ""), options.get("vae", ""))
    model, _, url = name.partition("@")
    return OpenAIImages(model, url) if url else OpenAIImages(model)


def _wish(options: Mapping[str, str]) -> Wish:
    kinds = {part.name: type(getattr(Wish(""), part.name)) for part in fields(Wish)}
    changes = {}
    for name in WISHES:
        if name in options:
            changes[name] = _number(name, options[name], kinds[name])
    wish = replace(Wish(""), **changes)
    check_sampler(wish.sampler)
    if wish.width % 8 or wish.height % 8 or min(wish.width, wish.height) < 8:
        raise UserError(
            f"A picture cannot be {wish.width}x{wish.height}.", "Both sides are multiples of 8."
        )
    if not 1 <= wish.steps <= 1000:
        raise UserError(f"steps={wish.steps} cannot be.", "Give 1 to 1000; 20 is usual.")
    return wish


def _number(name: str, text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise UserError(f"{name}={text} is no number.", f"Give one, as in {name}=20.") from error


def _truth(text: str) -> bool:
    if text.casefold() in ("yes", "true", "on", "1"):
        return True
    if text.casefold() in ("no", "false", "off", "0"):
        return False
    raise UserError(f"'{text}' is neither yes nor no.", "Write yes or no.")
