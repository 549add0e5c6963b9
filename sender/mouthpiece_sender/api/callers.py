"""API keys, and the rooms that each key opens."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from mouthpiece_sender.api.problems import ApiProblem


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of an accepted key: it may use rooms whose name begins with one of ``prefixes``."""

    prefixes: tuple[str, ...] = ("",)
    holder: str = ""
    """A digest of the key; empty where none is needed."""
    room: str | None = None
    """The only room, where a ticket was shown instead of a key."""

    def may(self, room: str) -> bool:
        """Return whether the key or the ticket opens ``room``."""
        if self.room is not None:
            return room == self.room
        return room.startswith(self.prefixes)

    def require(self, room: str) -> None:
        """:raises ApiProblem: the key is not for this room."""
        if not self.may(room):
            ours = " or ".join(f"“{prefix}”" for prefix in self.prefixes)
            raise ApiProblem("not-this-room", f"This key is for rooms whose name begins with {ours}.", field="room")


class Callers:
    """Checks keys. Each entry of ``keys`` is ``key`` or ``key:room-prefix``; with no entry every request is accepted.

    A key with several entries opens the rooms of each of them.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.replace(keys)

    def replace(self, keys: Sequence[str]) -> None:
        """Accept these keys from now on, and no other. Requests that were accepted go on."""
        prefixes: dict[str, list[str]] = {}
        for key, _, prefix in (one.partition(":") for one in keys):
            prefixes.setdefault(key, []).append(prefix)
        self._known = [
            (digest, Caller(tuple(given), digest.hex()))
            for digest, given in ((_digest(key), given) for key, given in prefixes.items())
        ]

    def holds_key(self, authorization: str | None) -> bool:
        """Return whether an ``Authorization`` header holds one of the keys; False where none is set."""
        try:
            return bool(self._known) and self.admit(authorization) is not None
        except ApiProblem:
            return False

    def admit(self, authorization: str | None) -> Caller:
        """Return the caller whose key is in an ``Authorization`` header.

        :raises ApiProblem: a key is required, and the header has none or a wrong one.
        """
        if not self._known:
            return Caller()
        if authorization is None:
            raise _refused("no-key", "Send one of this service's keys: `Authorization: Bearer <key>`.")
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _refused("no-key", "The header Authorization must read `Bearer <key>`.")
        given, found = _digest(key.strip()), None
        for known, caller in self._known:  # all of them, and digests of one length: the time betrays nothing of a key
            if hmac.compare_digest(given, known):
                found = caller
        if found is None:
            raise _refused("wrong-key", "This is none of the keys of this service.")
        return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _refused(slug: str, detail: str) -> ApiProblem:
    return ApiProblem(slug, detail, headers={"WWW-Authenticate": 'Bearer realm="mouthpiece"'})
