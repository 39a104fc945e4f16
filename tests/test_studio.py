"""The studio's server: long work, files on their way in, the way in, its words."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import make_tiny_voice
from loopback import running

from pipelines.i18n import LANGUAGES
from pipelines.serving.doors import Doors
from pipelines.studio import uploads, work
from pipelines.studio.app import studio_app
from pipelines.studio.desk import studio_key, words
from pipelines.studio.places import file_name
from pipelines.studio.runner import Runner
from pipelines.studio.store import JobStore
from vits.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "pipelines" / "studio" / "page"
KEY = "a-key-of-more-than-16-characters"
# Works until it is asked to stop, as a training does; the second time it is done at once.
CHILD = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
begun = folder / "begun"
if begun.exists():
    (folder / "result.json").write_text('{"went": "on"}')
    sys.exit(0)
begun.touch()
sys.stdin.buffer.read()
sys.exit(130)
"""


def until(condition: Any, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
    return found


# ---------------------------------------------------------------- long work


def test_two_jobs_never_make_the_same(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    first = store.add("train", "voice:anna", "anna", {})
    store.add("train", "voice:ben", "ben", {})
    with pytest.raises(UserError, match="being worked on already"):
        store.add("train", "voice:anna", "anna", {})
    store.change(first.id, "done")
    store.add("train", "voice:anna", "anna", {})
    with pytest.raises(UserError, match="being worked on already"):
        store.again(first.id)


def test_what_ran_when_the_program_ended_waits_when_it_begins(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    states = ["waiting", "running", "stopping", "stopped", "done", "failed"]
    for number, state in enumerate(states):
        store.change(store.add("train", f"voice:{number}", "v", {"n": number}).id, state)
    (tmp_path / "000004" / "job.json").write_text("{damaged")
    again = JobStore(tmp_path).all()
    kept = [(job.params["n"], job.state) for job in again]
    assert kept == [
        (0, "waiting"), (1, "waiting"), (2, "stopped"), (4, "done"), (5, "failed"),
    ]  # fmt: skip


def test_a_job_stops_and_goes_on_and_outlives_its_program(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD]
    store = JobStore(tmp_path)
    runner = Runner(store, command)
    stopped, outlives = (
        runner.start("train", "voice:a", "a", {}),
        runner.start("prepare", "recordings:b", "b", {}),
    )
    for job in (stopped, outlives):
        until((tmp_path / job.id / "begun").exists)
    runner.stop(stopped.id)
    until(lambda: store.get(stopped.id).state == "stopped")
    runner.close()
    assert store.get(outlives.id).state == "running"

    store = JobStore(tmp_path)
    runner = Runner(store, command)
    until(lambda: store.get(outlives.id).state == "done")
    assert store.told(store.get(outlives.id))["result"] == {"went": "on"}
    runner.again(stopped.id)
    until(lambda: store.get(stopped.id).state == "done")
    runner.close()


def test_one_lane_does_one_thing_at_a_time(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    runner = Runner(store, [sys.executable, "-c", CHILD])
    first = runner.start("train", "voice:a", "a", {})
    second = runner.start("audiobook", "shelf", "b", {})
    until((tmp_path / first.id / "begun").exists)
    assert store.get(second.id).state == "waiting"
    runner.stop(first.id)
    until((tmp_path / second.id / "begun").exists)
    runner.close()


def test_a_job_that_ends_unexpectedly_says_so(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    runner = Runner(store, [sys.executable, "-c", "raise SystemExit(7)"])
    job = runner.start("train", "voice:a", "a", {})
    until(lambda: store.get(job.id).state == "failed")
    runner.close()
    assert "code 7" in store.told(store.get(job.id))["error"]["cause"]


def test_a_child_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    job = JobStore(tmp_path).add("train", "voice:a", "a", {})
    parent = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(child.pid, flush=True)\nimport time; time.sleep(60)\n"
    )
    folder = tmp_path / job.id
    program = subprocess.Popen(
        [sys.executable, "-c", parent, sys.executable, "-c", CHILD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    child = int(program.stdout.readline())
    until((folder / "begun").exists)
    program.kill()
    program.wait()
    state = Path(f"/proc/{child}/stat")
    if state.parent.parent.exists():
        until(lambda: not state.exists() or state.read_text().split()[2] == "Z")


def test_what_the_user_can_mend_is_told_and_work_leaves_results(
    library: Path, tmp_path: Path
) -> None:
    store = JobStore(tmp_path)
    text = "# The Lamp\n\nOn a rock stood a lamp."
    wish = {"name": "lamp", "text": text, "is_idea": False, "language": "en"}
    good = store.add("write", "story:lamp", "lamp", wish)
    bad = store.add("write", "story:idea", "idea", wish | {"is_idea": True, "name": "idea"})
    assert work.main(tmp_path / good.id) == 0
    assert (library / "studio" / "stories" / "lamp" / "story.yaml").is_file()
    assert work.main(tmp_path / bad.id) == 1
    told = json.loads((tmp_path / bad.id / "error.json").read_text())
    assert "language model" in told["cause"] + told["remedy"]


# ---------------------------------------------------------------- the server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    make_tiny_voice(home / "voices" / "tiny")
    make_tiny_voice(home / "voices" / "other", seed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLONE_VOICE_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with running(studio_app(Doors(key=KEY), voice=None)) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/enter", params={"key": KEY}).status_code == 303
        yield client


def refused(answer: httpx.Response) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    return str(answer.json()["error"]["message"])


def test_the_page_is_opened_with_its_key_alone(url: str, client: httpx.Client) -> None:
    for path in ("/", "/api/jobs", "/page/main.js", "/v1/models", "/docs"):
        assert httpx.get(url + path).status_code == 401
    assert httpx.get(f"{url}/enter", params={"key": "wrong"}).status_code == 403
    entered = httpx.get(f"{url}/enter", params={"key": KEY})
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/").status_code == 200
    elsewhere = client.get("/api/jobs", headers={"origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403


def test_the_key_is_made_once_and_is_for_the_user_alone(library: Path) -> None:
    key = studio_key()
    assert len(key) >= 16
    assert studio_key() == key
    assert (library / "studio" / "key").stat().st_mode & 0o077 == 0


def test_files_get_names_of_their_own_folder(client: httpx.Client, home: Path) -> None:
    put = client.put("/api/recordings/anna/files/..%5C..%5Cevil.wav", content=b"RIFF")
    assert put.json() == {"name": "evil.wav"}
    assert (home / "studio" / "recordings" / "anna" / "evil.wav").is_file()
    for path in ("..%2f..%2fx/files/a.wav", "../../x/files/a.wav", "%00/files/a.wav"):
        assert client.put(f"/api/recordings/{path}", content=b"x").status_code >= 400
    assert "called" in refused(client.put("/api/recordings/con/files/a.wav", content=b"x"))
    assert {path.name for path in home.rglob("*.wav")} == {"evil.wav"}


def test_names_of_files_keep_their_ends_and_nothing_of_folders() -> None:
    assert file_name("C:\\Users\\me\\a b.wav") == "a b.wav"
    assert file_name("../../etc/passwd") == "passwd"
    assert file_name("录音 1.m4a") == "录音 1.m4a"
    assert file_name("x" * 300 + ".flac").endswith(".flac")
    assert len(file_name("x" * 300 + ".flac")) <= 120
    assert file_name(".hidden.txt") == "hidden.txt"
    for given in ("", "..", "///", "..\\"):
        with pytest.raises(UserError):
            file_name(given)


def test_uploads_that_cannot_be_used_are_refused(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    def put(name: str, content: bytes = b"x", **headers: str) -> httpx.Response:
        return client.put(f"/api/recordings/set/files/{name}", content=content, headers=headers)

    assert "no use here" in refused(put("virus.exe", b"MZ"))
    assert "empty" in refused(put("a.wav", b""))
    monkeypatch.setattr(uploads, "MOST_FILES", 1)
    assert put("a.wav").status_code == 200
    assert put("a.wav").status_code == 200  # the same name replaces
    assert "no more than 1" in refused(put("b.wav"))
    monkeypatch.setattr(uploads, "SPARE_BYTES", 10**18)
    assert "disk" in refused(put("a.wav"))
    assert not list(home.rglob("*.part*"))


def test_a_file_of_5_gb_is_refused_before_it_is_sent(url: str) -> None:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    connection.putrequest("PUT", "/api/recordings/set/files/a.wav")
    connection.putheader("Cookie", f"clone_voice_key={KEY}")
    connection.putheader("Content-Length", "5000000000")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["code"] == "request_too_large"
    connection.close()


def test_an_upload_that_breaks_off_leaves_nothing(client: httpx.Client, home: Path) -> None:
    def half() -> Iterator[bytes]:
        yield b"x" * 1000
        raise ConnectionError

    with pytest.raises(ConnectionError):
        client.put("/api/books/files/half.txt", content=half())
    folder = home / "studio" / "books"
    until(lambda: not any(folder.iterdir()) if folder.exists() else True)


def test_what_is_spoken_is_heard_at_once_and_kept(client: httpx.Client) -> None:
    wish = {"text": "Good evening.", "voice": "tiny", "speed": 1.2, "seed": 3, "format": "flac"}
    with client.stream("POST", "/api/spoken", json=wish) as answer:
        heard = b"".join(answer.iter_raw())
    row = client.get("/api/spoken").json()[0]
    assert {key: row[key] for key in wish} == wish
    assert len(heard) / 48_000 == pytest.approx(row["seconds"], abs=0.02)
    kept = client.get(f"/api/spoken/{row['name']}/sound")
    assert kept.content[:4] == b"fLaC"
    assert "There is no voice" in refused(client.post("/api/spoken", json=wish | {"voice": "/etc"}))
    assert client.delete(f"/api/spoken/{row['name']}").status_code == 200
    assert client.get("/api/spoken").json() == []


def test_voices_are_renamed_handed_on_and_removed(client: httpx.Client, home: Path) -> None:
    renamed = client.post("/api/voices/other/rename", json={"name": "anders"})
    assert renamed.json() == {"name": "anders"}
    packed = client.get("/api/voices/anders/pack").content
    assert "already" in refused(client.put("/api/voices/packed/x.voice", content=packed))
    assert client.delete("/api/voices/anders").json()["name"] == "anders"
    assert client.put("/api/voices/packed/x.voice", content=packed).json() == {"name": "anders"}
    assert "base voice" in refused(client.delete("/api/voices/base"))
    assert "cannot be called" in refused(
        client.post("/api/voices/anders/rename", json={"name": "../x"})
    )
    names = [voice["name"] for voice in client.get("/api/voices").json()]
    assert {"tiny", "anders"} <= set(names)
    assert client.get("/api/voices/anders/samples/..%2fconfig.json").status_code >= 400


def test_a_voice_that_is_being_trained_is_left_alone(home: Path) -> None:
    app = studio_app(Doors(key=KEY), voice=None)
    runner = app.state.runner
    runner.close()  # nothing of it begins
    (home / "studio" / "recordings" / "anna").mkdir(parents=True, exist_ok=True)
    with running(app) as url, httpx.Client(base_url=url) as client:
        client.get("/enter", params={"key": KEY})
        wish = {"recordings": "anna", "name": "tiny", "consent": "Anna agreed."}
        assert client.post("/api/train", json=wish).json()["state"] == "waiting"
        assert "already" in refused(client.post("/api/train", json=wish))
        assert "being trained" in refused(client.delete("/api/voices/tiny"))
        assert refused(client.post("/api/train", json=wish | {"name": "b", "consent": " "}))
        job = client.get("/api/jobs").json()[0]
        assert client.post(f"/api/jobs/{job['id']}/stop").json()["state"] == "stopped"
        assert client.delete(f"/api/jobs/{job['id']}").status_code == 200


def test_a_story_is_written_edited_and_kept_only_where_it_is_right(client: httpx.Client) -> None:
    text = '# The Lamp\n\nOn a rock stood a lamp.\n\n"Is it dark?" asked Pim.'
    wish = {"name": "lamp", "text": text, "language": "en"}
    job = client.post("/api/stories", json=wish).json()
    until(lambda: client.get("/api/jobs").json()[0]["state"] == "done")
    assert client.get("/api/jobs").json()[0]["id"] == job["id"]
    story = client.get("/api/stories/lamp").json()["story"]
    story["scenes"][0]["lines"][0]["text"] = "On a rock in the sea stood a lamp."
    assert client.put("/api/stories/lamp", json=story).status_code == 200
    wrong = json.loads(json.dumps(story))
    wrong["scenes"][0]["lines"][0]["speaker"] = "Nobody"
    assert "Nobody" in refused(client.put("/api/stories/lamp", json=wrong))
    kept = client.get("/api/stories/lamp").json()["story"]
    assert kept["scenes"][0]["lines"][0]["text"] == "On a rock in the sea stood a lamp."
    assert "already a story" in refused(client.post("/api/stories", json=wish))


def test_a_books_chapters_are_shown(client: httpx.Client) -> None:
    book = "Chapter 1\n\nIt was night.\n\nChapter 2\n\nIt was day.\n" * 1
    assert client.put("/api/books/files/days.txt", content=book.encode()).status_code == 200
    told = client.get("/api/books/files/days.txt/chapters").json()
    assert [row["title"] for row in told["chapters"]] == ["Chapter 1", "Chapter 2"]
    assert client.get("/api/books/files/..%2f..%2fkey/chapters").status_code >= 400
    assert "no file" in refused(client.post("/api/books/make", json={"books": ["x.txt"]}))


def test_a_digital_human_answers_from_its_documents(client: httpx.Client) -> None:
    text = "The lighthouse was built in 1887. Its lamp burns oil."
    for kind in ("documents",):
        put = client.put(f"/api/people/Anna/{kind}/tower.txt", content=text.encode())
        assert put.status_code == 200
    assert "no chats" in refused(client.post("/api/people/Anna/learn", json={"me": ["Anna"]}))
    client.post("/api/people/Anna/remember")
    job = until(lambda: next(j for j in client.get("/api/jobs").json() if j["kind"] == "remember"))
    until(lambda: client.get("/api/jobs").json()[0]["state"] in ("done", "failed"), 300)
    job = client.get("/api/jobs").json()[0]
    assert job["state"] == "done", job
    answer = client.post("/api/people/Anna/ask", json={"text": "Are you an AI?"})
    pieces = [json.loads(line) for line in answer.text.splitlines()]
    assert "AI" in "".join(piece.get("piece", "") for piece in pieces)
    assert len(client.get("/api/people/Anna").json()["history"]) == 2


# ---------------------------------------------------------------- words


def test_every_word_of_the_page_is_there_in_every_language() -> None:
    first, *others = (words(language) for language in LANGUAGES)
    for other in others:
        assert set(other) == set(first)
        for key, text in other.items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", first[key])), key
    used = set()
    families = set()
    for path in PAGE.glob("*.js"):
        script = path.read_text("utf-8")
        used |= set(re.findall(r'\bt\("([a-z0-9_.]+)"', script))
        families |= set(re.findall(r"\bt\(`([a-z]+)\.\$", script))
        families |= set(re.findall(r"has\(`([a-z]+)\.\$", script))
    assert used <= set(first)
    parts = {"recordings", "train", "speak", "voices", "story", "books", "people"}
    shown = used | {f"{name}.{what}" for name in parts for what in ("title", "lead")}
    spare = {key for key in set(first) - shown if key.split(".")[0] not in families}
    assert not spare
    assert set(work.KINDS) == {
        key.removeprefix("kind.") for key in first if key.startswith("kind.")
    }


def test_what_goes_wrong_is_told_in_the_pages_language(client: httpx.Client) -> None:
    wish = {"recordings": "anna", "name": "con", "consent": "yes"}
    english = refused(client.post("/api/train", json=wish))
    chinese = refused(client.post("/api/train", json=wish, headers={"x-language": "zh"}))
    assert "cannot be called" in english
    assert re.search("[\u4e00-\u9fff]", chinese)
    page = client.get("/", headers={"accept": "text/html"}).text
    assert 'lang="en"' in page or 'lang="zh"' in page or 'lang="ja"' in page
