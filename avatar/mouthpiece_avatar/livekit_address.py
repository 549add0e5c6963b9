"""Addresses of LiveKit servers, compared: the avatar server joins only those that it is allowed to join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from mouthpiece.process.addresses import check_livekit_url
from mouthpiece.process.sockets import is_loopback


@dataclass(frozen=True, slots=True)
class LiveKitAddress:
    """``ws://`` and ``http://`` address the same server; so do ``wss://`` and ``https://``."""

    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an address.

        :raises ValueError: ``url`` is not the address of a LiveKit server; the message does not repeat it.
        """
        try:
            parts = urlsplit(check_livekit_url(url.strip()))
        except ValueError as error:
            raise ValueError(f"a LiveKit address {error}") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("a LiveKit address holds no user name or password")
        secure = parts.scheme in ("wss", "https")
        return cls(secure, (parts.hostname or "").lower(), parts.port or (443 if secure else 80))

    @property
    def on_this_machine(self) -> bool:
        """Whether the host is loopback, by its name; no name is resolved."""
        return is_loopback(self.host)

    def is_allowed(self, allowed: list[LiveKitAddress] | None) -> bool:
        """Whether this is in ``allowed``, or on this machine if that is None. All names of loopback are one host."""
        if allowed is None:
            return self.on_this_machine
        return any(
            self == other
            or (
                self.on_this_machine
                and other.on_this_machine
                and (self.secure, self.port) == (other.secure, other.port)
            )
            for other in allowed
        )
