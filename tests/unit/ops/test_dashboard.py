"""The Grafana dashboard asks for figures that the services have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from mouthpiece_avatar.hosting import Figures
from mouthpiece_avatar.metrics import registry as avatar_registry
from mouthpiece_sender.api.metrics import Metrics
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.joins import ConnectionFigures
from tests.product_source import ROOT

DASHBOARD = json.loads((ROOT / "deploy/grafana/mouthpiece.json").read_text())
NAME = re.compile(r"\bmouthpiece_\w+")
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def registries() -> Iterator[CollectorRegistry]:
    metrics = Metrics()
    metrics.watch(cast(Gateway, SimpleNamespace(activity=dict)), ConnectionFigures())
    yield metrics.registry
    yield avatar_registry(Figures())


def series() -> dict[str, set[str]]:
    """The series that are scraped, and the labels that they are known to have."""
    found: dict[str, set[str]] = {}
    for registry in registries():
        for family in registry.collect():
            labels = {label for sample in family.samples for label in sample.labels}
            found |= {family.name + suffix: labels for suffix in SUFFIXES[family.type]}
    return found


def expressions() -> list[str]:
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_each_metric_that_a_panel_names_exists() -> None:
    named = {name for expression in expressions() for name in NAME.findall(expression)}
    assert named, "the dashboard asks for nothing"
    assert sorted(named - series().keys()) == []


def test_each_figure_of_the_sender_has_its_panel() -> None:
    shown = " ".join(expressions())
    sender = next(registries())
    assert [family.name for family in sender.collect() if family.name not in shown] == []


def test_it_is_grouped_by_labels_that_are_there() -> None:
    known = series()
    for expression in expressions():
        for name in NAME.findall(expression):
            asked = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
            if known[name]:
                assert asked <= known[name] | {"le"}, expression


def test_panels_have_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
