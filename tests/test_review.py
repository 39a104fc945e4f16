"""The review page, in a real browser and by hand: heard, corrected, chosen, cut; saved at once."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import Page, browser, chromium
from conftest import require
from voices import reader, save

from data.clips import read_clips
from data.recordings import Wishes, prepare_recordings
from pipelines.review import ReviewServer, serve
from vits.audio import read_audio
from vits.errors import UserError


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for index, (clip, text) in enumerate(reader(3)):
        save(tmp_path / f"in/clip {index}.wav", clip)
        (tmp_path / f"in/clip {index}.txt").write_text(text, encoding="utf-8")
    prepare_recordings([tmp_path / "in"], tmp_path / "set")
    return tmp_path / "set"


@pytest.fixture
def server(dataset: Path) -> Iterator[ReviewServer]:
    with serve(dataset) as running:
        yield running


def ask(
    server: ReviewServer, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, object], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    given = {"X-Token": server.token, "Content-Type": "application/json", **headers}
    content = (
        body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    )
    connection.request("GET" if content is None else "POST", path, content, given)
    answer = connection.getresponse()
    data = answer.read()
    is_json = "json" in answer.headers["Content-Type"]
    return answer.status, json.loads(data) if is_json else {}, data


def test_only_who_knows_the_secret_is_answered(server: ReviewServer) -> None:
    assert ask(server, "/clips")[0] == 200
    assert ask(server, "/clips", **{"X-Token": "wrong"})[0] == 403
    assert ask(server, "/clips", **{"Host": "evil.example:80"})[0] == 403
    assert ask(server, "/clips/clip_0", {"verdict": "drop"}, **{"X-Token": ""})[0] == 403
    assert len(server.token) > 20
    assert urlsplit(server.url).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    "path", ["/sound/..%2f..%2fin%2fclip 0", "/sound/x", "/etc/passwd", "/wavs"]
)
def test_nothing_but_the_clips_is_served(server: ReviewServer, path: str) -> None:
    assert ask(server, path.replace(" ", "%20"))[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[1]",
        {"text": 5},
        {"verdict": "maybe"},
        {"cut": [2, 1]},
        {"cut": "x"},
        {"x": 1},
    ],
)
def test_what_is_no_decision_changes_nothing(
    dataset: Path, server: ReviewServer, body: object
) -> None:
    before = (dataset / "manifest.tsv").read_bytes()
    status, answer, _ = ask(server, "/clips/clip_0", body)
    assert status in (400, 409)
    assert answer["error"]
    assert (dataset / "manifest.tsv").read_bytes() == before


def test_decisions_are_in_the_data_set_at_once_and_can_be_taken_back(
    dataset: Path, server: ReviewServer
) -> None:
    before = (dataset / "manifest.tsv").read_bytes()
    ask(server, "/clips/clip_0", {"text": "Other  words."})
    ask(server, "/clips/clip_1", {"verdict": "drop"})
    ask(server, "/clips/clip_2", {"cut": [0.5, 2.0]})
    clips = {Path(clip.source).stem: clip for clip in read_clips(dataset)}
    assert clips["clip 0"].text == "Other words."
    assert "clip 1" not in clips
    assert read_audio(clips["clip 2"].path).duration_s == pytest.approx(1.5, abs=1e-3)
    report = json.loads((dataset / "report.json").read_text("utf-8"))
    assert sum(report["account"].values()) == pytest.approx(report["source_seconds"], abs=0.01)
    for name in ("clip_0", "clip_1", "clip_2"):
        assert ask(server, f"/clips/{name}", {"undo": True})[0] == 200
    assert (dataset / "manifest.tsv").read_bytes() == before
    assert sorted(p.name for p in (dataset / "wavs").iterdir()) == [
        f"clip_{i}.wav" for i in range(3)
    ]


def test_preparing_again_keeps_what_was_decided(dataset: Path, server: ReviewServer) -> None:
    ask(server, "/clips/clip_0", {"text": "Other words.", "cut": [0.2, 1.9]})
    ask(server, "/clips/clip_1", {"verdict": "drop"})
    before = {p.name: p.read_bytes() for p in dataset.iterdir() if p.is_file()}
    prepare_recordings([dataset.parent / "in"], dataset)
    assert {p.name: p.read_bytes() for p in dataset.iterdir() if p.is_file()} == before


def test_a_clip_without_words_gets_them(tmp_path: Path) -> None:
    for index, (clip, _) in enumerate(reader(3)):
        save(tmp_path / f"in/{index}.wav", clip)
    out = tmp_path / "out"
    prepare_recordings([tmp_path / "in"], out, Wishes("en", "never"))
    with serve(out) as running:
        status, clip, _ = ask(running, "/clips/1", {"text": "It was so."})
    assert status == 200
    assert (clip["verdict"], clip["reason"]) == ("use", "")


def test_what_is_no_data_set_cannot_be_reviewed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no data set"), serve(tmp_path):
        pass


@pytest.fixture
def page(server: ReviewServer) -> Iterator[Page]:
    require(chromium(), "there is no Chromium")
    with browser() as tab:
        tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=1000, height=800, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        tab.call("Page.navigate", url=server.url)
        tab.wait("document.body && document.body.dataset.ready === 'yes'")
        yield tab


@pytest.mark.tool
def test_a_person_hears_corrects_chooses_and_cuts(
    dataset: Path, server: ReviewServer, page: Page
) -> None:
    page.wait("[...rows.values()].every(row => row.peaks)")
    assert page.evaluate("document.querySelectorAll('.clip').length") == 3
    first = ".clip:nth-child(1)"
    name = page.evaluate("[...rows.keys()][0]")

    page.click(f"{first} .play")
    page.wait(f"rows.get('{name}').audio.currentTime > 0.2")
    page.click(f"{first} .play")
    assert page.evaluate(f"rows.get('{name}').audio.paused")

    page.evaluate(f"document.querySelector('{first} textarea').select()")
    page.call("Input.insertText", text="换成新的 words.")
    page.wait(f"document.querySelector('{first} .state').textContent !== ''")
    page.wait(f"rows.get('{name}').clip.text === '换成新的 words.'")
    assert any(clip.text == "换成新的 words." for clip in read_clips(dataset))

    page.click(".clip:nth-child(2) .reject")
    page.wait("document.querySelector('.clip:nth-child(2)').classList.contains('drop')")
    assert len(read_clips(dataset)) == 2
    page.click(".clip:nth-child(2) .accept")
    page.wait("document.querySelector('.clip:nth-child(2)').classList.contains('use')")
    assert len(read_clips(dataset)) == 3

    drag(page, f"{first} canvas", 0.25, 0.75)
    page.click(f"{first} .cut")
    page.wait(f"rows.get('{name}').clip.cut !== null")
    seconds = {clip.path.stem: clip.seconds for clip in read_clips(dataset)}
    whole = page.evaluate(f"rows.get('{name}').clip.seconds")
    assert seconds[f"{name}-cut"] == pytest.approx(whole / 2, rel=0.05)

    page.click(f"{first} .undo")
    page.wait(f"rows.get('{name}').clip.cut === null")
    assert name in {clip.path.stem for clip in read_clips(dataset)}
    assert not page.complaints
    assert all(url.startswith(f"http://127.0.0.1:{server.server_port}/") for url in page.requests)


def drag(page: Page, selector: str, start: float, end: float) -> None:
    """A pointer drawn over an element, from one share of its width to another."""
    page.evaluate(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    box = page.evaluate(
        f"(() => {{ const b = document.querySelector('{selector}').getBoundingClientRect(); "
        "return [b.x, b.y, b.width, b.height]; })()"
    )
    y = box[1] + box[3] / 2
    steps = [("mousePressed", start), ("mouseMoved", (start + end) / 2), ("mouseMoved", end)]
    for kind, share in [*steps, ("mouseReleased", end)]:
        page.call(
            "Input.dispatchMouseEvent", type=kind, x=box[0] + share * box[2], y=y, button="left",
            buttons=1, clickCount=1,
        )  # fmt: skip
