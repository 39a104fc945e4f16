"""An evaluation as people get it: the commands, the report, the page, the card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli
from data import recognisers
from pipelines.evaluate.page import page
from pipelines.evaluate.plots import Line, Series, histogram, strip
from pipelines.evaluate.proof import proofs
from pipelines.evaluate.reference import read_reference
from pipelines.evaluate.report import METRICS, Report, read_report, table
from pipelines.evaluate.scores import Naturalness, Scores, SentenceScore, Speed
from tests.browser import browser, chromium
from tests.conftest import require, speech
from vits.audio import write_audio
from vits.card import read_card
from vits.errors import UserError


class Parrot:
    name = "parrot 1"

    def hear(self, audio: object) -> str:
        return "Good evening <b>"


@pytest.fixture(autouse=True)
def parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognisers, "pocketsphinx", Parrot)
    monkeypatch.setattr(recognisers, "_fetched_models", lambda: [])
    monkeypatch.delenv("CLONE_VOICE_WHISPER", raising=False)
    monkeypatch.setattr(
        "pipelines.evaluate.measure.load_sentences",
        lambda language, purpose="report": ["Good evening.", "Tom & Jerry <i>laughed</i>."],
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips of anna")
    for i in range(3):
        write_audio(folder / f"{i}.wav", speech(1.7, seed=i))
        (folder / f"{i}.txt").write_text("Good evening.", encoding="utf-8")
    return folder


@pytest.fixture
def voice(tiny_voice: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_voice, tmp_path / "tiny")


def run(*words: object) -> Result:
    result = CliRunner().invoke(cli.clone_voice, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def made_scores(similarity: float, cer: float | None = 0.1, pitch_hz: float = 200.0) -> Scores:
    row = SentenceScore("Good evening.", "Good", similarity, cer, cer, 3.5, 1.0)
    return Scores(
        similarity=similarity,
        similarity_lowest=similarity - 0.05,
        similarity_ceiling=0.95,
        similarity_floor=0.5,
        cer=cer,
        wer=cer,
        reference_cer=0.05,
        reference_wer=0.08,
        asr="parrot 1" if cer is not None else "",
        naturalness=Naturalness(mos_p808=3.5, pitch_hz=pitch_hz),
        reference_naturalness=Naturalness(mos_p808=3.9, pitch_hz=210.0),
        mel_cepstral_distortion=None,
        distortion_clips=0,
        speeds=(Speed(1, 0.04),),
        seed=0,
        sentences=(row, row),
    )


def made_report(name: str, scores: Scores) -> Report:
    return Report(name, name, "en", "0" * 64, "anna", 20, 120.0, 4, "the speakers of base", scores)


def test_evaluate_prints_a_table_writes_a_report_and_fills_the_card(
    voice: Path, clips: Path, tmp_path: Path, library: Path
) -> None:
    out = tmp_path / "report"
    result = run("evaluate", f"{voice}:Anna", "--reference", clips, "-o", out)
    assert result.exit_code == 0, result.output
    for metric in METRICS[:8]:
        assert metric.label in result.stdout
    assert "real clips" in result.stdout
    report = read_report(out)
    assert (report.title, report.clips, report.language) == ("tiny:Anna", 3, "en")
    assert report.reference.startswith("clips of anna")
    card = read_card(voice).scores["speakers"]["Anna"]
    assert card == report.scores.for_card()
    assert str(tmp_path) not in (out / "report.json").read_text("utf-8")


def test_scores_of_two_speakers_stand_in_the_card_together_and_may_be_left_out(
    voice: Path, clips: Path, library: Path
) -> None:
    assert run("evaluate", f"{voice}:Anna", "--reference", clips).exit_code == 0
    before = read_card(voice).scores
    assert run("evaluate", f"{voice}:Ben", "--reference", clips, "--no-card").exit_code == 0
    assert read_card(voice).scores == before
    assert run("evaluate", f"{voice}:Ben", "--reference", clips).exit_code == 0
    assert set(read_card(voice).scores["speakers"]) == {"Anna", "Ben"}


def test_machines_get_everything(voice: Path, clips: Path, library: Path) -> None:
    result = run("evaluate", f"{voice}:Anna", "--reference", clips, "--json")
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["event"] == "result"
    assert len(last["voices"][0]["scores"]["sentences"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "base"], "Nothing says what"),
        (["compare", "a"], "nothing to compare"),
        (["compare", "a", "b"], "'a' is no report"),
    ],
)
def test_what_is_missing_is_said_in_one_line(words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_voices_are_compared_live_and_by_their_reports(
    voice: Path, clips: Path, tmp_path: Path, library: Path
) -> None:
    a, b = f"{voice}:Anna", f"{voice}:Ben"
    live = run("compare", a, b, "--reference", clips, "--language", "en", "-o", tmp_path / "both")
    assert live.exit_code == 0, live.output
    assert "tiny:Anna" in live.stdout
    assert "tiny:Ben" in live.stdout
    assert (tmp_path / "both" / "report.html").read_text("utf-8").count("<audio") >= 4
    for name, score in (("one", 0.7), ("two", 0.8)):
        report = made_report(name, made_scores(score))
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps(report.to_json()))
    told = run("compare", tmp_path / "one", tmp_path / "two" / "report.json")
    assert told.exit_code == 0, told.output
    assert "0.700" in told.stdout
    assert "0.800 *" in told.stdout


def test_a_report_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"format": "other"}')
    with pytest.raises(UserError, match="is not an evaluation"):
        read_report(tmp_path)
    with pytest.raises(UserError, match="is no report"):
        proofs([str(tmp_path / "nothing")], None)


# ---------------------------------------------------------------- table


def cell(rows: list[list[str]], label: str) -> list[str]:
    return next(row[1:] for row in rows if row[0].startswith(label))


def test_what_is_not_measured_says_so() -> None:
    rows = table([made_report("a", made_scores(0.7, cer=None))])
    assert cell(rows, "character error rate")[0] == "not measured"
    assert not any(row[0].startswith("mel-cepstral") for row in rows)


def test_the_better_voice_is_marked_each_by_its_own_measure() -> None:
    near = made_report("near", made_scores(0.9, cer=0.3, pitch_hz=209.0))
    clear = made_report("clear", made_scores(0.7, cer=0.1, pitch_hz=100.0))
    rows = table([near, clear])
    assert rows[0] == ["", "near", "clear", "real clips"]
    assert cell(rows, "similarity, mean")[:2] == ["0.900 *", "0.700"]
    assert cell(rows, "character error rate")[:2] == ["0.300", "0.100 *"]
    assert cell(rows, "pitch, median")[:2] == ["209 *", "100"]


# ---------------------------------------------------------------- reference


def test_recordings_without_words_will_do(clips: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(clips / "0.wav", bare)
    found = read_reference(bare, 22_050)
    assert (found.texts, found.language) == ([""], "")
    assert read_reference(clips, 22_050).language == "en"
    with pytest.raises(UserError, match="There are no recordings"):
        read_reference(library_of_nothing(tmp_path), 22_050)


def library_of_nothing(folder: Path) -> Path:
    empty = folder / "empty"
    empty.mkdir()
    return empty


# ---------------------------------------------------------------- page


def test_plots_hold_every_value_and_escape_names() -> None:
    drawn = strip([Series("<a>", [0.5, 0.7, 0.9], "#000000")], [Line("real", 0.95)], "cosine")
    assert drawn.count("<circle") == 3
    assert "<a>" not in drawn
    assert strip([], [], "cosine") == ""
    assert histogram([Series("a", [], "#000000")], "Hz") == ""
    assert "<polygon" in histogram([Series("a", [100.0, 200.0, 210.0], "#000000")], "Hz")


def test_a_report_alone_has_a_page_without_players() -> None:
    text = page([made_report("<script>", made_scores(0.7))], [None])
    assert "<audio" not in text
    assert "<script>" not in text
    assert "0.700" in text


@pytest.mark.tool
def test_a_browser_shows_the_page_plays_it_and_asks_for_nothing_else(
    voice: Path, clips: Path, tmp_path: Path, library: Path
) -> None:
    require(chromium(), "there is no Chromium")
    out = tmp_path / "report"
    result = run("evaluate", f"{voice}:Anna", "--reference", clips, "-o", out)
    assert result.exit_code == 0, result.output
    with browser() as tab:
        tab.open(out / "report.html")
        facts: dict[str, Any] = tab.evaluate(
            "({players: document.querySelectorAll('audio').length, "
            "pictures: [...document.images].every(i => i.complete && i.naturalWidth > 20), "
            "plots: document.querySelectorAll('svg').length, "
            "wide: document.documentElement.scrollWidth <= innerWidth})"
        )
        played = tab.evaluate(
            "(async () => { const a = document.querySelector('audio'); a.load(); "
            "await new Promise((ok, no) => { a.onloadedmetadata = ok; a.onerror = no; }); "
            "return a.duration; })()"
        )
    assert facts["players"] == 2 + 2 * 3  # two sentences, three that both have read
    assert facts["pictures"]
    assert facts["plots"] == 3
    assert facts["wide"]
    assert played > 0.1
    assert tab.complaints == []
    assert tab.requests == []
