"""Figures for Prometheus, read from the sessions at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mouthpiece_avatar.sessions import Sessions

PREFIX = "mouthpiece_avatar"


def registry(sessions: Sessions) -> CollectorRegistry:
    """Make a registry of its own, so that two servers in one process do not share figures."""
    made = CollectorRegistry()
    made.register(_SessionFigures(sessions))
    return made


class _SessionFigures(Collector):
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        running = self._sessions.all()
        gauge = GaugeMetricFamily(f"{PREFIX}_sessions", "Avatars in rooms now.")
        gauge.add_metric([], len(running))
        yield gauge
        backlog = GaugeMetricFamily(f"{PREFIX}_backlog_seconds", "Sound that waits to be spoken.")
        backlog.add_metric([], sum(session.playout.backlog for session in running))
        yield backlog
        yield _counter("sessions_ended", "Sessions that ended, by reason.", "reason", self._sessions.ended)
        totals = self._sessions.totals()
        yield _counter("streams", "Audio streams, by what happened to them.", "event", totals.streams)
        yield _counter("receipts", "Receipts that were taken, by method.", "method", totals.delivered)
        yield _counter("receipts_dropped", "Receipts that nobody took, by method.", "method", totals.dropped)
        yield _counter(
            "delivery",
            "Holds because LiveKit took no sound, milliseconds said again, and looks at the statistics.",
            "event",
            totals.delivery,
        )
        yield _counter("pictures", "Pictures sent, and left out because they were late.", "event", totals.pictures)


def _counter(name: str, text: str, label: str, values: Counter[str]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
    for value, count in sorted(values.items()):
        family.add_metric([value], count)
    return family
