"""Metrics for Prometheus: counted as they happen, or read from the gateway at each scrape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mouthpiece.profiles import MOUTHPIECE
from mouthpiece.segments import EndedBy, Event, Receipt, Segment, State, utc_now
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.joins import ConnectionFigures

PREFIX: Final = "mouthpiece"
WAITS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
"""Seconds that a segment may wait."""
BEGINNINGS: Final = (0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)
"""Seconds from a request to its first sound."""


class Metrics:
    """Has a registry of its own, so that two services in one process stay apart. No label is a room or an identity."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ended = Counter(
            f"{PREFIX}_segments_ended", "Segments that ended, by state.", ["state"], registry=self.registry
        )
        for state in State:
            if state.terminal:
                self.ended.labels(state.value)
        self.receipts = Counter(
            f"{PREFIX}_receipts",
            "Segments that ended, by how their end is known and the kind of their avatar.",
            ["receipt", "profile"],
            registry=self.registry,
        )
        for receipt in Receipt:
            self.receipts.labels(receipt.value, MOUTHPIECE.name)
        self.ended_early = Counter(
            f"{PREFIX}_segments_ended_early",
            "Segments that ended before their end, by what ended them.",
            ["ended_by"],
            registry=self.registry,
        )
        for reason in EndedBy:
            self.ended_early.labels(reason.value)
        self.queued = Histogram(
            f"{PREFIX}_queue_seconds",
            "From a segment's being stored to the opening of its first stream.",
            buckets=WAITS,
            registry=self.registry,
        )
        self.first_sound = Histogram(
            f"{PREFIX}_first_sound_seconds",
            "From the request to the avatar's report that it plays: avatars that report it exactly, segments that "
            "waited behind no other.",
            buckets=BEGINNINGS,
            registry=self.registry,
        )
        self.accepted = Histogram(
            f"{PREFIX}_accept_seconds",
            "From the end of a body to the segment's being stored and handed over.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
            registry=self.registry,
        )
        self.requests = Counter(
            f"{PREFIX}_http_requests",
            "Requests, by call, method and status.",
            ["call", "method", "status"],
            registry=self.registry,
        )

    def watch(self, gateway: Gateway, connections: ConnectionFigures) -> None:
        """Read the rooms of ``gateway`` and their ``connections`` at each scrape."""
        self.registry.register(_RoomFigures(gateway, connections))

    def count(self, segment: Segment, event: Event, posted_at: datetime | None) -> None:
        """Count what happened to a segment.

        :param posted_at: when its request came; None: not known, or it waited behind another segment.
        """
        if event.type == "attempt.opened" and event.attempt == 1:
            self.queued.observe(max(0.0, (event.at - segment.created_at).total_seconds()))
        elif event.type == "segment.playing" and segment.profile == MOUTHPIECE.name and posted_at is not None:
            self.first_sound.observe(max(0.0, (event.at - posted_at).total_seconds()))
        elif event.type == f"segment.{segment.state}" and segment.state.terminal:
            self.ended.labels(segment.state.value).inc()
            self.receipts.labels(segment.receipt.value, segment.profile or "none").inc()
            if segment.ended_by is not None:
                self.ended_early.labels(segment.ended_by.value).inc()


class CountRequests:
    """ASGI middleware that counts requests by route, method and status, and notes when each came, as
    ``request.state.asked_at``."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        scope.setdefault("state", {})["asked_at"] = utc_now()
        answered = False

        async def counted(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                self._count(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            if not answered:
                self._count(scope, 500)  # Starlette sends this response from outside of all middleware
            raise

    def _count(self, scope: Scope, status: int) -> None:
        call = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(call, _method(scope["method"]), str(status)).inc()


class _RoomFigures(Collector):
    def __init__(self, gateway: Gateway, connections: ConnectionFigures) -> None:
        self._gateway = gateway
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        rooms = self._gateway.activity().values()
        avatars = [avatar for room in rooms for avatar in room.avatars]
        yield _gauge("rooms", "Rooms that are spoken into, or wait for their avatar.", len(rooms))
        yield _gauge("rooms_connected", "Rooms that we are in.", sum(room.connected for room in rooms))
        yield _gauge("segments_queued", "Segments that wait.", sum(avatar.queue for avatar in avatars))
        yield _gauge("segments_playing", "Segments that play.", sum(avatar.playing is not None for avatar in avatars))
        yield _gauge("rooms_paused", "Rooms that are paused, in whole or in part.", sum(room.paused for room in rooms))
        yield _gauge("joins_waiting", "Rooms that wait for their turn to be joined.", self._connections.waiting)
        lag = max((avatar.lag for avatar in avatars), default=0.0)
        yield _gauge("pace_lag_seconds", "The most that an avatar's last stream was behind its pace.", lag)
        reconnects = CounterMetricFamily(f"{PREFIX}_reconnects", "Connections to rooms that were lost and came back.")
        reconnects.add_metric([], self._connections.reconnects)
        yield reconnects


def _gauge(name: str, text: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text)
    family.add_metric([], value)
    return family


def _method(method: str) -> str:
    """Return the label of a method: clients may send methods that do not exist, without bound."""
    return method if method in ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS") else "other"
