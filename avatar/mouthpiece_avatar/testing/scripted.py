"""Performs what a :class:`Fault` decides, in one session of an avatar."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livekit import rtc

from mouthpiece.audio.pcm import Samples
from mouthpiece.receiving.stream_receiver import StreamSink
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.conduct import Conduct, SessionParts
from mouthpiece_avatar.playout import Finished, Started
from mouthpiece_avatar.playout_stream import PlayoutStream
from mouthpiece_avatar.receipts import Receipts, receipt_of
from mouthpiece_avatar.testing.fault import Answer, Call, Fault, Halt, HaltKind, Inbound, Moment, Outgoing

BYTES_A_SAMPLE = 2


@dataclass(eq=False, slots=True)
class _Line:
    """A stream on its way through."""

    stream: PlayoutStream
    inbound: Inbound
    heard: bool
    halt: Halt | None
    passed: int = 0
    """Bytes that were given to the playout."""
    ended: bool = False
    """No more of it comes."""
    hangs: bool = False
    """Its end, or its rest, is kept back."""

    @property
    def bytes_a_second(self) -> int:
        return self.stream.header.sample_rate * self.bytes_a_frame

    @property
    def bytes_a_frame(self) -> int:
        return BYTES_A_SAMPLE * self.stream.header.num_channels


class Scripted(Conduct):
    """The conduct of one session, which is also the sink of its streams. ``async with`` is not needed: what it starts
    ends with the session."""

    def __init__(
        self,
        fault: Fault,
        *,
        announces: bool = True,
        acknowledged: bool = True,
        others: Callable[[str], Receipts] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """
        :param announces: see :class:`Conduct`.
        :param acknowledged: the same.
        :param others: returns the receipts of another participant, by its identity; needed where the fault names one.
        """
        self.announces = announces
        self.acknowledged = acknowledged
        self.inbound: list[Inbound] = []
        """Every stream that came, in order."""
        self._fault = fault
        self._others = others
        self._sleep = sleep
        self._parts: SessionParts | None = None
        self._lines: dict[PlayoutStream, _Line] = {}

    # -- Conduct -----------------------------------------------------------------------------------------------------

    async def before_joining(self) -> None:
        await self._sleep(self._fault.joins_after)

    def sink(self, parts: SessionParts) -> StreamSink[PlayoutStream]:
        self._parts = parts
        return self

    def report(self, event: Started | Finished, receipts: Receipts) -> None:
        line = self._lines.get(event.stream)
        if line is None:
            return  # a stall that the next stream has ended
        moment = Moment.STARTED if isinstance(event, Started) else Moment.ENDED
        self._report(moment, line, (Outgoing(receipt_of(event)),))
        if moment is Moment.ENDED:
            del self._lines[event.stream]
        elif line.halt is not None and line.halt.kind is HaltKind.DIES:
            self._here.spawn(self._die(line.halt.at))

    async def answer(self, method: str, caller: str, right: Callable[[], Awaitable[str]]) -> str:
        answer = self._fault.answer(Call(method, caller, len(self.inbound)), Answer())
        if answer.after:
            await self._sleep(answer.after)
        if answer.unsupported:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "Method not supported at destination")
        return await right() if answer.payload is None else answer.payload

    def track(self, index: int, samples: Samples) -> Samples:
        return self._fault.track(index, samples)

    # -- StreamSink --------------------------------------------------------------------------------------------------

    def open(self, sender: str, header: StreamHeader) -> PlayoutStream:
        inbound = Inbound(len(self.inbound) + 1, sender, header.segment, header.attempt)
        self.inbound.append(inbound)
        for line in [line for line in self._lines.values() if line.hangs]:
            self._release(line)
        heard = self._fault.hears(inbound, True)
        stream = self._here.playout.open(sender, header) if heard else PlayoutStream(sender, header)
        self._lines[stream] = _Line(stream, inbound, heard, self._fault.halt(inbound, None))
        return stream

    def push(self, stream: PlayoutStream, data: bytes) -> None:
        line = self._lines.get(stream)
        if line is None or not line.heard:
            return
        line.inbound.received += len(data) / line.bytes_a_second
        data = self._fault.voice(line.inbound, data)
        if line.halt is not None and line.halt.kind is HaltKind.STALLS:
            most = int(line.halt.at * stream.header.sample_rate) * line.bytes_a_frame
            line.hangs = line.hangs or line.passed + len(data) > most
            data = data[: max(0, most - line.passed)]
        line.passed += len(data)
        self._here.playout.push(stream, data)

    def end(self, stream: PlayoutStream, *, whole: bool) -> None:
        line = self._lines.get(stream)
        if line is None or line.ended:
            return
        line.ended = True
        if not line.heard:
            del self._lines[stream]
            return
        if whole:
            self._report(Moment.RECEIVED, line, ())
        if line.hangs:
            return
        seconds = self._fault.trailer_after(line.inbound, 0.0) if whole else 0.0
        if seconds:
            line.hangs = True
            self._here.spawn(self._end_late(line, seconds))
        else:
            self._here.playout.end(stream, whole=whole)

    def abort(self, stream: PlayoutStream) -> None:
        self._here.playout.abort(stream)

    def clear(self, sender: str) -> None:
        self._here.playout.clear(sender)

    # -- internals ---------------------------------------------------------------------------------------------------

    @property
    def _here(self) -> SessionParts:
        assert self._parts is not None, "the session asks for the sink first"
        return self._parts

    def _release(self, line: _Line) -> None:
        """The next stream has come: one whose trailer was lost ends, one that stalled is dropped without a word."""
        line.hangs = False
        if line.halt is None:
            self._here.playout.end(line.stream)
        else:
            del self._lines[line.stream]
            self._here.playout.abort(line.stream)
        self._here.wake()

    async def _end_late(self, line: _Line, seconds: float) -> None:
        await self._sleep(seconds)
        if line.hangs:
            self._release(line)

    async def _die(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._here.end("it dies, as its script says")

    def _report(self, moment: Moment, line: _Line, right: tuple[Outgoing, ...]) -> None:
        for outgoing in self._fault.receipts(moment, line.inbound, right):
            if outgoing.after:
                self._here.spawn(self._send_late(line.inbound.sender, outgoing))
            else:
                self._send(line.inbound.sender, outgoing)

    async def _send_late(self, sender: str, outgoing: Outgoing) -> None:
        await self._sleep(outgoing.after)
        self._send(sender, outgoing)

    def _send(self, sender: str, outgoing: Outgoing) -> None:
        receipts = self._here.receipts
        if outgoing.by is not None and self._others is not None:
            receipts = self._others(outgoing.by)
        receipts.send(sender, outgoing.receipt)
