"""What is known of the requests that segments came with, until each has ended: figures are made of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from mouthpiece.process.log_context import about
from mouthpiece.segments import Event, Segment
from mouthpiece_sender.api.metrics import Metrics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """The request of one segment."""

    at: datetime
    """When its head had come."""
    alone: bool
    """Nothing waited or played in its room."""
    request: str | None = None
    """Its id."""


class SegmentWatch:
    """Follows segments from their request to their end. Its size is that of the queue.

    :param logs: log each segment's acceptance and its end.
    """

    def __init__(self, metrics: Metrics, *, logs: bool) -> None:
        self._metrics = metrics
        self._logs = logs
        self._posted: dict[str, Posted] = {}

    @contextmanager
    def accepting(self, segment: str, request: Posted) -> Iterator[None]:
        """Around what makes ``segment`` of a request. A block that fails made none."""
        self._posted[segment] = request
        with about(segment, request=request.request):
            try:
                yield
            except BaseException:
                self._posted.pop(segment, None)
                raise
            if self._logs:
                logger.info("a segment was accepted")

    async def stored(self, segment: Segment, event: Event) -> None:
        """Something happened to a segment. A listener of the journal."""
        posted = self._posted.get(segment.id)
        self._metrics.count(segment, event, posted.at if posted is not None and posted.alone else None)
        if event.type == f"segment.{segment.state}" and segment.state.terminal:
            self._posted.pop(segment.id, None)
            if self._logs:
                with about(segment.id, request=None if posted is None else posted.request):
                    self._log_end(segment)

    def _log_end(self, segment: Segment) -> None:
        known = {
            "state": segment.state,
            "receipt": segment.receipt,
            "ended_by": segment.ended_by,
            "profile": segment.profile,
            "position": round(segment.position, 3),
            "error": None if segment.error is None else segment.error.type,
        }
        logger.info("a segment ended", extra=known)
