"""How the last streams of each sender ended, for ``mouthpiece.status``. Without I/O or clock."""

from __future__ import annotations

from collections import OrderedDict, deque

from mouthpiece.receiving.inbound_streams import InboundStream
from mouthpiece.segments import Receipt
from mouthpiece.wire import STATUS_ENDED, StatusEnded

SENDERS = 64
"""Senders whose ends are kept; the one that has been silent for longest is forgotten."""


class EndedStreams:
    """Keeps the last ``STATUS_ENDED`` ends of each sender, by its identity, also while it is away."""

    def __init__(self) -> None:
        self._ends: OrderedDict[str, deque[StatusEnded]] = OrderedDict()

    def record(
        self, stream: InboundStream, position: float, *, interrupted: bool, receipt: Receipt = Receipt.CONFIRMED
    ) -> None:
        """Keep the end of a stream that carried the id of a segment; others cannot be spoken of.

        :param position: seconds of the stream that were heard.
        :param receipt: what the end is known by.
        """
        header = stream.header
        if header.segment is None:
            return
        ends = self._ends.setdefault(stream.sender, deque(maxlen=STATUS_ENDED))
        self._ends.move_to_end(stream.sender)
        ends.append(StatusEnded(header.segment, position, interrupted, receipt.value, header.attempt))
        if len(self._ends) > SENDERS:
            self._ends.popitem(last=False)

    def of(self, sender: str) -> tuple[StatusEnded, ...]:
        """Return the ends of ``sender``'s streams, oldest first."""
        return tuple(self._ends.get(sender, ()))
