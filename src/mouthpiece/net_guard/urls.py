"""Which URLs a caller may name, before anything is resolved."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import httpx

from mouthpiece.errors import UrlRefused
from mouthpiece.net_guard.addresses import is_public

MOST: Final = 2000
"""Characters of a URL."""
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A host of the operator's own, which may have any address."""

    host: str
    """In lower case; an IPv6 address without brackets."""
    port: int | None = None
    """None: any."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that may be asked, as far as its text shows."""

    url: httpx.URL
    host: str
    """As it is resolved: ASCII, in lower case, without a dot at its end."""
    port: int
    allowed: bool
    """It is one of the operator's own: its addresses are not checked."""


def check_url(url: str | httpx.URL, allowed: Collection[AllowedHost] = ()) -> Destination:
    """
    :raises UrlRefused: the URL is not http or https, holds a name or password, has no host or a host that is written
        as no browser would, or its host is an address that is not public, and not one of ``allowed``.
    """
    text = str(url)
    if len(text) > MOST:
        raise UrlRefused(f"The URL is longer than {MOST} characters.")
    if any(not "!" <= letter <= "~" for letter in text) or set(text) & set('\\"<>^`{|}'):
        raise UrlRefused("The URL holds a space, or a character that must be percent-encoded.")
    try:
        parsed = httpx.URL(text)
        host = parsed.raw_host.decode("ascii").lower().removesuffix(".")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise UrlRefused("The URL cannot be read.") from None
    if parsed.scheme not in PORTS:
        raise UrlRefused("The URL must begin with http:// or https://.")
    if parsed.userinfo or "@" in parsed.netloc.decode("ascii"):
        raise UrlRefused("The URL must hold no name and no password.")
    port = PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port <= 65_535:
        raise UrlRefused("The URL has a port that does not exist.")
    host = host.removeprefix("[").removesuffix("]")
    known = any(one.host == host and one.port in (None, port) for one in allowed)
    if not known:
        _check_host(host)
    return Destination(parsed, host, port, known)


def check_addresses(destination: Destination, addresses: Collection[str]) -> None:
    """
    :raises UrlRefused: one of the ``addresses`` that the host has is not public.
    """
    if not destination.allowed and not all(is_public(address) for address in addresses):
        raise _not_public()


def _check_host(host: str) -> None:
    labels = host.split(".")
    if not host or any(not label or len(label) > 63 for label in labels) or "%" in host:
        raise UrlRefused("The URL has no host that can be asked.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # `inet_aton`, and with it `getaddrinfo`, reads 2130706433, 0x7f.1 and 0177.0.0.1 as IPv4 addresses.
        last = labels[-1]
        if ":" in host or last.isdigit() or (last.startswith("0x") and set(last[2:]) <= set("0123456789abcdef")):
            raise UrlRefused("The URL's host is an IP address in a form that is not accepted.") from None
        if last == "localhost" or (len(labels) == 1 and not host.startswith("xn--")):
            raise _not_public() from None
    else:
        if not is_public(host):
            raise _not_public()


def _not_public() -> UrlRefused:
    return UrlRefused(
        "The URL's host is not a public one: a host of the operator's own is named in MOUTHPIECE_ALLOWED_HOSTS."
    )
