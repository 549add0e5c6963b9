"""Tickets: a signed permission to open one thing of one room, for a browser, which cannot send a key with it.

A ticket is short-lived and is checked when the connection is opened; the connection may live longer. The key that
signs is made anew with each process, so no ticket outlives a restart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.problems import ApiProblem

Opens = Literal["events"]
PATHS: Final[Mapping[str, str]] = {"events": "/v1/rooms/{room}/events"}
"""What a ticket can open."""


class Tickets:
    """:param clock: seconds of the wall clock."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def issue(self, room: str, opens: Sequence[Opens], seconds: float) -> str:
        """Return a ticket that is valid for ``seconds``."""
        written = json.dumps({"room": room, "opens": list(opens), "until": self._clock() + seconds}).encode()
        return f"{_text(written)}.{_text(self._signature(written))}"

    def admit(self, ticket: str, method: str, path: str) -> Caller:
        """Return the caller that a request with ``ticket`` comes from.

        :raises ApiProblem: the ticket is not one of ours, has expired, or opens something else.
        """
        body, _, signature = ticket.partition(".")
        try:
            written, given = _bytes(body), _bytes(signature)
        except ValueError:
            raise _refused("This is no ticket of this service.") from None
        if not hmac.compare_digest(given, self._signature(written)):
            raise _refused("This is no ticket of this service, or one from before its restart.")
        known = json.loads(written)
        if known["until"] <= self._clock():
            raise _refused("The ticket has expired: make a new one.")
        if method != "GET" or path not in [PATHS[one].format(room=known["room"]) for one in known["opens"]]:
            raise _refused("The ticket is for something else.")
        return Caller(room=known["room"])

    def _signature(self, written: bytes) -> bytes:
        return hmac.digest(self._key, written, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """:raises ValueError: ``text`` is not base64url."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)


def _refused(detail: str) -> ApiProblem:
    return ApiProblem("wrong-ticket", detail, field="ticket")
