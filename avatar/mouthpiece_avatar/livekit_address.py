"""Which LiveKit server an address means: the avatar server connects only where it is allowed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from mouthpiece.process.sockets import is_loopback


@dataclass(frozen=True, slots=True)
class LiveKitAddress:
    """``ws://`` and ``http://`` address one server, so do ``wss://`` and ``https://``."""

    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """:raises ValueError: not the address of a LiveKit server; the message does not repeat it."""
        parts = urlsplit(url.strip())
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
            raise ValueError("a LiveKit address begins with ws:// or wss:// and names a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a LiveKit address holds no user name or password")
        secure = parts.scheme in ("wss", "https")
        return cls(secure, parts.hostname.lower(), parts.port or (443 if secure else 80))

    @property
    def on_this_machine(self) -> bool:
        """By its name; a name is not resolved."""
        return is_loopback(self.host)

    def is_allowed(self, allowed: list[LiveKitAddress] | None) -> bool:
        """``allowed`` None: what is on this machine. The names of this machine are one host."""
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
