"""A shelf of books: one failure stops nothing, kills lose nothing, two runs share the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from book_files import prose, simple_epub
from click.testing import CliRunner

from cli import story
from pipelines.books import shelf as shelf_module
from pipelines.books.audiobook import Where, make_books
from pipelines.books.jobs import STATE, Control, Job, StateFolder, read_jobs
from pipelines.books.options import Options
from pipelines.progress import Progress
from vits.audio import read_audio
from vits.errors import UserError

HERE = Where(workers=1)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """A folder of three small books and one that is broken."""
    folder = tmp_path / "books"
    folder.mkdir()
    simple_epub(folder / "a.epub", chapters=2, words=20, title="Book A")
    (folder / "b.epub").write_bytes(b"PK\x03\x04 broken")
    simple_epub(folder / "c.epub", chapters=1, words=10, title="Book C")
    (folder / "d.txt").write_text("Title: Book D\n\n" + prose(20), "utf-8")
    return folder


@pytest.fixture
def defaults(tiny_voice: Path) -> Options:
    return Options(voice=str(tiny_voice))


def states(out: Path) -> dict[str, str]:
    return {Path(state.source).name: state.state for state in StateFolder(out).all()}


def test_one_broken_book_stops_nothing_and_is_listed(
    books: Path, defaults: Options, tmp_path: Path
) -> None:
    outcomes = make_books(read_jobs(books, defaults), tmp_path / "out", HERE)
    assert {o.job.source.name: o.state for o in outcomes} == states(tmp_path / "out")
    assert states(tmp_path / "out") == {
        "a.epub": "done", "b.epub": "failed", "c.epub": "done", "d.txt": "done"
    }  # fmt: skip
    assert read_audio(tmp_path / "out" / "Book D" / "Book D.m4b").duration_s > 1
    assert (tmp_path / "out" / "Ann Other - Book A" / "Book A.m4b").is_file()


def test_a_fault_of_ours_with_one_book_stops_no_other(
    books: Path, defaults: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shelf_module.produce

    def faulty(source: Path, *args: Any) -> Any:
        if source.name == "a.epub":
            raise ZeroDivisionError("ours")
        return real(source, *args)

    monkeypatch.setattr(shelf_module, "produce", faulty)
    outcomes = make_books(read_jobs(books, defaults), tmp_path / "out", HERE)
    errors = {o.job.source.name: o.error for o in outcomes if o.state == "failed"}
    assert errors["a.epub"] == "ZeroDivisionError: ours"
    assert len(errors) == 2


def test_again_nothing_is_made_and_what_failed_is_tried(
    books: Path, defaults: Options, tmp_path: Path
) -> None:
    make_books(read_jobs(books, defaults), tmp_path / "out", HERE)
    simple_epub(books / "b.epub", chapters=1, words=10, title="Book B")
    again = make_books(read_jobs(books, defaults), tmp_path / "out", HERE)
    assert {o.job.source.name: o.spoken for o in again if o.spoken} == {"b.epub": 2}
    assert set(states(tmp_path / "out").values()) == {"done"}


def test_a_line_overrides_the_options_and_priorities_come_first(
    books: Path, defaults: Options, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs.jsonl"
    lines = [
        {
            "book": "books/a.epub",
            "id": "first",
            "format": "mp3",
            "title": "Other",
            "lexicon": "words.txt",
        },
        {"book": "books/c.epub", "priority": 5, "speed": 2},
    ]
    jobs.write_text("# two books\n" + "\n".join(map(json.dumps, lines)), "utf-8")
    (tmp_path / "words.txt").write_text("lamp\tlampe\n", "utf-8")
    found = read_jobs(jobs, defaults)
    assert [(j.source.name, j.options.speed) for j in found] == [("c.epub", 2.0), ("a.epub", 1.0)]
    assert (found[1].id, found[1].options.format) == ("first", ("mp3",))
    assert found[1].options.lexicon == (str(tmp_path / "words.txt"),)
    outcomes = make_books(found, tmp_path / "out", HERE)
    assert [o.job.source.name for o in outcomes] == ["c.epub", "a.epub"]
    assert (tmp_path / "out" / "Ann Other - Other" / "mp3" / "01 - Chapter 1.mp3").is_file()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", r"jobs\.jsonl:1: this is not JSON"),
        ("[]", 'no "book" is named'),
        ('{"book": "a.epub", "priority": "high"}', "priority is a whole number"),
        ('{"book": "a.epub", "speed": 7}', r"jobs\.jsonl:1: a speed of 7"),
        ('{"book": "a.epub", "id": "x"}\n{"book": "b.epub", "id": "x"}', "two jobs are called 'x'"),
        ("", "holds no book"),
    ],
)
def test_a_line_that_cannot_be_is_named_before_any_work(
    tmp_path: Path, defaults: Options, line: str, said: str
) -> None:
    (tmp_path / "jobs.jsonl").write_text(line, "utf-8")
    with pytest.raises(UserError, match=said):
        read_jobs(tmp_path / "jobs.jsonl", defaults)


def test_two_books_of_one_title_get_a_folder_each(defaults: Options, tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    for name in ("x.epub", "y.epub"):
        simple_epub(tmp_path / "books" / name, chapters=1, words=10, title="The Same")
    outcomes = make_books(read_jobs(tmp_path / "books", defaults), tmp_path / "out", HERE)
    folders = {o.delivered.folder for o in outcomes if o.delivered}
    assert len(folders) == 2


def test_a_title_of_three_hundred_characters_is_a_legal_name(
    defaults: Options, tmp_path: Path
) -> None:
    (tmp_path / "books").mkdir()
    simple_epub(tmp_path / "books" / ("n" * 200 + ".epub"), chapters=1, words=10, title="灯" * 300)
    (outcome,) = make_books(read_jobs(tmp_path / "books", defaults), tmp_path / "out", HERE)
    assert outcome.state == "done", outcome.error


def test_two_runs_on_one_folder_do_nothing_twice(
    books: Path, defaults: Options, tmp_path: Path
) -> None:
    results: list[list[Any]] = [[], []]

    def run(number: int) -> None:
        results[number] = make_books(read_jobs(books, defaults), tmp_path / "out", HERE)

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spoken = [sum(outcome.spoken for outcome in result) for result in results]
    assert sum(spoken) == sum(
        o.spoken for o in make_books(read_jobs(books, defaults), tmp_path / "alone", HERE)
    )
    assert all(len(result) == 4 for result in results)


def test_a_paused_shelf_waits_and_a_cancelled_job_is_left_out(
    books: Path, defaults: Options, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    jobs = read_jobs(books, defaults)
    shelf = StateFolder(out)
    shelf.ask(Control(paused=True, cancelled=(jobs[0].id,)))
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.extend(make_books(jobs, out, HERE)))
    thread.start()
    time.sleep(1.5)
    assert not list(out.glob("*/*.m4b"))
    shelf.ask(Control(paused=False, cancelled=(jobs[0].id,)))
    thread.join(timeout=60)
    assert {o.job.source.name: o.state for o in done} == {
        "a.epub": "cancelled", "b.epub": "failed", "c.epub": "done", "d.txt": "done"
    }  # fmt: skip


def test_progress_tells_of_the_book_and_of_the_shelf(
    books: Path, defaults: Options, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    make_books(read_jobs(books, defaults), tmp_path / "out", HERE, seen.append)
    shelf = [progress for progress in seen if progress.stage == "the shelf"]
    assert [p.done for p in shelf] == sorted(p.done for p in shelf)
    last = shelf[-1]
    assert last.total
    assert last.done == pytest.approx(last.total)
    assert {"Book A", "Book C", "Book D"} <= {progress.stage for progress in seen}


def test_commands_show_pause_cancel_and_exit_with_3(
    books: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    words = ["batch", str(books), "-o", out, "-v", str(tiny_voice), "--workers", "1"]
    made = CliRunner().invoke(story, words)
    assert made.exit_code == 3, made.output
    assert "3 of 4 books" in made.output
    assert "b-" in made.output
    shown = CliRunner().invoke(story, ["batch", out, "--status"])
    assert "4 books: 3 done, 1 failed" in shown.output
    assert CliRunner().invoke(story, ["batch", out, "--pause"]).output.endswith("paused\n")
    assert StateFolder(Path(out)).control().paused
    assert not CliRunner().invoke(story, ["batch", out, "--resume"]).output.endswith("paused\n")
    unknown = CliRunner().invoke(story, ["batch", out, "--cancel", "nobody"])
    assert (unknown.exit_code, "no job 'nobody'" in unknown.output) == (2, True)
    nowhere = CliRunner().invoke(story, ["batch", str(tmp_path / "books"), "--status"])
    assert nowhere.exit_code == 2


KILLED = """
import sys
from pathlib import Path
from pipelines.books.audiobook import Where, make_books
from pipelines.books.jobs import read_jobs
from pipelines.books.options import Options
jobs = read_jobs(Path(sys.argv[1]), Options(voice=sys.argv[2]))
print("ready", flush=True)
made = make_books(jobs, Path(sys.argv[3]), Where(workers=int(sys.argv[4])))
print("spoken", sum(outcome.spoken for outcome in made), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is not known there")
def test_runs_killed_at_any_moment_lose_at_most_the_sentence_in_work(
    tiny_voice: Path, tmp_path: Path
) -> None:
    (tmp_path / "books").mkdir()
    for name in ("a", "b"):
        simple_epub(tmp_path / "books" / f"{name}.epub", chapters=3, words=400, title=name)
    out = tmp_path / "out"
    words = [sys.executable, "-c", KILLED, str(tmp_path / "books"), str(tiny_voice), str(out)]
    for moment in (0.3, 0.9, 1.7):
        run = subprocess.Popen([*words, "1"], stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(moment)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
    told = subprocess.run([*words, "1"], capture_output=True, text=True, check=True)
    assert "spoken" in told.stdout
    alone = tmp_path / "alone"
    defaults = Options(voice=str(tiny_voice))
    make_books(read_jobs(tmp_path / "books", defaults), alone, HERE)
    for path in alone.rglob("*.m4b"):
        assert (out / path.relative_to(alone)).read_bytes() == path.read_bytes()
    packs = [sum(p.stat().st_size for p in o.rglob("*.pack")) for o in (out, alone)]
    assert packs[0] == packs[1]  # every sentence was kept once


def test_what_a_title_had_before_is_removed(defaults: Options, tmp_path: Path) -> None:
    source = simple_epub(tmp_path / "a.epub", chapters=1, words=10, title="Old")
    job = Job("x", source, defaults)
    make_books([job], tmp_path / "out", HERE)
    simple_epub(source, chapters=1, words=10, title="New")
    make_books([job], tmp_path / "out", HERE)
    assert [path.name for path in (tmp_path / "out").rglob("*.m4b")] == ["New.m4b"]
    assert (tmp_path / "out" / STATE).is_dir()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a cluster of several nodes is not known there")
def test_a_shelf_is_made_on_two_nodes_of_ray_with_a_worker_killed_in_the_middle(
    tiny_voice: Path, tmp_path: Path
) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    (tmp_path / "books").mkdir()
    for name in ("a", "b"):
        simple_epub(tmp_path / "books" / f"{name}.epub", chapters=3, words=400, title=name)
    jobs = read_jobs(tmp_path / "books", Options(voice=str(tiny_voice)))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    killed: list[int] = []
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        killer = threading.Thread(target=kill_a_worker, args=(tmp_path / "out", killed))
        killer.start()
        where = Where("ray", workers=2, address=cluster.address)
        outcomes = make_books(jobs, tmp_path / "out", where)
        nodes = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
    finally:
        ray.shutdown()
        cluster.shutdown()
    killer.join()
    assert (len(killed), len(nodes)) == (1, 2)
    assert [outcome.state for outcome in outcomes] == ["done", "done"]
    make_books(jobs, tmp_path / "alone", HERE)
    for path in (tmp_path / "alone").rglob("*.m4b"):
        assert (tmp_path / "out" / path.relative_to(tmp_path / "alone")).read_bytes() == (
            path.read_bytes()
        )


def kill_a_worker(out: Path, killed: list[int]) -> None:
    """Kill one of the actors that we started, once there are sentences."""
    import psutil  # type: ignore[import-untyped]

    for _ in range(1200):
        time.sleep(0.1)
        if sum(path.stat().st_size for path in out.rglob("*.pack")) < 50_000:
            continue
        for process in psutil.Process().children(recursive=True):
            if "_Actor" in " ".join(process.cmdline()[:1]):
                process.kill()
                killed.append(process.pid)
                return
