"""Host and port, as ``Host`` and ``Origin`` headers and the settings write them (RFC 3986, 3.2)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Authority:
    """A host with a port."""

    host: str
    """In lower case; an IPv6 address without brackets."""
    port: int | None = None
    """None: the scheme's default, or, in a setting, any."""

    @classmethod
    def parse(cls, text: str) -> Authority:
        """Parse ``host`` or ``host:port``.

        :raises ValueError: ``text`` is neither.
        """
        host, separator, port = text.strip().lower().rpartition(":")
        if not separator or text.endswith("]"):
            host, port = text.strip().lower(), ""
        if host.startswith("["):
            try:
                host = str(ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]")))
            except ValueError:
                raise ValueError("no IPv6 address") from None
        elif not host or set(host) & set("/@:?#* "):
            raise ValueError("no host")
        if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= _HIGHEST_PORT):
            raise ValueError("no port")
        return cls(host.removesuffix("."), int(port) if port else None)
