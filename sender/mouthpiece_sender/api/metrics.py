"""Metrics for Prometheus: counted as they happen, or read from the gateway at each scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mouthpiece.segments import Event, Segment, State
from mouthpiece_sender.gateway import Gateway

PREFIX = "mouthpiece"


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

    def watch(self, gateway: Gateway) -> None:
        """Read the rooms of ``gateway`` at each scrape."""
        self.registry.register(_RoomFigures(gateway))

    async def count_end(self, segment: Segment, event: Event) -> None:
        """Count a segment that has ended. A listener of the journal."""
        if event.type == f"segment.{segment.state}" and segment.state.terminal:
            self.ended.labels(segment.state.value).inc()


class CountRequests:
    """ASGI middleware that counts requests by route, method and status."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

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
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        rooms = self._gateway.activity().values()
        avatars = [avatar for room in rooms for avatar in room.avatars]
        yield _gauge("rooms_connected", "Rooms that we are in.", sum(room.connected for room in rooms))
        yield _gauge("segments_queued", "Segments that wait.", sum(avatar.queue for avatar in avatars))
        yield _gauge("segments_playing", "Segments that play.", sum(avatar.playing is not None for avatar in avatars))


def _gauge(name: str, text: str, value: int) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text)
    family.add_metric([], value)
    return family


def _method(method: str) -> str:
    """Return the label of a method: clients may send methods that do not exist, without bound."""
    return method if method in ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS") else "other"
