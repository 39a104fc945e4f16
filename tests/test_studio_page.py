"""The studio's page in a real browser: every part, in two languages, by hand and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import Page, browser, chromium
from conftest import make_tiny_voice, require
from loopback import running

from pipelines.serving.doors import Doors
from pipelines.studio.app import studio_app

KEY = "a-key-of-more-than-16-characters"
PARTS = ["recordings", "train", "speak", "voices", "story", "books", "people"]
WINDOWS = {"desk": (1280, 900), "phone": (390, 800)}
CLIPS = Path(__file__).resolve().parent.parent / "examples" / "clips" / "lj"

pytestmark = pytest.mark.tool


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require(chromium(), "Chromium is not installed")
    home = tmp_path_factory.mktemp("home")
    make_tiny_voice(home / "voices" / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLONE_VOICE_HOME", str(home))
        with running(studio_app(Doors(key=KEY), voice=None)) as url:
            yield url


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip("axe_core_python")
    return (Path(package.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture
def tab(url: str) -> Iterator[Page]:
    with browser() as tab:
        resize(tab, "desk")
        visit(tab, f"{url}/enter?key={KEY}")
        tab.wait("document.documentElement.dataset.ready")
        tab.evaluate("localStorage.setItem('language', 'en')")
        yield tab


def resize(tab: Page, window: str) -> None:
    width, height = WINDOWS[window]
    tab.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=height, deviceScaleFactor=1, mobile=window == "phone",
    )  # fmt: skip


def visit(tab: Page, address: str) -> None:
    tab.call("Page.navigate", url=address)
    tab.wait("location.href !== 'about:blank' && document.readyState === 'complete'")


def part(tab: Page, url: str, name: str, language: str = "en") -> None:
    """Open a part of the page anew."""
    tab.evaluate(f"localStorage.setItem('language', '{language}')")
    visit(tab, f"{url}/?{language}{name}#{name}")
    tab.wait(f"document.documentElement.dataset.ready === '{name}'")


def fill(tab: Page, selector: str, text: str) -> None:
    tab.evaluate(
        f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
        f"e.focus(); e.value = {json.dumps(text)}; "
        "e.dispatchEvent(new Event('input', {bubbles: true})); "
        "e.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def drop(tab: Page, selector: str, *files: Path) -> None:
    """Give files to a place that takes them."""
    document = tab.call("DOM.getDocument")["root"]["nodeId"]
    found = tab.call("DOM.querySelector", nodeId=document, selector=selector)
    names = [str(path) for path in files]
    tab.call("DOM.setFileInputFiles", nodeId=found["nodeId"], files=names)


def alert(tab: Page) -> str:
    return str(tab.evaluate("document.querySelector('#alert').textContent"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_part_is_whole_for_everybody_and_asks_nobody_else(
    tab: Page, url: str, axe: str, language: str
) -> None:
    for name in PARTS:
        for window in WINDOWS:
            resize(tab, window)
            part(tab, url, name, language)
            wide = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, (name, window)
            tab.evaluate(axe + "; 0")
            found = tab.evaluate(
                "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
                "v => `${v.impact} ${v.id}: ${v.nodes.map(n => n.html).join(' ')}`))"
            )
            assert found == [], (name, window)
            shown = tab.evaluate("document.body.innerText")
            assert not [word for word in shown.split() if word.startswith((f"{name}.", "job."))]
    assert {urlsplit(address).netloc for address in tab.requests} == {urlsplit(url).netloc}
    assert tab.complaints == []


def test_the_language_is_switched_on_the_page_and_kept(tab: Page, url: str) -> None:
    part(tab, url, "speak")
    assert tab.evaluate("document.querySelector('h1').textContent") == "Speak"
    fill(tab, "#language", "zh")
    tab.wait("document.querySelector('h1')?.textContent === '说话'")
    assert tab.evaluate("document.documentElement.lang") == "zh"
    visit(tab, f"{url}/?again#speak")
    tab.wait("document.querySelector('h1')?.textContent === '说话'")


def test_a_text_is_spoken_by_keyboard_alone_and_kept(tab: Page, url: str) -> None:
    tab.evaluate("sessionStorage.setItem('voice', 'tiny')")
    part(tab, url, "speak")
    tab.evaluate("document.querySelector('#speak-text').focus()")
    tab.call("Input.insertText", text="Good evening.")
    for _ in range(12):
        tab.press("Tab", "Tab")
        if tab.evaluate("document.activeElement.id") == "speak-go":
            break
    else:
        raise AssertionError("the button is not reached by Tab")
    tab.call(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter",
        windowsVirtualKeyCode=13, text="\r",
    )  # fmt: skip
    tab.call(
        "Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13
    )
    tab.wait("!!document.querySelector('audio')", 120)
    assert "Good evening." in tab.evaluate("document.querySelector('#main article').textContent")
    length = tab.evaluate(
        "new Promise(done => { const a = document.querySelector('audio'); "
        "a.addEventListener('loadedmetadata', () => done(a.duration)); a.load(); })"
    )
    assert length > 0.3
    assert alert(tab) == ""


def test_recordings_are_dropped_and_training_asks_for_consent(tab: Page, url: str) -> None:
    part(tab, url, "recordings")
    clips = sorted(CLIPS.glob("*.flac"))[:2]
    drop(tab, ".drop input[type=file]", *clips, CLIPS / "manifest.tsv")
    tab.wait("!!document.querySelector('[data-set=anna]')")
    tab.wait("document.querySelector('[data-set=anna]').textContent.includes('2 recordings')")
    part(tab, url, "train")
    tab.click("#train-go")
    tab.wait("document.querySelector('#alert').textContent.includes('agreed')")
    assert tab.evaluate("document.activeElement.id") == "train-consent"


def test_a_story_is_written_edited_and_only_what_changed_is_made_again(tab: Page, url: str) -> None:
    tab.evaluate("sessionStorage.setItem('voice', 'tiny')")
    part(tab, url, "story")
    fill(tab, "#story-name", "lamp")
    fill(tab, "#story-text", '# The Lamp\n\nOn a rock stood a lamp.\n\n"Is it dark?" asked Pim.')
    tab.click("#story-write")
    tab.wait("!!document.querySelector('#editor')", 120)
    boxes = "[...document.querySelectorAll('#editor fieldset input')]"
    tab.evaluate(f"{boxes}.filter(b => b.checked).forEach(b => b.click())")
    tab.evaluate(f"{boxes}.at(-1).click()")  # srt alone: nothing else needs the film
    tab.click("#story-tell")
    tab.wait("!!document.querySelector('#editor .told')", 240)
    first = tab.evaluate("document.querySelector('#editor .told').textContent")
    assert " 0 found made" in first
    tab.wait("document.querySelectorAll('#editor .scene img').length > 0", 120)
    fill(tab, "#editor .line textarea", "On a rock in the sea stood a lamp.")
    tab.evaluate(f"{boxes}.filter(b => b.checked).forEach(b => b.click())")
    tab.evaluate(f"{boxes}.at(-1).click()")
    tab.click("#story-tell")
    tab.wait("document.querySelectorAll('#editor .told').length === 2", 240)
    second = tab.evaluate("document.querySelector('#editor .told').textContent")
    made, reused, *_ = (int(word) for word in second.split() if word.isdigit())
    assert 0 < made < reused + made
    assert reused > 0
    assert alert(tab) == ""


def test_a_book_becomes_an_audiobook(tab: Page, url: str, tmp_path: Path) -> None:
    book = tmp_path / "days.txt"
    book.write_text("Chapter 1\n\nIt was night.\n\nChapter 2\n\nIt was day.\n", "utf-8")
    tab.evaluate("sessionStorage.setItem('voice', 'tiny')")
    part(tab, url, "books")
    drop(tab, ".drop input[type=file]", book)
    tab.wait("!!document.querySelector('[data-book]')")
    tab.click("[data-book] button")
    tab.wait("document.querySelectorAll('[data-book] tbody tr').length === 2")
    tab.click("[data-book] input[type=checkbox]")
    tab.click("#books-go")
    tab.wait("!!document.querySelector('audio[src*=\".m4b\"]')", 300)
    length = tab.evaluate(
        "new Promise(done => { const a = document.querySelector('audio'); "
        "a.addEventListener('loadedmetadata', () => done(a.duration)); a.load(); })"
    )
    assert length > 1
    assert alert(tab) == ""


@pytest.mark.slow
def test_the_digital_human_answers_aloud(tab: Page, url: str, tmp_path: Path) -> None:
    document = tmp_path / "tower.txt"
    document.write_text("The lighthouse was built in 1887. Its lamp burns oil.", "utf-8")
    tab.evaluate("sessionStorage.setItem('voice', 'tiny')")
    tab.evaluate("sessionStorage.setItem('person', 'Anna')")
    part(tab, url, "people")
    tab.wait("document.querySelectorAll('.drop').length === 2")
    drop(tab, ".card:nth-of-type(2) .drop input[type=file]", document)
    tab.wait("document.body.textContent.includes('tower.txt')")
    tab.click(".card:nth-of-type(2) > button")
    tab.wait("!!document.querySelector('#question')", 400)
    fill(tab, "#question", "When was the lighthouse built?")
    tab.click("#send")
    tab.wait("!!document.querySelector('.said.assistant[data-spoken]')", 120)
    assert "1887" in tab.evaluate("document.querySelector('.said.assistant').textContent")
    assert alert(tab) == ""
