"""Pages of cut paper show what is told, the same every time, and nobody stands on anybody."""

from __future__ import annotations

import itertools
import json
import re
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from pipelines.story.collage import glyphs, page, puppets
from pipelines.story.collage.glyphs import glyph, has_glyph
from pipelines.story.collage.light import palette
from pipelines.story.collage.page import draw_stage, letter
from pipelines.story.collage.reading import concepts, mentions
from pipelines.story.collage.scenery import Canvas
from pipelines.story.collage.staging import Figure, Stage, stages
from pipelines.story.illustrators import Collage, illustrator, picture_key
from pipelines.story.script import TITLE_ID, Line, Role, Scene, Story
from pipelines.story.writer import Adapt

SIZE = (320, 180)
PLACES = (
    *("forest", "river", "lake", "sea", "underwater", "mountains", "hills", "meadow", "village"),
    *("city", "desert", "room", "cave", "space", "road"),
)


def names(text: str, language: str = "en") -> list[str]:
    found = mentions(text, language)
    return [m.concept.name if m.concept else m.setting[1] for m in found]  # type: ignore[index]


def story(text: str) -> Story:
    return Adapt().write(text)


def heroes(told: Story, scene: str) -> list[str]:
    return [figure.concept.name for figure in stages(told)[scene].heroes]


def figure(name: str, **more: object) -> Figure:
    return Figure(concepts()[name], **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("The foxes met two Polar Bears.", "en", ["fox", "polar-bear"]),
        ("She could not bear it; the sun rose, and he left.", "en", ["sun"]),
        ("A rose, a bear and a fairy's wand.", "en", ["rose", "bear", "fairy", "magic-wand"]),
        ("小狐狸在河边放风筝，星期天下雨了。", "zh", ["fox", "river", "kite", "rain"]),
        ("马上就到家了，他很相信花了的钱。", "zh", []),
        (
            "森の中で、きつねとうさぎが月を見ました。",
            "ja",
            ["forest", "fox", "rabbit-face", "night"],
        ),
        ("本当によくまあ、いくまでもない。", "ja", []),
        ("", "en", []),
        ("🦊 שלום עולם", "en", []),
    ],
)
def test_words_are_found_as_a_reader_understands_them(text, language, found):
    assert names(text, language) == found


def test_how_many_there_are_is_understood():
    for text, language in (("three little pigs", "en"), ("三只小猪", "zh")):
        (mention,) = mentions(text, language)
        assert (mention.concept.name, mention.count) == ("pig-face", 3)


def test_every_concept_has_its_picture_and_words_in_three_languages():
    text = files("pipelines.story.collage").joinpath("words.json").read_text("utf-8")
    words = json.loads(text)["concepts"]
    for name, concept in concepts().items():
        assert has_glyph(concept.glyph) or has_glyph(f"{concept.glyph}-light"), name
        assert all(words[name]["words"][language] for language in ("en", "zh", "ja")), name
    assert len(concepts()) > 200


# ---------------------------------------------------------------- staging


def test_who_somebody_is_follows_from_the_text_and_stays_so():
    told = story(
        "# The Button\n\n## One\n\nA hedgehog named Tilly found a button. Tilly: What is it?\n\n"
        "## Two\n\nOn the hill stood Old Tom, the goat.\n\nTilly: Hello!\n\nOld Tom: Hello.\n\n"
        "## Three\n\nTilly: Good night!\n\nOld Tom: Good night!\n"
    )
    assert heroes(told, "2") == ["hedgehog", "goat"]
    assert heroes(told, "3") == ["hedgehog", "goat"]
    first, second = (stages(told)[scene].heroes[0] for scene in ("2", "3"))
    assert first == second
    assert stages(told)["1"].place == "meadow"
    assert stages(told)["2"].place == "hills"


def test_the_looks_of_the_cast_win_over_the_text():
    line = Line(speaker="Kim", text="I saw a bear.")
    told = Story(
        title="T", cast={"Kim": Role(look="a small penguin")}, scenes=(Scene(lines=(line,)),)
    )
    assert heroes(told, "1") == ["penguin"]
    old = told.model_copy(update={"cast": {"Kim": Role(gender="female", age="old")}})
    assert heroes(old, "1") == ["old-woman"]


def test_place_and_hour_hold_until_the_text_says_otherwise():
    told = story(
        "# T\n\n## A\n\nAt night in the forest sat a fox.\n\n## B\n\nThe fox yawned.\n\n"
        "## C\n\nRain fell on the village.\n"
    )
    found = stages(told)
    assert [(found[s].place, found[s].time, found[s].weather) for s in "123"] == [
        ("forest", "night", ""),
        ("forest", "night", ""),
        ("village", "day", "rain"),
    ]


def test_the_moon_of_the_cast_stands_in_the_sky_with_a_face():
    lines = (Line(text="It was night."), Line(speaker="Moon", text="Hello."))
    stage = stages(Story(title="T", cast={"Moon": Role()}, scenes=(Scene(lines=lines),)))["1"]
    assert stage.face == "moon"
    assert stage.heroes == ()


def test_a_crowd_leaves_room_for_who_else_is_there():
    told = story("# T\n\nThree little pigs met a wolf.\n")
    assert heroes(told, "1") == ["pig-face", "pig-face", "pig-face", "wolf"]


# ---------------------------------------------------------------- drawing


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_drawn_by_day_and_by_night(place):
    means = {}
    for time in ("day", "night"):
        image = draw_stage(Stage(place=place, time=time, heroes=(figure("fox"),), seed=5), SIZE)
        pixels = np.asarray(image, float)
        assert image.size == SIZE
        assert pixels.std() > 12  # not one colour
        means[time] = pixels.mean()
    if place != "space":
        assert means["night"] < means["day"]


@pytest.mark.parametrize("weather", ["rain", "storm", "snow", "wind", "fog", "cloudy", "rainbow"])
def test_the_weather_changes_the_page(weather):
    fair = draw_stage(Stage(seed=5), SIZE)
    assert draw_stage(Stage(weather=weather, seed=5), SIZE).tobytes() != fair.tobytes() or (
        weather == "rainbow"  # which is drawn as a thing in the sky
    )


def test_the_same_stage_gives_the_same_pixels_and_another_seed_others():
    stage = Stage(place="forest", heroes=(figure("bear"), figure("girl")), seed=3)
    first, again = draw_stage(stage, SIZE), draw_stage(stage, SIZE)
    assert first.tobytes() == again.tobytes()
    other = Stage(place="forest", heroes=(figure("bear"), figure("girl")), seed=4)
    assert draw_stage(other, SIZE).tobytes() != first.tobytes()


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (900, 900)])
def test_figures_stand_apart_and_inside_the_page(size):
    cast = [figure(name) for name in ("giraffe", "bear", "elephant", "man")]
    for count in range(1, 5):
        stage = Stage(heroes=tuple(cast[:count]))
        canvas = Canvas(*size, palette(stage), np.random.default_rng(0))
        places = page._places(canvas, stage.heroes)
        for a, b in itertools.pairwise(places):
            assert a.x + a.half <= b.x - b.half + 1
        assert all(p.x - p.half >= 0 and p.x + p.half <= size[0] for p in places)
        assert all(p.foot < size[1] and p.tall < size[1] for p in places)


def test_every_figure_that_can_be_somebody_is_drawn():
    for name, concept in concepts().items():
        if concept.kind in ("person", "animal", "bird"):
            svg = puppets.draw_figure(figure(name), True)
            assert glyph(concept.glyph, "light")[:200] in svg


def test_documents_hold_no_reference_that_is_not_defined():
    stage = Stage(place="lake", heroes=(figure("fox"),), props=(concepts()["sailboat"],), seed=1)
    canvas = Canvas(320, 180, palette(stage), np.random.default_rng(1))
    page.out_of_doors(canvas, stage)
    text = page._document(canvas)
    assert set(re.findall(r"url\(#(\w+)\)", text)) <= set(re.findall(r'id="(\w+)"', text))


def test_the_title_stands_on_the_first_page():
    told = story("# The Fox 狐狸\n\nA fox slept.\n")
    artist = Collage(SIZE)
    bare = draw_stage(stages(told)[TITLE_ID], SIZE)
    lettered = artist.draw(told.title_scene, told, None)
    assert np.asarray(lettered).tobytes() != np.asarray(bare).tobytes()
    assert letter(bare, told.title, told.author).tobytes() == lettered.tobytes()


def test_a_page_is_drawn_again_only_if_what_it_shows_changed():
    text = "# T\n\n## A\n\nA fox slept.\n\n## B\n\nA bear ate.\n"
    told, artist = story(text), Collage(SIZE)
    keys = [picture_key(artist, scene, told) for scene in told.all_scenes]
    same = story(text.replace("slept", "dozed"))
    assert [picture_key(artist, scene, same) for scene in same.all_scenes] == keys
    other = story(text.replace("bear", "wolf"))
    changed = [picture_key(artist, scene, other) for scene in other.all_scenes]
    assert [a == b for a, b in zip(keys, changed, strict=True)] == [True, True, False]


def test_collage_is_a_built_in_and_its_pictures_do_not_touch_the_network_or_fonts():
    assert isinstance(illustrator("collage"), Collage)
    image = glyphs.rasterise('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>')
    assert isinstance(image, Image.Image)
