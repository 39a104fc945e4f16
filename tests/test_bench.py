"""bench/: its table tells the truth, and each benchmark runs. No time is judged here."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from conftest import make_tiny_voice

from bench import __main__ as program
from bench import (
    cloning_step,
    commands,
    engines,
    first_audio,
    foreign,
    kills,
    library,
    machine,
    memory,
    persona,
    planted,
    privacy,
    proof,
    settings,
    synthesis,
    telling,
)
from bench.settings import CLIPS, Settings, book, in_fresh_process
from bench.table import Row, Target, markdown, number, ratio
from pipelines.persona.privacy import KINDS, Finding, mod_11_2
from pipelines.story.collage.staging import stages
from pipelines.story.writer import Adapt
from vits.audio import read_audio, resample
from vits.errors import UserError

TINY_RIVAL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "ffn_dim": 16,
    "flow_size": 16,
    "upsample_initial_channel": 32,
    "prior_encoder_num_wavenet_layers": 1,
    "posterior_encoder_num_wavenet_layers": 1,
    "duration_predictor_filter_channels": 16,
}


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything in this process, whose threads are put back as they were."""

    def call(function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    for module in (cloning_step, engines, first_audio, foreign, settings, synthesis):
        monkeypatch.setattr(module, "in_fresh_process", call)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny(tiny_voice: Path) -> Settings:
    """The smallest counts of everything."""
    return Settings(
        voice=str(tiny_voice),
        sentences=("She sold 3 shells.", "He came by."),
        rounds=1,
        words=12,
        sample_every_s=0.05,
        steps=1,
        batch_size=2,
        threads=1,
        launches=1,
        rival=TINY_RIVAL,
    )


# --- the table


def test_a_bound_is_kept_on_its_right_side_only() -> None:
    assert Target(0.03).met(0.03)
    assert not Target(0.03).met(0.0301)
    assert Target(15, at_least=True).met(15)
    assert not Target(15, at_least=True).met(14.9)
    assert not Target(1).met(math.nan)
    assert not Target(1, at_least=True).met(math.nan)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0284, "0.0284"),
        (0.5, "0.500"),
        (21.76, "21.8"),
        (99.99, "100"),
        (812.4, "812"),
        (0, "0.00"),
    ],
)
def test_numbers_have_three_digits(value: float, written: str) -> None:
    assert number(value) == written


def test_rows_say_what_was_measured_aimed_at_and_met() -> None:
    kept = Row("a", 0.284, "s", Target(0.4), "median of 7")
    assert kept.cells == ("a", "0.284 s (median of 7)", "at most 0.4 s", "yes")
    assert Row("b", 9.0, "times", Target(10, at_least=True)).cells == (
        "b", "9.00 times", "at least 10 times", "no",
    )  # fmt: skip
    assert Row("c", 0.7).cells == ("c", "0.700", "-", "-")


def test_a_measurement_that_failed_is_never_met() -> None:
    assert Row("a", None, "s", Target(1), "no such voice").cells[1:] == (
        "failed (no such voice)", "at most 1 s", "no",
    )  # fmt: skip


def test_table_is_markdown_whatever_its_cells_hold() -> None:
    lines = markdown([Row("a|b", 1.0, note="two\nlines"), Row("c", None)]).splitlines()
    assert lines[0] == "| what | measured | target | met |"
    assert lines[1] == "| --- | --- | --- | --- |"
    assert lines[2] == "| a\\|b | 1.00 (two lines) | - | - |"
    assert len(lines) == 4


def test_ratio_is_the_median_of_pairs_measured_together() -> None:
    assert ratio([10.0, 20.0, 300.0], [1.0, 1.0, 10.0]) == 20.0
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])


def test_a_busy_machine_is_named_and_an_idle_one_is_not() -> None:
    assert "load 1.9 on 2 cores" in machine.busy_note(1.9, 2)
    assert machine.busy_note(0.2, 2) == ""
    assert machine.busy_note(None, 2) == ""
    assert f"torch {torch.__version__.split('+')[0]}" in machine.machine()


def test_one_failure_does_not_lose_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(settings: Settings) -> list[Row]:
        raise UserError("There is no voice 'x'.", "Name another.")

    benches = {"bad": fails, "good": lambda settings: [Row("good", 1.0)]}
    monkeypatch.setattr(program, "BENCHES", benches)
    bad, good = program.measure(["bad", "good"], Settings())
    assert bad.measured == "failed (UserError: There is no voice 'x'. Name another.)"
    assert good.value == 1.0


# --- a told story


def test_the_tale_that_is_told_has_its_scenes_and_somebody_to_draw() -> None:
    told = Adapt().write(telling._text(Settings(sentences=("One two.", "Three four."), scenes=5)))
    found = stages(told)
    assert len(told.scenes) == 5
    assert all(found[scene.id].heroes for scene in told.scenes)


def test_overhead_is_what_no_part_accounts_for() -> None:
    parts = {"draw": 4.0, "speak": 3.0, "ship": 2.5}
    run = telling.Run(None, 10.0, parts)  # type: ignore[arg-type]
    assert run.overhead_percent == pytest.approx(5.0)


def test_the_recogniser_finds_the_words_of_a_real_clip_in_order() -> None:
    from pocketsphinx import Decoder

    words = [
        "produced",
        "the",
        "block",
        "books",
        "which",
        "were",
        "the",
        "immediate",
        "predecessors",
        "of",
        "the",
        "true",
    ]
    words += ["printed", "book"]
    audio = resample(read_audio(CLIPS / "LJ001-0004.flac"), 16_000)
    starts = telling._aligned(Decoder(loglevel="FATAL"), audio.samples, words)
    assert len(starts) == len(words)
    assert starts == sorted(starts)
    assert 0 <= starts[0] < starts[-1] < audio.duration_s


# --- the material


@pytest.mark.parametrize("words", [1, 7, 1000])
def test_a_book_has_as_many_words_as_asked_for(words: int) -> None:
    text = "".join(book(("One two three.", "Four five."), words))
    assert len(text.split()) == words
    assert text == "".join(book(("One two three.", "Four five."), words))


def test_a_fresh_process_is_another_one_and_its_errors_come_back() -> None:
    assert in_fresh_process(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        in_fresh_process(divmod, 1, 0)


def test_without_a_base_an_untrained_voice_is_measured_and_named(
    inline: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vits import library
    from vits.voice import Voice

    monkeypatch.setattr(library, "BASES", tmp_path / "nothing")
    with settings.a_voice("mine", tmp_path) as (name, note):
        assert (name, note) == ("mine", "")
    with settings.a_voice("base", tmp_path) as (name, note):
        assert note.startswith("UNTRAINED")
        speech = next(Voice.load(name).speak("We thought about the question for a long time."))
    assert 1.5 < speech.audio.duration_s < 6.0, "about the pace of a person"


# --- each benchmark, at its smallest


@pytest.mark.parametrize(("n_ids", "frames"), [(7, 30), (31, 30), (1, 1), (5, 5)])
def test_durations_that_are_given_add_up(n_ids: int, frames: int) -> None:
    durations = torch.ceil(torch.exp(synthesis.log_durations(n_ids, frames)))
    assert durations.sum() == frames
    assert durations.max() - durations.min() <= 1


@pytest.mark.slow  # transformers takes ten seconds to import
def test_both_make_the_same_seconds_of_speech(inline: None, tiny: Settings) -> None:
    factors = synthesis.synthesis(tiny)
    assert [row.unit for row in factors] == ["", "", "times"]
    ours, rival, times = (row.value for row in factors)
    assert ours is not None
    assert rival is not None
    assert times == pytest.approx(rival / ours)
    assert "2 sentences, 1 thread" in factors[0].what


def test_silence_between_sentences_is_not_counted_as_speech(tiny: Settings) -> None:
    from vits.voice import Voice

    voice = Voice.load(tiny.voice)
    said = synthesis._speak(voice, "He came. [pause:9] She went.", seed=0)
    assert len(said.ids) == len(said.frames) == 2
    assert sum(said.frames) * 256 / 22050 < 5.0


def test_first_audio_tells_of_both_ways_and_of_the_cold_start(inline: None, tiny: Settings) -> None:
    rows = first_audio.first_audio(tiny)
    assert len(rows) == 2, "all threads are one here"
    assert all(row.value and "1 thread" in row.what and "warm-up" in row.note for row in rows)


def test_memory_of_say_is_watched_to_its_end(tiny: Settings) -> None:
    peak, growth = memory.memory(tiny)
    assert peak.value is not None
    assert 50 < peak.value < 5000
    assert growth.value is not None
    assert growth.value >= 0
    assert "ENDED BEFORE ONE MINUTE" in growth.note
    assert growth.met == "-", "a short run proves nothing"


def test_growth_is_counted_from_the_first_minute() -> None:
    samples = [memory.Sample(at, mb) for at, mb in ((1, 900), (61, 400), (99, 420), (120, 410))]
    growth = memory.growth_of(samples)
    assert (growth.settled_mb, growth.most_mb) == (400, 420)
    assert growth.percent == pytest.approx(5.0)


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('no voice')"]
    with pytest.raises(RuntimeError, match="no voice"):
        memory.watch(words, tmp_path / "errors.txt", Settings(sample_every_s=0.05))


def few_clips(folder: Path) -> Path:
    """Three of the example clips, linked with their list."""
    header, *lines = (CLIPS / "manifest.tsv").read_text("utf-8").splitlines()
    short = sorted(lines, key=lambda line: float(line.split("\t")[4]))[4:7]
    folder.mkdir()
    (folder / "manifest.tsv").write_text("\n".join([header, *short]) + "\n", "utf-8")
    for line in short:
        name = line.split("\t")[0]
        (folder / name).write_bytes((CLIPS / name).read_bytes())
    return folder


def test_cloning_steps_are_taken_in_both_sizes(
    inline: None, tiny: Settings, tmp_path: Path
) -> None:
    from vits.config import DiscriminatorConfig, HifiganConfig

    sizes = {
        "inter_channels": 8,
        "hidden_channels": 16,
        "filter_channels": 16,
        "n_layers": 1,
        "posterior_hidden": 8,
        "posterior_layers": 1,
        "flow_hidden": 8,
        "hifigan": HifiganConfig(initial_channels=16),
        "critics": DiscriminatorConfig("light", (2,), (4, 8), ((512, 128),), 4),
    }
    small = replace(tiny, clips=few_clips(tmp_path / "clips"), paper=sizes)
    native, paper, times = cloning_step.cloning_step(small)
    assert "3 clips of" in native.what
    assert "batch 2, 32 frames decoded, float32, 1 thread" in native.what
    assert native.value is not None
    assert paper.value is not None
    assert times.value == pytest.approx(native.value / paper.value)


def test_the_paper_is_measured_in_its_own_sizes() -> None:
    from vits.checkpoint import VoiceConfig
    from vits.config import AudioConfig, VitsConfig
    from vits.text import SYMBOLS

    config = VoiceConfig(VitsConfig(len(SYMBOLS)), AudioConfig(), SYMBOLS)
    ours = cloning_step.native_contender(config, 4)
    paper = cloning_step.paper_contender(config, 4)
    assert paper.model == VitsConfig.paper(len(SYMBOLS), 1, speaker="table", gin_channels=256)
    assert paper.critics.kind == "paper"
    assert ours.model == config.model
    assert ours.critics.kind == "light"
    for name in ("batch_size", "segment_frames", "discriminate_from_step"):
        assert getattr(ours.training, name) == getattr(paper.training, name)


def test_training_on_an_imported_pair_is_measured(
    inline: None, tiny: Settings, tmp_path: Path
) -> None:
    small = replace(tiny, clips=few_clips(tmp_path / "clips"), paper_size=False)
    pace, memory_mb = foreign.imported_step(small)[:2]
    assert pace.unit == "clips/s"
    assert 0 < pace.value < 1000
    assert memory_mb.value > 100


def test_the_memory_of_an_import_is_watched_to_its_end(inline: None, tiny: Settings) -> None:
    before = os.environ.get("CLONE_VOICE_HOME")
    peak, times = foreign.import_memory(replace(tiny, paper_size=False))
    assert peak.value > 50
    assert times.value == pytest.approx(peak.value / float(peak.note.split()[2]), rel=0.6)
    assert os.environ.get("CLONE_VOICE_HOME") == before


def test_the_checkpoint_that_is_imported_has_its_optimizers_moments(tmp_path: Path) -> None:
    foreign.write_checkpoint(tmp_path / "G_0.pth", paper_size=False)
    state = torch.load(tmp_path / "G_0.pth", weights_only=True)
    held = sum(t.numel() for moments in state["optimizer"]["state"].values()
               for t in moments.values())  # fmt: skip
    assert held == 2 * sum(t.numel() for t in state["model"].values())


def test_an_imported_voice_says_as_much_as_transformers(
    tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLONE_VOICE_HOME", os.environ["CLONE_VOICE_HOME"])  # put back at the end
    monkeypatch.setattr(engines, "set_threads", lambda threads: threads)
    sizes = TINY_RIVAL | {"hidden_size": 16, "speaker_embedding_size": 0}
    rounds = engines.imported_rounds(sizes, 1, "torch")
    assert len(rounds.one) == len(rounds.other) == 1
    assert rounds.one[0] > 0


def test_the_front_end_reads_mixed_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "set_threads", lambda threads: threads)
    text = engines.novel(500, seed=3)
    assert len(text) == 500
    assert engines.novel(500, seed=3) == text
    assert any(c.isascii() and c.isalpha() for c in text)
    assert sum("\u4e00" <= c <= "\u9fff" for c in text) > 250
    assert engines.reading_pace(200) > 0


def test_startup_is_measured(tiny: Settings) -> None:
    (row,) = commands.startup(tiny)
    assert row.value is not None
    assert row.value > 0


def test_the_proof_holds_every_clone_against_its_own_ceiling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = tmp_path / "people" / "so9634"
    person.mkdir(parents=True)
    rows = ["path\tspeaker\ttext"]
    for i in range(20):
        (person / f"{i:02d}.ogg").write_bytes(bytes([i]))
        rows.append(f'{i:02d}.ogg\tS\tHe said "{i}')
    (person / "manifest.tsv").write_text("\n".join(rows) + "\n")
    divided = proof._divided(person, tmp_path / "clips" / "so9634")
    assert divided.held_out is not None
    learned, held = (
        {path.name for path in folder.glob("*.ogg")} for folder in (divided.clips, divided.held_out)
    )
    assert (len(learned), len(held)) == (16, 4)
    assert not learned & held
    assert 'He said "19' in (divided.held_out / "manifest.tsv").read_text()

    asked: list[tuple[str, ...]] = []

    def cloned(person: proof.Person, settings: Settings, home: Path, *more: str) -> float:
        asked.append((person.name, *more))
        return 660.0

    def proved(name: str, clips: Path, held_out: Path | None = None) -> SimpleNamespace:
        natural = SimpleNamespace(mos_p808=3.7)
        scores = SimpleNamespace(
            similarity=0.91, similarity_ceiling=0.98, similarity_floor=0.5, cer=0.1, asr="parrot",
            reference_cer=0.07, naturalness=natural, reference_naturalness=natural,
        )  # fmt: skip
        return SimpleNamespace(report=SimpleNamespace(scores=scores, title=name))

    monkeypatch.setattr(proof, "_clone", cloned)
    monkeypatch.setattr("pipelines.evaluate.proof.prove", proved)
    found = proof.proof(Settings(people=tmp_path / "people"))
    assert asked == [("lj", "--quick"), ("lj",), ("so9634",)]
    met = {row.what: row.met for row in found}
    assert met["clone of the LJ clips: similarity"] == "yes"
    assert met["clone of so9634: similarity"] == "no"  # 0.07 under its ceiling
    assert met["cloning the 20 LJ clips, start to end"] == "no"
    assert "ceiling 0.980, floor 0.500" in found[0].measured


def test_the_story_is_told_twice_in_one_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The command is one that notes how it was called."""
    notes = tmp_path / "notes.txt"
    script = (
        "import os, sys; "
        f"print(os.environ['CLONE_VOICE_HOME'], sys.argv[1:], file=open({str(notes)!r}, 'a'))"
    )
    monkeypatch.setattr(commands, "command", lambda name: [sys.executable, "-c", script])
    first, second = commands.story(Settings(story=("--steps", "4")))
    called = notes.read_text("utf-8").splitlines()
    assert len(called) == 2
    assert called[0] == called[1]
    assert "'demo', '-o'" in called[0]
    assert "SHORTENED by --steps 4" in first.what
    assert second.unit == "s"


def a_job(result: str) -> kills.Job:
    """Three steps of 0.1 s that are kept, then a file that holds `result`, an expression."""
    script = (
        "import pathlib, sys, time, os\n"
        "place = pathlib.Path(sys.argv[1]); (place / 'out').mkdir(exist_ok=True)\n"
        "steps = place / 'steps'\n"
        "while not steps.exists() or len(steps.read_text()) < 3:\n"
        "    time.sleep(0.1)\n"
        "    steps.open('a').write('x')\n"
        f"(place / 'out' / 'file').write_text(str({result}))\n"
    )
    return kills.Job(
        "a job", lambda place: [sys.executable, "-c", script, str(place)], lambda p: p / "out"
    )


def test_a_job_that_goes_on_exactly_survives_every_kill() -> None:
    survival = kills.survive(a_job("len(steps.read_text())"), 4, threads=1)
    assert (survival.kills, survival.different, survival.files) == (4, 0, 1)
    assert survival.ended >= 1


def test_a_job_that_differs_from_run_to_run_is_found_out() -> None:
    survival = kills.survive(a_job("time.time_ns()"), 1, threads=1)
    assert survival.different == survival.ended >= 1


def test_a_job_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no_such_name"):
        kills.survive(a_job("no_such_name"), 1, threads=1)


def test_training_and_rendering_are_killed(
    monkeypatch: pytest.MonkeyPatch, tiny: Settings, tmp_path: Path
) -> None:
    jobs: list[kills.Job] = []

    def note(job: kills.Job, wanted: int, threads: int) -> kills.Survival:
        jobs.append(job)
        return kills.Survival(wanted, 1, 0, 5)

    monkeypatch.setattr(kills, "survive", note)
    rows = kills.kills(tiny)
    assert [row.met for row in rows] == ["yes", "yes"]
    words = [list(job.words(tmp_path)) for job in jobs]
    assert words[0][-2:] == ["--steps", "6"]
    assert {"mp4", "html", "srt", "mp3"} <= set(words[1])


def test_the_command_prints_machine_and_table(tiny_voice: Path, tmp_path: Path) -> None:
    written = tmp_path / "table.md"
    arguments = ["startup", "--launches", "1", "--voice", str(tiny_voice), "-o", str(written)]
    result = CliRunner().invoke(program.main, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == written.read_text("utf-8").strip()
    assert "| clone-voice --help | " in result.stdout
    assert "cores" in result.stdout.splitlines()[0]


def test_an_unknown_benchmark_is_refused_with_the_names_there_are() -> None:
    result = CliRunner().invoke(program.main, ["speed"])
    assert result.exit_code == 2
    assert "cloning_step" in result.output


# --- the digital human


def test_planted_private_data_stands_where_the_case_says() -> None:
    made = planted.cases(500)
    assert len(made) == 500
    assert made == planted.cases(500)
    kinds = {value.kind for case in made for value in case.planted}
    assert kinds == set(KINDS)
    assert {case.language for case in made} == {"zh", "en"}
    assert any(not case.planted for case in made)
    ids = [case.text[v.start : v.end] for case in made for v in case.planted if v.kind == "id"]
    assert all(mod_11_2(value) for value in ids if len(value) == 18)


def test_what_masking_misses_and_takes_too_much_is_counted(
    tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = planted.Case("en", "Bo x@y.org", (Finding("name", 0, 2), Finding("email", 3, 10)))
    monkeypatch.setattr(privacy, "cases", lambda count: [case, case])
    found = [[Finding("email", 3, 10), Finding("phone", 2, 3)], [Finding("email", 3, 9)]]
    monkeypatch.setattr(privacy, "find_private", lambda text, names: found.pop(0))
    rows = {row.what.partition(", ")[2]: row.value for row in privacy.privacy(tiny)}
    assert rows["email: recall"] == 0.5
    assert rows["email: precision"] == 1.0
    assert rows["name (en): recall"] == 0.0
    assert rows["phone: precision"] == 0.0


def test_learning_is_measured(tiny: Settings) -> None:
    seconds, growth = persona.learning(replace(tiny, messages=60))
    assert seconds.value is not None
    assert seconds.value > 0
    assert growth.value is not None
    assert "60 messages" in seconds.what


def test_the_speech_server_is_asked_by_many(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import serving

    make_tiny_voice(library / "voices" / "tiny")
    monkeypatch.setattr(serving, "CLIENTS", 2)
    rows = serving.serving(Settings(voice="tiny"))
    assert [row.unit for row in rows] == ["s", "s", "MB"]
    assert all(row.value is not None and row.value > 0 for row in rows)


def test_a_library_grows_from_one_book_and_costs_what_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def make(settings: Settings, source: Path, out: Path) -> SimpleNamespace:
        (out / ".shelf").mkdir(parents=True)
        (out / "A Novel.m4b").write_bytes(b"x" * 1000)
        (out / ".shelf" / "work").write_bytes(b"x" * 3000)
        return SimpleNamespace(cpu_s=72.0, told={"duration_s": 3600.0})

    monkeypatch.setattr(library, "make", make)
    rows = library.library(replace(Settings(sentences=("One two.",), words=20), prices=(0.5, 2.0)))
    found = {row.what.partition(": ")[2]: row.value for row in rows}
    hours = library.BOOKS * library.BOOK_WORDS / library.WORDS_PER_HOUR
    assert found["one core makes"] == pytest.approx(50)
    assert found["computing"] == pytest.approx(hours / 50 / 1e3)
    assert found["computing costs"] == pytest.approx(hours / 50 * 0.5)
    assert found["delivered (m4b)"] == pytest.approx(hours * 1000 / 1e12)
    assert found["a month of storage costs"] == pytest.approx(hours * 1000 / 1e9 * 2.0)
    assert found["kept for edits, if it is kept"] == pytest.approx(hours * 3000 / 1e12)
