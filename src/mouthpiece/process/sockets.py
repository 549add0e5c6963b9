"""The socket that a service listens on, and which hosts are this machine alone."""

from __future__ import annotations

import ipaddress
import socket


def listen(host: str, port: int) -> socket.socket:
    """Open a TCP socket that listens on ``host``, a name or an IPv4 or IPv6 address; port 0 takes a free port.

    Made with ``IPPROTO_TCP``, which ``socket.create_server`` does not do: only then asyncio sets ``TCP_NODELAY`` on
    the connections that it accepts. Without it the second piece of a response waits 40 ms for the acknowledgement of
    the first.

    :raises OSError: the address is in use, or is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen()
    except BaseException:
        listening.close()
        raise
    return listening


def is_address(host: str) -> bool:
    """Return whether ``host`` is an address (IPv6 without brackets) and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether ``host`` (a name or an address, IPv6 with or without brackets) is reached from this machine alone.

    No name is resolved: ``localhost``, in any case, is the only name that counts as loopback.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
