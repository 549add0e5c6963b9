"""A reader of events takes a page at a time, and is closed if it takes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message

from mouthpiece.segments import AudioInfo, Segment, Source, utc_now
from mouthpiece_sender.api.event_stream import EventStream
from mouthpiece_sender.events.feed import Feed
from mouthpiece_sender.events.following import PAGE, Gap, Selection, follow
from mouthpiece_sender.storage.journal import LogEntry
from mouthpiece_sender.storage.memory_journal import MemoryJournal


async def filled(count: int) -> MemoryJournal:
    store = MemoryJournal()
    for number in range(count):
        audio = AudioInfo(16_000, 1, 1.0)
        await store.accept(
            Segment(id=f"seg_{number}", room="demo", source=Source("file"), audio=audio, created_at=utc_now())
        )
    return store


async def test_a_client_that_takes_nothing_is_closed_and_nothing_more_is_read_for_it() -> None:
    store, read = await filled(3 * PAGE), 0

    async def entries() -> AsyncIterator[LogEntry | Gap | None]:
        nonlocal read
        async for entry in follow(store, Feed(), Selection(), 0, heartbeat=60):
            read += 1
            yield entry

    sent: list[Message] = []

    async def send(message: Message) -> None:
        if len(sent) == 5:
            await asyncio.Event().wait()
        sent.append(message)

    await EventStream(entries(), slow=0.01).stream_response(send)
    assert len(sent) == 5
    assert read == 4
    assert all(message.get("more_body", True) for message in sent)


async def test_pages_follow_each_other_and_the_stream_ends_with_the_feed() -> None:
    store, feed, seen = await filled(2 * PAGE + 1), Feed(), []
    async for entry in follow(store, feed, Selection(), 0, heartbeat=60):
        assert isinstance(entry, LogEntry)
        seen.append(entry.event.seq)
        if len(seen) == 2 * PAGE + 1:
            feed.close()
    assert seen == list(range(1, 2 * PAGE + 2))


async def test_an_event_between_the_reading_and_the_waiting_is_not_missed() -> None:
    store, feed = await filled(1), Feed()
    entries = follow(store, feed, Selection(), 1, heartbeat=0.01)
    assert await anext(entries) is None
    noted = await store.get("seg_0")
    await store.accept(Segment(id="seg_1", room="demo", source=noted.source, audio=noted.audio, created_at=utc_now()))
    feed.wake()
    entry = await anext(entries)
    assert isinstance(entry, LogEntry)
    assert entry.event.segment == "seg_1"
