"""When webhooks are sent: after the beginning of speech, and in any case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mouthpiece.segments import AudioInfo, Segment, Source
from mouthpiece_sender.events.feed import Feed
from mouthpiece_sender.storage.deliveries import Delivery
from mouthpiece_sender.storage.store import Store
from mouthpiece_sender.webhooks import dispatch
from mouthpiece_sender.webhooks.dispatch import Dispatch
from mouthpiece_sender.webhooks.routing import Webhook
from mouthpiece_sender.webhooks.sending import Outcome

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2026, 11, 29, tzinfo=UTC)


@asynccontextmanager
async def dispatching(folder: Path, begins: asyncio.Event) -> AsyncIterator[asyncio.Queue[int]]:
    """Yield the events that are sent, of which there is one to send; speech begins while ``begins`` is set."""
    sent: asyncio.Queue[int] = asyncio.Queue()

    async def send(delivery: Delivery, now: datetime) -> Outcome:
        sent.put_nowait(delivery.entry.event.seq)
        return Outcome(None)

    async with Store(folder / "store.sqlite") as store:
        segment = Segment(
            id="seg_1", room="demo", source=Source("file"), audio=AudioInfo(16_000, 1, 1.0), created_at=AT
        )
        await store.accept(segment, None)
        webhooks = [Webhook("http://127.0.0.1:9/", SECRET)]
        async with Dispatch(
            store.deliveries, Feed(), webhooks, send, scale=1.0, speech_begins=begins.is_set, wall_clock=lambda: AT
        ):
            yield sent


async def test_a_webhook_waits_until_what_begins_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "LONGEST_HOLD", 1_000.0)
    begins = asyncio.Event()
    begins.set()
    async with dispatching(tmp_path, begins) as sent:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sent.get(), 0.2)
        begins.clear()
        assert await asyncio.wait_for(sent.get(), 10) == 1


async def test_a_webhook_is_sent_although_speech_begins_without_end(tmp_path: Path) -> None:
    begins = asyncio.Event()
    begins.set()
    async with dispatching(tmp_path, begins) as sent:
        assert await asyncio.wait_for(sent.get(), 10) == 1
