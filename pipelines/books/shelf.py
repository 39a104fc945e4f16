"""A shelf of books: jobs become chapters for an executor, and made chapters become books.

One book is open at a time, the next one as soon as the last chapter of it is with a worker. Books
that another run has are passed over and looked at again at the end. A book that fails is noted and
the others go on. What is made is never made again, so that a run that was killed goes on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipelines.books.chapterwork import ChapterWork, MadeChapter, make_chapter
from pipelines.books.delivery import Delivered, deliver, folder_of
from pipelines.books.jobs import Control, Job, JobState, StateFolder
from pipelines.books.manner import load_voices
from pipelines.books.production import Production, Voices, produce
from pipelines.executors import (
    WAIT,
    Done,
    Executor,
    Item,
    NotNow,
    OnStep,
    Step,
    Wait,
)
from pipelines.progress import OnProgress, Progress, silent
from vits.errors import UserError

log = logging.getLogger(__name__)

LOOK_S = 1.0  # between two looks at what somebody asked for
FULL = "The disk is full"  # of `vits.files.cannot_write`: no other book would fare better


@dataclass(frozen=True)
class Outcome:
    """What became of a job: `delivered`, or why not. `spoken` sentences were made in this run."""

    job: Job
    state: str
    error: str = ""
    delivered: Delivered | None = None
    chapters: int = 0
    spoken: int = 0


@dataclass
class _Open:
    """A book that is being made; `lock` is held for it."""

    job: Job
    lock: FileLock
    production: Production
    pending: deque[ChapterWork]
    made: dict[int, MadeChapter]
    words: dict[int, float]
    out: set[int] = field(default_factory=set)  # with workers now
    steps: dict[int, float] = field(default_factory=dict)  # share of a chapter that is done
    error: str = ""
    spoken: int = 0

    @property
    def done_words(self) -> float:
        whole = sum(self.words[number] for number in self.made)
        return whole + sum(self.words[n] * share for n, share in self.steps.items())


def start_worker(shared: Any) -> Callable[[Any, OnStep], Any]:
    """What a worker does: chapters, with the voices that all of them share."""
    import torch

    if shared["device"] == "cpu":
        torch.set_num_threads(1)  # a worker for each core is faster than cores for each worker
    voices = shared["voices"]

    def work(payload: ChapterWork, on_step: OnStep) -> MadeChapter:
        load_voices(payload.manner.hashes, shared["device"], voices)  # of later books
        return make_chapter(payload, voices, on_step)

    return work


class Shelf:
    """Makes jobs into books below `out`. `run` yields what becomes of each."""

    def __init__(
        self, jobs: Sequence[Job], out: Path, voices: Voices, on_progress: OnProgress = silent
    ) -> None:
        self.jobs, self.out, self.voices, self.watch = list(jobs), out, voices, on_progress
        self.states = StateFolder(out)
        self.waiting = deque(self.jobs)
        self.elsewhere: deque[Job] = deque()  # with another run
        self.open: list[_Open] = []
        self.outcomes: dict[str, Outcome] = {}
        self._told: deque[Outcome] = deque()
        self._looked = -LOOK_S
        self._control = Control()
        self._sizes = {job.id: _size(job.source) for job in self.jobs}
        self._read: dict[str, float] = {}  # words of books that were opened

    def run(self, executor: Executor) -> Iterator[Outcome]:
        """Make everything; each outcome as it is known. UserError for a full disk."""
        for job in self.jobs:
            if self.states.read(job.id) is None:
                self.states.write(JobState(job.id, str(job.source)))
        try:
            for event in executor.run(self._next):
                self._happened(event)
                while self._told:
                    yield self._told.popleft()
            while self._told:
                yield self._told.popleft()
        finally:
            for book in self.open:
                book.lock.release()

    # ------------------------------------------------------------ what is next

    def _next(self) -> Item | Wait | None:
        self._look()
        if self._control.paused:
            return WAIT if self._unfinished() else None
        while True:
            for book in self.open:
                if book.pending:
                    work = book.pending.popleft()
                    book.out.add(work.number)
                    return Item(f"{book.job.id}#{work.number}", work)
            if self.waiting:
                self._begin(self.waiting.popleft())
                continue
            if self.elsewhere and not any(book.out for book in self.open):
                return self._ask_again()
            return WAIT if self._unfinished() else None

    def _unfinished(self) -> bool:
        return bool(self.open or self.elsewhere or self.waiting)

    def _ask_again(self) -> Wait:
        """Look at the jobs that another run had; what it finished is found made."""
        for _ in range(len(self.elsewhere)):
            self._begin(self.elsewhere.popleft())
        return WAIT

    def _begin(self, job: Job) -> None:
        """Open a book, unless it is cancelled, with another run, or cannot be read."""
        if job.id in self._control.cancelled:
            self._end(job, "cancelled")
            return
        lock = FileLock(self.states.of(job.id) / "lock", timeout=0)
        try:
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            self.elsewhere.append(job)
            return
        try:
            self._open_book(job, lock)
        except UserError as error:
            lock.release()
            if FULL in error.cause:
                raise
            self._end(job, "failed", str(error))
        except Exception as error:  # a fault of ours with this book must not stop the others
            lock.release()
            log.exception("%s", job.source)
            self._end(job, "failed", f"{type(error).__name__}: {error}")

    def _open_book(self, job: Job, lock: FileLock) -> None:
        production = produce(job.source, job.options, self.states.of(job.id), self.voices)
        pairs = zip(production.works, production.chapters, strict=True)
        words = {w.number: production.book.words(c, job.options.keep) for w, c in pairs}
        made = {work.number: found for work in production.works if (found := work.made())}
        pending = deque(work for work in production.works if work.number not in made)
        book = _Open(job, lock, production, pending, made, words)
        self._read[job.id] = sum(words.values())
        self.open.append(book)
        if pending:
            self._note(book, "working")
        else:
            self._close(book)

    def _look(self) -> None:
        """See, now and then, what somebody asked for."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked, self._control = now, self.states.control()
        for book in self.open:
            if book.job.id in self._control.cancelled and not book.error:
                book.pending.clear()
                book.error = "cancelled"
                if not book.out:
                    self._close(book)

    # ------------------------------------------------------------ what happened

    def _happened(self, event: Step | Done) -> None:
        job_id, _, number = event.key.rpartition("#")
        book = next(book for book in self.open if book.job.id == job_id)
        if isinstance(event, Step):
            book.steps[int(number)] = event.done / max(1, event.total)
        else:
            self._ended(book, int(number), event)
        self._tell(book)

    def _ended(self, book: _Open, number: int, event: Done) -> None:
        book.out.discard(number)
        book.steps.pop(number, None)
        work = next(work for work in book.production.works if work.number == number)
        if isinstance(event.error, NotNow):  # a killed run's worker still has it
            if not book.error:
                book.pending.append(work)
                time.sleep(LOOK_S / 5)
        elif event.error is not None:
            self._failed(book, event.error)
        else:
            made: MadeChapter = event.result
            book.made[number] = dataclasses.replace(made, folder=work.folder, number=number)
            book.spoken += made.spoken
            self._note(book, "working")
        if not book.out and (book.error or not book.pending):
            self._close(book)

    def _failed(self, book: _Open, error: BaseException) -> None:
        if isinstance(error, UserError) and FULL in error.cause:
            raise error
        what = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        book.error = book.error or what
        book.pending.clear()

    def _close(self, book: _Open) -> None:
        """All chapters of a book are made, or it failed: deliver it, and let it go."""
        self.open.remove(book)
        try:
            if book.error:
                state = "cancelled" if book.error == "cancelled" else "failed"
                self._note(book, state)
                self._end(book.job, state, book.error, book)
                return
            try:
                delivered = self._deliver(book)
            except UserError as error:
                if FULL in error.cause:
                    raise
                self._end(book.job, "failed", str(error), book)
                return
            self._end(book.job, "done", "", book, delivered)
        finally:
            book.lock.release()

    def _deliver(self, book: _Open) -> Delivered:
        made = [book.made[work.number] for work in book.production.works]
        folder = self.out
        if book.job.own_folder:
            folder = self._claimed(book.job, folder_of(book.production, self.out))
        self.watch(Progress(f"deliver {book.production.meta.title}"[:60], 0, 1))
        delivered = deliver(book.production, made, folder, self.watch)
        before = self.states.read(book.job.id)
        _remove_old(before.files if before else (), delivered.files, self.out)
        self._note(book, "done", delivered)
        self.watch(Progress(f"deliver {book.production.meta.title}"[:60], 1, 1))
        return delivered

    def _claimed(self, job: Job, folder: Path) -> Path:
        """The folder, or another where a book of the same name has it."""
        for state in self.states.all():
            if state.id != job.id and state.folder and Path(state.folder) == folder:
                return folder.with_name(f"{folder.name} ({job.id[-8:]})")
        return folder

    def _note(self, book: _Open, state: str, delivered: Delivered | None = None) -> None:
        before = self.states.read(book.job.id)
        folder = delivered.folder if delivered else None
        told = JobState(
            id=book.job.id,
            source=str(book.job.source),
            state=state,
            title=book.production.meta.title,
            chapters=len(book.production.works),
            made=len(book.made),
            duration_s=round(sum(m.duration_s for m in book.made.values()), 1),
            error=book.error,
            folder=str(folder) if folder else before.folder if before else "",
            files=[str(f.relative_to(self.out)) for f in delivered.files]
            if delivered
            else before.files
            if before
            else (),
            faults=len(delivered.faults) if delivered else 0,
        )
        self.states.write(told)

    def _end(
        self,
        job: Job,
        state: str,
        error: str = "",
        book: _Open | None = None,
        delivered: Delivered | None = None,
    ) -> None:
        if book is None:
            before = self.states.read(job.id) or JobState(job.id, str(job.source))
            self.states.write(dataclasses.replace(before, state=state, error=error))
        elif state == "failed":
            book.error = error
            self._note(book, state)
        chapters = len(book.production.works) if book else 0
        outcome = Outcome(job, state, error, delivered, chapters, book.spoken if book else 0)
        self.outcomes[job.id] = outcome
        self._told.append(outcome)

    # ------------------------------------------------------------ progress

    def _tell(self, book: _Open) -> None:
        """Words of this book, and with several of the whole shelf."""
        title = book.production.meta.title[:40]
        total = sum(book.words.values())
        note = f"{len(book.made)} of {len(book.production.works)} chapters"
        self.watch(Progress(title, book.done_words, total, "words", note))
        if len(self.jobs) > 1:
            done = sum(b.done_words for b in self.open)
            done += sum(self._words(job) for job in self.jobs if job.id in self.outcomes)
            note = f"{len(self.outcomes)} of {len(self.jobs)} books"
            whole = sum(self._words(job) for job in self.jobs)
            self.watch(Progress("the shelf", done, whole, "words", note))

    def _words(self, job: Job) -> float:
        """Words of a book: counted, or for one not opened yet by the size of its file."""
        if job.id in self._read:
            return self._read[job.id]
        sizes = sum(self._sizes[job_id] for job_id in self._read) or 1
        return self._sizes[job.id] * sum(self._read.values()) / sizes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove_old(before: Sequence[str], now: Sequence[Path], out: Path) -> None:
    """Remove what was delivered under names that the book has no more."""
    kept = {path.resolve() for path in now}
    for name in before:
        path = out / name
        inside = out.resolve() in path.resolve().parents
        if inside and path.resolve() not in kept and path.is_file():
            with contextlib.suppress(OSError):
                path.unlink()
