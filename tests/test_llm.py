"""Language models: what they are called, that a tiny one's JSON is valid, and servers that fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from pipelines.llm import ChatOptions, ask, open_model, system, user
from pipelines.llm.chat import Message, Reply, Usage
from pipelines.llm.config import Server as Settings
from pipelines.llm.config import default_model, presets, user_file
from pipelines.llm.local import LocalModel
from pipelines.llm.reasoning import answers, without_reasoning
from pipelines.llm.remote import RemoteModel
from pipelines.llm.structured import Refused, json_of
from tests.bad_server import (
    Answer,
    Server,
    completion,
    cut,
    failure,
    hanging,
    json_answer,
    page,
    streamed,
    truncated,
)
from tests.tiny_llm import CHATML, make_tiny_llm
from vits.errors import UserError


class Fox(BaseModel):
    name: str
    age: int = Field(ge=0)
    fears: list[str] = Field(min_length=1, max_length=3)


FOX = '{"name": "Rust", "age": 3, "fears": ["the dark"]}'
HELLO = [system("You are a fox."), user("Hello.")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return LocalModel(str(make_tiny_llm(tmp_path_factory.mktemp("llm") / "tiny")))


# ---------------------------------------------------------------- reasoning


@pytest.mark.parametrize(
    "text",
    [
        "<think>A fox, hm.</think>\n\nOnce there was a fox.",
        "I think of a fox.\n</think>\nOnce there was a fox.",
        "◁think▷Hm.◁/think▷Once there was a fox.",
        "<|channel|>analysis<|message|>Hm.<|end|><|channel|>final<|message|>Once there was a fox.",
        "Once there was <reasoning>what?</reasoning>a fox.",
    ],
)
def test_reasoning_never_reaches_the_answer(text: str) -> None:
    assert without_reasoning(text) == "Once there was a fox."


def test_a_stream_without_its_reasoning_is_the_same_however_it_is_cut() -> None:
    whole = "<think>Hm. A < B.</think>\nOnce <b>there</b> was <think>no</think>a fox."
    for size in (1, 2, 3, 7, 100):
        pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
        assert "".join(answers(pieces)) == "Once <b>there</b> was a fox."
    assert "".join(answers(["Hm.</th", "ink>Yes."], inside=True)) == "Yes."
    assert "".join(answers(["<think>for ever"])) == ""


# ---------------------------------------------------------------- names and settings


def test_presets_of_the_user_change_and_add_to_those_that_ship(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"deepseek", "qwen", "glm", "ernie", "ollama", "vllm"} <= set(presets())
    assert default_model() == ""
    user_file().parent.mkdir(parents=True)
    user_file().write_text(
        "default: mine:big\npresets:\n  qwen: {model: other}\n  mine: {url: http://h/v1}\n"
    )
    assert presets()["qwen"].model == "other"
    assert presets()["qwen"].url.startswith("https://")
    assert default_model() == "mine:big"
    model = open_model("mine:big")
    assert isinstance(model, RemoteModel)
    assert (model.server.url, model.model) == ("http://h/v1", "big")
    monkeypatch.setenv("CLONE_VOICE_LLM", "ollama:small")
    assert default_model() == "ollama:small"


@pytest.mark.parametrize(
    ("written", "told"),
    [("default: [", "expected"), ("presets: {a: {price: 3}}", "price"), ("speed: 3", "speed")],
)
def test_a_wrong_settings_file_is_told(library: Path, written: str, told: str) -> None:
    user_file().parent.mkdir(parents=True)
    user_file().write_text(written)
    with pytest.raises(UserError, match=told):
        presets()


@pytest.mark.parametrize("spec", ["", "gpt", "hf:", "nobody:m", "openai:", "hf:a/b,int2"])
def test_what_names_no_model_is_told_with_what_does(spec: str, library: Path) -> None:
    with pytest.raises(UserError):
        open_model(spec)


def test_names_of_models_have_an_address_and_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    small = open_model("hf:owner/name,int4")
    assert isinstance(small, LocalModel)
    assert (small.source, small.bits) == ("owner/name", 4)
    remote = open_model("openai:m@http://127.0.0.1:1")
    assert isinstance(remote, RemoteModel)
    assert str(remote.client.base_url) == "http://127.0.0.1:1/v1/"
    assert open_model("openai:m").server.url == "https://api.openai.com/v1"  # type: ignore[attr-defined]


# ---------------------------------------------------------------- here


def test_even_a_random_models_json_is_valid(tiny: LocalModel) -> None:
    for seed in range(3):
        options = ChatOptions(seed=seed, max_tokens=60, temperature=1.0)
        fox = ask(tiny, HELLO, Fox, options)
        assert 1 <= len(fox.fears) <= 3
        assert fox.age >= 0


def test_json_closes_when_the_words_run_out(tiny: LocalModel) -> None:
    schema = Fox.model_json_schema()
    reply = tiny.complete(HELLO, ChatOptions(max_tokens=20, temperature=1.0), schema)
    assert Fox.model_validate_json(reply.text)
    assert not reply.cut
    assert len(reply.text) < 20 + 100


def test_the_same_seed_gives_the_same_words_streamed_or_whole(tiny: LocalModel) -> None:
    options = ChatOptions(max_tokens=40, temperature=1.0, seed=5)
    whole = tiny.complete(HELLO, options)
    assert tiny.complete(HELLO, ChatOptions(max_tokens=2, seed=5)).cut
    assert "".join(tiny.stream(HELLO, options)).strip() == whole.text
    assert tiny.complete(HELLO, options).text == whole.text
    assert tiny.complete(HELLO, ChatOptions(max_tokens=40, temperature=1.0)).text != whole.text


def test_who_stops_listening_stops_the_model(tiny: LocalModel) -> None:
    before = tiny.usage.completion_tokens
    words = tiny.stream(HELLO, ChatOptions(max_tokens=8000, temperature=1.0))
    next(words)
    words.close()  # type: ignore[attr-defined]
    assert tiny.usage.completion_tokens - before < 4000


def test_a_text_longer_than_the_model_reads_is_told(tiny: LocalModel) -> None:
    with pytest.raises(UserError, match="too long"):
        tiny.complete([user("word " * 8000)])


def test_templates_that_know_no_system_turn_and_models_without_one(tmp_path: Path) -> None:
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + CHATML
    model = LocalModel(str(make_tiny_llm(tmp_path / "a", template=strict)))
    assert "You are a fox.\n\nHello." in model.prompt(HELLO, think=True)
    plain = LocalModel(str(make_tiny_llm(tmp_path / "b", template=None)))
    assert plain.prompt(HELLO, think=True).endswith("user: Hello.\n\nassistant:")
    thinking = LocalModel(str(make_tiny_llm(tmp_path / "c", template=CHATML + "<think>\n")))
    assert thinking.prompt(HELLO, think=False).rstrip().endswith("</think>")
    assert thinking.complete(HELLO, ChatOptions(max_tokens=10)).text == ""


@pytest.mark.parametrize("bits", [4, 8])
def test_a_model_in_fewer_bits_writes_valid_json_too(tmp_path: Path, bits: int) -> None:
    folder = make_tiny_llm(tmp_path / "tiny")
    model = LocalModel(str(folder), bits=bits)
    assert ask(model, HELLO, Fox, ChatOptions(max_tokens=20)).fears
    assert model.fingerprint() != LocalModel(str(folder)).fingerprint()


def _without(name: str) -> Callable[[Path], object]:
    return lambda folder: [path.unlink() for path in folder.glob(name)]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_without("*"), "not a model's folder"),
        (_without("*.safetensors"), "no weights"),
        (_without("tokenizer*"), "tokenizer"),
        (lambda f: (f / "config.json").write_text('{"model_type": "chatglm"}'), "glm-4-9b"),
        (lambda f: (f / "config.json").write_text('{"model_type": "mine"}'), "code of its own"),
        (lambda f: (f / "model.safetensors").write_bytes(b"no"), "cannot be loaded"),
    ],
)
def test_a_folder_that_is_no_such_model_is_told(
    tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    folder = make_tiny_llm(tmp_path / "tiny")
    spoil(folder)
    with pytest.raises(UserError, match=told):
        LocalModel(str(folder)).complete(HELLO)


def test_what_is_neither_folder_nor_id_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no id of a hub"):
        LocalModel(str(tmp_path / "nothing" / "there")).complete(HELLO)


@pytest.mark.parametrize("name", ["owner/name", "modelscope:owner/name"])
def test_a_hub_that_does_not_answer_is_told(name: str, tmp_path: Path) -> None:
    """In a process of its own: the hubs' clients read the environment once."""
    import os
    import subprocess
    import sys

    code = f"from pipelines.hub import find_model; find_model({name!r})"
    closed = {"HF_ENDPOINT": "http://127.0.0.1:9", "MODELSCOPE_ENDPOINT": "http://127.0.0.1:9"}
    homes = {"HF_HOME": str(tmp_path), "MODELSCOPE_CACHE": str(tmp_path)}
    environment = {**os.environ, **closed, **homes, "MODELSCOPE_MAX_RETRIES": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "vits.errors.UserError" in ran.stderr
    assert "does not answer" in ran.stderr


# ---------------------------------------------------------------- on servers


def remote(server: Server, **changes: object) -> RemoteModel:
    settings = Settings(url=server.url, model="m", retries=2, timeout_s=20, currency="CNY")
    return RemoteModel(settings.model_copy(update=changes), sleep=lambda _: None)


@pytest.mark.parametrize(
    "bad",
    [
        failure(429),
        failure(500),
        failure(503, Retry_After="7"),
        page(),
        cut(completion("Yes.")),
        truncated(completion("Yes.")),
        hanging(),
        json_answer({"choices": []}),
        json_answer(["no"]),
        Answer(),
    ],
)
def test_what_passes_is_tried_again(bad: Answer) -> None:
    patience = 1.5 if bad.hangs else 20.0  # a busy machine answers late
    with Server(bad, bad, completion("Yes.")) as server:
        assert remote(server, timeout_s=patience).complete(HELLO).text == "Yes."
        assert len(server.seen) == 3
    with Server(bad) as server:
        with pytest.raises(UserError, match="3 tries"):
            remote(server, timeout_s=patience).complete(HELLO)
        assert len(server.seen) == 3


def test_the_server_says_how_long_to_wait() -> None:
    waits: list[float] = []
    with Server(failure(429, Retry_After="7"), failure(500), completion("Yes.")) as server:
        model = RemoteModel(remote(server).server, sleep=waits.append)
        model.complete(HELLO)
    assert waits[0] == 7
    assert 0.5 < waits[1] < 2


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (failure(401), "refuses the key"),
        (failure(403), "refuses the key"),
        (failure(404), "knows no model 'm'"),
        (failure(400, "maximum context length exceeded"), "context length"),
        (failure(429, "insufficient_quota"), "empty"),
    ],
)
def test_what_does_not_pass_is_told_at_once(bad: Answer, told: str) -> None:
    with Server(bad) as server:
        with pytest.raises(UserError, match=told):
            remote(server).complete(HELLO)
        assert len(server.seen) == 1


def test_nobody_at_the_address_is_told() -> None:
    with Server() as server:
        model = remote(server)
    with pytest.raises(UserError, match="cannot be reached"):
        model.complete(HELLO)


def test_the_key_comes_from_the_environment_and_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FOX_KEY", "secret")
    with Server(completion("Yes.")) as server:
        remote(server, key_env="FOX_KEY").complete(HELLO)
        assert server.seen[0].headers["Authorization"] == "Bearer secret"
    monkeypatch.delenv("FOX_KEY")
    settings = Settings(url="https://example.invalid/v1", model="m", key_env="FOX_KEY")
    with pytest.raises(UserError, match="FOX_KEY is not set"):
        RemoteModel(settings).complete(HELLO)


def test_usage_and_cost_are_counted() -> None:
    with Server(completion("Yes.", read=1000, written=500), streamed("Y", "es.")) as server:
        model = remote(server, input_price=2.0, output_price=10.0)
        model.complete(HELLO)
        assert "".join(model.stream(HELLO)) == "Yes."
    assert model.usage == Usage(2, 1010, 505, pytest.approx(1010 * 2e-6 + 505 * 1e-5), "CNY")
    assert "CNY" in model.usage.line


def test_a_stream_is_tried_again_until_its_first_word() -> None:
    with Server(failure(500), page(), streamed("<think>hm</think>", "Yes", ".")) as server:
        assert "".join(remote(server).stream(HELLO)) == "Yes."
    with Server(streamed("Yes", end=False)) as server:
        words = remote(server).stream(HELLO)
        assert next(words) == "Yes"
        with pytest.raises(UserError, match="no usable answer"):
            list(words)
        assert len(server.seen) == 1


def test_a_parameter_that_the_server_does_not_know_is_left_out() -> None:
    refusals = (failure(400, "response_format json_schema is unsupported"), failure(400, "seed?"))
    with Server(*refusals, completion(FOX)) as server:
        model = remote(server)
        assert ask(model, HELLO, Fox).name == "Rust"
        sent = [request.json for request in server.seen]
        assert [s.get("response_format", {}).get("type") for s in sent] == [
            "json_schema",
            "json_object",
            "json_object",
        ]
        assert "seed" not in sent[-1]
        ask(model, HELLO, Fox)  # it is remembered
        assert len(server.seen) == 4


def test_the_first_model_of_a_server_is_taken_where_none_is_named() -> None:
    with Server(json_answer({"object": "list", "data": [_listed("a")]}), completion("Y")) as server:
        assert remote(server, model="").complete(HELLO).text == "Y"
        assert server.seen[1].json["model"] == "a"


def _listed(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "x"}


# ---------------------------------------------------------------- JSON


class Scripted:
    """A model that says what it is told to."""

    name = "the script"

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[list[Message]] = []
        self.usage = Usage()

    def fingerprint(self) -> dict[str, object]:
        return {"model": self.name}

    def complete(self, messages, options=None, schema=None) -> Reply:  # type: ignore[no-untyped-def]
        self.asked.append(list(messages))
        return Reply(self.texts.pop(0))

    def stream(self, messages, options=None) -> Iterator[str]:  # type: ignore[no-untyped-def]
        yield self.complete(messages).text


@pytest.mark.parametrize("around", ["{}", "Here it is:\n```json\n{}\n```\nDone.", "Sure! {} :-)"])
def test_json_is_found_in_prose(around: str) -> None:
    assert ask(Scripted(around.replace("{}", FOX)), HELLO, Fox).name == "Rust"


def test_a_wrong_answer_is_repaired_once_and_the_model_told_why() -> None:
    model = Scripted('{"name": "Rust"}', FOX)
    assert ask(model, HELLO, Fox).age == 3
    assert "age: Field required" in model.asked[1][-1].content
    assert model.asked[1][-2].content == '{"name": "Rust"}'


def test_what_no_schema_says_is_checked_too() -> None:
    model = Scripted(FOX, FOX.replace("Rust", "Ash"))
    fox = ask(model, HELLO, Fox, check=lambda f: "Call him Ash." if f.name != "Ash" else "")
    assert fox.name == "Ash"
    assert "Call him Ash." in model.asked[1][-1].content


def test_a_second_wrong_answer_is_refused_with_the_text_shown() -> None:
    with pytest.raises(Refused, match="Once upon a time") as refused:
        ask(Scripted("Once upon a time.", "Once upon a time!"), HELLO, Fox)
    assert refused.value.text == "Once upon a time!"


def test_json_of_leaves_what_is_no_json() -> None:
    assert json_of("no") == "no"
    assert json.loads(json_of('x {"a": "}"} {')) == {"a": "}"}
