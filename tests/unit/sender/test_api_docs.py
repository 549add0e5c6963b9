"""docs/api.md says what the code does."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from mouthpiece.audio.formats import SUPPORTED
from mouthpiece.segments import Receipt, State
from mouthpiece_sender import api
from mouthpiece_sender.api.app import ROUTERS
from mouthpiece_sender.api.bodies import ACCEPTED
from mouthpiece_sender.api.bodies.registry import KINDS as BODY_KINDS
from mouthpiece_sender.api.bodies.text import TextBody
from mouthpiece_sender.api.models import SEGMENT_EXAMPLE, Segment
from mouthpiece_sender.api.problems import KINDS
from mouthpiece_sender.api.requests import ListQuery, OpenRoomBody, SpeakQuery, TokenBody

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
CALLS = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
    for method in route.methods or ()
]


def test_every_file_with_a_router_is_part_of_the_api() -> None:
    files = [importlib.import_module(f"{api.__name__}.{found.name}") for found in pkgutil.iter_modules(api.__path__)]
    routers = [router for file in files if isinstance(router := getattr(file, "router", None), APIRouter)]
    assert {id(router) for router in routers} == {id(router) for router in ROUTERS}


@pytest.mark.parametrize("media_type", ACCEPTED)
def test_every_media_type_is_described(media_type: str) -> None:
    described = re.findall(r"`([a-z]+/[\w.;=-]+)`", TEXT)
    by_content = media_type.startswith("audio/") and ";" not in media_type  # then `audio/…` says it
    assert media_type in described or (by_content and "`audio/…`" in TEXT) or media_type == "application/json"


def test_every_format_of_a_file_is_listed() -> None:
    assert f"a {SUPPORTED.replace(' and ', ' or ')} file" in TEXT


@pytest.mark.parametrize("media_type", ACCEPTED)
def test_a_media_type_is_read_by_the_kind_that_describes_it(media_type: str) -> None:
    describing = [kind for kind in BODY_KINDS if media_type in kind.content]
    plain = media_type.partition(";")[0].lower()
    reading = next(kind for kind in BODY_KINDS if kind.takes(plain) or kind in describing)
    assert describing == [reading]


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
