"""The speech server, by the client that its callers use, and by callers it does not want."""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import httpx
import numpy as np
import openai
import pytest
from click.testing import CliRunner
from conftest import make_tiny_voice
from loopback import running

import cli
from pipelines.media.labels import read_marks
from pipelines.serving.app import speech_app
from pipelines.serving.doors import Doors, Pace
from pipelines.serving.speech import Limits
from vits.errors import UserError
from vits.voice import Voice

TEXT = "Good evening. It is a long way home, she said."
KEY = "a-key-of-more-than-16-characters"
FAST = 100_000  # requests a minute


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library with one voice, `tiny`."""
    home = tmp_path_factory.mktemp("home")
    make_tiny_voice(home / "voices" / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLONE_VOICE_HOME", str(home))
        yield home


def tiny_app(**doors: Any) -> Any:
    limits = Limits(characters=2000)
    return speech_app(Doors(**{"per_minute": FAST} | doors), voice="tiny", limits=limits)


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with running(tiny_app(patience_s=2.0)) as url:
        yield url


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def expected(text: str = TEXT, **manner: Any) -> np.ndarray:
    """What the voice says, in one piece."""
    speeches = Voice.load("tiny").speak(text, soon=True, **manner)
    return np.concatenate([speech.audio.samples for speech in speeches])


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    """Samples (T,) in [-1, 1] and rate of a sound file."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        to_float = av.AudioResampler(format="flt", layout="mono")
        frames = [f for frame in container.decode(stream) for f in to_float.resample(frame)]
        return np.concatenate([f.to_ndarray()[0] for f in frames]), stream.rate


def speak(url: str, **fields: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/audio/speech", json=fields, timeout=60)


# ---------------------------------------------------------------- speaking


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac", "wav"])
def test_the_openai_client_gets_every_format(
    client: openai.OpenAI, kind: Any, tmp_path: Path
) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="tiny:Anna", input=TEXT, response_format=kind
    )
    samples, rate = decoded(answer.content)
    assert len(samples) / rate == pytest.approx(len(expected()) / 22050, abs=0.1)
    assert answer.response.headers["content-type"].startswith("audio/")
    if kind != "aac":
        file = tmp_path / f"said.{kind}"
        file.write_bytes(answer.content)
        assert read_marks(file).aigc is not None


def test_streamed_wav_is_what_the_voice_says_sample_by_sample(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="clone-voice", voice="tiny", input=TEXT, response_format="wav"
    ) as answer:
        pieces = list(answer.iter_bytes())
    samples, rate = decoded(b"".join(pieces))
    assert rate == 22050
    np.testing.assert_allclose(samples, expected(), atol=1e-3)


def test_raw_samples_are_at_24_khz(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(
        model="clone-voice", voice="tiny", input=TEXT, response_format="pcm"
    )
    assert len(answer.content) / 2 / 24_000 == pytest.approx(len(expected()) / 22050, abs=0.01)


def test_faster_is_shorter_and_a_seed_and_a_speaker_are_heard(url: str) -> None:
    def said(**fields: Any) -> bytes:
        fields = {"input": TEXT, "voice": "tiny", "response_format": "pcm"} | fields
        return speak(url, **fields).content

    assert len(said(speed=2.0)) < 0.8 * len(said())
    assert said(seed=1) == said(seed=1)
    assert said(seed=1) != said(seed=2)
    assert said(voice="tiny:Ben", language="en") != said()
    assert said(voice={"id": "tiny"}) == said()


def test_a_whole_file_has_its_length_in_its_head(url: str) -> None:
    answer = speak(url, input=TEXT, voice="tiny", response_format="wav", stream=False)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert int.from_bytes(answer.content[4:8], "little") == len(answer.content) - 8
    np.testing.assert_allclose(decoded(answer.content)[0], expected(), atol=1e-3)


def test_sound_comes_as_events_where_they_are_asked_for(url: str) -> None:
    answer = speak(url, input=TEXT, voice="tiny", stream_format="sse")
    lines = [line for line in answer.text.split("\n\n") if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    kinds = [event["type"] for event in events]
    assert kinds == ["speech.audio.delta"] * (len(events) - 1) + ["speech.audio.done"]
    assert len(events) > 2


def test_many_at_once_each_hear_what_they_would_hear_alone(url: str) -> None:
    texts = [f"{word} is here, and so are they all." for word in ("one", "two", "three")]

    def said(text: str) -> bytes:
        return speak(url, input=text, voice="tiny", response_format="wav").content

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(said, texts * 2))
    for text, data in zip(texts * 2, together, strict=True):
        np.testing.assert_allclose(decoded(data)[0], expected(text), atol=2e-3)


def test_voices_and_models_are_listed(client: openai.OpenAI, url: str) -> None:
    assert [model.id for model in client.models.list()] == ["clone-voice"]
    assert client.models.retrieve("clone-voice").id == "clone-voice"
    listed = httpx.get(f"{url}/v1/audio/voices").json()["voices"]
    assert {"tiny", "tiny:Anna", "tiny:Ben"} <= {voice["id"] for voice in listed}


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"input": TEXT, "voice": "nobody"}, 400, "There is no voice 'nobody'"),
        ({"input": TEXT, "voice": "tiny:Nobody"}, 400, "There is no speaker 'Nobody'"),
        ({"input": TEXT, "voice": "/etc"}, 400, "There is no voice '/etc'"),
        ({"input": TEXT, "voice": "../voices/tiny"}, 400, "There is no voice"),
        ({"input": "[voice:/etc]Hello.[/voice]", "voice": "tiny"}, 400, "There is no voice '/etc'"),
        ({"input": TEXT, "voice": "tiny", "model": "whisper-1"}, 404, "no model 'whisper-1'"),
        ({"input": TEXT, "voice": "tiny", "language": "zh"}, 400, "does not speak 'zh'"),
        ({"input": TEXT, "voice": "tiny", "speed": 9}, 400, "speed"),
        ({"input": TEXT, "voice": "tiny", "response_format": "exe"}, 400, "response_format"),
        ({"input": TEXT, "voice": "tiny", "output": "/tmp/x"}, 400, "output"),
        ({"input": "x" * 2001, "voice": "tiny"}, 400, "2001 characters, more than 2000"),
        ({"input": " ", "voice": "tiny"}, 400, "nothing in the text"),
        ({"voice": "tiny"}, 400, "input"),
    ],
)
def test_bad_wishes_are_told_in_one_line(
    url: str, fields: dict[str, Any], status: int, words: str
) -> None:
    answer = speak(url, **fields)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


def test_bad_bodies_are_told_in_one_line(url: str) -> None:
    def posted(content: bytes, **headers: str) -> httpx.Response:
        headers = {"content-type": "application/json"} | headers
        return httpx.post(f"{url}/v1/audio/speech", content=content, headers=headers)

    assert posted(b'{"input": ').json()["error"]["code"] == "invalid_json"
    assert posted(b"\xff\xfe").status_code == 400
    assert posted(b"[1]").status_code == 400
    assert "Content-Type" in posted(b"input=x", **{"content-type": "text/plain"}).text
    whole = posted(json.dumps({"input": "a" * 1_000_000}).encode())
    assert whole.status_code == 413
    chunked = httpx.post(f"{url}/v1/audio/speech", content=iter([b"a" * 65536] * 16))
    assert chunked.status_code == 413


def test_the_client_raises_what_the_server_says(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="There is no voice 'nobody'"):
        client.audio.speech.create(model="tts-1", voice="nobody", input=TEXT)
    with pytest.raises(openai.NotFoundError, match="There is no model"):
        client.audio.speech.create(model="other", voice="tiny", input=TEXT)


# ---------------------------------------------------------------- who may come in


def test_pages_of_other_sites_are_refused(url: str) -> None:
    form = {"input": TEXT, "voice": "tiny"}
    for headers in (
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": url.replace("127.0.0.1", "localhost")},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ):
        refused = httpx.post(f"{url}/v1/audio/speech", data=form, headers=headers)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
    assert httpx.get(f"{url}/v1/models", headers={"origin": url}).status_code == 200


def test_a_name_that_somebody_points_here_is_refused(url: str) -> None:
    port = urlsplit(url).port
    for host in (f"elsewhere.example:{port}", "elsewhere.example", f"127.0.0.1.example:{port}", ""):
        assert httpx.get(f"{url}/v1/models", headers={"host": host}).status_code in (400, 403)
    assert httpx.get(f"{url}/v1/models", headers={"host": "localhost"}).status_code == 200


def test_a_key_is_asked_of_everybody_where_there_is_one(home: Path) -> None:
    with running(tiny_app(key=KEY)) as url:
        wrong = openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0)
        right = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
        with pytest.raises(openai.AuthenticationError):
            wrong.models.list()
        assert right.audio.speech.create(model="tts-1", voice="tiny", input=TEXT).content
        for path in ("/metrics", "/docs", "/openapi.json", "/v1/audio/voices"):
            assert httpx.get(url + path).status_code == 401
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_site_that_was_named_may_call(home: Path) -> None:
    site = "https://example.org"
    with running(tiny_app(key=KEY, origins=(site,))) as url:
        asked = {"origin": site, "access-control-request-method": "POST"}
        allowed = httpx.options(f"{url}/v1/audio/speech", headers=asked)
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == site
        headers = {"origin": site, "authorization": f"Bearer {KEY}"}
        answer = httpx.get(f"{url}/v1/models", headers=headers)
        assert answer.headers["access-control-allow-origin"] == site
        other = asked | {"origin": "https://elsewhere.example"}
        assert httpx.options(f"{url}/v1/audio/speech", headers=other).status_code == 403


def test_other_addresses_need_a_key_and_keys_are_long() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "my-machine"):
        with pytest.raises(UserError, match="it has no key"):
            Doors(host=host)
    assert Doors(host="::1").loopback
    with pytest.raises(UserError, match="shorter than 16"):
        Doors(key="short")
    assert KEY not in repr(Doors(key=KEY))


def test_who_asks_too_often_waits(home: Path) -> None:
    with running(tiny_app(per_minute=3)) as url:
        statuses = [httpx.get(f"{url}/v1/models").status_code for _ in range(4)]
        refused = httpx.get(f"{url}/v1/models")
    assert statuses[:3] == [200] * 3
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1


def test_the_pace_fills_again_evenly_and_is_each_callers_own() -> None:
    now = [0.0]
    pace = Pace(60, clock=lambda: now[0])
    assert [pace.wait_s("a") for _ in range(60)] == [0] * 60
    assert pace.wait_s("a") == 1
    assert pace.wait_s("b") == 0
    now[0] = 1.0
    assert pace.wait_s("a") == 0
    assert pace.wait_s("a") == 1


# ---------------------------------------------------------------- slow ones


def test_slow_senders_keep_nobody_waiting_and_are_sent_away(url: str) -> None:
    place = urlsplit(url)
    head = (
        f"POST /v1/audio/speech HTTP/1.1\r\nHost: {place.netloc}\r\n"
        "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    ).encode()
    slow = [socket.create_connection((place.hostname, place.port)) for _ in range(40)]
    for one in slow:
        one.sendall(head)
    assert speak(url, input=TEXT, voice="tiny").status_code == 200
    for one in slow:
        one.settimeout(30)
        assert b" 408 " in one.recv(4096)
        one.close()


def test_slow_readers_do_not_fill_the_memory(home: Path) -> None:
    app = tiny_app(patience_s=30)
    made = []
    engine = app.state.engine
    counted = engine.on_speech
    engine.on_speech = lambda seconds: (made.append(seconds), counted(seconds))
    long = "This goes on and on, and on again. " * 15
    body = json.dumps({"input": long, "voice": "tiny", "response_format": "wav"})
    with running(app) as url:
        place = urlsplit(url)
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        reader.connect((place.hostname, place.port))
        head = f"Host: {place.netloc}\r\nContent-Type: application/json"
        length = f"Content-Length: {len(body)}"
        reader.sendall(
            f"POST /v1/audio/speech HTTP/1.1\r\n{head}\r\n{length}\r\n\r\n{body}".encode()
        )
        assert b" 200 " in reader.recv(1024)
        settled, before = 0.0, -1.0
        while settled != before:
            before = settled
            time.sleep(0.5)
            settled = sum(made)
        assert 0 < settled < len(expected(long)) / 22050 / 2
        reader.close()
        deadline = time.monotonic() + 20
        while engine.waiting and time.monotonic() < deadline:  # who went away is forgotten
            time.sleep(0.05)
        assert engine.waiting == 0


def test_too_many_that_wait_are_told_so(home: Path) -> None:
    app = tiny_app()
    app.state.engine.most_waiting = 0
    with running(app) as url:
        answer = speak(url, input=TEXT, voice="tiny")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


# ---------------------------------------------------------------- beside speech


def test_what_was_done_is_counted(url: str) -> None:
    speak(url, input=TEXT, voice="tiny")
    httpx.get(f"{url}/no/such/page/anywhere")
    text = httpx.get(f"{url}/metrics").text
    assert 'clone_voice_requests_total{method="POST",path="/v1/audio/speech",status="200"}' in text
    assert "/no/such/page" not in text
    spoken = re.search(r"^clone_voice_speech_seconds_total (\S+)", text, re.M)
    assert spoken
    assert float(spoken[1]) > 0.5


def test_the_page_of_the_api_asks_nobody_else(url: str) -> None:
    page = httpx.get(f"{url}/docs")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert set(re.findall(r"https?://[^/\s\"'&]+", page.text)) == {url}
    for field in ("response_format", "speed", "/v1/audio/voices", "/metrics"):
        assert field in page.text
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    assert {"/v1/audio/speech", "/v1/models", "/v1/audio/voices", "/metrics"} <= set(paths)


def test_a_page_that_is_not_there_is_told_in_the_same_shape(url: str) -> None:
    answer = httpx.get(f"{url}/etc/passwd")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert httpx.get(f"{url}/v1/audio/speech").status_code == 405


# ---------------------------------------------------------------- the command


def test_the_command_says_where_and_ends_by_a_signal(home: Path) -> None:
    command = [sys.executable, "-c", "import cli; cli.clone_voice_main()", "serve"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--voice", "tiny", "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        timer = threading.Timer(60, process.kill)
        timer.start()
        told = json.loads(process.stdout.readline())
        timer.cancel()
        assert speak(told["url"], input=TEXT, voice="tiny").status_code == 200
    finally:
        process.terminate()
    assert process.wait(20) in (0, -15)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "CLONE_VOICE_KEY"),
        (["--voice", "nobody"], "There is no voice 'nobody'"),
        (["--host", "203.0.113.7"], "it has no key"),
    ],
)
def test_a_server_that_cannot_be_says_why(home: Path, arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli.clone_voice, ["serve", *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_a_port_that_is_taken_is_told(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(cli.clone_voice, ["serve", "--port", port, "--voice", "tiny"])
    assert result.exit_code == 2
    assert "--port" in result.output
