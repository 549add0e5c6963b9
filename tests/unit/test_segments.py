"""Segments: the problem that an error becomes, and how far a segment has come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mouthpiece.errors import AvatarStartFailed, MouthpieceError
from mouthpiece.segments import AudioInfo, Problem, Segment, Source, State, Until, utc_now


def kinds(kind: type[MouthpieceError] = MouthpieceError) -> Iterator[type[MouthpieceError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("kind", list(kinds()))
def test_a_problem_has_the_slug_and_retryable_of_its_error(kind: type[MouthpieceError]) -> None:
    assert Problem.of(kind("What to do.")) == Problem(kind.slug, "What to do.", kind.retryable)


def test_one_error_may_be_retryable_where_its_class_is_not() -> None:
    error = AvatarStartFailed("The avatar server is busy.")
    error.retryable = True
    assert Problem.of(error).retryable


@pytest.mark.parametrize(
    ("state", "reached"),
    [
        (State.QUEUED, {"queued"}),
        (State.PLAYING, {"queued", "playing"}),
        (State.PAUSED, {"queued", "playing"}),
        *((state, {"queued", "playing", "finished"}) for state in State if state.terminal),
    ],
)
def test_a_segment_has_reached_what_lies_behind_its_state(state: State, reached: set[Until]) -> None:
    segment = Segment(
        id="seg_1",
        room="demo",
        source=Source("file"),
        audio=AudioInfo(16_000, 1, 1.0),
        created_at=utc_now(),
        state=state,
    )
    steps: tuple[Until, ...] = ("queued", "playing", "finished")
    assert {until for until in steps if segment.reached(until)} == reached
