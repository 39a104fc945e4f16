"""`python -m pipelines.studio.work FOLDER`: one job, by the functions that the commands call.

How far it is goes to progress.json, what it made to result.json, what the user can mend to
error.json. The end of the standard input asks it to stop.
"""

from __future__ import annotations

import _thread
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.progress import Pace, Progress
from pipelines.studio.places import area, existing, place
from pipelines.studio.store import Job
from vits.errors import UserError
from vits.files import write_text

EVERY_S = 0.4  # between two notes of progress
FAILED, STOPPED = 1, 130
MOST_TOLD = 50  # of what was left out


@dataclass
class Told:
    """What one job tells: how far it is, whether it is to stop, and points of a curve."""

    folder: Path
    asked: threading.Event = field(default_factory=threading.Event)
    saves: bool = False  # the work looks at `asked` itself
    _pace: Pace = field(default_factory=Pace)
    _last: tuple[str, float] = ("", 0.0)

    def watch(self, progress: Progress) -> None:
        rate, eta_s = self._pace.measure(progress)
        now = time.monotonic()
        ended = progress.total is not None and progress.done >= progress.total
        if progress.stage == self._last[0] and now - self._last[1] < EVERY_S and not ended:
            return
        self._last = (progress.stage, now)
        fields = asdict(progress) | {"rate": rate, "eta_s": eta_s}
        write_text(self.folder / "progress.json", json.dumps(fields, ensure_ascii=False))

    def curve(self, x: float, y: float) -> None:
        with (self.folder / "curve.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([x, y]) + "\n")


class BookError(UserError):
    """What kept every book from being made, as the shelf noted it."""

    def __init__(self, noted: str) -> None:
        super().__init__(noted, "")


# ---------------------------------------------------------------- the work


def prepare(told: Told, *, name: str, **wishes: Any) -> dict[str, Any]:
    """Recordings -> a data set."""
    from data.recordings import Wishes, prepare_recordings

    made = prepare_recordings(
        [existing("recordings", name)],
        place("datasets", name),
        Wishes(**wishes),
        on_event=lambda e: told.watch(Progress(e.stage, e.done, e.total, e.unit, e.note)),
    )
    left_out = [str(item) for item in (*made.dropped, *made.aside)]
    facts = {"seconds": made.seconds, "source_s": made.source_s, "verdicts": dict(made.verdicts)}
    return facts | {"advice": list(made.advice), "left_out": left_out[:MOST_TOLD]}


def train(told: Told, *, recordings: str, force: bool = False, **wish: Any) -> dict[str, Any]:
    """Clips -> a voice; the data set where there is one, else the recordings as they are."""
    from pipelines.clone import ClonePlan, CloneRequest, Listeners, clone

    dataset = place("datasets", recordings)
    source = dataset if (dataset / "manifest.tsv").is_file() else existing("recordings", recordings)

    def planned(plan: ClonePlan) -> None:
        write_text(told.folder / "plan.json", json.dumps({"line": plan.line}, ensure_ascii=False))

    def progressed(progress: Progress) -> None:
        told.saves = progress.stage == "train"
        if progress.stage == "train" and progress.note.startswith("mel "):
            told.curve(progress.done, float(progress.note.removeprefix("mel ")))
        told.watch(progress)

    listeners = Listeners(
        on_clip=lambda e: told.watch(Progress("clips", e.done, e.total, "clips", e.name)),
        on_plan=planned,
        on_progress=progressed,
        should_stop=told.asked.is_set,
    )
    made = clone(CloneRequest(source, **wish), force=force, listeners=listeners)
    scores = dict(made.card.scores)
    return {"name": made.name, "scores": scores, "left_out": [str(d) for d in made.dropped]}


def evaluate(told: Told, *, voices: list[str], recordings: str, report: str) -> dict[str, Any]:
    """Voices against recordings of the person: scores, and a report with players."""
    from pipelines.evaluate.proof import proofs, write_report

    dataset = place("datasets", recordings)
    source = dataset if (dataset / "manifest.tsv").is_file() else existing("recordings", recordings)
    found = proofs(voices, source, on_progress=told.watch)
    for proof in found:
        proof.keep_scores()
    write_report(found, place("reports", report))
    return {"report": report}


def write_story(
    told: Told, *, name: str, text: str, is_idea: bool, language: str, **wishes: Any
) -> dict[str, Any]:
    """A text or an idea -> story.yaml."""
    from pipelines.story.forms import Wishes
    from pipelines.story.writing import write

    folder = place("stories", name)
    source = text
    if not is_idea:
        path = folder / "source" / f"{name}.md"
        write_text(path, text)
        source = str(path)
    wished = Wishes(language=language, **wishes)
    write(source, folder, wishes=wished, on_event=told.watch)
    return {"name": name}


def render(told: Told, *, name: str, **options: Any) -> dict[str, Any]:
    """story.yaml -> pictures, narration, film, book."""
    from pipelines.story.render import render
    from pipelines.story.ship import Settings, film_size

    folder = existing("stories", name)
    size = film_size(options.pop("aspect"), 720)
    done = render(
        folder,
        folder,
        settings=Settings(size, captions=options.pop("captions")),
        artist=_artist(size),
        on_event=told.watch,
        **options,
    )
    files = {form: path.name for form, path in done.files.items()}
    scenes = zip(done.story.all_scenes, done.timeline.scenes, strict=True)
    pictures = {scene.id: shown.picture.name for scene, shown in scenes}
    write_text(folder / "told.json", json.dumps(pictures))
    counts = {"made": done.made, "reused": done.reused, "duration_s": done.duration_s}
    return counts | {"files": files, "unknown": list(done.unknown), "failed": dict(done.failed)}


def _artist(size: tuple[int, int]) -> Any:
    from pipelines.story.illustrators import DEFAULT, illustrator, in_shape

    return in_shape(illustrator(DEFAULT), size)


def audiobook(told: Told, *, books: list[str], **options: Any) -> dict[str, Any]:
    """Books -> audiobooks on the shelf."""
    from pipelines.books.audiobook import make_books
    from pipelines.books.jobs import Job as BookJob
    from pipelines.books.names import job_name
    from pipelines.books.options import Options, options_from
    from pipelines.studio.places import one_of

    wished = options_from(options, Options(), "The page")
    jobs = [BookJob(job_name(b), one_of(area("books"), "*", b), wished) for b in books]
    outcomes = make_books(jobs, area("shelf"), on_progress=told.watch)
    rows = [
        {"book": o.job.source.name, "state": o.state, "error": o.error,
         "files": [str(p.relative_to(area("shelf"))) for p in o.delivered.files]
         if o.delivered else []}
        for o in outcomes
    ]  # fmt: skip
    if all(row["state"] != "done" for row in rows):
        raise BookError(outcomes[0].error)
    return {"books": rows}


def learn(told: Told, *, name: str, me: list[str], private: str) -> dict[str, Any]:
    """Chats -> how a person writes."""
    from pipelines.persona.learn import learn as learn_from

    folder = place("people", name)
    logs = sorted(path for path in (folder / "given").iterdir() if path.is_file())
    found = learn_from(
        logs, me, folder, drop_private=private == "drop", force=True, on_progress=told.watch
    )
    return {key: value for key, value in asdict(found).items() if key != "unread"}


def remember(told: Told, *, name: str) -> dict[str, Any]:
    """Documents -> what a person knows."""
    from pipelines.persona.knowledge import Knowledge

    folder = place("people", name)
    knowledge = Knowledge(folder)
    failed: list[UserError] = []
    for path in sorted((folder / "documents").iterdir()):
        try:
            knowledge.remember(path, on_progress=told.watch)
        except UserError as error:
            failed.append(error)
    known = knowledge.documents()
    if known:
        knowledge.calibrate()
    knowledge.close()
    if failed and not known:
        raise failed[0]
    left_out = [str(error) for error in failed]
    return {"documents": [[n, d, c] for n, d, c in known], "left_out": left_out}


KINDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "prepare": prepare,
    "train": train,
    "evaluate": evaluate,
    "compare": evaluate,
    "write": write_story,
    "render": render,
    "audiobook": audiobook,
    "learn": learn,
    "remember": remember,
}


# ---------------------------------------------------------------- the process


def main(folder: Path, listen: bool = False) -> int:
    """Do the job of a folder; the exit code. `listen`: to the standard input, for a stop."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    job = Job(**json.loads((folder / "job.json").read_text("utf-8")))
    told = Told(folder)
    if listen:
        threading.Thread(target=_listen, args=(told,), daemon=True).start()
    try:
        result = KINDS[job.kind](told, **job.params)
    except UserError as error:
        fields = {"cause": error.cause, "remedy": error.remedy}
        write_text(folder / "error.json", json.dumps(fields, ensure_ascii=False))
        return FAILED
    except KeyboardInterrupt:
        return STOPPED
    write_text(folder / "result.json", json.dumps(result, ensure_ascii=False, default=str))
    return 0


def _listen(told: Told) -> None:
    """Wait for the end of the standard input: then stop, by itself or else at once."""
    while os.read(0, 1024):  # the descriptor itself: sys.stdin is not to be held at the end
        pass
    told.asked.set()
    if not told.saves:
        _thread.interrupt_main()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), listen=True))
