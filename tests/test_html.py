"""The story as one page, opened in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import Page, browser, chromium
from conftest import require
from media_story import story

from pipelines.media.html import page, write_page
from pipelines.media.timeline import Timeline
from vits.errors import UserError

SOUND = "document.getElementById('sound')"
LIT = "document.querySelector('.w.on')?.textContent"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    return story(tmp_path_factory.mktemp("story"), word_s=0.4)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    """The same story in 3 seconds, for what only the text of a page shows."""
    return story(tmp_path_factory.mktemp("short"), word_s=0.05)


@pytest.fixture(scope="module")
def path(told: Timeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "the story.html"
    write_page(told, path)
    return path


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    require(chromium(), "Chromium is not installed")
    with browser() as opened:
        yield opened


@pytest.fixture
def opened(tab: Page, path: Path) -> Page:
    """The page, loaded anew and ready to play."""
    tab.open(path)
    tab.wait(f"{SOUND}.readyState >= 3")
    return tab


class Tags(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


# ---------------------------------------------------------------- the text of the page


def test_everything_is_in_the_page(path: Path) -> None:
    for tag, attributes in Tags(path.read_text("utf-8")).found:
        for name in ("src", "href", "action", "data", "poster"):
            if name in attributes:
                assert attributes[name].startswith("data:"), (tag, name)
    assert "@import" not in path.read_text("utf-8")
    assert "url(" not in path.read_text("utf-8")


def test_the_policy_forbids_the_network_and_foreign_scripts(path: Path) -> None:
    metas = [attributes for tag, attributes in Tags(path.read_text("utf-8")).found if tag == "meta"]
    (policy,) = (m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_names_and_text_cannot_become_markup(short: Timeline) -> None:
    attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x00\"'"
    first = short.scenes[0]
    line = replace(first.lines[0], text=attack + "The lamp", words=(), speaker=attack)
    scene = replace(first, title=attack, lines=(line, *first.lines[1:]))
    hostile = replace(
        short,
        title=attack, author=attack, narrator=attack, language='en" onload="x',
        scenes=(scene, *short.scenes[1:]),
    )  # fmt: skip
    tags = Tags(page(hostile)).found
    assert sum(tag == "script" for tag, _ in tags) == 2
    assert sum(tag == "img" for tag, _ in tags) == len(short.scenes)
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert dict(tags)["html"]["lang"] == ""


def test_every_word_is_a_span_and_no_text_is_lost(path: Path, told: Timeline) -> None:
    text = path.read_text("utf-8")
    lines = re.findall(r'<p class="line">(.*?)</p>', text)
    bare = [
        re.sub(r"<[^>]+>", "", re.sub(r'<span class="speaker">.*?</span>', "", x)) for x in lines
    ]
    assert bare[1] == "“Who is there?” asked the keeper &lt;quietly&gt;."
    assert text.count('<span class="w">') == sum(len(line.words) for line in told.lines)


def test_a_speaker_is_named_when_it_changes_and_is_not_the_narrator(short: Timeline) -> None:
    def with_speakers(*names: str) -> list[str]:
        first = short.scenes[0]
        lines = tuple(
            replace(line, speaker=name) for line, name in zip(first.lines, names, strict=True)
        )
        others = [replace(scene, lines=()) for scene in short.scenes[1:]]
        text = page(replace(short, scenes=(replace(first, lines=lines), *others)))
        return re.findall(r'<span class="speaker">(.*?)</span>', text)

    assert with_speakers("Tom", "Tom") == ["Tom"]
    assert with_speakers("Tom", "Ann") == ["Tom", "Ann"]
    assert with_speakers("narrator", "Tom") == ["Tom"]
    assert with_speakers("LJ", "Narrator") == []


@pytest.mark.parametrize(
    ("tag", "play"), [("en-GB", "Play"), ("de", "Abspielen"), ("zh-CN", "播放"), ("ja", "再生")]
)
def test_the_page_speaks_the_language_of_its_story(short: Timeline, tag: str, play: str) -> None:
    text = page(replace(short, language=tag))
    assert f'<html lang="{tag}" dir="ltr">' in text
    assert f'aria-label="{play}"' in text


def test_the_same_story_gives_the_same_page(told: Timeline, path: Path) -> None:
    assert page(told) == path.read_text("utf-8")


def test_a_missing_picture_is_the_users_error(short: Timeline, tmp_path: Path) -> None:
    first = replace(short.scenes[0], picture=tmp_path / "gone.png")
    with pytest.raises(UserError, match=r"gone\.png cannot be read"):
        write_page(replace(short, scenes=(first, *short.scenes[1:])), tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- the page in a browser


def test_a_word_lights_up_while_the_sound_plays(opened: Page, told: Timeline) -> None:
    assert opened.evaluate(LIT) is None
    opened.click("#play")
    opened.wait(f"{SOUND}.currentTime > 0.6 && {LIT}")
    word, seconds = opened.evaluate(f"[{LIT}, {SOUND}.currentTime]")
    words = [word for line in told.lines for word in line.words]
    heard = [w.text for w in words if w.start_s - 0.2 <= seconds <= w.end_s + 0.5]
    assert word in heard
    first = word
    opened.wait(f"{LIT} && {LIT} !== {first!r}")
    assert opened.evaluate("document.querySelectorAll('.w.on').length") == 1


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened: Page) -> None:
    opened.click("#play")
    opened.wait(f"{SOUND}.currentTime > 0.2")
    assert opened.requests == []
    assert opened.complaints == []


def test_the_policy_stops_a_request_that_a_script_would_make(tab: Page, path: Path) -> None:
    tab.open(path)
    refused = tab.evaluate(
        "new Promise(resolve => { "
        "addEventListener('securitypolicyviolation', e => resolve(e.effectiveDirective)); "
        "fetch('https://example.org/').catch(() => 0); setTimeout(resolve, 5000); })"
    )
    assert refused == "connect-src"
    assert tab.requests == []
    tab.events.clear()  # the refusal is reported; it is what was wanted


def test_a_click_on_a_word_jumps_there(opened: Page, told: Timeline) -> None:
    opened.click("section:nth-of-type(2) .line .w:nth-of-type(3)")
    opened.wait(f"!{SOUND}.paused && !{SOUND}.seeking")
    word = told.scenes[1].lines[0].words[2]
    assert opened.evaluate(f"{SOUND}.currentTime") == pytest.approx(word.start_s, abs=0.8)


def test_the_picture_turns_with_the_scene(opened: Page, told: Timeline) -> None:
    shown = "[...document.querySelectorAll('#stage img')].findIndex(i => i.matches('.on'))"
    assert opened.evaluate("document.querySelectorAll('#stage img').length") == 3
    assert opened.evaluate(shown) == 0
    for number, scene in enumerate(told.scenes):
        opened.evaluate(f"{SOUND}.currentTime = {scene.start_s + 0.1}")
        opened.wait(f"{shown} === {number}")


def test_the_keyboard_plays_pauses_and_steps(opened: Page, told: Timeline) -> None:
    opened.press(" ", "Space")
    opened.wait(f"!{SOUND}.paused")
    opened.press(" ", "Space")
    opened.wait(f"{SOUND}.paused")
    starts = [line.words[0].start_s for line in told.lines]
    opened.evaluate(f"{SOUND}.currentTime = {starts[0]}")
    opened.wait(f"!{SOUND}.seeking")
    opened.press("ArrowRight", "ArrowRight")
    opened.wait(f"Math.abs({SOUND}.currentTime - {starts[1]}) < 0.05")
    opened.press("ArrowRight", "ArrowRight")
    opened.wait(f"Math.abs({SOUND}.currentTime - {starts[2]}) < 0.05")
    opened.press("ArrowLeft", "ArrowLeft")
    opened.wait(f"Math.abs({SOUND}.currentTime - {starts[1]}) < 0.05")


def test_the_word_that_is_read_stays_in_view(tab: Page, path: Path, told: Timeline) -> None:
    tab.open(path, size=(390, 700))
    tab.wait(f"{SOUND}.readyState >= 3")
    tab.click("#play")
    last = told.scenes[-1].lines[-1]
    tab.evaluate(f"{SOUND}.currentTime = {last.words[0].start_s}")
    tab.wait(
        "(() => { const b = document.querySelector('.w.on')?.getBoundingClientRect(); "
        "const s = document.getElementById('stage').getBoundingClientRect(); "
        "const c = document.getElementById('bar').getBoundingClientRect(); "
        "return b && b.top > s.bottom && b.bottom < c.top; })()",
        seconds=20,
    )


@pytest.mark.parametrize("size", [(1440, 860), (820, 1100), (390, 844), (844, 390)])
def test_nothing_hangs_over_the_edge_on_any_screen(tab: Page, path: Path, size) -> None:
    tab.open(path, size=size)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    image = np.asarray(tab.screenshot(), np.float32)
    assert image.shape[:2] == (size[1], size[0])
    assert image.std() > 15  # something is drawn
    box = tab.evaluate(
        "(() => { const b = document.getElementById('stage').getBoundingClientRect(); "
        "return [b.left, b.top, b.right, b.bottom].map(Math.round); })()"
    )
    left, top, right, bottom = (max(0, edge) for edge in box)
    assert image[top:bottom, left:right].std() > 15  # the picture itself


def test_dark_rooms_get_a_dark_page(tab: Page, path: Path) -> None:
    tab.open(path)
    light = np.asarray(tab.screenshot()).mean()
    tab.dark()
    try:
        dark = np.asarray(tab.screenshot()).mean()
    finally:
        tab.dark(False)
    assert light > 150 > 110 > dark


def test_controls_have_names_and_marks_are_read_as_text(opened: Page) -> None:
    nameless = opened.evaluate(
        "[...document.querySelectorAll('button, input, select')]"
        ".filter(e => !e.getAttribute('aria-label')).length"
    )
    assert nameless == 0
    assert (
        opened.evaluate("document.querySelectorAll('[aria-live]:not([aria-live=off])').length") == 0
    )
    opened.click("#play")
    opened.wait("document.getElementById('play').getAttribute('aria-label') === 'Pause'")


def test_the_page_can_be_read_without_scripts(tab: Page, path: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(path)
        image = np.asarray(tab.screenshot(), np.float32)
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert image.std() > 15
