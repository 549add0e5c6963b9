"""Sends one delivery."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Self

import httpx

from mouthpiece.errors import UrlRefused, UrlUnavailable
from mouthpiece.net_guard import AllowedHost, check_url, guarded_client
from mouthpiece.net_guard.transport import MAX_REDIRECTS
from mouthpiece.webhook_signature import signed
from mouthpiece_sender.events.event_json import event_json
from mouthpiece_sender.storage.deliveries import Delivery
from mouthpiece_sender.webhooks.backoff import GONE
from mouthpiece_sender.webhooks.routing import Webhook

_SAME_METHOD: Final = (307, 308)
"""Redirects that a POST follows; the others would make it a GET."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try."""

    detail: str | None
    """Why it did not arrive; None: it arrived."""
    final: bool = False
    """Trying again is of no use."""


class WebhookSender:
    """``async with WebhookSender(…) as sender:``.

    :param allowed: hosts of the operator's own that callbacks may lead to.
    :param callback_secret: signs callbacks; None: they are not signed.
    :param timeout: seconds that a receiver may take, redirects included.
    """

    def __init__(
        self,
        webhooks: Sequence[Webhook],
        allowed: Collection[AllowedHost],
        callback_secret: str | None,
        timeout: float,
    ) -> None:
        self._secrets = {webhook.id: webhook.secret for webhook in webhooks}
        self._callback_secret = callback_secret
        self._timeout = timeout
        # The operator's webhooks may lead into the operator's network. What they redirect to is guarded.
        own = [AllowedHost(one.host, one.port) for one in (_host(webhook.url) for webhook in webhooks)]
        self._own = guarded_client([*allowed, *own], timeout=httpx.Timeout(timeout), follow_redirects=False)
        self._callbacks = guarded_client(allowed, timeout=httpx.Timeout(timeout), follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._own.aclose()
        await self._callbacks.aclose()

    async def send(self, delivery: Delivery, now: datetime) -> Outcome:
        own = delivery.receiver.name in self._secrets
        if not own and not delivery.receiver.name.startswith("callback "):
            return Outcome("This webhook is no longer configured.", final=True)
        client = self._own if own else self._callbacks
        secret = self._secrets.get(delivery.receiver.name, self._callback_secret)
        body = json.dumps(event_json(delivery.entry), ensure_ascii=False).encode()
        id, at = f"evt_{delivery.entry.event.seq}", int(now.timestamp())
        headers = {"webhook-id": id, "webhook-timestamp": str(at)} if secret is None else signed(secret, id, at, body)
        headers |= {"Content-Type": "application/json", "User-Agent": "Mouthpiece"}
        try:
            async with asyncio.timeout(self._timeout):
                return await _post(client, delivery.receiver.url, body, headers)
        except UrlRefused as error:
            return Outcome(str(error), final=True)
        except UrlUnavailable as error:
            return Outcome(str(error))
        except TimeoutError:
            return Outcome(f"It took longer than {self._timeout:g} s.")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Outcome(f"It could not be reached ({type(error).__name__}).")


async def _post(client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    for _ in range(MAX_REDIRECTS + 1):
        # The body of the answer is not read.
        async with client.stream("POST", url, content=body, headers=headers) as answer:
            if answer.is_success:
                return Outcome(None)
            if answer.status_code not in _SAME_METHOD or answer.next_request is None:
                return Outcome(f"It answered {answer.status_code}.", final=answer.status_code == GONE)
            url = str(answer.next_request.url)
    return Outcome("It redirects too often.")


def _host(url: str) -> AllowedHost:
    parsed = httpx.URL(url)
    host = parsed.raw_host.decode("ascii").lower().removeprefix("[").removesuffix("]")
    destination = check_url(url, [AllowedHost(host)])
    return AllowedHost(destination.host, destination.port)
