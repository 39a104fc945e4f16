"""The same items of work done here, in worker processes, or by Ray actors on a cluster.

An executor pulls items when a worker is free (back-pressure: nothing waits in queues), and gives
results as they come. Each worker begins once, with what all of them share (the voice), and an item
whose worker is lost goes to another, a few times. What an item makes is in files; making it twice
does no harm.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from vits.errors import UserError

log = logging.getLogger(__name__)

TRIES = 4  # of one item whose workers are lost
IDLE_S = 0.2  # between two looks for work where there is none yet

OnStep = Callable[[int, int], object]
# (what is shared) -> (item, on_step) -> result; a function of a module, so that it can travel
Start = Callable[[Any], Callable[[Any, OnStep], Any]]
Shared = Callable[[], Any]  # makes what is shared, when the first worker needs it


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Item:
    """One piece of work: plain data that can travel."""

    key: str
    payload: Any


class NotNow(Exception):
    """Another run does this item: there is nothing wrong, and it can be asked for later."""


class Wait:
    """There is no work now, but there may be later."""


WAIT = Wait()
NextItem = Callable[[], Item | Wait | None]  # None: there will be no more


@dataclass(frozen=True)
class Step:
    """An item is so far."""

    key: str
    done: int
    total: int


@dataclass(frozen=True)
class Done:
    """An item has ended: with its result, or with what its worker raised."""

    key: str
    result: Any = None
    error: BaseException | None = None


class Executor(Protocol):
    """Where work is done."""

    def run(self, next_item: NextItem) -> Iterator[Step | Done]:
        """Do items until there are no more, and tell what becomes of them."""
        ...


def lost(key: str) -> UserError:
    return UserError(
        f"The worker died {TRIES} times while it made {key}.",
        "Look for what kills it (memory, as a rule), and run it again with fewer workers.",
    )


# ---------------------------------------------------------------- in this process


@dataclass(frozen=True)
class Inline:
    """One after the other, here."""

    start: Start
    shared: Shared

    def run(self, next_item: NextItem) -> Iterator[Step | Done]:
        work = None
        while (item := next_item()) is not None:
            if isinstance(item, Wait):
                time.sleep(IDLE_S)
                continue
            steps: list[Step] = []
            key = item.key

            def on_step(done: int, total: int, key: str = key, steps: list[Step] = steps) -> None:
                steps[:] = [Step(key, done, total)]

            yield Step(key, 0, 1)
            try:
                work = work or self.start(self.shared())
                result = work(item.payload, on_step)
            except Exception as error:  # the scheduler decides what of it is a fault of ours
                yield Done(key, error=error)
                continue
            yield from steps
            yield Done(key, result)


# ---------------------------------------------------------------- processes


@dataclass
class _Worker:
    process: Any
    pipe: Any
    item: Item | None = None


@dataclass
class LocalProcesses:
    """Worker processes that share one set of weights (in shared memory, by torch)."""

    start: Start
    shared: Shared
    workers: int
    _lost: Counter[str] = field(default_factory=Counter)

    def run(self, next_item: NextItem) -> Iterator[Step | Done]:
        from multiprocessing import get_context

        context = get_context("spawn")
        crew: list[_Worker] = []
        again: list[Item] = []
        more = True
        try:
            while True:
                if more or again:
                    more = self._hand_out(crew, again, next_item, context)
                busy = [worker for worker in crew if worker.item]
                if not busy and not more and not again:
                    return
                yield from self._listen(crew, again, context)
        finally:
            for worker in crew:
                worker.pipe.close()  # it ends when it reads that nobody is there
            for worker in crew:
                worker.process.join(timeout=2)
                if worker.process.is_alive():
                    worker.process.terminate()
                    worker.process.join()

    def _hire(self, context: Any) -> _Worker:
        import torch.multiprocessing  # noqa: F401  teaches pickle to share tensors

        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, self.start, self.shared()), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _hand_out(
        self, crew: list[_Worker], again: list[Item], next_item: NextItem, context: Any
    ) -> bool:
        """Give free workers an item each, and hire as long as there is more; whether there is."""
        while True:
            free = next((worker for worker in crew if not worker.item), None)
            if free is None and len(crew) >= self.workers:
                return True
            item = again.pop() if again else next_item()
            if item is None or isinstance(item, Wait):
                return item is not None
            if free is None:
                crew.append(free := self._hire(context))
            free.item = item
            with suppress(OSError):  # where it has died, `_listen` sees to it
                free.pipe.send(item.payload)

    def _listen(
        self, crew: list[_Worker], again: list[Item], context: Any
    ) -> Iterator[Step | Done]:
        from multiprocessing.connection import wait

        by_pipe = {worker.pipe: worker for worker in crew if worker.item}
        if not by_pipe:
            time.sleep(IDLE_S)
        for pipe in wait(list(by_pipe), timeout=1.0):
            worker = by_pipe[pipe]
            item = worker.item
            assert item is not None
            try:
                kind, value = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._replace(crew, worker, again, context)
                continue
            if kind == "step":
                yield Step(item.key, *value)
                continue
            worker.item = None
            yield Done(item.key, value) if kind == "done" else Done(item.key, error=value)

    def _replace(
        self, crew: list[_Worker], worker: _Worker, again: list[Item], context: Any
    ) -> Iterator[Done]:
        """Hire another for one that died; its item goes to whoever is free."""
        item = worker.item
        worker.process.join(timeout=5)
        worker.pipe.close()
        crew[crew.index(worker)] = self._hire(context)
        assert item is not None
        self._lost[item.key] += 1
        log.warning("a worker died at %s (exit code %s)", item.key, worker.process.exitcode)
        if self._lost[item.key] >= TRIES:
            yield Done(item.key, error=lost(item.key))
        else:
            again.append(item)


def _serve(pipe: Any, start: Start, shared: Any) -> None:
    """A worker's life: items in, results out, until nobody is there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    _lower_priority()
    work = start(shared)

    def on_step(done: int, total: int) -> None:
        pipe.send(("step", (done, total)))  # fails where the parent was killed: so do we

    while True:
        try:
            payload = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = ("done", work(payload, on_step))
        except BrokenPipeError:
            return
        except Exception as error:
            _log_fault(error)
            answer = ("error", _plain(error))
        try:
            pipe.send(answer)
        except OSError:
            return


def _log_fault(error: Exception) -> None:
    """What is a fault of ours keeps its traceback."""
    if not isinstance(error, (UserError, NotNow)):
        log.error("a fault in a worker", exc_info=error)


def _plain(error: Exception) -> Exception:
    """An error that can travel."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever a foreign exception's constructor does
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _lower_priority() -> None:
    """The machine stays usable while a shelf of books is made."""
    if hasattr(os, "nice"):
        os.nice(5)


# ---------------------------------------------------------------- Ray


@dataclass
class RayActors:
    """Actors on a Ray cluster: `address` None starts one here. Each takes one item at a time."""

    start: Start
    shared: Shared
    workers: int
    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    _lost: Counter[str] = field(default_factory=Counter)

    def run(self, next_item: NextItem) -> Iterator[Step | Done]:
        ray = _ray()
        if not ray.is_initialized():
            cores = max(self.workers, os.cpu_count() or 1)
            # "local": else Ray joins whatever cluster happens to run on this machine
            here = {"address": "local", "num_cpus": cores, "include_dashboard": False}
            settings: dict[str, Any] = {"address": self.address} if self.address else here
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **settings)
        shared = ray.put(self.shared())  # once; every actor reads it where it is
        actor = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_restarts=0)(_Actor)
        free = [actor.remote(self.start, shared) for _ in range(self.workers)]
        running: dict[Any, tuple[Any, Item]] = {}
        again: list[Item] = []
        more = True
        while True:
            more = self._hand_out(free, running, again, next_item) if more or again else False
            if not running:
                if not more and not again:
                    return
                time.sleep(IDLE_S)
                continue
            ready, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
            for reference in ready:
                worker, item = running.pop(reference)
                yield from self._ended(ray, reference, worker, item, free, again, actor, shared)

    def _hand_out(
        self, free: list[Any], running: dict[Any, Any], again: list[Item], next_item: NextItem
    ) -> bool:
        while free:
            item = again.pop() if again else next_item()
            if item is None:
                return False
            if isinstance(item, Wait):
                return True
            worker = free.pop()
            running[worker.work.remote(item.payload)] = worker, item
        return True

    def _ended(
        self, ray: Any, reference: Any, worker: Any, item: Item, free: list[Any],
        again: list[Item], actor: Any, shared: Any,
    ) -> Iterator[Done]:  # fmt: skip
        try:
            kind, value = ray.get(reference)
        except ray.exceptions.RayError as error:  # the actor, its node or its store is lost
            log.warning("a worker died at %s: %s", item.key, type(error).__name__)
            free.append(actor.remote(self.start, shared))
            self._lost[item.key] += 1
            if self._lost[item.key] >= TRIES:
                yield Done(item.key, error=lost(item.key))
            else:
                again.append(item)
            return
        free.append(worker)
        yield Done(item.key, value) if kind == "done" else Done(item.key, error=value)


class _Actor:
    """A worker on a cluster."""

    def __init__(self, start: Start, shared: Any) -> None:
        self._work = start(shared)

    def work(self, payload: Any) -> tuple[str, Any]:
        try:
            return "done", self._work(payload, lambda done, total: None)
        except Exception as error:
            _log_fault(error)
            return "error", _plain(error)


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise UserError(
            f"Ray cannot be loaded ({error}).", "Install it with: pip install 'clone-voice[scale]'"
        ) from error
    return ray
