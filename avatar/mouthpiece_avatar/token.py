"""The identity and the room of a LiveKit token, read without its key; LiveKit itself checks the signature."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claims:
    identity: str
    room: str


def read_claims(token: str) -> Claims:
    """Read the claims of ``token``, unverified.

    :raises ValueError: it is no LiveKit token with which an agent joins a room; the message does not repeat the token.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("it is not a token: three parts with dots between them were expected")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
        identity, room = claims["sub"], claims["video"]["room"]
        is_agent = claims.get("kind") == "agent"
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("it does not name an identity and a room to join") from None
    if not (isinstance(identity, str) and identity and isinstance(room, str) and room):
        raise ValueError("it does not name an identity and a room to join")
    if not is_agent:
        raise ValueError("it is not of agent kind, and an avatar is no viewer: make it with the kind “agent”")
    return Claims(identity, room)
