"""What is known of the requests that segments came with, until each has ended: figures are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from mouthpiece.segments import Event, Segment
from mouthpiece_sender.api.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Posted:
    """The request of one segment."""

    at: datetime
    """When its head had come."""
    alone: bool
    """Nothing waited or played in its room."""


class SegmentWatch:
    """Follows segments from their request to their end. Its size is that of the queue."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._posted: dict[str, Posted] = {}

    @contextmanager
    def accepting(self, segment: str, request: Posted) -> Iterator[None]:
        """Around what makes ``segment`` of a request. A block that fails made none."""
        self._posted[segment] = request
        try:
            yield
        except BaseException:
            self._posted.pop(segment, None)
            raise

    async def stored(self, segment: Segment, event: Event) -> None:
        """Something happened to a segment. A listener of the journal."""
        posted = self._posted.get(segment.id)
        self._metrics.count(segment, event, posted.at if posted is not None and posted.alone else None)
        if event.type == f"segment.{segment.state}" and segment.state.terminal:
            self._posted.pop(segment.id, None)
