"""Which checkpoint becomes the voice: similarity may not be bought with clarity."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.choosing import check_points, choose, over_training, score, summary


def check(step: int, similarity: float, cer: float | None = None, **more: Any) -> dict[str, float]:
    made = {"step": step, "similarity": similarity, "score": score(similarity, cer), **more}
    return made if cer is None else made | {"cer": cer}


def test_the_start_and_the_end_are_judged_and_some_between() -> None:
    assert check_points(400) == [0, 134, 267, 400]
    assert check_points(120) == [0, 60, 120]
    assert check_points(1) == [0, 1]
    assert check_points(0) == [0]


def test_the_most_similar_of_the_clear_ones_is_chosen() -> None:
    checks = [check(0, 0.7, 0.12), check(50, 0.8, 0.13), check(100, 0.85, 0.12)]
    assert choose(checks)["step"] == 100


def test_similarity_is_not_bought_with_errors_or_naturalness() -> None:
    unclear = [check(0, 0.7, 0.12), check(50, 0.8, 0.14), check(100, 0.95, 0.20)]
    assert choose(unclear)["step"] == 50
    dull = [check(0, 0.7, mos=3.6), check(50, 0.8, mos=3.5), check(100, 0.9, mos=3.2)]
    assert choose(dull)["step"] == 50


def test_what_is_over_trained_is_not_chosen_and_reported() -> None:
    checks = [
        check(0, 0.7, held_out=22.0),
        check(50, 0.8, held_out=19.0),
        check(100, 0.9, held_out=21.0),
    ]
    assert choose(checks)["step"] == 50
    assert over_training(checks) == "At step 100 the clips held out are reproduced less well"
    assert summary(checks)["chosen_step"] == 50
    assert over_training(checks[:2]) == ""


def test_errors_that_rise_at_the_end_are_reported() -> None:
    checks = [check(0, 0.7, 0.3), check(50, 0.8, 0.1), check(100, 0.81, 0.2)]
    assert choose(checks)["step"] == 50
    assert "understood less well" in over_training(checks)


def test_a_training_that_makes_everything_worse_leaves_the_base_with_the_conditioning() -> None:
    checks = [check(0, 0.8, 0.1), check(50, 0.7, 0.3)]
    assert choose(checks)["step"] == 0


@pytest.mark.parametrize("similarity", [0.1, 0.9])
def test_a_single_check_is_chosen(similarity: float) -> None:
    assert choose([check(0, similarity)])["step"] == 0
    assert over_training([check(0, similarity)]) == ""
