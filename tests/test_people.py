"""The main speaker is found and the others are set aside, by embeddings alone."""

from __future__ import annotations

import numpy as np
import pytest

from data.people import OTHERS_BELOW, main_speaker


def crowd(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of people whose clips lie close together; the person of each."""
    random = np.random.default_rng(seed)
    vectors, owners = [], []
    for person, size in enumerate(sizes):
        centre = np.abs(random.normal(0, 1, 256)) ** 2  # as the encoder's, without negatives
        centre /= np.linalg.norm(centre)
        for _ in range(size):
            vector = centre + random.normal(0, 0.02, 256)
            vectors.append(vector / np.linalg.norm(vector))
            owners.append(person)
    return np.array(vectors, np.float32), np.array(owners)


@pytest.mark.parametrize("seed", range(5))
def test_the_person_with_most_speech_is_the_main_one(seed: int) -> None:
    vectors, owners = crowd([20, 8, 3], seed)
    centre = main_speaker(vectors, np.ones(len(vectors)))
    assert set(owners[vectors @ centre >= OTHERS_BELOW]) == {0}
    assert ((vectors @ centre >= OTHERS_BELOW) == (owners == 0)).all()


def test_seconds_count_and_not_clips() -> None:
    vectors, owners = crowd([6, 10])
    seconds = np.where(owners == 0, 10.0, 2.0)
    centre = main_speaker(vectors, seconds)
    assert set(owners[vectors @ centre >= OTHERS_BELOW]) == {0}


def test_the_order_of_the_clips_does_not_matter() -> None:
    vectors, _ = crowd([12, 5])
    turned = np.random.default_rng(3).permutation(len(vectors))
    first = main_speaker(vectors, np.ones(17))
    np.testing.assert_allclose(first, main_speaker(vectors[turned], np.ones(17)), atol=1e-5)
