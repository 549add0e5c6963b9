"""Keeps sending what is due: a task that reads the log, and a task for each delivery that is on its way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from mouthpiece.errors import StoreError
from mouthpiece.segments import utc_now
from mouthpiece_sender.events.feed import Feed
from mouthpiece_sender.storage.deliveries import Deliveries, Delivery
from mouthpiece_sender.webhooks.backoff import delay
from mouthpiece_sender.webhooks.routing import Webhook, receivers
from mouthpiece_sender.webhooks.sending import Outcome

logger = logging.getLogger(__name__)

AT_ONCE: Final = 4
"""Deliveries that are on their way to one receiver at a time; of one segment there is one."""
IN_ALL: Final = 64
"""Deliveries that are on their way at a time."""
LONGEST_WAIT: Final = 60.0
"""Seconds until it is looked again, whatever happens."""
AFTER_FAILURE: Final = 1.0
"""Seconds until it is looked again where the store failed."""
LONGEST_HOLD: Final = 0.5
"""Seconds that speech may hold back what is to be sent."""
HOLD_STEP: Final = 0.02
"""Seconds until it is asked again whether speech begins."""

Send = Callable[[Delivery, datetime], Awaitable[Outcome]]


class Dispatch:
    """``async with Dispatch(…):``; leaving cuts what is on its way, which is sent again by the next process."""

    def __init__(
        self,
        deliveries: Deliveries,
        feed: Feed,
        webhooks: Sequence[Webhook],
        send: Send,
        *,
        scale: float,
        speech_begins: Callable[[], bool],
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """
        :param scale: what the delays between tries are multiplied with.
        :param speech_begins: returns whether a segment is about to be heard; webhooks wait for it then.
        """
        self._deliveries = deliveries
        self._feed = feed
        self._webhooks = webhooks
        self._send = send
        self._scale = scale
        self._speech_begins = speech_begins
        self._wall_clock = wall_clock
        self._under_way: dict[int, str] = {}
        """Numbers of deliveries, and their receivers."""
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="webhooks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def look(self) -> None:
        """Something became due by another hand."""
        self._changed.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="follow-events")
            while True:
                await self._let_speech_begin()
                self._changed.clear()
                try:
                    seconds = await self._start_what_is_due(tasks)
                except StoreError as error:
                    logger.warning("webhooks wait for the store: %s", error)
                    seconds = AFTER_FAILURE
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._changed.wait()

    async def _start_what_is_due(self, tasks: asyncio.TaskGroup) -> float:
        """Return the seconds until something may be due."""
        now = self._wall_clock()
        while await self._deliveries.route(lambda entry: receivers(self._webhooks, entry), now):
            pass
        busy = Counter(self._under_way.values())
        full = [receiver for receiver, count in busy.items() if count >= AT_ONCE]
        for delivery in await self._deliveries.due(now, full, IN_ALL + len(self._under_way)):
            receiver = delivery.receiver.name
            free = busy[receiver] < AT_ONCE and len(self._under_way) < IN_ALL
            if free and delivery.number not in self._under_way:
                busy[receiver] += 1
                self._under_way[delivery.number] = receiver
                tasks.create_task(self._deliver(delivery), name="webhook")
        next_due = await self._deliveries.next_due(now)
        return LONGEST_WAIT if next_due is None else min(LONGEST_WAIT, (next_due - now).total_seconds())

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._let_speech_begin()
            outcome = await self._outcome(delivery)
            await self._let_speech_begin()
            await self._settle(delivery, outcome)
        except StoreError as error:
            logger.warning("what became of a webhook could not be stored, and it is sent again: %s", error)
            await asyncio.sleep(AFTER_FAILURE)
        finally:
            del self._under_way[delivery.number]
            self._changed.set()

    async def _let_speech_begin(self) -> None:
        """Wait until no segment is about to be heard, ``LONGEST_HOLD`` at most: a delivery takes milliseconds of this
        event loop and of the store, on which the first sound of a segment waits."""
        for _ in range(round(LONGEST_HOLD / HOLD_STEP)):
            if not self._speech_begins():
                return
            await asyncio.sleep(HOLD_STEP)

    async def _outcome(self, delivery: Delivery) -> Outcome:
        try:
            return await self._send(delivery, self._wall_clock())
        except Exception:  # a fault of ours with one delivery must not stop the others
            logger.exception("a webhook could not be sent by a fault of ours")
            return Outcome("The service failed to send it.")

    async def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        now = self._wall_clock()
        wait = delay(delivery.tries + 1, self._scale)
        if outcome.detail is None:
            await self._deliveries.delivered(delivery, now)
        elif outcome.final or wait is None:
            logger.warning("a webhook was given up: %s", outcome.detail)
            await self._deliveries.give_up(delivery, now, outcome.detail)
        else:
            await self._deliveries.postpone(delivery, now + timedelta(seconds=wait), outcome.detail)

    async def _follow(self) -> None:
        while not self._feed.closed:
            await self._feed.arrival.wait()
            self._changed.set()
