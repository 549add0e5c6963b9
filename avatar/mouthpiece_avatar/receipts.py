"""Reports to each sender what became of its streams: when they started, how far they were played.

Every sender has a queue of its own, so that one that does not answer delays nobody else, and gets its receipts in
order. A receipt that cannot be delivered is counted and dropped: the sender has left, does not know the method (the
sender of Avaluma's document registers neither), or did not answer in time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from livekit import rtc

from mouthpiece import wire
from mouthpiece_avatar.playout import Finished, Started

logger = logging.getLogger(__name__)

TRIES = 3
RETRY_AFTER = 0.2
"""Seconds between two tries."""
ANSWER_WITHIN = 3.0
"""Seconds for a sender to answer."""
KEPT = 256
"""Receipts that may wait for one sender; the oldest is dropped beyond."""

_FINAL = (rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, rtc.RpcError.ErrorCode.RECIPIENT_NOT_FOUND)


class Perform(Protocol):
    """Calls a method of another participant; the signature of ``LocalParticipant.perform_rpc``."""

    def __call__(
        self, *, destination_identity: str, method: str, payload: str, response_timeout: float | None
    ) -> Awaitable[str]: ...


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    payload: str


def receipt_of(event: Started | Finished) -> wire.PlaybackReceipt:
    """Return what the sender of a stream is to be told of it; without a segment where the stream named none."""
    header = event.stream.header
    if isinstance(event, Started):
        return wire.PlaybackReceipt(header.segment, "started", 0.0, False, header.attempt)
    return wire.PlaybackReceipt(header.segment, "finished", event.stream.position, event.interrupted, header.attempt)


class Receipts:
    """``spawn`` starts a task that the caller owns; ``present`` says of an identity whether it is in the room."""

    def __init__(
        self,
        perform: Perform,
        *,
        spawn: Callable[[Coroutine[None, None, None]], object],
        present: Callable[[str], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._perform = perform
        self._spawn = spawn
        self._present = present
        self._sleep = sleep
        self._waiting: dict[str, deque[_Call]] = {}
        self._unsupported: set[tuple[str, str]] = set()
        self.delivered: Counter[str] = Counter()
        """By method."""
        self.dropped: Counter[str] = Counter()
        """By method."""

    def report(self, event: Started | Finished) -> None:
        """Queue the receipts that ``event`` calls for; they are sent in the background."""
        self.send(event.stream.sender, receipt_of(event))

    def send(self, sender: str, receipt: wire.PlaybackReceipt) -> None:
        """Queue a receipt for ``sender``, in LiveKit's form and, where it names a segment, in ours."""
        if receipt.event == "started":
            calls = [_Call(wire.RPC_PLAYBACK_STARTED, "")]
        else:
            finished = wire.PlaybackFinished(receipt.position, receipt.interrupted)
            calls = [_Call(wire.RPC_PLAYBACK_FINISHED, finished.dumps())]
        if receipt.segment is not None:
            calls.insert(0, _Call(wire.RPC_PLAYBACK, receipt.dumps()))
        self._post(sender, calls)

    def gone(self, sender: str) -> None:
        """A sender has left the room: drop what waits for it, and forget which methods it knows."""
        self._unsupported = {known for known in self._unsupported if known[0] != sender}
        waiting = self._waiting.get(sender)
        if waiting is not None:
            for call in waiting:
                self.dropped[call.method] += 1
            waiting.clear()

    def _post(self, sender: str, calls: list[_Call]) -> None:
        waiting = self._waiting.get(sender)
        if waiting is None:
            waiting = self._waiting[sender] = deque()
            self._spawn(self._deliver(sender, waiting))
        for call in calls:
            if (sender, call.method) in self._unsupported:
                self.dropped[call.method] += 1
                continue
            waiting.append(call)
            if len(waiting) > KEPT:
                self.dropped[waiting.popleft().method] += 1

    async def _deliver(self, sender: str, waiting: deque[_Call]) -> None:
        try:
            while waiting:
                await self._call(sender, waiting.popleft())
        finally:
            del self._waiting[sender]

    async def _call(self, sender: str, call: _Call) -> None:
        for attempt in range(TRIES):
            if attempt:
                await self._sleep(RETRY_AFTER)
            if not self._present(sender):
                break
            try:
                await self._perform(
                    destination_identity=sender,
                    method=call.method,
                    payload=call.payload,
                    response_timeout=ANSWER_WITHIN,
                )
                self.delivered[call.method] += 1
                return
            except rtc.RpcError as error:
                if error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD:
                    self._unsupported.add((sender, call.method))
                if error.code in _FINAL:
                    break
        self.dropped[call.method] += 1
        logger.debug("a receipt was not taken", extra={"method": call.method})
