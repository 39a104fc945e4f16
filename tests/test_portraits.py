"""Characters after their portraits: drawn once, first, and kept; the pictures follow them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_diffusion import make_tiny_adapter, make_tiny_diffusion
from tones import small_story

from pipelines.assets import Assets
from pipelines.images.diffusion import Diffusion
from pipelines.images.failure import PictureFailed
from pipelines.images.loading import Source
from pipelines.images.wish import Wish
from pipelines.story.illustrators import failures, make_picture, picture_key
from pipelines.story.painter import Painter, open_painter
from pipelines.story.prompting import PromptAssistant
from pipelines.story.script import Role, Story
from vits.errors import UserError

WISH = Wish("a fox", "bad", steps=2, width=64, height=64, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_diffusion(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_adapter(tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def artist(folder: Path, adapter: Path) -> Diffusion:
    return Diffusion(Source(str(folder), ip_adapter=str(adapter), ip_scale=1.0))


def told() -> Story:
    """The small story with looks for who is in it."""
    story = small_story()
    cast = {name: Role(look="red fur, green scarf") for name in story.cast}
    return story.model_copy(update={"cast": cast})


# ---------------------------------------------------------------- the adapter


def test_a_portrait_changes_the_picture_and_leaves_no_trace(artist: Diffusion) -> None:
    bare = artist.draw(WISH)
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    with_red = artist.draw(WISH, None, [red])
    assert with_red.tobytes() != bare.tobytes()
    assert artist.draw(WISH, None, [blue]).tobytes() != with_red.tobytes()
    assert artist.draw(WISH, None, [red]).tobytes() == with_red.tobytes()
    assert artist.draw(WISH, None, [red, blue]).tobytes() != with_red.tobytes()
    assert artist.draw(WISH).tobytes() == bare.tobytes()


def test_a_begun_picture_takes_portraits_too(artist: Diffusion) -> None:
    begun = artist.draw(WISH)
    red = Image.new("RGB", (64, 64), "red")
    assert artist.draw(WISH, begun, [red]).tobytes() != artist.draw(WISH, begun).tobytes()


def test_the_adapter_counts_in_the_key_and_the_credits(
    artist: Diffusion, folder: Path, adapter: Path
) -> None:
    other = Diffusion(Source(str(folder), ip_adapter=str(adapter), ip_scale=0.3))
    assert artist.facts(WISH) != other.facts(WISH)
    assert "adapter" not in Diffusion(Source(str(folder))).facts(WISH)
    assert any("IP-Adapter" in line for line in artist.credits(WISH))


def test_adapters_that_do_not_fit_are_one_clear_line(folder: Path, tmp_path: Path) -> None:
    wide = make_tiny_adapter(tmp_path / "wide", width=48)
    with pytest.raises(UserError, match="does not fit"):
        Diffusion(Source(str(folder), ip_adapter=str(wide))).draw(WISH)
    (tmp_path / "alone").mkdir()
    alone = tmp_path / "alone" / wide.name
    alone.write_bytes(wide.read_bytes())
    with pytest.raises(UserError, match="image_encoder"):
        Diffusion(Source(str(folder), ip_adapter=str(alone))).draw(WISH)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no IP-Adapter"):
        Diffusion(Source(str(folder), ip_adapter=str(tmp_path / "empty"))).draw(WISH)
    with pytest.raises(UserError, match="ip_scale"):
        Diffusion(Source(str(folder), ip_adapter=str(wide), ip_scale=9)).draw(WISH)


def test_an_adapter_is_found_in_its_folder(folder: Path, adapter: Path, artist: Diffusion) -> None:
    by_folder = Diffusion(Source(str(folder), ip_adapter=str(adapter.parent), ip_scale=1.0))
    red = Image.new("RGB", (64, 64), "red")
    assert by_folder.draw(WISH, None, [red]).tobytes() == artist.draw(WISH, None, [red]).tobytes()


# ---------------------------------------------------------------- the story


class Recorder:
    """A backend that remembers what it was asked for."""

    name = "recorder"
    takes_portraits = True

    def __init__(self, fail: str = "") -> None:
        self.asked: list[tuple[Wish, int]] = []
        self.fail = fail

    def usual(self, wish: Wish) -> Wish:
        return wish

    def facts(self, wish: Wish) -> dict[str, object]:
        return {}

    def credits(self, wish: Wish) -> list[str]:
        return []

    def draw(
        self, wish: Wish, before: Image.Image | None = None, portraits: Any = ()
    ) -> Image.Image:
        if self.fail and self.fail in wish.prompt:
            raise PictureFailed("no")
        self.asked.append((wish, len(portraits)))
        return Image.effect_noise((wish.width, wish.height), 60).convert("RGB")


def test_each_character_has_one_portrait_drawn_first_and_kept(tmp_path: Path) -> None:
    story, backend = told(), Recorder()
    painter, assets = Painter(backend, WISH), Assets(tmp_path)
    for scene in story.all_scenes:
        make_picture(painter, scene, story, assets)
    portraits = [wish for wish, _ in backend.asked if "portrait" in wish.prompt]
    assert len(portraits) == len(story.cast)
    assert "portrait" in backend.asked[0][0].prompt
    assert any(count for _, count in backend.asked)
    count = len(backend.asked)
    again = Painter(backend, WISH)
    for scene in story.all_scenes:
        make_picture(again, scene, story, assets)
    assert len(backend.asked) == count


def test_another_look_is_another_portrait_and_other_pictures(tmp_path: Path) -> None:
    story, painter = told(), Painter(Recorder(), WISH)
    name = next(iter(story.cast))
    scene = next(s for s in story.scenes if painter.portraits(s, story))
    changed = story.model_copy(update={"cast": {**story.cast, name: Role(look="grey, old")}})
    assert picture_key(painter, scene, story) != picture_key(painter, scene, changed)


def test_a_failed_portrait_is_told_and_the_pictures_are_drawn_without_it(tmp_path: Path) -> None:
    story = told()
    painter, assets = Painter(Recorder(fail="portrait"), WISH), Assets(tmp_path)
    scene = next(s for s in story.scenes if painter.portraits(s, story))
    path = make_picture(painter, scene, story, assets)
    assert any(name.startswith("portrait:") for name in failures(painter))
    assert scene.id not in failures(painter)
    mended = Painter(Recorder(), WISH)
    assert make_picture(mended, scene, story, assets) != path


def test_a_portrait_is_upright_and_shows_the_look(tmp_path: Path) -> None:
    prompt = PromptAssistant(told()).portrait(next(iter(told().cast)))
    assert "portrait" in prompt.positive
    assert "red fur" in prompt.positive
    wide = Painter(Recorder(), replace(WISH, width=128))
    scene = next(s for s in told().scenes if wide.portraits(s, told()))
    wish = wide.wish_for(wide.portraits(scene, told())[0], told())
    assert (wish.width, wish.height) == (64, 64)


def test_who_has_no_adapter_draws_no_portraits(folder: Path) -> None:
    painter = open_painter("sd", str(folder), {})
    assert [painter.portraits(scene, told()) for scene in told().all_scenes] == [[], [], []]


def test_the_command_takes_an_adapter_by_its_name(folder: Path, adapter: Path) -> None:
    painter = open_painter("sd", str(folder), {"ip_adapter": str(adapter), "ip_scale": "0.5"})
    assert painter.backend.takes_portraits  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="no number"):
        open_painter("sd", str(folder), {"ip_adapter": str(adapter), "ip_scale": "much"})
