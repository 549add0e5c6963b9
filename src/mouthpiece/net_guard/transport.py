"""An httpx transport that resolves a host once, checks what came, and connects to an address that was checked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import cache
from types import TracebackType
from typing import Final, Self

import httpx

from mouthpiece.errors import UrlUnavailable
from mouthpiece.net_guard.urls import AllowedHost, check_addresses, check_url

RESOLVE_TIMEOUT: Final = 5.0
"""Seconds."""
MAX_REDIRECTS: Final = 3

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host and port; raises OSError."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the system's resolver gives, each once, in its order.

    :raises OSError: it gives none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def _certificates() -> ssl.SSLContext:
    """What every transport trusts. To read it takes some 40 ms, in which an event loop stands still."""
    return httpx.create_ssl_context(trust_env=False)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Every request passes it, redirects that httpx follows included, so each hop is checked by itself.

    :param allowed: hosts of the operator's own.
    :param inner: performs the requests; it keeps no connection, because it knows them by their address alone and would
        use one that was opened for another name.
    """

    def __init__(
        self,
        allowed: Collection[AllowedHost] = (),
        *,
        resolve: Resolve = system_resolve,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._inner = inner or httpx.AsyncHTTPTransport(
            verify=_certificates(),
            trust_env=False,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(kind, error, trace)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """
        :raises UrlRefused: the URL, or an address of its host, may not be asked; nothing was connected to.
        :raises UrlUnavailable: its host cannot be resolved.
        :raises httpx.TransportError: the request failed.
        """
        destination = check_url(request.url, self._allowed)
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT):
                addresses = await self._resolve(destination.host, destination.port)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            addresses = []
        if not addresses:
            raise UrlUnavailable(f"The host {destination.host} cannot be resolved.")
        check_addresses(destination, addresses)
        return await self._first_that_answers(request, destination.host, addresses)

    async def _first_that_answers(self, request: httpx.Request, host: str, addresses: Sequence[str]) -> httpx.Response:
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the next address may take it
        return await self._inner.handle_async_request(_pinned(request, host, addresses[-1]))


def guarded_client(
    allowed: Collection[AllowedHost] = (),
    *,
    timeout: httpx.Timeout,
    transport: httpx.AsyncBaseTransport | None = None,
    follow_redirects: bool = True,
) -> httpx.AsyncClient:
    """Return a client for URLs that a caller gave: no proxy, no cookies of ours, no keys.

    :param transport: instead of a ``GuardedTransport`` with ``allowed``.
    """
    return httpx.AsyncClient(
        transport=transport or GuardedTransport(allowed),
        timeout=timeout,
        trust_env=False,
        follow_redirects=follow_redirects,
        max_redirects=MAX_REDIRECTS,
    )


def _pinned(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """Return ``request`` to an address. Its ``Host`` header stays, and TLS checks the certificate for ``host``."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": host},
    )
