"""What is remembered of streams that have ended."""

from __future__ import annotations

from mouthpiece.receiving.ended_streams import SENDERS, EndedStreams
from mouthpiece.receiving.inbound_streams import InboundStream
from mouthpiece.segments import Receipt
from mouthpiece.wire import STATUS_ENDED, StatusEnded, StreamHeader


def stream(sender: str = "a", segment: str | None = "seg", attempt: int | None = None) -> InboundStream:
    return InboundStream(sender, StreamHeader(16_000, 1, segment, attempt))


def test_an_end_is_kept_for_its_sender_alone() -> None:
    ended = EndedStreams()
    ended.record(stream("a", "one", 2), 1.5, interrupted=True)
    ended.record(stream("b", "two"), 0.5, interrupted=False, receipt=Receipt.ESTIMATED)
    assert ended.of("a") == (StatusEnded("one", 1.5, True, "confirmed", 2),)
    assert ended.of("b") == (StatusEnded("two", 0.5, False, "estimated", None),)
    assert ended.of("c") == ()


def test_the_last_ends_are_kept_oldest_first() -> None:
    ended = EndedStreams()
    for number in range(STATUS_ENDED + 5):
        ended.record(stream(segment=f"seg_{number}"), 1.0, interrupted=False)
    assert [end.segment for end in ended.of("a")] == [f"seg_{number}" for number in range(5, STATUS_ENDED + 5)]


def test_a_stream_without_an_id_cannot_be_spoken_of() -> None:
    ended = EndedStreams()
    ended.record(stream(segment=None), 1.0, interrupted=False)
    assert ended.of("a") == ()


def test_the_sender_that_was_silent_for_longest_is_forgotten() -> None:
    ended = EndedStreams()
    for number in range(SENDERS):
        ended.record(stream(f"sender-{number}"), 1.0, interrupted=False)
    ended.record(stream("sender-0"), 1.0, interrupted=False)
    ended.record(stream("one more"), 1.0, interrupted=False)
    assert len(ended.of("sender-0")) == 2
    assert ended.of("sender-1") == ()
    assert ended.of("one more")
