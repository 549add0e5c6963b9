"""The socket that a service of ours answers on."""

from __future__ import annotations

import ipaddress
import socket


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Made with ``IPPROTO_TCP``, which ``socket.create_server`` does not do: only then asyncio sets ``TCP_NODELAY`` on
    what it accepts, without which the second piece of a response waits 40 ms for the acknowledgement of the first.

    :raises OSError: it cannot listen there.
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
