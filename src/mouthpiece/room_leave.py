"""Leaves a room of LiveKit in such a way that the SDK keeps nothing of it in memory.

livekit 1.1.15 to 1.2.1 leak the connection, half a megabyte, each time a room is left

- while a method of ours is registered for calls: so they are unregistered;
- while another participant publishes a sound or a picture (livekit/rust-sdks#1378, #1435): the publication holds its
  participant, that one the connection, and only a participant that leaves, or a full reconnection, sets them free. So
  the first step of a full reconnection is brought about, and the room is left before the second, which joins it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from typing import Final

from livekit import rtc

FORGETS: Final = 1.0
"""Seconds in which the SDK must have forgotten the others of the room; otherwise it is left as it is."""
_CONNECTIONS: Final = ("livekit::rtc_engine", "livekit_signaling", "livekit::room")
"""What the SDK's messages about its connections begin with."""
_LOGS_WITHIN: Final = 5.0
"""Seconds after such a leave in which they are taken to be about the reconnection that was broken off."""


async def leave_room(room: rtc.Room, methods: Iterable[str], within: float) -> None:
    """Leave ``room``, whose handlers of events must take no notice any more of who leaves and of a reconnection. Where
    it is not connected any more, only what it holds is freed.

    :param methods: that were registered with its local participant; it may be that some were not.
    :param within: seconds.
    :raises TimeoutError: it took longer.
    :raises RuntimeError: by the SDK.
    """
    try:
        async with asyncio.timeout(within):
            await _forget_others(room)
            await room.disconnect()
    finally:
        # Not before: until it is out, a call that is not answered counts against the caller.
        for method in methods:
            room.local_participant.unregister_rpc_method(method)


async def _forget_others(room: rtc.Room) -> None:
    forgotten = asyncio.Event()

    def look(*_: object) -> None:
        if not room.remote_participants:
            forgotten.set()

    if not room.isconnected() or not any(other.track_publications for other in room.remote_participants.values()):
        return
    room.on("participant_disconnected", look)
    _expected_logs.expect()
    # A server that does not know the request answers nothing. All that is lost then is the memory.
    with contextlib.suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(FORGETS):
            await room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
            await forgotten.wait()
    room.off("participant_disconnected", look)


class _DemotesExpected(logging.Filter):
    """Makes debug messages of what the SDK logs about its connections while one of them is given up: it comes later."""

    until = float("-inf")
    """Monotonic seconds."""

    def expect(self) -> None:
        logger = logging.getLogger("livekit")
        if self not in logger.filters:
            logger.addFilter(self)
        self.until = time.monotonic() + _LOGS_WITHIN

    def filter(self, record: logging.LogRecord) -> bool:
        if time.monotonic() < self.until and record.getMessage().startswith(_CONNECTIONS):
            record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
        return record.levelno > logging.DEBUG or logging.getLogger().isEnabledFor(logging.DEBUG)


_expected_logs: Final = _DemotesExpected()
