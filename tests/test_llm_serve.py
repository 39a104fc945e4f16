"""`transformers serve`, a server that is none of ours, with a tiny model: chat, stream, JSON."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_llm import Fox

from pipelines.llm import ChatOptions, ask, open_model, user
from pipelines.llm.structured import Refused
from tests.tiny_llm import make_tiny_llm

START_S = 500.0  # on a machine that does other things too

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """'openai:MODEL@URL' of a running server."""
    folder = make_tiny_llm(tmp_path_factory.mktemp("serve") / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = (folder.parent / "log").open("wb")
    server = subprocess.Popen(
        [program, *arguments],
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    try:
        _wait(server, f"http://127.0.0.1:{port}/health", folder.parent / "log")
        yield f"openai:{folder}@http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_S:
        assert server.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the server did not come up: {log.read_text('utf-8', 'replace')[-2000:]}")


def test_a_real_server_answers_whole_and_in_pieces(served: str) -> None:
    model = open_model(served)
    options = ChatOptions(temperature=0.0, max_tokens=12)
    whole = model.complete([user("Hello.")], options)
    assert whole.text
    assert model.usage.completion_tokens > 0
    pieces = list(model.stream([user("Hello.")], options))
    assert "".join(pieces).strip() == whole.text
    assert model.usage.requests == 2


def test_a_server_that_knows_no_schema_is_asked_in_words_and_refused_in_the_end(
    served: str,
) -> None:
    model = open_model(served)
    with pytest.raises(Refused, match="twice"):
        ask(model, [user("A fox.")], Fox, ChatOptions(max_tokens=20))
    assert model.usage.requests == 2
