"""The calls of the API as values: what is sent, and how an answer is read. No I/O."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote

import httpx

from mouthpiece.client.errors import ServiceProblem, ServiceUnavailable, UnexpectedAnswer

LONG_POLL = 20.0
"""Seconds that the service may hold one request back."""
BLOCK = 65_536
"""Bytes of a file that are read at a time."""
_SEGMENT = frozenset({"id", "state"})


class SegmentOptions(TypedDict, total=False):
    """Parameters of a segment (docs/api.md)."""

    mode: str
    expires_in: float
    on_loss: str
    wait_for_viewer: bool
    interruptible: bool
    avatar: str
    tag: str
    callback: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request; sent again, it is the same.

    :param expected: keys of the answer; none: it has no content.
    :param done: slug of the refusal which, sent again, says that the first try has arrived.
    """

    method: str
    path: str
    expected: frozenset[str]
    params: dict[str, str] = field(default_factory=dict)
    json: dict[str, Any] | None = None
    content: bytes | Path | None = None
    headers: dict[str, str] = field(default_factory=dict)
    done: str | None = None


def say(
    room: str,
    text: str,
    voice: str | None,
    tts: str | None,
    text_format: str | None,
    options: SegmentOptions,
    key: str | None,
) -> Call:
    body = {"text": text, "voice": voice, "tts": tts, "text_format": text_format}
    given = {name: value for name, value in body.items() if value is not None}
    return Call("POST", _queue(room), _SEGMENT, _params(options), json=given, headers=_keyed(key))


def play(room: str, sound: bytes | Path, content_type: str | None, options: SegmentOptions, key: str | None) -> Call:
    headers = _keyed(key) | ({} if content_type is None else {"Content-Type": content_type})
    return Call("POST", _queue(room), _SEGMENT, _params(options), content=sound, headers=headers)


def play_url(room: str, url: str, options: SegmentOptions, key: str | None) -> Call:
    return Call("POST", _queue(room), _SEGMENT, _params(options), json={"url": url}, headers=_keyed(key))


def again(room: str, segment: str, options: SegmentOptions, key: str | None) -> Call:
    return Call("POST", _queue(room), _SEGMENT, _params(options), json={"segment": segment}, headers=_keyed(key))


def segment(id: str) -> Call:
    return Call("GET", f"/v1/segments/{_quoted(id)}", _SEGMENT)


def finished(id: str, seconds: float) -> Call:
    return Call("GET", f"/v1/segments/{_quoted(id)}", _SEGMENT, {"wait": "finished", "timeout": f"{seconds:g}"})


def cancel(id: str, purge: bool) -> Call:
    return Call("DELETE", f"/v1/segments/{_quoted(id)}", _SEGMENT, {"purge": "true"} if purge else {})


def segments(room: str, state: str | None, tag: str | None, limit: int, after: str | None) -> Call:
    given = {"state": state, "tag": tag, "limit": str(limit), "after": after}
    expected = frozenset({"segments", "next"})
    return Call("GET", _queue(room), expected, {name: value for name, value in given.items() if value is not None})


def of_room(room: str, action: str, avatar: str | None, body: dict[str, Any]) -> Call:
    """:param action: interrupt, pause or resume."""
    path, params = f"/v1/rooms/{_quoted(room)}/{action}", {} if avatar is None else {"avatar": avatar}
    return Call("POST", path, frozenset({"segments"}), params, json=body)


def open_room(body: dict[str, Any]) -> Call:
    return Call("POST", "/v1/rooms", frozenset({"room", "token"}), json=body)


def rooms() -> Call:
    return Call("GET", "/v1/rooms", frozenset({"rooms"}))


def room(name: str) -> Call:
    return Call("GET", f"/v1/rooms/{_quoted(name)}", frozenset({"room"}))


def end_room(name: str) -> Call:
    return Call("DELETE", f"/v1/rooms/{_quoted(name)}", frozenset(), done="room-not-found")


def token(room: str, body: dict[str, Any]) -> Call:
    return Call("POST", f"/v1/rooms/{_quoted(room)}/tokens", frozenset({"token"}), json=body)


def ticket(room: str, expires_in: int) -> Call:
    path = f"/v1/rooms/{_quoted(room)}/tickets"
    return Call("POST", path, frozenset({"ticket"}), json={"expires_in": expires_in})


def webhooks() -> Call:
    return Call("GET", "/v1/webhooks", frozenset({"webhooks"}))


def deliveries(state: str, limit: int, after: str | None) -> Call:
    given = {"state": state, "limit": str(limit)} | ({} if after is None else {"after": after})
    return Call("GET", "/v1/webhooks/deliveries", frozenset({"deliveries", "next"}), given)


def retry_delivery(id: str) -> Call:
    return Call("POST", f"/v1/webhooks/deliveries/{_quoted(id)}/retry", frozenset({"id", "state"}))


def voices() -> Call:
    return Call("GET", "/v1/voices", frozenset({"voices"}))


def events(room: str | None, segment: str | None) -> str:
    """Return the path of a stream."""
    if segment is not None:
        return f"/v1/segments/{_quoted(segment)}/events"
    return "/v1/events" if room is None else f"/v1/rooms/{_quoted(room)}/events"


def value_of(call: Call, answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a successful answer.

    :raises UnexpectedAnswer: it is none, or lacks a key.
    """
    value = _json(answer)
    if not call.expected <= value.keys() or (not call.expected and answer.status_code != 204):
        raise UnexpectedAnswer(answer.status_code)
    return value


def failure_of(answer: httpx.Response) -> ServiceProblem | UnexpectedAnswer:
    """Return the error in an answer, whose body was read."""
    value = _json(answer)
    detail = value.get("detail") or value.get("title")
    if answer.is_success or not isinstance(detail, str):
        return UnexpectedAnswer(answer.status_code)
    after = answer.headers.get("Retry-After", "")
    return ServiceProblem(
        answer.status_code,
        str(value.get("type") or "unknown"),
        detail,
        value.get("field"),
        retryable=value.get("retryable") is True,
        retry_after=float(after) if after.isascii() and after.isdigit() else None,
    )


def is_event_stream(answer: httpx.Response) -> bool:
    """Return whether events come."""
    return answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/event-stream")


def sendable(sound: bytes | Path) -> bytes | Path:
    """Return a sound that can be sent more than once: what is no plain file is read.

    :raises OSError: it cannot be read.
    """
    return sound if isinstance(sound, bytes) or sound.is_file() else sound.read_bytes()


def unreachable(error: httpx.RequestError) -> ServiceUnavailable:
    """Return the error for a connection that failed."""
    return ServiceUnavailable(f"The service cannot be reached: {type(error).__name__}.")


def client_options(key: str | None) -> dict[str, Any]:
    """Return what a client of httpx is made with."""
    return {
        "headers": {} if key is None else {"Authorization": f"Bearer {key}"},
        "timeout": httpx.Timeout(10.0, read=LONG_POLL + 10, write=60.0),
    }


def _json(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object in an answer; an empty one if there is none."""
    try:
        value = answer.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _keyed(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid.uuid4().hex}


def _params(options: SegmentOptions) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in options.items()}


def _queue(room: str) -> str:
    return f"/v1/rooms/{_quoted(room)}/segments"


def _quoted(name: str) -> str:
    return quote(name, safe="")
