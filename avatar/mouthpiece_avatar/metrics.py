"""Figures for Prometheus, made at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mouthpiece_avatar.hosting import Figures

PREFIX = "mouthpiece_avatar"


def registry(figures: Figures) -> CollectorRegistry:
    """Make the registry of one scrape."""
    made = CollectorRegistry()
    made.register(_SessionFigures(figures))
    return made


class _SessionFigures(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        running, totals = self._figures.sessions, self._figures.totals
        yield _gauge("sessions", "Avatars in rooms now.", len(running))
        yield _gauge("processes", "Processes that run sessions.", self._figures.processes)
        backlog = sum(session.backlog for session in running)
        yield _gauge("backlog_seconds", "Sound that waits to be spoken.", backlog)
        yield _counter("sessions_ended", "Sessions that ended, by reason.", "reason", totals.ended)
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


def _gauge(name: str, text: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text)
    family.add_metric([], value)
    return family


def _counter(name: str, text: str, label: str, values: Counter[str]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
    for value, count in sorted(values.items()):
        family.add_metric([value], count)
    return family
