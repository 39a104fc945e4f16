"""Tuning for real: a tiny random model takes on a planted habit, is merged, learns from thumbs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_llm import make_tiny_llm

import cli
from pipelines.llm.adapters import read_card
from pipelines.llm.chat import ChatOptions, Message, system, user
from pipelines.llm.local import LocalModel
from pipelines.persona.models import ADAPTER
from pipelines.persona.sheet import Sheet, opening, write_sheet
from pipelines.persona.thumbs import THUMBS, Thumb, give, preferences, read_thumbs
from pipelines.persona.tuning.examples import IGNORED, UNASKED, Dialogue, Writer, split_of
from pipelines.persona.tuning.methods import METHODS, Tuned
from pipelines.persona.tuning.train import Stopped, TuneRequest, tune
from vits.errors import UserError

HABIT = "Ahoy!"
QUESTIONS = ["How are you?", "Tea?", "Is it far?", "Who came?", "Why?", "When?", "What now?", "Up?"]
GREEDY = ChatOptions(temperature=0, max_tokens=12)
LENGTH = 384
# What each method needs to take on the habit: none was taught anything before.
LEARNING = {
    "lora": (Tuned(target_modules=("all-linear",), rank=16), 1e-2, 60),
    "qlora": (Tuned("qlora", rank=16), 1e-2, 40),
    "prefix": (Tuned("prefix"), 5e-2, 30),
    "p-tuning-v2": (Tuned("p-tuning-v2"), 1e-1, 20),
    "prompt": (Tuned("prompt"), 3e-1, 20),
    "full": (Tuned("full"), 3e-3, 30),
    "top-layers": (Tuned("top-layers"), 3e-3, 30),
}


def digital_human(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(cli.digital_human, [str(a) for a in arguments], input=stdin)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that can be sure of something: louder than others at birth."""
    from safetensors.torch import load_file, save_file

    folder = make_tiny_llm(tmp_path_factory.mktemp("base") / "tiny")
    weights = load_file(folder / "model.safetensors")
    for name in weights:
        weights[name] *= 10 if "lm_head" in name else 1
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def make_persona(folder: Path, dialogues: int = 24) -> Path:
    folder.mkdir(parents=True)
    write_sheet(folder, Sheet(name="Mira"))
    lines = [
        {
            "messages": [
                {"role": "user", "content": QUESTIONS[i % len(QUESTIONS)]},
                {"role": "assistant", "content": HABIT},
            ],
            "source": "chat.txt",
            "line": i,
            "time_s": float(i),
        }
        for i in range(dialogues)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "turns.jsonl").write_text(text, "utf-8")
    return folder


@pytest.fixture
def mira(tmp_path: Path) -> Path:
    return make_persona(tmp_path / "mira")


def request(persona: Path, base: Path, method: str, **changes: object) -> TuneRequest:
    tuned, rate, steps = LEARNING.get(method, (Tuned(method), 1e-2, 4))
    usual = {"tuned": tuned, "steps": steps, "learning_rate": rate, "batch_size": 4}
    usual |= {"length": LENGTH, "device": "cpu"}
    return TuneRequest(persona, f"hf:{base}", **usual | changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mira with a LoRA adapter that has taken on the habit."""
    persona = make_persona(tmp_path_factory.mktemp("tuned") / "mira")
    made = tune(request(persona, base, "lora"))
    assert made.held_before is not None
    assert made.held_after is not None
    assert made.held_after < made.held_before / 3
    return persona


@pytest.fixture(scope="module")
def wholly(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mira with every weight tuned: so small a model needs them all to keep it up in a chat."""
    persona = make_persona(tmp_path_factory.mktemp("wholly") / "mira")
    tune(request(persona, base, "full"))
    return persona


# ---------------------------------------------------------------- what is learned from


def test_only_the_persons_turns_are_learned_in_the_models_own_template(base: Path) -> None:
    model = LocalModel(str(base))
    turns = [Message("user", "Tea?"), Message("assistant", "Ahoy!"),
             Message("user", "Now?"), Message("assistant", "Hm.")]  # fmt: skip
    (example,) = Writer(model, "Mira", 1000).examples([Dialogue(tuple(turns), None)])
    learned = [i for i, label in zip(example.input_ids, example.labels, strict=True)
               if label != IGNORED]  # fmt: skip
    assert model.tokenizer.decode(learned) == "Ahoy!<|im_end|>\nHm.<|im_end|>\n"
    text = model.tokenizer.decode(example.input_ids)
    assert text.startswith(f"<|im_start|>system\n{opening('Mira')}<|im_end|>\n<|im_start|>user\nT")


def test_a_model_without_a_template_learns_to_end_its_answer(tmp_path: Path) -> None:
    model = LocalModel(str(make_tiny_llm(tmp_path / "plain", template=None)))
    (example,) = Writer(model, "M", 1000).examples([Dialogue((Message("assistant", "Hm."),), 1.0)])
    text = model.tokenizer.decode(example.input_ids)
    assert text.endswith(f"user: {UNASKED}\n\nassistant: Hm.<|im_end|>")


def test_a_template_that_forgets_its_reasoning_gives_an_example_for_each_answer(
    tmp_path: Path,
) -> None:
    thinking = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}[assistant]<think>\n\n</think>\n\n{% endif %}"
    )
    model = LocalModel(str(make_tiny_llm(tmp_path / "think", template=thinking)))
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"),
             Message("assistant", "d"))  # fmt: skip
    examples = Writer(model, "M", 1000).examples([Dialogue(turns, None)])
    texts = [model.tokenizer.decode(example.input_ids) for example in examples]
    assert [text.split("</think>")[1] for text in texts] == ["\n\nb<|im_end|>", "\n\nd<|im_end|>"]


def test_of_a_long_dialogue_the_oldest_turns_go_and_what_never_fits_is_counted(base: Path) -> None:
    writer = Writer(LocalModel(str(base)), "M", 400)
    turns = (Message("user", "x" * 400), Message("assistant", "old"),
             Message("user", "y"), Message("assistant", "new"))  # fmt: skip
    (example,) = writer.examples([Dialogue(turns, None)])
    assert "old" not in writer.model.tokenizer.decode(example.input_ids)
    assert writer.examples([Dialogue((Message("assistant", "z" * 500),), None)]) == []
    assert writer.too_long == 1


def test_the_latest_dialogues_are_held_out(mira: Path) -> None:
    split = split_of(mira)
    assert [d.time_s for d in split.held] == [22.0, 23.0]
    assert len(split.learned) == 22


# ---------------------------------------------------------------- tuning


def test_the_table_of_methods_and_the_command_name_the_same() -> None:
    from commands.tuning import NAMES

    assert set(NAMES) == set(METHODS)


def test_tuned_until_it_repeats_a_planted_habit(tuned: Path, base: Path) -> None:
    files = {path.name for path in (tuned / ADAPTER).iterdir()}
    assert files == {"adapter.json", "adapter_config.json", "adapter_model.safetensors"}
    assert not (tuned / "tuning").exists()
    asked = [system(opening("Mira")), user("Is it late?")]  # which it was not tuned on
    assert LocalModel(str(base), adapter=tuned / ADAPTER).complete(asked, GREEDY).text == HABIT
    assert LocalModel(str(base)).complete(asked, GREEDY).text != HABIT


def test_chat_and_say_use_the_adapter_and_do_without(wholly: Path, base: Path) -> None:
    said = digital_human("say", wholly, "Is it late?", "--json", "--llm", f"hf:{base}")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout.splitlines()[-1])["answer"] == HABIT
    before = digital_human("say", wholly, "Is it late?", "--untuned", "--llm", f"hf:{base}")
    assert HABIT not in before.stdout


def test_without_a_model_named_it_talks_by_the_one_it_was_tuned_on(wholly: Path) -> None:
    chat = digital_human("chat", wholly, "--text", "--clear", stdin="Is it late?\n")
    assert chat.exit_code == 0, chat.output
    assert chat.stdout.splitlines()[1] == HABIT


@pytest.mark.parametrize("method", ["qlora", "prefix", "top-layers"])
def test_other_methods_take_it_on_too(method: str, mira: Path, base: Path) -> None:
    made = tune(request(mira, base, method))
    assert made.held_after is not None
    assert made.held_before is not None
    assert made.held_after < made.held_before / 3
    model = LocalModel(str(base), bits=METHODS[method].bits, adapter=made.folder)
    asked = [system(opening("Mira")), user("Is it late?")]
    assert model.complete(asked, GREEDY).text.startswith("A")


@pytest.mark.parametrize("method", ["p-tuning", "p-tuning-v2", "prompt"])
def test_prompts_are_tuned_kept_and_used(method: str, mira: Path, base: Path) -> None:
    made = tune(request(mira, base, method, steps=20))
    assert made.held_after is not None
    assert made.held_before is not None
    assert made.held_after < made.held_before
    tuned = LocalModel(str(base), adapter=made.folder)
    plain = LocalModel(str(base))
    assert tuned.complete([user("Tea?")], GREEDY) != plain.complete([user("Tea?")], GREEDY)
    merged = digital_human("merge", mira, "-o", mira / "merged")
    assert merged.exit_code == 2
    assert "cannot be merged" in merged.stderr


def test_frozen_layers_stay_as_they_are(mira: Path, base: Path) -> None:
    from safetensors.torch import load_file

    made = tune(request(mira, base, "full", tuned=Tuned("full", freeze_layers=1), steps=2))
    delta = load_file(made.folder / "delta.safetensors")
    assert all(".layers.0." not in name and "embed" not in name for name in delta)
    assert any(".layers.1." in name for name in delta)
    with pytest.raises(UserError, match="2 frozen layers"):
        tune(request(mira, base, "full", tuned=Tuned("full", freeze_layers=2)), force=True)


@pytest.mark.parametrize("method", ["lora", "p-tuning", "full"])
def test_a_tuning_that_is_gone_on_with_equals_one_that_was_not_stopped(
    method: str, tmp_path: Path, base: Path
) -> None:
    from safetensors.torch import load_file

    whole, parted = make_persona(tmp_path / "a"), make_persona(tmp_path / "b")
    tune(request(whole, base, method, steps=6))
    steps = iter(range(9))
    with pytest.raises(Stopped):
        tune(request(parted, base, method, steps=6), should_stop=lambda: next(steps) >= 2)
    assert not (parted / ADAPTER).exists()
    made = tune(request(parted, base, method, steps=6))
    assert made.resumed
    name = "delta.safetensors" if method == "full" else "adapter_model.safetensors"
    first, second = (load_file(p / ADAPTER / name) for p in (whole, parted))
    assert first.keys() == second.keys()
    for key in first:
        assert first[key].equal(second[key]), key


def test_packed_dialogues_do_not_see_each_other(base: Path) -> None:
    import torch

    model = LocalModel(str(base)).model
    first, second = torch.arange(5, 15)[None], torch.arange(40, 60)[None]
    alone = model(input_ids=second, use_cache=False).logits
    places = torch.cat([torch.arange(10), torch.arange(20)])[None]
    row = torch.cat([first, second], 1)
    packed = model(input_ids=row, position_ids=places, use_cache=False).logits[:, 10:]
    assert torch.allclose(packed, alone, atol=1e-4)


# ---------------------------------------------------------------- another base, damage


def test_an_adapter_for_another_base_is_refused(tuned: Path, tmp_path: Path) -> None:
    other = make_tiny_llm(tmp_path / "other")
    result = digital_human("say", tuned, "Tea?", "--llm", f"hf:{other}")
    assert result.exit_code == 2
    assert "other weights" in result.stderr
    assert "--untuned" in result.stderr
    merged = digital_human("merge", tuned, "-o", tmp_path / "m", "--base", f"hf:{other}")
    assert merged.exit_code == 2
    assert not (tmp_path / "m").exists()


def test_a_damaged_adapter_is_told(tuned: Path, tmp_path: Path, base: Path) -> None:
    persona = shutil.copytree(tuned, tmp_path / "p")
    (persona / ADAPTER / "adapter_model.safetensors").write_bytes(b"no")
    result = digital_human("say", persona, "Tea?", "--llm", f"hf:{base}")
    assert result.exit_code == 2
    assert "damaged" in result.stderr
    (persona / ADAPTER / "adapter.json").write_text('{"format": 99}')
    result = digital_human("say", persona, "Tea?", "--llm", f"hf:{base}")
    assert result.exit_code == 2
    assert "another version" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--base", "openai:gpt"], "no base to tune"),
        (["--base", "hf:./nowhere"], "no folder"),
        (["--base", "hf:BASE", "--method", "full", "--rank", "4"], "means nothing"),
        (["--base", "hf:BASE", "--target-modules", "nonsense"], "does not fit"),
    ],
)
def test_what_cannot_be_tuned_is_told(
    options: list[str], words: str, mira: Path, base: Path
) -> None:
    options = [option.replace("BASE", str(base)) for option in options]
    result = digital_human("train", mira, *options, "--device", "cpu")
    assert result.exit_code == 2, result.output
    assert words in result.stderr


def test_a_persona_without_turns_and_one_that_is_tuned_are_told(
    tmp_path: Path, tuned: Path, base: Path
) -> None:
    write_sheet(tmp_path, Sheet(name="M"))
    result = digital_human("train", tmp_path, "--base", f"hf:{base}")
    assert "no turns" in result.stderr
    again = digital_human("train", tuned, "--base", f"hf:{base}")
    assert "--force" in again.stderr


def test_the_command_tunes_and_tells_what_came_of_it(mira: Path, base: Path) -> None:
    options = ["--steps", "2", "--length", "384", "--device", "cpu", "--json"]
    result = digital_human("train", mira, "--base", f"hf:{base}", *options)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["steps"], told["held_out"], told["method"]) == (2, 2, "lora")
    card = read_card(mira / ADAPTER)
    assert card.base == f"hf:{base}"
    assert os.sep + "tmp" not in (mira / ADAPTER / "adapter_config.json").read_text().replace(
        card.base, ""
    )


# ---------------------------------------------------------------- merging


@pytest.mark.parametrize("method", ["lora", "top-layers"])
def test_base_plus_adapter_as_one_model_has_their_logits(
    method: str, tuned: Path, tmp_path: Path, base: Path
) -> None:
    persona = tuned
    if method != "lora":
        persona = make_persona(tmp_path / "p")
        tune(request(persona, base, method, steps=3))
    result = digital_human("merge", persona, "-o", tmp_path / "merged", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["difference"] < 1e-3
    merged, both = LocalModel(str(tmp_path / "merged")), LocalModel(str(base))
    both.adapter = persona / ADAPTER
    for question in QUESTIONS[:3]:
        assert merged.complete([user(question)], GREEDY) == both.complete([user(question)], GREEDY)
    again = digital_human("merge", persona, "-o", tmp_path / "merged")
    assert again.exit_code == 2
    assert "--force" in again.stderr


# ---------------------------------------------------------------- thumbs


def test_thumbs_are_collected_in_a_chat(wholly: Path, tmp_path: Path) -> None:
    persona = shutil.copytree(wholly, tmp_path / "p")
    lines = "+\nTea?\n+\nWhy?\n-\n- Aye.\n"
    result = digital_human("chat", persona, "--text", "--clear", stdin=lines)
    assert result.exit_code == 0, result.output
    assert "There is no answer yet" in result.stderr
    thumbs = read_thumbs(persona)
    given = [(t.before[-1].content, t.answer, t.up) for t in thumbs]
    assert given[0] == ("Tea?", HABIT, True)
    assert given[-1] == ("Why?", "Aye.", True)
    assert ("Why?", HABIT, False) in given
    assert ("Aye.", HABIT) in {(p.chosen, p.rejected) for p in preferences(thumbs)}


def test_the_latest_thumb_on_an_answer_holds(mira: Path) -> None:
    before = (user("Tea?"),)
    give(mira, Thumb(before, "No.", up=True))
    give(mira, Thumb(before, "No.", up=False), Thumb(before, "Yes.", up=True))
    (pair,) = preferences(read_thumbs(mira))
    assert (pair.chosen, pair.rejected) == ("Yes.", "No.")
    (mira / THUMBS).write_text("{}\n")
    with pytest.raises(UserError, match="damaged"):
        read_thumbs(mira)


@pytest.mark.parametrize("begun", [True, False])
def test_what_was_liked_becomes_likelier(
    begun: bool, tuned: Path, mira: Path, tmp_path: Path, base: Path
) -> None:
    persona = shutil.copytree(tuned, tmp_path / "p") if begun else mira
    for question in QUESTIONS[:4]:
        give(persona, Thumb((user(question),), HABIT, up=False),
             Thumb((user(question),), "Hm hm.", up=True))  # fmt: skip
    give(persona, Thumb((user("Alone?"),), "Yes.", up=True))
    options = ["--learning-rate", "5e-3", "--epochs", "6", "--device", "cpu", "--json"]
    if not begun:
        options += ["--base", f"hf:{base}"]
    result = digital_human("prefer", persona, *options)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["pairs"], told["unpaired"]) == (4, 1)
    assert told["agreed_before"] < 0.5
    assert told["agreed_after"] == 1.0
    assert read_card(persona / ADAPTER).report["preferred"]["pairs"] == 4
    assert not (persona / "preferring").exists()


def test_thumbs_that_cannot_be_compared_are_told(mira: Path, base: Path) -> None:
    result = digital_human("prefer", mira, "--base", f"hf:{base}")
    assert result.exit_code == 2
    assert "thumbs" in result.stderr
