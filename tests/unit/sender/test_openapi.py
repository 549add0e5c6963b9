"""The OpenAPI document, as generators of clients read it."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from fastapi.routing import APIRoute

from mouthpiece_sender.api.app import ROUTERS, described_app
from mouthpiece_sender.api.bodies.json_object import MODELS
from mouthpiece_sender.api.headers import refuse_unsupported
from mouthpiece_sender.api.openapi import BODIES, describe
from tests.product_source import ROOT

REQUIRED = {"TextBody": ["text"], "UrlBody": ["url"], "EncodedSoundBody": ["audio"], "AgainBody": ["segment"]}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(described_app())


def test_each_call_has_a_name_that_a_person_would_choose(document: dict[str, Any]) -> None:
    named = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    assert len(named) == len(set(named))
    assert [name for name in named if "v1" in name or name.endswith(("_get", "_post", "_delete"))] == []
    assert {"speak", "get_segment", "list_segments", "cancel_segment", "interrupt", "open_room"} <= set(named)
    assert document["servers"] == [{"url": "/", "description": "Where this document was read."}]


@pytest.mark.parametrize("body", BODIES)
def test_a_key_that_may_be_left_out_of_a_body_has_no_default(document: dict[str, Any], body: type) -> None:
    """openapi-typescript takes a key with a default for one that is always there."""
    schema = document["components"]["schemas"][body.__name__]
    assert [name for name, one in schema.get("properties", {}).items() if "default" in one] == []
    assert schema.get("required", []) == REQUIRED.get(body.__name__, [])


def test_media_types_have_no_parameters_and_json_bodies_have_names(document: dict[str, Any]) -> None:
    """Generators of clients look a media type up as it is written, and name types after their schemas."""
    taken = document["paths"]["/v1/rooms/{room}/segments"]["post"]["requestBody"]["content"]
    assert [media_type for media_type in taken if ";" in media_type] == []
    names = [one["$ref"].rpartition("/")[2] for one in taken["application/json"]["schema"]["oneOf"]]
    assert names == [model.__name__ for model in MODELS]
    assert set(names) <= document["components"]["schemas"].keys()


def test_the_committed_document_which_the_clients_are_made_from_is_the_current_one(document: dict[str, Any]) -> None:
    committed = json.loads((ROOT / "clients" / "openapi.json").read_text())
    assert committed == document, "`make clients` writes clients/openapi.json and the TypeScript client's types"


def test_applications_of_a_process_share_what_is_worked_out_of_their_calls() -> None:
    one, other = described_app(), described_app()
    shared = [route for route in one.routes if any(route is each for each in other.routes)]
    assert len(shared) >= len(ROUTERS), "each has its own route to the document, and none else"


def test_no_call_and_nothing_that_it_depends_on_waits_for_a_thread() -> None:
    """FastAPI runs what is no coroutine function in a thread: half a millisecond each, and more on a busy machine."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    functions: list[Any] = [refuse_unsupported, *(route.endpoint for route in routes)]
    dependants = [route.dependant for route in routes]
    while dependants:
        dependants += (dependant := dependants.pop()).dependencies
        functions.append(dependant.call)
    assert len(functions) > 2 * len(routes) > 40
    assert [function for function in functions if not inspect.iscoroutinefunction(function)] == []
