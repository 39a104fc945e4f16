"""Cutting at pauses: lengths, edges, sentence ends, and no word cut through."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.slicing import EDGE_S, LONG_S, LONGEST_S, Piece, TimedWord, joints, slice_track
from data.speech import FRAME_S, Track


def recording(*parts: tuple[float, float]) -> Track:
    """(speech, pause) in seconds, one after the other, as the network would hear it."""
    speech: list[float] = []
    for spoken_s, pause_s in parts:
        speech += [1.0] * round(spoken_s / FRAME_S) + [0.0] * round(pause_s / FRAME_S)
    seconds = len(speech) * FRAME_S
    levels = np.where(np.repeat(speech, 4)[: int(seconds / 0.01)], -20.0, -70.0)
    return Track(seconds, 22050, "", np.array(speech, np.float32), levels.astype(np.float32))


def lengths(pieces: list[Piece]) -> list[float]:
    return [piece.seconds for piece in pieces]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.3, 9.0), st.floats(0.05, 3.0)), min_size=1, max_size=25),
)
def test_pieces_are_in_order_within_bounds_and_hold_all_speech(
    parts: list[tuple[float, float]],
) -> None:
    found = recording(*parts)
    pieces = slice_track(found)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(pieces))
    assert all(0 <= p.start_s < p.end_s <= found.seconds + 1e-3 for p in pieces)
    assert max(lengths(pieces), default=0) <= LONGEST_S + 2 * EDGE_S + 0.01
    inside = np.zeros(len(found.speech), bool)
    for piece in pieces:
        inside[int(piece.start_s / FRAME_S) : round(piece.end_s / FRAME_S) + 1] = True
    assert inside[found.speech > 0.5].mean() > 0.98


def test_sentences_become_pieces_of_two_to_ten_seconds() -> None:
    pieces = slice_track(recording(*[(2.5, 0.7)] * 40))
    assert all(2 <= length <= LONG_S for length in lengths(pieces))


def test_silence_stays_at_both_edges() -> None:
    pieces = slice_track(recording((0.001, 1.0), (4.0, 2.0), (5.0, 2.0)))
    assert pieces[0].start_s == pytest.approx(1.0 - EDGE_S, abs=0.07)
    assert pieces[0].end_s == pytest.approx(5.0 + EDGE_S, abs=0.07)


def test_a_long_pause_is_never_inside_a_piece() -> None:
    pieces = slice_track(recording((1.2, 1.5), (1.2, 1.5), (1.2, 1.5)))
    assert len(pieces) == 3


def test_a_short_pause_is_cut_only_where_there_is_no_better() -> None:
    pieces = slice_track(recording((5.0, 0.22), (3.0, 0.6), (5.0, 0.22), (3.0, 0.6)))
    assert len(pieces) == 2
    assert all(length == pytest.approx(8.5, abs=0.3) for length in lengths(pieces))


def test_speech_without_a_pause_is_cut_and_says_so() -> None:
    pieces = slice_track(recording((40.0, 1.0)))
    assert max(lengths(pieces)) <= LONGEST_S + 2 * EDGE_S
    assert all("without a pause" in piece.doubt for piece in pieces)


def test_sentence_ends_are_preferred() -> None:
    found = recording((3.0, 0.5), (3.0, 0.5), (3.0, 0.5), (3.0, 0.5))
    words = [TimedWord("x", 3.5 * i, 3.5 * i + 3.0, ends_sentence=i % 2 == 1) for i in range(4)]
    assert len(slice_track(found, words)) == 2
    shifted = [TimedWord("x", w.start_s, w.end_s, i in (0, 2)) for i, w in enumerate(words)]
    assert slice_track(found, shifted)[0].end_s < 4.0


def test_no_cut_within_a_word() -> None:
    found = recording((4.0, 0.4), (4.0, 0.4), (4.0, 0.4))
    words = [TimedWord("a", 0, 1), TimedWord("long", 3.5, 5.5), TimedWord("b", 9, 12)]
    cuts = [piece.end_s for piece in slice_track(found, words)]
    assert not any(3.6 < cut < 5.4 for cut in cuts)


def test_no_piece_holds_two_people() -> None:
    found = recording((3.0, 0.5), (3.0, 0.5), (3.0, 0.5), (3.0, 0.5))
    at = 3.0 + 0.25
    together = slice_track(found)
    assert any(piece.start_s < at < piece.end_s for piece in together)
    apart = slice_track(found, turns=[at])
    assert not any(piece.start_s < at < piece.end_s for piece in apart)
    assert apart[0].end_s == pytest.approx(3.0 + EDGE_S, abs=0.07)


def test_joints_are_the_pauses_within_pieces() -> None:
    found = recording((3.0, 0.5), (3.0, 2.0), (3.0, 0.4), (2.0, 2.0))
    pieces = slice_track(found)
    middles = [joint.middle_s for joint in joints(found, (), pieces)]
    assert middles == pytest.approx([3.25, 8.5 + 3.2], abs=0.07)
    assert not joints(found, (), [])
