"""Figures for Prometheus: counted as they happen, or read from the gateway when they are asked for."""

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
    """A registry of its own: two services in one process do not mix. No label holds a room or an identity."""

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
        """Reads the gateway's rooms at each scrape."""
        self.registry.register(_RoomFigures(gateway))

    async def count_end(self, segment: Segment, event: Event) -> None:
        """To be told each record of the journal."""
        if event.type == f"segment.{segment.state}" and segment.state.terminal:
            self.ended.labels(segment.state.value).inc()


class CountRequests:
    """ASGI middleware."""

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
                self._count(scope, 500)  # a fault of ours: Starlette answers it outside of all middleware
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
    """Anybody can make methods up."""
    return method if method in ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS") else "other"
