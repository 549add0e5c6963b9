"""Receivers whose reports are wrong; what they play is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mouthpiece.wire import PlaybackReceipt
from mouthpiece_avatar.testing.fault import Fault, Inbound, Moment, Outgoing


@dataclass(frozen=True)
class ReceiptMissing(Fault):
    """Reports starts, and never an end (LiveAvatar: livekit/agents#4668)."""

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        return tuple(each for each in outgoing if not each.of_end)


@dataclass(frozen=True)
class ReceiptEarly(Fault):
    """Reports the end of a stream once it has come whole, while it still plays (Anam: livekit/livekit#4022)."""

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        if moment is Moment.RECEIVED:
            early = PlaybackReceipt(stream.segment, "finished", stream.received, False, stream.attempt)
            return (*outgoing, Outgoing(early))
        return tuple(each for each in outgoing if not each.of_end or each.receipt.interrupted)


@dataclass(frozen=True)
class ReceiptLate(Fault):
    """Reports an end some seconds late."""

    seconds: float = 3.0

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        return tuple(replace(each, after=each.after + self.seconds) if each.of_end else each for each in outgoing)


@dataclass(frozen=True)
class ReceiptDoubled(Fault):
    """Reports each end twice, the second time half a second later."""

    seconds: float = 0.5

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        again = tuple(replace(each, after=each.after + self.seconds) for each in outgoing if each.of_end)
        return (*outgoing, *again)


@dataclass(frozen=True)
class ReceiptShort(Fault):
    """Plays all of it, and reports a share of its length as the position of its end."""

    share: float = 0.5

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        def shortened(each: Outgoing) -> Outgoing:
            return replace(each, receipt=replace(each.receipt, position=each.receipt.position * self.share))

        return tuple(shortened(each) if each.of_end else each for each in outgoing)


@dataclass(frozen=True)
class ReceiptOtherSegment(Fault):
    """Its reports name another segment. Those of LiveKit's own name none: there it changes nothing."""

    segment: str = "seg_of_nobody"

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        def renamed(each: Outgoing) -> Outgoing:
            return replace(each, receipt=replace(each.receipt, segment=self.segment))

        return tuple(each if each.receipt.segment is None else renamed(each) for each in outgoing)


@dataclass(frozen=True)
class ReceiptOtherParticipant(Fault):
    """Somebody else in the room reports the ends in its place."""

    identity: str = "bystander"

    @property
    def participants(self) -> Sequence[str]:
        return (self.identity,)

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        return tuple(replace(each, by=self.identity) if each.of_end else each for each in outgoing)
