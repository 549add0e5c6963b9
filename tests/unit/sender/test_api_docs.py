"""docs/api.md says what the code does."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from mouthpiece.segments import Receipt, State
from mouthpiece_sender.api import health, rooms, segments, voices
from mouthpiece_sender.api.bodies.text import TextBody
from mouthpiece_sender.api.models import SEGMENT_EXAMPLE, Segment
from mouthpiece_sender.api.problems import KINDS
from mouthpiece_sender.api.requests import ListQuery, OpenRoomBody, SpeakQuery, TokenBody

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
CALLS = [
    (method, route.path)
    for router in (segments.router, rooms.router, voices.router, health.router)
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
    for method in route.methods or ()
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_is_described(method: str, path: str) -> None:
    assert f"`{method} {path}`" in TEXT


def test_the_table_of_errors_is_the_one_of_the_code() -> None:
    table = {
        int(row[1]): set(re.findall(r"`([a-z-]+)`", row[2])) for row in re.finditer(r"\| (\d{3}) \| (.*) \|", TEXT)
    }
    kinds: dict[int, set[str]] = defaultdict(set)
    for slug, kind in KINDS.items():
        kinds[kind.status].add(slug)
    assert table == kinds


@pytest.mark.parametrize("name", [*SpeakQuery.model_fields, *ListQuery.model_fields])
def test_every_parameter_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("name", [*OpenRoomBody.model_fields, *TokenBody.model_fields, *TextBody.model_fields])
def test_every_key_of_a_body_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT or f'"{name}"' in TEXT


@pytest.mark.parametrize("word", [*State, *Receipt])
def test_every_state_and_receipt_is_described(word: str) -> None:
    assert f"`{word}`" in TEXT or word == State.PAUSED  # nothing pauses yet


def test_the_example_is_a_segment() -> None:
    Segment.model_validate(SEGMENT_EXAMPLE)
    assert all(f'"{key}"' in TEXT for key in Segment.model_fields)
