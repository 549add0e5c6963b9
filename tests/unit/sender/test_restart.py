from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mouthpiece.segments import AttemptRecord, AudioInfo, Event, Receipt, Segment, Source, State
from mouthpiece_sender.storage.recovery import end_unfinished_segments, ended_by_restart
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store

THEN = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
NOW = THEN + timedelta(seconds=30)
SEGMENT = Segment(id="seg_1", room="demo", source=Source("file"), audio=AudioInfo(16_000, 1, 3.5), created_at=THEN)


@pytest.mark.parametrize("state", [State.PLAYING, State.PAUSED])
def test_what_was_being_said_ends_as_unknown_where_it_was(state: State) -> None:
    ended = ended_by_restart(replace(SEGMENT, state=state, position=1.5, started_at=THEN), NOW, attempted=True)
    assert (ended.state, ended.receipt, ended.position) == (State.UNKNOWN, Receipt.UNKNOWN, 1.5)
    assert (ended.started_at, ended.finished_at) == (THEN, NOW)
    assert ended.error is not None
    assert ended.error.type == "restarted"


def test_what_was_sent_may_have_been_heard_also_if_nobody_had_said_so_yet() -> None:
    assert ended_by_restart(SEGMENT, NOW, attempted=True).state is State.UNKNOWN


def test_what_waited_has_failed_and_can_be_sent_again() -> None:
    ended = ended_by_restart(SEGMENT, NOW, attempted=False)
    assert (ended.state, ended.receipt, ended.finished_at) == (State.FAILED, Receipt.NONE, NOW)
    assert ended.error is not None
    assert (ended.error.type, ended.error.retryable) == ("restarted", True)


def test_what_waited_for_too_long_has_expired_when_it_said() -> None:
    expires = THEN + timedelta(seconds=10)
    ended = ended_by_restart(replace(SEGMENT, expires_at=expires), NOW, attempted=False)
    assert (ended.state, ended.finished_at, ended.error) == (State.EXPIRED, expires, None)


async def test_at_start_everything_has_ended_and_no_sound_is_left(tmp_path: Path) -> None:
    async def sound() -> AsyncIterator[bytes]:
        yield b"sound"

    segments = {
        name: replace(SEGMENT, id=f"seg_{name}", state=state)
        for name, state in {"waiting": State.QUEUED, "sent": State.QUEUED, "said": State.FINISHED}.items()
    }
    async with Store(tmp_path / "store.db") as store, Spool(tmp_path / "spool") as spool:
        for segment in segments.values():
            await spool.store(segment.id, sound())
            await store.accept(segment)
        sent = segments["sent"]
        await store.record(
            sent, Event(sent.id, sent.room, "attempt.opened", THEN, 1), AttemptRecord(number=1, offset=0.0)
        )
        await spool.store("seg_never_accepted", sound())
    async with Store(tmp_path / "store.db") as store, Spool(tmp_path / "spool") as spool:
        assert await end_unfinished_segments(store, spool, wall_clock=lambda: NOW) == 2
        states = {id: (await store.get(segment.id)).state for id, segment in segments.items()}
        assert states == {"waiting": State.FAILED, "sent": State.UNKNOWN, "said": State.FINISHED}
        assert await store.unfinished() == []
        assert await end_unfinished_segments(store, spool, wall_clock=lambda: NOW) == 0
    assert list((tmp_path / "spool").iterdir()) == []
