"""``Idempotency-Key``: a request that is sent again is answered with what became of the first one.

A key belongs to its holder (of the API key) and the route with its room. It is stored in the transaction that accepts
the segment, so a refusal stores none. While the first request is being accepted its key is claimed in this process; two
senders that share a store are kept apart by the store itself (``IdempotencyConflict``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from starlette.requests import Request

from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.problems import ApiProblem

HEADER: Final = "Idempotency-Key"
MOST: Final = 255
"""Characters of a key."""

PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MOST},
    "description": "A name for this request, bare or in quotation marks: sent again within 24 hours, with the same "
    "content and parameters (but `wait` and `timeout`), it is answered with the segment of the first time.",
}
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
"""A string of RFC 9651, 3.3.3: the form of draft-ietf-httpapi-idempotency-key-header."""
_BARE: Final = re.compile(r"[!#-+\--\[\]-~]+")
"""Visible ASCII without quotation mark, comma and backslash."""


def read_key(request: Request) -> str | None:
    """Return the key of a request, without quotation marks; None: it has none.

    :raises ApiProblem: the header is malformed.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) == 1:
        text = given[0].strip(" \t")
        if (quoted := _QUOTED.fullmatch(text)) is not None:
            text = re.sub(r"\\(.)", r"\1", quoted[1])
        elif _BARE.fullmatch(text) is None:
            text = ""
        if 0 < len(text) <= MOST:
            return text
    raise ApiProblem(
        "bad-parameter",
        f'{HEADER} must be one key of 1 to {MOST} visible ASCII characters, bare or in quotation marks: "order-12".',
        field=HEADER,
    )


def refuse_key(request: Request) -> None:
    """For routes that honour no key: ignoring one would promise what is not kept.

    :raises ApiProblem: the request has a key.
    """
    if request.headers.get(HEADER) is not None:
        raise ApiProblem("bad-parameter", f"{HEADER} is honoured for segments alone: leave it out.", field=HEADER)


def scope(caller: Caller, route: str) -> str:
    """Return what a key is unique in.

    :param route: the method and the path, with its parameters' values.
    """
    return f"{caller.holder} {route}"


def fingerprint(content: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return a digest of what a request asks for: the content of its parts, and every parameter that decides what is
    said, and how. The order of keys and the boundary of a form do not count."""
    written = json.dumps([content, parameters], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


class Claims:
    """The keys of requests that are being accepted."""

    def __init__(self) -> None:
        self._claimed: set[tuple[str, str]] = set()

    @contextmanager
    def claimed(self, scope: str, key: str) -> Iterator[None]:
        """
        :raises ApiProblem: another request claims it.
        """
        claim = (scope, key)
        if claim in self._claimed:
            raise ApiProblem(
                "idempotency-conflict",
                f"The first request with this {HEADER} is still being accepted: send it again in a moment.",
                field=HEADER,
            )
        self._claimed.add(claim)
        try:
            yield
        finally:
            self._claimed.discard(claim)


def mismatch() -> ApiProblem:
    return ApiProblem(
        "idempotency-mismatch",
        f"This {HEADER} was used for another request within 24 hours: take a new one.",
        field=HEADER,
    )
