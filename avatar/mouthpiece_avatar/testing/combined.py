"""Several faults at once, and a fault for a while."""

from __future__ import annotations

from collections.abc import Sequence

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.testing.fault import Answer, Call, Fault, Halt, Inbound, Moment, Outgoing


class Together(Fault):
    """Several faults at once: each hook is given what the one before it returned."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        self.lasting = any(fault.lasting for fault in faults)

    @property
    def joins_after(self) -> float:
        return sum(fault.joins_after for fault in self.faults)

    @property
    def participants(self) -> Sequence[str]:
        return [identity for fault in self.faults for identity in fault.participants]

    def hears(self, stream: Inbound, heard: bool) -> bool:
        for fault in self.faults:
            heard = fault.hears(stream, heard)
        return heard

    def halt(self, stream: Inbound, halt: Halt | None) -> Halt | None:
        for fault in self.faults:
            halt = fault.halt(stream, halt)
        return halt

    def trailer_after(self, stream: Inbound, seconds: float) -> float:
        for fault in self.faults:
            seconds = fault.trailer_after(stream, seconds)
        return seconds

    def voice(self, stream: Inbound, data: bytes) -> bytes:
        for fault in self.faults:
            data = fault.voice(stream, data)
        return data

    def track(self, index: int, samples: Samples) -> Samples:
        for fault in self.faults:
            samples = fault.track(index, samples)
        return samples

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        for fault in self.faults:
            outgoing = fault.receipts(moment, stream, outgoing)
        return outgoing

    def answer(self, call: Call, answer: Answer) -> Answer:
        for fault in self.faults:
            answer = fault.answer(call, answer)
        return answer


class FirstStreams(Fault):
    """A fault in the first streams alone, and in calls until the next one comes; the receiver is right from then on.
    What is on the audio track beside the streams, and when the receiver joins, is left as it is."""

    def __init__(self, fault: Fault, streams: int) -> None:
        self.fault = fault
        self.streams = streams

    @property
    def joins_after(self) -> float:
        return self.fault.joins_after

    @property
    def participants(self) -> Sequence[str]:
        return self.fault.participants

    def hears(self, stream: Inbound, heard: bool) -> bool:
        return self.fault.hears(stream, heard) if self._is_faulty(stream) else heard

    def halt(self, stream: Inbound, halt: Halt | None) -> Halt | None:
        return self.fault.halt(stream, halt) if self._is_faulty(stream) else halt

    def trailer_after(self, stream: Inbound, seconds: float) -> float:
        return self.fault.trailer_after(stream, seconds) if self._is_faulty(stream) else seconds

    def voice(self, stream: Inbound, data: bytes) -> bytes:
        return self.fault.voice(stream, data) if self._is_faulty(stream) else data

    def track(self, index: int, samples: Samples) -> Samples:
        return self.fault.track(index, samples)

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        return self.fault.receipts(moment, stream, outgoing) if self._is_faulty(stream) else outgoing

    def answer(self, call: Call, answer: Answer) -> Answer:
        return self.fault.answer(call, answer) if call.streams <= self.streams else answer

    def _is_faulty(self, stream: Inbound) -> bool:
        return stream.number <= self.streams
