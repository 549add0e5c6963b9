"""Host and port, as a ``Host`` or ``Origin`` header and the settings write them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Authority:
    """``port`` is None where it is the scheme's own, or where a setting means any."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Authority:
        """:raises ValueError: it is no host with an optional port."""
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
