"""What an address of a server in the settings must look like, before anything connects to it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

LIVEKIT_SCHEMES: Final = ("ws://", "wss://", "http://", "https://")
HTTP_SCHEMES: Final = ("http://", "https://")


def check_livekit_url(url: str) -> str:
    """Return LiveKit's address without the slash at its end.

    :raises ValueError: it is no such address; the message does not repeat it.
    """
    return _checked(url, LIVEKIT_SCHEMES, "ws:// or wss://")


def check_http_url(url: str) -> str:
    """Return the address of an HTTP server without the slash at its end.

    :raises ValueError: it is no such address; the message does not repeat it.
    """
    return _checked(url, HTTP_SCHEMES, "http:// or https://")


def _checked(url: str, schemes: tuple[str, ...], named: str) -> str:
    if not url.lower().startswith(schemes):
        raise ValueError(f"must begin with {named}")
    try:
        parts = urlsplit(url)
        # As clients of HTTP do, and the resolver once more: a name that it cannot encode is a UnicodeError there, which
        # none of them expects. "…" is "..." only after the first time.
        host = (parts.hostname or "").encode("idna").decode("ascii").encode("idna")
        usable = bool(host) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("names no host: is it a placeholder still?")
    return url.rstrip("/")
