"""Who is answered: by the secret that is shown, and by the name that the request was sent to.

A web page can send requests to this server, and with a DNS name that it points here (DNS rebinding) read the answers.
It has no secret, and an address and a name without a dot are not its own: the name counts where no secret is shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import SecretStr

from mouthpiece import wire
from mouthpiece.process.sockets import is_address, is_loopback
from mouthpiece.serving.request_guard import App, Receive, Scope, Send
from mouthpiece_avatar import problems
from mouthpiece_avatar.problems import HttpProblem

PROBES: Final = ("/health", "/healthz", "/readyz")
"""Answered under any name; numbers under ours alone."""


class Admission:
    """:param secrets: those that are let in; without one, programs on this machine alone are, which the settings allow
    on loopback only.
    """

    def __init__(self, secrets: Sequence[SecretStr]) -> None:
        self._secrets = [secret.get_secret_value().encode() for secret in secrets]

    def admit(self, request: Request) -> None:
        """:raises HttpProblem: the caller may not start, list or end avatars."""
        if not self._secrets:
            if not self.names_us(request):
                raise HttpProblem(
                    403,
                    "not-from-here",
                    "without MOUTHPIECE_AVATAR_SECRETS this server answers programs on this machine alone: "
                    "call it as 127.0.0.1 or localhost, and not from a web page",
                )
            return
        if not request.headers.get(wire.API_SECRET_HEADER):
            raise HttpProblem(401, "no-secret", "the header api-secret is missing: send one of this server's secrets")
        if not self._shows_secret(request):
            raise HttpProblem(401, "wrong-secret", "the header api-secret holds none of this server's secrets")

    def admit_reader(self, request: Request) -> None:
        """:raises HttpProblem: the caller may not read metrics and documents."""
        if not self._secrets:
            self.admit(request)
        elif not self.names_us(request) and not self._shows_secret(request):
            raise HttpProblem(
                403,
                "host-refused",
                "without the header api-secret this is answered by an address, or by a name without a dot, alone, and "
                "not to a web page",
            )

    def names_us(self, request: Request) -> bool:
        """Return whether no web page's name was called; with secrets, an address of this server may be."""
        if "origin" in request.headers:
            return False
        host = _host(request)
        return is_loopback(host) or (bool(self._secrets) and ("." not in host or is_address(host)))

    def _shows_secret(self, request: Request) -> bool:
        given = request.headers.get(wire.API_SECRET_HEADER, "").encode("latin-1")  # which starlette decodes so
        return any(hmac.compare_digest(given, known) for known in self._secrets)


class RefuseOtherNames:
    """ASGI middleware: what is neither a call under ``/v1/``, which needs a secret, nor a probe is for readers."""

    def __init__(self, app: App, *, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/v1/") and scope["path"] not in PROBES:
            try:
                self._admission.admit_reader(Request(scope))
            except HttpProblem as problem:
                await problems.answer_to_http(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or "."  # starlette guesses where it is odd
    except ValueError:
        return "."
