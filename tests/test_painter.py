"""A story drawn by a model: tried again, replaced by a card, never the end of the story."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

from pipelines.assets import Assets
from pipelines.images.failure import PictureFailed
from pipelines.images.wish import CHUNK, Wish, parameters
from pipelines.story.illustrators import illustrator, make_picture, picture_key
from pipelines.story.painter import Painter, open_painter, unsafe_words, user_list
from pipelines.story.script import Line, Scene, Story
from vits.errors import UserError

SCENES = (
    Scene(lines=(Line(text="A fox slept in the forest."),)),
    Scene(lines=(Line(text="A bear came to the river."),)),
)


def story(**changes: object) -> Story:
    return Story.model_validate({"title": "T", "scenes": SCENES, **changes})


@dataclass
class Brush:
    """Paints one colour by the seed; `fails` times it does not."""

    fails: int = 0
    name: str = "brush"
    seen: list[tuple[Wish, bool]] = field(default_factory=list)

    def usual(self, wish: Wish) -> Wish:
        return wish

    def facts(self, wish: Wish) -> dict[str, object]:
        return {"model": "brush 1"}

    def credits(self, wish: Wish) -> list[str]:
        return ["brush [0123], CC0"]

    def draw(self, wish: Wish, before: Image.Image | None = None) -> Image.Image:
        self.seen.append((wish, before is not None))
        if self.fails:
            self.fails -= 1
            raise PictureFailed("no paint")
        picture = Image.new("RGB", (8, 8), (wish.seed % 256, 0, 0))
        picture.info[CHUNK] = parameters(wish)
        return picture


def test_every_scene_has_a_prompt_and_a_seed_of_its_own():
    brush, told = Brush(), story()
    painter = Painter(brush, Wish(""))
    wishes = [painter.wish_for(scene, told) for scene in told.all_scenes]
    assert len({wish.seed for wish in wishes}) == 3
    assert "fox" in wishes[1].prompt
    assert "bear" in wishes[2].prompt
    assert all("lowres" in wish.negative for wish in wishes)
    assert painter.credits(told) == ["brush [0123], CC0"]


def test_a_failed_picture_is_tried_again_with_another_seed():
    brush, told = Brush(fails=2), story()
    Painter(brush, Wish("")).draw(told.scenes[0], told, None)
    assert len({wish.seed for wish, _ in brush.seen}) == 3


def test_what_never_comes_out_is_a_card_that_the_next_run_tries_again(tmp_path):
    brush, told, assets = Brush(fails=99), story(), Assets(tmp_path)
    painter = Painter(brush, Wish(""))
    card = make_picture(painter, told.scenes[0], told, assets)
    assert painter.failures == {"1": "no paint"}
    with Image.open(card) as image:
        assert np.asarray(image).std() > 5
    again = Painter(Brush(), Wish(""))
    assert make_picture(again, told.scenes[0], told, assets) != card
    assert again.failures == {}


def test_the_settings_are_kept_in_the_png(tmp_path):
    told = story()
    path = make_picture(Painter(Brush(), Wish("", steps=9)), told.scenes[0], told, Assets(tmp_path))
    with Image.open(path) as image:
        assert "Steps: 9" in image.info[CHUNK]
        assert '"Label":"1"' in image.info["AIGC"]


def test_following_begins_with_the_picture_before_and_depends_on_it(tmp_path):
    brush, told = Brush(), story()
    painter = Painter(brush, Wish(""), follows=True)
    make_picture(painter, told.scenes[1], told, Assets(tmp_path))
    assert [followed for _, followed in brush.seen] == [False, True]
    other = story(scenes=(Scene(lines=(Line(text="An owl slept."),)), SCENES[1]))
    assert picture_key(painter, other.scenes[1], other) != picture_key(
        painter, told.scenes[1], told
    )


def test_what_is_not_for_children_is_not_drawn_for_them(library):
    told = story(age=6, scenes=(Scene(lines=(Line(text="There was blood everywhere."),)),))
    with pytest.raises(PictureFailed, match="blood"):
        Painter(Brush(), Wish("")).draw(told.scenes[0], told, None)
    Painter(Brush(), Wish(""), safety=False).draw(told.scenes[0], told, None)
    assert unsafe_words("A bloodhound named Grape") == []
    assert unsafe_words("到处都是血腥") == ["血腥"]
    user_list().parent.mkdir(parents=True, exist_ok=True)
    user_list().write_text("bear\n", "utf-8")
    assert unsafe_words("A bear, and blood") == ["bear"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": "3"}, "did you mean 'steps'"),
        ({"steps": "many"}, "no number"),
        ({"steps": "0"}, "cannot be"),
        ({"width": "333"}, "cannot be 333x360"),
        ({"sampler": "Oil"}, "no sampler"),
        ({"follow": "perhaps"}, "neither yes nor no"),
    ],
)
def test_wrong_options_are_told_before_any_work(options, words):
    with pytest.raises(UserError, match=words):
        open_painter("a1111", "http://127.0.0.1:9", options)


def test_painters_go_by_the_name_of_their_model(tmp_path):
    painter = illustrator("openai:image-1@http://127.0.0.1:9/v1", {"steps": "4"})
    assert isinstance(painter, Painter)
    assert painter.wish.steps == 4
    with pytest.raises(UserError, match="no image model"):
        illustrator("collage", {"steps": "4"})
    with pytest.raises(UserError, match="no folder"):
        illustrator("sd:./nothing here")
    with pytest.raises(UserError, match=r"no model_index\.json"):
        illustrator(f"sd:{tmp_path}")
