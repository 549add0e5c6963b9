"""Which addresses are reached from this machine alone."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host (a name or an address, IPv6 with or without brackets) is this machine, reached from it alone.

    By what it is called: of names only ``localhost``, in any case; none is resolved.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
