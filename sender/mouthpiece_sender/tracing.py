"""OpenTelemetry: one trace a segment, from its request to its receipt (the extra ``traces``, ``MOUTHPIECE_TRACES``).

::

    segment ─┬─ accept ── probe, voice       the body is read, looked at and stored
             ├─ queue                        until its first stream opens
             └─ attempt … ── sound ── decode, voice      from the opening of a stream to what became of it

A span has the segment's and the request's ids; none has a room, an identity or a word that is spoken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from mouthpiece.errors import ConfigurationError
from mouthpiece.extras import needs
from mouthpiece.segments import Event, Segment, State

try:
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    raise ConfigurationError(needs("MOUTHPIECE_TRACES", "traces")) from None

EXPORT_TIMEOUT: Final = 2
"""Seconds that the collector may take for one request."""
FLUSH_TIMEOUT: Final = 3_000
"""Milliseconds for what is left when the service stops."""
_READ_AHEAD: Final = ("sound", "decode")
_FAILURES: Final = (State.FAILED, State.UNKNOWN)


class SegmentTracer:
    """Makes the traces of one service. Spans are sent from a thread of the SDK's.

    :param exporter: where they go.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": "mouthpiece-sender"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("mouthpiece_sender")

    @classmethod
    def to(cls, url: str) -> SegmentTracer:
        """Make one that sends to a collector.

        :param url: for OTLP over HTTP, such as ``http://collector:4318/v1/traces``. ``OTEL_EXPORTER_OTLP_HEADERS``
            counts, as the SDK reads it.
        """
        return cls(OTLPSpanExporter(endpoint=url, timeout=EXPORT_TIMEOUT))

    def begin(self, segment: str, at: datetime, *, request: str | None, parent: str | None) -> SegmentTrace:
        """Begin the trace of a segment.

        :param at: when its request came.
        :param parent: the request's header ``traceparent`` (W3C Trace Context).
        """
        carrier = {} if parent is None else {"traceparent": parent}
        context = TraceContextTextMapPropagator().extract(carrier, Context())
        root = self._tracer.start_span(
            "segment",
            context,
            SpanKind.SERVER,
            {"mouthpiece.segment": segment} | ({} if request is None else {"mouthpiece.request": request}),
            start_time=_nanoseconds(at),
        )
        return SegmentTrace(self._tracer, root)

    async def aclose(self) -> None:
        """Send what is left, as far as the collector takes it in time."""
        await asyncio.to_thread(self._provider.force_flush, FLUSH_TIMEOUT)
        await asyncio.to_thread(self._provider.shutdown)


class SegmentTrace:
    """The spans of one segment."""

    def __init__(self, tracer: Tracer, root: Span) -> None:
        self._tracer = tracer
        self._root = root
        self._attempts: dict[int, Span] = {}
        """Those that have not ended."""

    @property
    def _latest(self) -> Span:
        """The attempt that has not ended and was begun last; the segment, if there is none."""
        return next(reversed(self._attempts.values()), self._root)

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """In the block something happens to the segment; within an attempt it is a part of that. A sound is read ahead,
        while the beginning of its attempt is being stored: what it belongs to is known at its end."""
        began, parent, failed = time.time_ns(), self._latest, None
        try:
            yield
        except Exception as error:
            failed = type(error).__name__
            raise
        finally:
            span = self._start(name, self._latest if name in _READ_AHEAD else parent, began)
            if failed is not None:
                span.set_status(Status(StatusCode.ERROR, failed))
            span.end()

    def refused(self) -> None:
        """The request became no segment."""
        self._root.set_status(Status(StatusCode.ERROR, "refused"))
        self._root.end()

    def stored(self, segment: Segment, event: Event) -> None:
        """Something happened to the segment."""
        at = _nanoseconds(event.at)
        number = event.attempt
        if event.type == "attempt.opened" and number is not None:
            if number == 1:
                queue = self._start("queue", self._root, _nanoseconds(segment.created_at))
                queue.end(at)
            self._attempts[number] = self._start("attempt", self._root, at)
            self._attempts[number].set_attribute("mouthpiece.attempt", number)
        elif number in self._attempts and event.type in ("segment.playing", "attempt.started"):
            self._attempts[number].add_event("first sound", timestamp=at)
        elif number in self._attempts and event.type == "attempt.ended":
            self._end_attempt(number, segment, at)
        elif segment.state.terminal and event.type == f"segment.{segment.state}":
            for left in [*self._attempts]:
                self._end_attempt(left, segment, at)
            self._end(segment, at)

    def _end_attempt(self, number: int, segment: Segment, at: int) -> None:
        span = self._attempts.pop(number)
        known = next((attempt for attempt in segment.attempts if attempt.number == number), None)
        if known is not None:
            span.set_attribute("mouthpiece.profile", known.profile or "")
            span.set_attribute("mouthpiece.receipt", known.receipt.value)
            span.set_attribute("mouthpiece.position", known.position)
        span.end(at)

    def _end(self, segment: Segment, at: int) -> None:
        self._root.set_attribute("mouthpiece.source", segment.source.kind)
        self._root.set_attribute("mouthpiece.state", segment.state.value)
        self._root.set_attribute("mouthpiece.receipt", segment.receipt.value)
        self._root.set_attribute("mouthpiece.position", segment.position)
        if segment.ended_by is not None:
            self._root.set_attribute("mouthpiece.ended_by", segment.ended_by.value)
        if segment.state in _FAILURES:
            self._root.set_status(Status(StatusCode.ERROR, None if segment.error is None else segment.error.type))
        self._root.end(at)

    def _start(self, name: str, parent: Span, at: int | None) -> Span:
        return self._tracer.start_span(name, set_span_in_context(parent, Context()), start_time=at)


def _nanoseconds(at: datetime) -> int:
    """Return the nanoseconds since 1970."""
    return int(at.timestamp() * 1_000_000) * 1_000
