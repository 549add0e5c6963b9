"""Receivers that do not hear, do not play to the end, answer wrongly, or are not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mouthpiece import wire
from mouthpiece_avatar.testing.fault import Answer, Call, Fault, Halt, HaltKind, Inbound


@dataclass(frozen=True)
class DeafAfter(Fault):
    """Hears so many streams and then none, while it answers calls as before (livekit/agents#7008)."""

    lasting = True
    streams: int = 1

    def hears(self, stream: Inbound, heard: bool) -> bool:
        return heard and stream.number <= self.streams


@dataclass(frozen=True)
class Silent(Fault):
    """Reports all as if it had played it, and makes no sound."""

    def voice(self, stream: Inbound, data: bytes) -> bytes:
        return bytes(len(data))


@dataclass(frozen=True)
class BoundElsewhere(Fault):
    """Hears one sender alone, which is not there: for all others it has no methods, and plays nothing
    (``DataStreamAudioReceiver`` of livekit-agents 1.8.9 with a ``sender_identity``)."""

    lasting = True
    to: str = wire.SENDER_IDENTITY_PREFIX

    def hears(self, stream: Inbound, heard: bool) -> bool:
        return heard and stream.sender == self.to

    def answer(self, call: Call, answer: Answer) -> Answer:
        return answer if call.caller == self.to else replace(answer, unsupported=True)


@dataclass(frozen=True)
class Rejects(Fault):
    """Hears one sender alone, which is there: it answers the clear of all others with ``reject``, and plays nothing."""

    lasting = True
    to: str = "agent-elsewhere"

    def hears(self, stream: Inbound, heard: bool) -> bool:
        return heard and stream.sender == self.to

    def answer(self, call: Call, answer: Answer) -> Answer:
        if call.caller == self.to or call.method != wire.RPC_CLEAR_BUFFER:
            return answer
        return replace(answer, payload=wire.CLEAR_REJECT)


@dataclass(frozen=True)
class SlowRpc(Fault):
    """Answers each call some seconds late."""

    seconds: float = 0.7

    def answer(self, call: Call, answer: Answer) -> Answer:
        return replace(answer, after=answer.after + self.seconds)


@dataclass(frozen=True)
class LostTrailer(Fault):
    """Does not get the trailer of a stream: it waits for more sound, for 10 s or until the next stream comes."""

    seconds: float = 10.0

    def trailer_after(self, stream: Inbound, seconds: float) -> float:
        return max(seconds, self.seconds)


@dataclass(frozen=True)
class Stalls(Fault):
    """Stops in mid-stream and reports nothing. The next stream, or a clear, frees it."""

    at: float = 1.0
    """Seconds of the stream that are played."""

    def halt(self, stream: Inbound, halt: Halt | None) -> Halt | None:
        return Halt(self.at, HaltKind.STALLS)


@dataclass(frozen=True)
class Dies(Fault):
    """Leaves the room in mid-stream, without a word."""

    lasting = True
    at: float = 1.0
    """Seconds of the stream that are played."""

    def halt(self, stream: Inbound, halt: Halt | None) -> Halt | None:
        return Halt(self.at, HaltKind.DIES)


@dataclass(frozen=True)
class JoinsLate(Fault):
    """Comes into its room some seconds late."""

    seconds: float = 5.0

    @property
    def joins_after(self) -> float:
        return self.seconds
