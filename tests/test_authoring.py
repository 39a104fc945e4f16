"""The commands around a story: new, check, pin, prompt, plan, and an idea through a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_author import IDEA, Studio
from test_render import ARTIST, SIZE, tell, write
from tones import Tones, small_story

import cli
from pipelines.llm.chat import Message
from pipelines.story.forms import Wishes
from pipelines.story.past import Past
from pipelines.story.pinning import pin
from pipelines.story.planning import StoryPlan, plan_render
from pipelines.story.ship import Settings
from pipelines.story.takes import read_takes
from tests.bad_server import Answer, Request, Server, completion, failure
from vits.errors import UserError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.story, [str(argument) for argument in arguments])


def test_a_new_story_is_a_whole_one_and_checks_out(library: Path, tmp_path: Path) -> None:
    assert run("new", tmp_path / "fox").exit_code == 0
    checked = run("check", tmp_path / "fox")
    assert checked.exit_code == 0, checked.output
    assert "0 errors, 0 warnings" in checked.output
    again = run("new", tmp_path / "fox")
    assert again.exit_code == 2
    assert "there already" in again.output


BROKEN = """\
title: a
lexicon: {Pim: '/'}
cast:
  Pim: {voice: nobody}
  Mara:
scenes:
  - prompt: ein Fuß.
    image: none.png
    lines: [{Pim: hello, audio: ../a.wav}, "ok ☃"]
"""


def test_a_check_lists_everything_that_is_wrong(library: Path, tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(BROKEN)
    (tmp_path / "takes.yaml").write_text("pictures: [{scene: '9', take: 1}]")
    result = run("check", tmp_path, "--json")
    assert result.exit_code == 2
    told = json.loads(result.output)
    errors, warnings = "\n".join(told["errors"]), "\n".join(told["warnings"])
    for cause in ("none.png", "nobody", "lexicon"):
        assert cause in errors
    for cause in ("☃", "scene 9", "Mara never speaks", "English only"):
        assert cause in warnings
    (tmp_path / "story.yaml").write_text("title: a\nscene: []\n")
    assert "unknown field 'scene'" in run("check", tmp_path).output


def planned(folder: Path, **changes: object) -> StoryPlan:
    settings = {"formats": ("srt",), "narrator": Tones(), "artist": ARTIST}
    return plan_render(str(folder), folder, **(settings | changes))  # type: ignore[arg-type]


def todo(plan: StoryPlan) -> dict[str, int]:
    return {step.name: step.todo for step in plan.steps}


def test_a_plan_says_what_is_to_do_and_learns_how_long(library: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "fox", small_story())
    before = sorted(folder.rglob("*"))
    plan = planned(folder)
    assert sorted(folder.rglob("*")) == before
    assert todo(plan) == {"pictures": 3, "lines": 4, "srt": 1}
    assert plan.seconds is None
    tell(folder, folder, formats=("srt",))
    done = planned(folder)
    assert todo(done) == {"pictures": 0, "lines": 0, "srt": 0}
    assert done.seconds == 0
    again = planned(folder, redo=("scene:1.line:2", "scene:2.picture"))
    assert todo(again) == {"pictures": 1, "lines": 1, "srt": 1}
    assert again.seconds is not None
    assert again.seconds > 0
    assert todo(planned(folder, preview=True, formats=("vtt",))) == {
        "pictures": 0,
        "lines": 0,
        "vtt": 1,
    }


def test_the_plan_of_an_idea_needs_a_model_but_asks_it_nothing(
    library: Path, tmp_path: Path
) -> None:
    arguments = ("render", IDEA, "-o", tmp_path / "x", "--plan", "--scenes", 3)
    assert "no language model" in run(*arguments).output
    result = run(*arguments, "--llm", "openai:m@http://127.0.0.1:9")
    assert result.exit_code == 0, result.output
    assert "3 scenes" in result.output
    assert not (tmp_path / "x").exists()


def test_the_past_forgets_slowly_and_survives_a_broken_file(library: Path) -> None:
    past = Past()
    past.note("x", 10, 100)
    for _ in range(20):
        past.note("x", 10, 10)
    assert past.seconds("x", 5) == pytest.approx(5, rel=0.3)
    assert past.seconds("y", 5) is None
    past.save()
    assert Past.load().seconds("x", 5) == pytest.approx(past.seconds("x", 5), rel=1e-3)
    (library / "past.json").write_text("[1")
    assert Past.load().rates == {}


def test_pins_are_kept_and_let_go(tmp_path: Path) -> None:
    folder = write(tmp_path / "fox", small_story())
    with pytest.raises(UserError, match="not made yet"):
        pin(folder, ["scene:1.line:1"], narrator=Tones(), artist=ARTIST)
    tell(folder, folder)
    names = pin(folder, ["scene:1"], narrator=Tones(), artist=ARTIST)
    assert names == ["scene:1.picture", "scene:1.line:1", "scene:1.line:2"]
    assert len(read_takes(folder).lines) == 2
    assert tell(folder, folder).made == 0
    pin(folder, ["scene:1"], free=True, narrator=Tones(), artist=ARTIST)
    assert read_takes(folder).lines == ()


@pytest.mark.parametrize("subject", ["a fox at night", "夜晚的小狐狸", "夜のきつね"])
def test_a_subject_in_any_language_becomes_two_prompts(library: Path, subject: str) -> None:
    lines = run("prompt", subject).output.splitlines()
    assert lines[0].startswith("**Prompt:** ")
    assert lines[1].startswith("**Negative Prompt:** nsfw,")
    assert "fox" in lines[0]
    assert lines[0].isascii()


# ---------------------------------------------------------------- a server


class StudioServer(Server):
    """The studio behind a server, which is out of sorts for the first `bad` requests."""

    def __init__(self, *bad: Answer) -> None:
        super().__init__(*bad, failure(500))
        self.studio, self.bad = Studio(), len(bad)

    def next_answer(self, request: Request) -> Answer:
        if len(self.seen) < self.bad:
            return super().next_answer(request)
        self.seen.append(request)
        wish = request.json
        schema = wish["response_format"]["json_schema"]["schema"]
        messages = [Message(m["role"], m["content"]) for m in wish["messages"]]
        return completion(self.studio.complete(messages, None, schema).text)


def test_an_idea_becomes_a_told_story_through_a_server(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    out = tmp_path / "fox"
    with StudioServer(failure(429, Retry_After="0")) as server:
        spec = f"openai:m@{server.url}"
        result = run("write", IDEA, "-o", out, "--llm", spec, "--scenes", 2)
        assert result.exit_code == 0, result.output
        assert "Rust at Night: 2 scenes" in result.output
        assert "7 requests" not in result.output  # two pictures are asked for once
        assert "6 requests, 60 tokens read, 30 written" in result.output
        told = tell(out, out, settings=Settings(SIZE), cast="library")
        assert [scene.id for scene in told.timeline.scenes] == ["title", "1", "2"]
        fresh = tell(IDEA, tmp_path / "idea", llm=spec, wishes=Wishes(scenes=2))
        assert "requests, " in fresh.usage
        count = len(server.seen)
        assert run("write", IDEA, "-o", out, "--llm", spec, "--scenes", 2).exit_code == 0
        assert len(server.seen) == count


@pytest.mark.parametrize(
    ("bad", "told"), [(failure(401), "refuses the key"), (failure(404), "knows no model")]
)
def test_a_server_that_cannot_be_used_is_one_line_and_nothing_is_lost(
    library: Path, tmp_path: Path, bad: Answer, told: str
) -> None:
    with Server(bad) as server:
        result = run("render", IDEA, "-o", tmp_path / "x", "--llm", f"openai:m@{server.url}")
    assert result.exit_code == 2
    assert told in result.output
    assert not (tmp_path / "x" / "story.yaml").exists()


def test_a_text_with_a_model_that_talks_nonsense_is_the_narrators(
    library: Path, tmp_path: Path
) -> None:
    source = tmp_path / "tale.txt"
    source.write_text("“Is it dark?” asked Pim. “No,” said he.")
    with Server(completion("I would rather not.")) as server:
        spec = f"openai:m@{server.url}"
        result = run("write", source, "-o", tmp_path / "x", "--llm", spec)
    assert result.exit_code == 0
    text = (tmp_path / "x" / "story.yaml").read_text("utf-8")
    assert "“Is it dark?” asked Pim. “No,” said he." in " ".join(text.split())
