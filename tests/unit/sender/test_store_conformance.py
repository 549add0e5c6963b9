"""What every store does, whatever it stores in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

from mouthpiece.errors import IdempotencyConflict, SegmentNotFound, StoreError
from mouthpiece.segments import (
    AttemptRecord,
    AttemptState,
    AudioInfo,
    EndedBy,
    Event,
    Receipt,
    Segment,
    Source,
    State,
)
from mouthpiece_sender.storage.journal import KEY_LIFETIME, IdempotencyKey, Kind, KnownKey, LogPage, SegmentStore
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.storage.store import Store

AT = datetime(2026, 11, 21, 5, 0, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(days=60)
KEY = IdempotencyKey("holder POST /v1/rooms/demo/segments", "order-12", "what was asked")

Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[SegmentStore]]


@pytest.fixture(params=["SQLite", "memory"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens the same store at each call: what a later process sees."""
    memory = MemoryJournal()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[SegmentStore]:
        yield memory

    return in_memory if request.param == "memory" else lambda: Store(tmp_path / "store.db")


@pytest_asyncio.fixture
async def store(opened: Opened) -> AsyncIterator[SegmentStore]:
    async with opened() as store:
        yield store


def plain(number: int = 1, /, **changes: Any) -> Segment:
    segment = Segment(
        id=f"seg_{number:04x}",
        room="demo",
        source=Source("file", "a.wav", encoding="container"),
        audio=AudioInfo(16_000, 1, 3.5),
        created_at=AT,
    )
    return replace(segment, **changes)


def event(segment: Segment, at: datetime = AT, type: str = "segment.playing") -> Event:
    return Event(segment.id, segment.room, type, at)


async def end(store: SegmentStore, segment: Segment, at: datetime = AT) -> Segment:
    ended = replace(segment, state=State.FINISHED, finished_at=at)
    await store.record(ended, event(ended, at))
    return ended


def ids(segments: Any) -> list[str]:
    return [segment.id for segment in segments]


async def test_what_was_accepted_is_there_with_all_it_has(opened: Opened) -> None:
    segment = plain(tag="order-12", metadata={"shop": "Lyon", "list": [1, None, 0.5]}, expires_at=LATER)
    async with opened() as store:
        await store.accept(segment)
    async with opened() as store:
        assert await store.get(segment.id) == segment
        with pytest.raises(SegmentNotFound):
            await store.get("seg_none")


async def test_an_id_is_accepted_once(store: SegmentStore) -> None:
    await store.accept(plain())
    with pytest.raises(StoreError):
        await store.accept(plain(room="other"))
    assert (await store.get("seg_0001")).room == "demo"


async def test_an_attempt_is_stored_and_changed_by_its_number(opened: Opened) -> None:
    segment = plain()
    first = AttemptRecord(
        number=1, avatar="avatar-mia", profile="mouthpiece", session="PA_1", offset=0.0, started_at=AT
    )
    second = AttemptRecord(number=2, avatar="avatar-mia", profile="mouthpiece", session="PA_2", offset=1.25)
    lost = replace(first, position=1.25, receipt=Receipt.UNKNOWN, state=AttemptState.LOST, ended_at=AT)
    async with opened() as store:
        await store.accept(segment)
        playing = replace(segment, state=State.PLAYING, position=1.0)
        await store.record(playing, event(segment), first)
        await store.record(playing, event(segment, type="attempt.ended"), lost)
        await store.record(playing, event(segment, type="attempt.opened"), second)
        await store.record(replace(playing, position=2.0), event(segment))
    async with opened() as store:
        expected = replace(playing, position=2.0, attempts=(lost, second))
        assert await store.get(segment.id) == expected
        assert (await store.list("demo")).segments == [expected]
        assert await store.unfinished() == [(expected, [lost, second])]


async def test_events_are_numbered_upwards_over_restarts(opened: Opened) -> None:
    numbers = []
    for turn in range(3):
        async with opened() as store:
            if not turn:
                await store.accept(plain())
            numbers += [(await store.record(plain(), event(plain()))).seq for _ in range(2)]
    assert numbers == sorted(set(numbers))


async def test_what_was_never_accepted_cannot_be_recorded(store: SegmentStore) -> None:
    with pytest.raises(StoreError):
        await store.record(plain(), event(plain()), AttemptRecord(number=1, offset=0.0))
    await store.accept(plain())
    assert (await store.get("seg_0001")).attempts == ()


async def test_the_unfinished_come_in_the_order_of_acceptance_whatever_their_ids(opened: Opened) -> None:
    async with opened() as store:
        for number in (9, 3, 7, 1):
            await store.accept(plain(number))
        await end(store, plain(7))
        await store.record(plain(1, state=State.PAUSED), event(plain(1)))
    async with opened() as store:
        assert [segment.id for segment, _ in await store.unfinished()] == ["seg_0009", "seg_0003", "seg_0001"]


async def test_a_listing_goes_through_all_pages_the_last_accepted_first(store: SegmentStore) -> None:
    accepted = [f"seg_{number * 7 % 25:04x}" for number in range(25)]
    for id in accepted:
        await store.accept(plain(id=id))
        await store.accept(plain(id=f"{id}x", room="another"))
    found: list[str] = []
    after = None
    while True:
        page = await store.list("demo", limit=10, after=after)
        found += ids(page.segments)
        after = page.next
        await store.accept(plain(id=f"seg_new{len(found)}"))  # what comes meanwhile moves no page
        if after is None:
            break
    assert found == accepted[::-1]
    assert (await store.list("nowhere")).segments == []


async def test_a_listing_of_some_states_and_of_one_tag(store: SegmentStore) -> None:
    for number in range(6):
        await store.accept(plain(number, tag="a" if number % 2 else "b"))
    for number in (1, 2):
        await end(store, plain(number, tag="a" if number % 2 else "b"))
    assert ids((await store.list("demo", tag="a")).segments) == ["seg_0005", "seg_0003", "seg_0001"]
    assert ids((await store.list("demo", tag="a", states=[State.FINISHED])).segments) == ["seg_0001"]
    page = await store.list("demo", tag="a", limit=2)
    assert ids((await store.list("demo", tag="a", limit=2, after=page.next)).segments) == ["seg_0001"]
    assert (await store.list("demo", tag="A")).segments == []


@pytest.mark.parametrize("cursor", ["", "1", "n", "seg_0001", "n1' OR '1'='1", "n1\n", "n" + "9" * 30])
async def test_a_cursor_of_somebody_else_is_refused(store: SegmentStore, cursor: str) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        await store.list("demo", after=cursor)


async def test_a_paused_room_stays_paused(opened: Opened) -> None:
    async with opened() as store:
        for room in ("demo", "other", "demo"):
            await store.set_paused(room, True)
        await store.set_paused("other", False)
        await store.set_paused("never", False)
    async with opened() as store:
        assert [*await store.paused_rooms()] == ["demo"]


async def test_a_key_names_its_segment_for_a_day(opened: Opened) -> None:
    async with opened() as store:
        await store.accept(plain(), KEY)
    async with opened() as store:
        known = KnownKey("seg_0001", KEY.fingerprint)
        almost = AT + KEY_LIFETIME - timedelta(seconds=1)
        assert await store.known_key(KEY.scope, KEY.key, almost) == known
        assert await store.known_key(KEY.scope, KEY.key, AT + KEY_LIFETIME) is None
        assert await store.known_key(KEY.scope, "another", AT) is None
        assert await store.known_key("another", KEY.key, AT) is None


async def test_a_key_is_stored_with_its_segment_or_not_at_all(store: SegmentStore) -> None:
    await store.accept(plain(1), KEY)
    with pytest.raises(IdempotencyConflict):
        await store.accept(plain(2), KEY)
    with pytest.raises(SegmentNotFound):
        await store.get("seg_0002")
    with pytest.raises(StoreError):
        await store.accept(plain(1), replace(KEY, key="of a refused one"))
    assert await store.known_key(KEY.scope, "of a refused one", AT) is None
    await store.accept(plain(3), replace(KEY, scope="another"))
    await store.accept(plain(4, created_at=AT + KEY_LIFETIME), KEY)
    assert await store.known_key(KEY.scope, KEY.key, AT + KEY_LIFETIME) == KnownKey("seg_0004", KEY.fingerprint)


async def test_a_purged_segment_has_no_words_and_gets_none_back(store: SegmentStore) -> None:
    segment = plain(source=Source("text", "note", "secret", "heart"), metadata={"who": "Ann"}, tag="order-12")
    await store.accept(segment)
    await store.purge(segment.id)
    await end(store, segment)
    stored = await store.get(segment.id)
    assert (stored.source, stored.metadata, stored.tag) == (Source("text", voice="heart"), None, "order-12")
    with pytest.raises(SegmentNotFound):
        await store.purge("seg_none")


async def test_ends_says_when_each_known_segment_ended(store: SegmentStore) -> None:
    for number in range(1200):
        await store.accept(plain(number))
    await end(store, plain(7), LATER)
    found = await store.ends([f"seg_{number:04x}" for number in range(1200)] + ["seg_none"])
    assert len(found) == 1200
    assert found["seg_0007"] == LATER
    assert found["seg_0008"] is None


@pytest.mark.parametrize("kind", ["segments", "texts"])
async def test_what_ended_long_ago_is_removed_the_oldest_first(store: SegmentStore, kind: Kind) -> None:
    for number in range(6):
        await store.accept(plain(number), KEY if number == 5 else None)
        if number != 4:
            await end(store, plain(number), AT + timedelta(days=number))
    named = ["seg_0005"] if kind == "texts" else []  # its key is alive, so the segment stays
    assert await store.remove(kind, AT, 10) == []
    assert await store.remove(kind, AT + timedelta(days=3), 2) == ["seg_0000", "seg_0001"]
    assert await store.remove(kind, LATER, 10) == ["seg_0002", "seg_0003", *named]
    assert await store.remove(kind, LATER, 10) == []
    left = {segment.id: segment.source.name for segment in (await store.list("demo")).segments}
    if kind == "segments":
        assert left == {"seg_0004": "a.wav", "seg_0005": "a.wav"}
        assert await store.remove("keys", LATER, 10) == [KEY.key]
        assert await store.remove("segments", LATER, 10) == ["seg_0005"]
    else:
        assert left == {f"seg_{number:04x}": "a.wav" if number == 4 else None for number in range(6)}


async def test_old_events_and_keys_are_removed_and_their_segments_stay(store: SegmentStore) -> None:
    await store.accept(plain(), KEY)
    days = range(1, 4)
    later = [str((await store.record(plain(), event(plain(), AT + timedelta(days=day)))).seq) for day in days]
    numbers = ["1", *later]  # the first is of its acceptance
    assert await store.remove("events", AT + timedelta(days=2), 1) == numbers[:1]
    assert await store.remove("events", AT + timedelta(days=2), 9) == numbers[1:2]
    assert await store.remove("keys", AT, 9) == []
    assert await store.remove("keys", LATER, 9) == [KEY.key]
    assert await store.known_key(KEY.scope, KEY.key, AT) is None
    assert (await store.get("seg_0001")).id == "seg_0001"


def log_of(page: LogPage) -> list[tuple[int, str, State | None]]:
    return [(one.event.seq, one.event.type, None if one.segment is None else one.segment.state) for one in page.entries]


async def test_the_log_shows_each_segment_as_it_stood_at_each_event(opened: Opened) -> None:
    segment = plain(source=Source("text", text="Hello."), metadata={"shop": "Lyon"})
    first = AttemptRecord(number=1, avatar="avatar-mia", profile="mouthpiece", session="PA_1", offset=0.0)
    lost = replace(first, position=1.25, state=AttemptState.LOST, ended_at=AT)
    playing = replace(segment, state=State.PLAYING, avatar="avatar-mia", position=0.5)
    async with opened() as store:
        await store.accept(segment)
        await store.record(playing, event(segment, type="attempt.opened"), first)
        await store.record(replace(playing, position=1.25), event(segment, type="attempt.ended"), lost)
        ended = await end(store, replace(playing, position=3.5))
    async with opened() as store:
        page = await store.log(0, 100)
        assert [one.event.type for one in page.entries] == [
            "segment.queued",
            "attempt.opened",
            "attempt.ended",
            "segment.playing",
        ]
        assert [one.event.seq for one in page.entries] == [1, 2, 3, 4]
        assert [one.segment for one in page.entries] == [
            segment,
            replace(playing, attempts=(first,)),
            replace(playing, position=1.25, attempts=(lost,)),
            replace(ended, attempts=(lost,)),
        ]
        assert (page.removed, page.last) == (0, 4)


async def test_the_log_is_read_in_pages_of_all_of_a_room_or_of_a_segment(store: SegmentStore) -> None:
    await store.accept(plain(1))
    await store.accept(plain(2, room="other"))
    noted = await store.note(Event(None, "demo", "room.avatar_joined", AT, avatar="avatar-mia"))
    await end(store, plain(1))
    assert noted.seq == 3
    assert log_of(await store.log(0, 2)) == [(1, "segment.queued", "queued"), (2, "segment.queued", "queued")]
    assert log_of(await store.log(2, 9)) == [(3, "room.avatar_joined", None), (4, "segment.playing", "finished")]
    assert [one.event for one in (await store.log(2, 1)).entries] == [noted]
    assert [seq for seq, *_ in log_of(await store.log(0, 9, room="demo"))] == [1, 3, 4]
    assert [seq for seq, *_ in log_of(await store.log(1, 9, segment="seg_0001"))] == [4]
    assert log_of(await store.log(4, 9)) == []


async def test_the_log_says_up_to_where_something_is_missing(store: SegmentStore) -> None:
    for number in range(1, 5):
        await store.accept(plain(number, created_at=AT + timedelta(days=number)))
    assert (await store.log(0, 9)).removed == 0
    await store.remove("events", AT + timedelta(days=3), 9)
    assert (await store.log(0, 9)).removed == 2
    await end(store, plain(3), AT)
    await store.remove("segments", LATER, 9)
    page = await store.log(0, 9)
    assert (page.removed, page.last, log_of(page)) == (5, 5, [(4, "segment.queued", "queued")])


async def test_what_is_purged_is_gone_from_the_log(store: SegmentStore) -> None:
    segment = plain(source=Source("text", text="Hello."), metadata={"shop": "Lyon"})
    await store.accept(segment)
    await end(store, segment)
    await store.purge(segment.id)
    for entry in (await store.log(0, 9)).entries:
        assert entry.segment is not None
        assert (entry.segment.source.text, entry.segment.metadata) == (None, None)


async def test_the_end_of_a_segment_has_its_reason(store: SegmentStore) -> None:
    await store.accept(plain())
    ended = plain(state=State.INTERRUPTED, ended_by=EndedBy.SUPERSEDED, finished_at=AT)
    await store.record(ended, event(ended))
    assert await store.get("seg_0001") == ended


async def test_it_can_be_checked_and_has_a_size(store: SegmentStore) -> None:
    await store.check()
    assert await store.size() >= 0
