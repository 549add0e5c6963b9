"""Waits for a segment on behalf of a request."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from mouthpiece.segments import Segment, Until
from mouthpiece_sender.gateway import Gateway


async def wait_for(
    gateway: Gateway, request: Request, stopping: asyncio.Event, segment: str, until: Until, timeout: float
) -> Segment:
    """Wait until the segment reaches ``until``, at most ``timeout`` seconds; return its current value.

    Returns earlier if the client disconnects, which does not change the segment, or once ``stopping`` is set.
    The body of ``request`` must have been read to its end.

    :raises SegmentNotFound: there is no such segment.
    """
    async with asyncio.TaskGroup() as tasks:
        waits = {
            reached := tasks.create_task(gateway.wait(segment, until, timeout)),
            tasks.create_task(stopping.wait()),
            tasks.create_task(_disconnected(request)),
        }
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    return await gateway.segment(segment) if reached.cancelled() else reached.result()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
