"""What is known of the requests that segments came with, until each has ended: figures, lines of the log and traces are
made of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mouthpiece.process.log_context import about
from mouthpiece.process.spans import Trace, span, working_for
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
    traceparent: str | None = None
    """Its header of that name: the trace that the caller works for."""


class Followed(Trace, Protocol):
    """The trace of a segment."""

    def refused(self) -> None:
        """The request became no segment."""
        ...

    def stored(self, segment: Segment, event: Event) -> None:
        """Something happened to the segment."""
        ...


class Tracing(Protocol):
    """Makes the traces of segments."""

    def begin(self, segment: str, at: datetime, *, request: str | None, parent: str | None) -> Followed:
        """Begin one, at ``at``; ``parent`` is the request's ``traceparent``."""
        ...


class SegmentWatch:
    """Follows segments from their request to their end. Its size is that of the queue.

    :param logs: log each segment's acceptance and its end.
    :param tracing: None: segments are not traced.
    """

    def __init__(self, metrics: Metrics, *, logs: bool, tracing: Tracing | None = None) -> None:
        self._metrics = metrics
        self._logs = logs
        self._tracing = tracing
        self._traces: dict[str, Followed] = {}
        self._posted: dict[str, Posted] = {}

    @contextmanager
    def accepting(self, segment: str, request: Posted) -> Iterator[Trace | None]:
        """Around what makes ``segment`` of a request; yields its trace. A block that fails made none."""
        self._posted[segment] = request
        trace = None
        if self._tracing is not None:
            trace = self._tracing.begin(segment, request.at, request=request.request, parent=request.traceparent)
            self._traces[segment] = trace
        with about(segment, request=request.request), working_for(trace):
            try:
                with span("accept"):
                    yield trace
            except BaseException:
                self._forget(segment)
                if trace is not None:
                    trace.refused()
                raise
            if self._logs:
                logger.info("a segment was accepted")

    async def stored(self, segment: Segment, event: Event) -> None:
        """Something happened to a segment. A listener of the journal."""
        posted = self._posted.get(segment.id)
        self._metrics.count(segment, event, posted.at if posted is not None and posted.alone else None)
        if (trace := self._traces.get(segment.id)) is not None:
            trace.stored(segment, event)
        if event.type == f"segment.{segment.state}" and segment.state.terminal:
            self._forget(segment.id)
            if self._logs:
                with about(segment.id, request=None if posted is None else posted.request):
                    self._log_end(segment)

    def _forget(self, segment: str) -> None:
        self._posted.pop(segment, None)
        self._traces.pop(segment, None)

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
