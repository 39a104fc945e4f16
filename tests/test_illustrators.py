"""Pages are whole, quiet, readable and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pipelines.assets import Assets
from pipelines.story.cards import draw_page, paragraphs
from pipelines.story.illustrators import Cards, illustrator, make_picture, picture_key
from pipelines.story.landscape import PALETTES, landscape, mix, rgb
from pipelines.story.script import Line, Role, Scene, Story
from vits.errors import UserError

SIZE = (320, 180)
NARRATION = "On a rock in the sea stood a lamp, and every night it turned its eye over the water."


def make_story(**changes: object) -> Story:
    scenes = (
        Scene(title="A light", lines=(Line(text=NARRATION), Line(speaker="Pim", text="Hello?"))),
        Scene(title="", lines=(Line(text="The end."),)),
    )
    fields = {"title": "The Lamp", "cast": {"Pim": Role()}, "scenes": scenes, **changes}
    return Story.model_validate(fields)


def luminance(colour: tuple[float, float, float]) -> float:
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_same_story_gives_the_same_pixels_and_another_seed_others():
    story = make_story()
    for scene in story.all_scenes:
        first, again = draw_page(scene, story, SIZE), draw_page(scene, story, SIZE)
        assert first.tobytes() == again.tobytes()
        assert first.size == SIZE
    other = make_story(seed=1)
    a, b = (draw_page(s.scenes[0], s, SIZE).tobytes() for s in (story, other))
    assert a != b


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (1280, 720)])
def test_pages_scale_with_their_size(size):
    story = make_story()
    page = draw_page(story.scenes[0], story, size)
    small = np.asarray(page.resize(SIZE, Image.Resampling.BOX).convert("L"), float)
    base = np.asarray(draw_page(story.scenes[0], story, SIZE).convert("L"), float)
    assert page.size == size
    assert abs(small.mean() - base.mean()) < 6


def test_a_page_keeps_its_margin_free():
    story = make_story()
    page = np.asarray(draw_page(story.scenes[0], story, (1280, 720)).convert("L"), int)
    paper = np.median(page[:40])
    for edge in (page[:44], page[-44:], page[:, :60], page[:, -60:]):
        assert np.abs(edge - paper).max() <= 6


@pytest.mark.parametrize("words", [1, 40, 150, 900])
def test_any_length_of_text_stays_on_the_page(words):
    story = make_story(scenes=(Scene(title="T", lines=(Line(text="lamp " * words),)),))
    page = np.asarray(draw_page(story.scenes[0], story, (640, 360)).convert("L"), int)
    paper = np.median(page[:16])
    assert np.abs(page[-18:] - paper).max() <= 6
    assert np.abs(page[:, -30:] - paper).max() <= 6


@pytest.mark.parametrize("palette", PALETTES)
def test_words_can_be_read_on_their_paper(palette):
    contrast = (luminance(palette.paper) + 0.05) / (luminance(palette.ink) + 0.05)
    assert contrast > 9
    heading = (luminance(palette.paper) + 0.05) / (luminance(palette.accent) + 0.05)
    assert heading > 3  # WCAG's bound for large text


def test_colours_are_what_oklch_says():
    assert rgb((1.0, 0.0, 0.0)) == pytest.approx([1, 1, 1], abs=2e-3)
    assert rgb((0.628, 0.2577, 29.23)) == pytest.approx([1, 0, 0], abs=5e-3)
    assert mix((0.5, 0.1, 350), (0.5, 0.1, 10), 0.5) == pytest.approx((0.5, 0.1, 0.0))


def test_every_palette_and_many_seeds_make_a_landscape():
    for seed, palette in enumerate(PALETTES * 2):
        view = np.asarray(landscape((60, 90), palette, seed), float)
        assert view.shape == (90, 60, 3)
        assert view[:15].mean() > view[-15:].mean()  # the sky is lighter than the near hill


def test_speech_is_put_in_quotation_marks_and_cut_sentences_are_joined():
    lines = [
        Line(text="It was late."),
        Line(speaker="Pim", text='"Hello,"'),
        Line(text="said Pim,"),
        Line(speaker="Pim", text='"who is [pause:1] there?"'),
        Line(speaker="Mara", text="Me."),
    ]
    assert paragraphs(lines, "en") == [
        "It was late.",
        '"Hello," said Pim, "who is there?"',
        "“Me.”",
    ]
    assert paragraphs(lines[4:], "ja") == ["「Me.」"]
    assert paragraphs(lines[4:], "de") == ["„Me.“"]


def test_emoji_and_other_unknown_forms_do_not_break_a_page():
    story = make_story(
        title="🦊 שלום", scenes=(Scene(title="🌙", lines=(Line(text="🦊🦊"), Line(text="ok 🌙"))),)
    )
    for scene in story.all_scenes:
        assert draw_page(scene, story, SIZE).size == SIZE


def test_a_picture_is_drawn_again_only_if_what_it_shows_changed(tmp_path):
    cards, story = Cards(SIZE), make_story()
    keys = [picture_key(cards, scene, story) for scene in story.all_scenes]
    louder = make_story(cast={"Pim": Role(speed=1.2)})
    assert [picture_key(cards, scene, louder) for scene in louder.all_scenes] == keys
    edited = make_story(scenes=(story.scenes[0], Scene(id="2", lines=(Line(text="The end!"),))))
    changed = [picture_key(cards, scene, edited) for scene in edited.all_scenes]
    assert [a == b for a, b in zip(keys, changed, strict=True)] == [True, True, False]
    assert picture_key(Cards(), story.scenes[0], story) not in keys


def test_pictures_are_png_files_that_say_how_they_were_made(tmp_path):
    cards, story, assets = Cards(SIZE), make_story(), Assets(tmp_path)
    path = make_picture(cards, story.scenes[0], story, assets)
    assert make_picture(cards, story.scenes[0], story, assets) == path
    assert (assets.made, assets.reused) == (1, 1)
    with Image.open(path) as image:
        assert image.size == SIZE
        assert '"Label":"1"' in image.info["AIGC"]


def test_an_unknown_illustrator_is_one_clear_line():
    with pytest.raises(UserError, match=r"no illustrator 'card' \(did you mean 'cards'\?\)"):
        illustrator("card")
    assert isinstance(illustrator("cards"), Cards)
