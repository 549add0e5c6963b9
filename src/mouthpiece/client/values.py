"""Segments and events as JSON, and webhooks that carry them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, TypedDict

from mouthpiece.segments import State
from mouthpiece.webhook_signature import verify


class Segment(TypedDict):
    """docs/api.md, A segment. Times are RFC 3339, positions seconds."""

    id: str
    room: str
    avatar: str | None
    profile: str | None
    state: str
    receipt: str
    source: dict[str, Any]
    audio: dict[str, Any]
    position: float
    interrupted: bool
    viewers: dict[str, int | None]
    tag: str | None
    metadata: dict[str, Any] | None
    ended_by: str | None
    attempts: list[dict[str, Any]]
    created_at: str
    started_at: str | None
    finished_at: str | None
    expires_at: str | None
    duplicate: bool
    error: dict[str, Any] | None


class Event(TypedDict, total=False):
    """docs/api.md, Events. One of type ``gap`` has ``after`` and ``reached`` alone: events between them are missing."""

    id: str
    type: str
    at: str
    room: str
    avatar: str | None
    attempt: int | None
    segment: Segment | None
    after: str
    reached: str


ENDED = frozenset(state.value for state in State if state.terminal)
"""States that no other follows."""


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event in a webhook.

    :param headers: of the request.
    :param body: of the request, as it came.
    :raises WrongSignature: it was not signed with ``secret``, was changed, or is older than 5 minutes.
    """
    verify(secret, {name.lower(): value for name, value in headers.items()}, body, time.time())
    event: Event = json.loads(body)
    return event
