"""The OpenAPI document, as generators of clients read it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from mouthpiece_sender.api.app import ROUTERS
from mouthpiece_sender.api.openapi import BODIES, describe


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI(title="Mouthpiece", version="1")
    for router in ROUTERS:
        app.include_router(router)
    return describe(app)


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
    assert schema.get("required", []) == []
