"""Items are done here, in processes and on Ray alike, and a lost worker loses nothing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.executors import (
    WAIT,
    Done,
    Executor,
    Inline,
    Item,
    LocalProcesses,
    NextItem,
    OnStep,
    RayActors,
)
from vits.errors import UserError


def start(shared: Any) -> Callable[[Any, OnStep], Any]:
    """Squares; 'die' kills the worker the first time, 'die always' every time."""

    def work(payload: Any, on_step: OnStep) -> Any:
        on_step(1, 2)
        if payload == "bad":
            raise UserError("This is bad.", "Do not.")
        if isinstance(payload, str):
            mark = Path(shared["folder"], "died")
            if payload == "die always" or not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return "alive"
        return payload * payload + shared["plus"]

    return work


def items(*payloads: Any) -> NextItem:
    left: Iterator[Any] = iter([WAIT, *(Item(str(n), p) for n, p in enumerate(payloads))])
    return lambda: next(left, None)


def results(executor: Executor, *payloads: Any) -> dict[str, Any]:
    done = [event for event in executor.run(items(*payloads)) if isinstance(event, Done)]
    assert len({event.key for event in done}) == len(done)
    return {event.key: event.error or event.result for event in done}


def shared(folder: Path) -> Callable[[], dict[str, Any]]:
    return lambda: {"plus": 1, "folder": str(folder)}


def test_items_are_done_here_and_errors_are_results(tmp_path: Path) -> None:
    found = results(Inline(start, shared(tmp_path)), 2, "bad", 3)
    assert (found["0"], found["2"]) == (5, 10)
    assert str(found["1"]) == "This is bad. Do not."


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is not known there")
def test_processes_do_the_same_and_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    found = results(LocalProcesses(start, shared(tmp_path), 2), 2, "die", "bad", 3, 4)
    assert (found["0"], found["3"], found["4"]) == (5, 10, 17)
    assert found["1"] == "alive"
    assert isinstance(found["2"], UserError)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is not known there")
@pytest.mark.slow
def test_an_item_that_kills_every_worker_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    found = results(LocalProcesses(start, shared(tmp_path), 2), "die always", 3)
    assert "died 4 times" in str(found["0"])
    assert found["1"] == 10


def test_nobody_is_hired_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    executor = LocalProcesses(start, shared(tmp_path), 2)
    executor._hire = lambda context: pytest.fail("hired")  # type: ignore[method-assign]
    assert results(executor) == {}


@pytest.mark.slow
def test_a_real_ray_does_the_same_with_a_worker_killed_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")  # another cluster, which is not ours to join
    # the tests are no installed package that an actor could import
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        executor = RayActors(start, shared(tmp_path), 2)
        found = results(executor, 2, "die", "bad", 3, 4)
    finally:
        ray.shutdown()
    assert (found["0"], found["3"], found["4"]) == (5, 10, 17)
    assert found["1"] == "alive"
    assert isinstance(found["2"], UserError)
