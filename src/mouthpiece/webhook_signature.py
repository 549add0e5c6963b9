"""Signs and verifies webhooks. Source: Standard Webhooks, https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
PREFIX: Final = "whsec_"
TOLERANCE: Final = 300.0
"""Seconds that a timestamp may be away from now."""


class WrongSignature(ValueError):
    """A request was not signed with this secret, was changed, or is too old."""


def secret_bytes(secret: str) -> bytes:
    """Return the key in a secret: base64 of 24 to 64 bytes, with or without ``whsec_`` before it.

    :raises ValueError: it is none.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    if not 24 <= len(key) <= 64:
        raise ValueError("a webhook's secret must hold 24 to 64 bytes")
    return key


def signed(secret: str, id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook.

    :param at: seconds of the wall clock.
    :raises ValueError: ``secret`` is none.
    """
    return {ID: id, TIMESTAMP: str(at), SIGNATURE: f"v1,{_digest(secret_bytes(secret), id, str(at), body)}"}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """
    :param headers: of the request, with names in lower case or as a case-insensitive mapping.
    :param now: seconds of the wall clock.
    :raises WrongSignature: it was not signed with ``secret``, was changed, or is more than ``TOLERANCE`` old.
    :raises ValueError: ``secret`` is none.
    """
    id, at, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE:
        raise WrongSignature("The webhook has no timestamp, or one that is not of now.")
    expected = f"v1,{_digest(secret_bytes(secret), id, at, body)}".encode()
    if not any(hmac.compare_digest(expected, one.encode()) for one in given.split(" ")):
        raise WrongSignature("The webhook was not signed with this secret, or was changed.")


def _digest(key: bytes, id: str, at: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(key, f"{id}.{at}.".encode() + body, hashlib.sha256)).decode()
