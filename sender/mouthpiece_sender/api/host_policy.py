"""Checks the headers of every request before its body is read: ``Host``, ``Origin`` and the key.

A page's origin counts with its scheme: what was loaded over http may have been written by anybody on the way. Behind a
proxy that ends TLS, ``X-Forwarded-Proto`` says it, which no page of another site can send.

Any web page can send requests to loopback, and with a DNS name that it points there (DNS rebinding) it could read the
responses too: so ``Host`` is checked wherever no key is shown. An IP address cannot be rebound, and a page that does
this has no key: a request with one of ours is answered under any name (``http://sender:8090``, a Kubernetes Service).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from mouthpiece.errors import KeyLimitReached
from mouthpiece.process.sockets import is_address, is_loopback
from mouthpiece.segments import Mode
from mouthpiece_sender.api import problems
from mouthpiece_sender.api.callers import Callers
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.request_rates import RequestRates
from mouthpiece_sender.api.tickets import Tickets
from mouthpiece_sender.authority import Authority

PROBES: Final = ("/healthz", "/readyz")
"""Answered under any ``Host``: a container's probe uses the container's address, and the answers hold no secret."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Which ``Host`` headers name this service, and which origins beside its own may call it."""

    on_loopback: bool
    """The service listens on loopback alone, so a ``Host`` with another IP address was not meant for it."""
    public_hosts: Sequence[Authority] = ()
    """Names of this service; one without a port is accepted with any port."""
    origins: Sequence[str] = ()
    """Origins of other sites, in lower case."""

    def check_host(self, given: str | None) -> Authority:
        """Return the host in a ``Host`` header.

        :raises ApiProblem: it does not name this service.
        """
        host = read_host(given)
        if is_loopback(host.host) or (not self.on_loopback and is_address(host.host)) or self._is_public(host):
            return host
        raise ApiProblem(
            "host-refused",
            "This service does not go by the name that the request was sent to: add it to MOUTHPIECE_PUBLIC_HOSTS, "
            "use 127.0.0.1, or send a key of this service.",
            field="Host",
        )

    def check_origin(
        self, given: str | None, host: Authority, scheme: str = "http", *, behind_tls: bool = True
    ) -> None:
        """Check an ``Origin`` header against the ``host`` of the request.

        :param scheme: the request's: ``http`` or ``https``.
        :param behind_tls: nobody said the client's scheme, and a proxy may have ended TLS: with one of our public names
            ``https`` is ours, too.
        :raises ApiProblem: it names another site, and not one of ``origins``.
        """
        if given is None or given.lower() in self.origins:
            return
        its, separator, rest = given.partition("://")
        its = its.lower()
        try:
            same = bool(separator) and _same(Authority.parse(rest), host, _PORTS.get(its))
            same &= its == scheme or (behind_tls and its == "https" and self._is_public(host))
        except ValueError:
            same = False
        if not same:
            raise ApiProblem(
                "origin-refused",
                "A page of another site may not call this service: add its origin to MOUTHPIECE_ALLOWED_ORIGINS if "
                "it is yours.",
                field="Origin",
            )

    def _is_public(self, host: Authority) -> bool:
        return any(public.host == host.host and public.port in (None, host.port) for public in self.public_hosts)


class AccessControl:
    """ASGI middleware: refuses a request, or passes it on with ``request.state.caller`` set."""

    def __init__(
        self, app: ASGIApp, *, policy: HostPolicy, callers: Callers, tickets: Tickets, rates: RequestRates
    ) -> None:
        self._app = app
        self._rates = rates
        self._tickets = tickets
        self._policy = policy
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] not in PROBES:
            try:
                self._check(scope, Headers(scope=scope))
            except (ApiProblem, KeyLimitReached) as problem:
                await problems.answer_to(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        given = headers.get("host")
        if scope["path"].startswith("/v1/") and self._callers.holds_key(headers.get("authorization")):
            host = read_host(given)
        else:
            host = self._policy.check_host(given)
        said = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
        scheme = said or str(scope["scheme"])
        self._policy.check_origin(headers.get("origin"), host, scheme, behind_tls=not said)
        if scope["path"].startswith("/v1/"):
            state: dict[str, Any] = scope.setdefault("state", {})
            authorization = headers.get("authorization")
            ticket = None if authorization is not None else QueryParams(scope["query_string"]).get("ticket")
            if ticket is None:
                state["caller"] = self._callers.admit(authorization)
            else:
                state["caller"] = self._tickets.admit(ticket, scope.get("method", "GET"), scope["path"])
            if not _may_be_ignored(scope):
                self._rates.take(state["caller"].holder)


def _may_be_ignored(scope: Scope) -> bool:
    """Whether a request asks for a segment with ``mode=ignore``: a burst of those is answered, and never with 429."""
    speaks = scope.get("method") == "POST" and scope["path"].endswith("/segments")
    return speaks and QueryParams(scope["query_string"]).get("mode") == Mode.IGNORE


def read_host(given: str | None) -> Authority:
    """Parse a ``Host`` header.

    :raises ApiProblem: it is missing or cannot be parsed.
    """
    try:
        return Authority.parse(given or "")
    except ValueError:
        raise ApiProblem("host-refused", "The header Host is missing or cannot be read.", field="Host") from None


def _same(origin: Authority, host: Authority, default: int | None) -> bool:
    """``default`` is the port of the origin's scheme, for both sides: a proxy may terminate TLS before us."""
    return origin.host == host.host and (origin.port or default) == (host.port or default)
