"""Waiting for a segment on behalf of a request: until it has come so far, time is up, or one of us goes."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from mouthpiece.segments import Segment, Until
from mouthpiece_sender.gateway import Gateway


async def wait_for(
    gateway: Gateway, request: Request, stopping: asyncio.Event, segment: str, until: Until, timeout: float
) -> Segment:
    """The segment as it stands then. A caller that goes away changes nothing about it.

    The request's body must have been read to its end.

    :raises SegmentNotFound: no such segment.
    """
    async with asyncio.TaskGroup() as tasks:
        waits = {
            reached := tasks.create_task(gateway.wait(segment, until, timeout)),
            tasks.create_task(stopping.wait()),
            tasks.create_task(_gone(request)),
        }
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    return await gateway.segment(segment) if reached.cancelled() else reached.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
