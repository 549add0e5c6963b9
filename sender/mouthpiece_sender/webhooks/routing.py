"""Which events go to whom."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mouthpiece_sender.storage.deliveries import Receiver
from mouthpiece_sender.storage.journal import LogEntry


@dataclass(frozen=True, slots=True)
class Webhook:
    """One of the operator's."""

    url: str
    secret: str = field(repr=False)
    events: Sequence[str] = ()
    """Types, or ``segment.*`` for all that begin so; empty: all."""
    rooms: Sequence[str] = ()
    """What the names of rooms begin with; empty: all."""

    @property
    def id(self) -> str:
        return f"wh_{hashlib.sha256(self.url.encode()).hexdigest()[:12]}"

    def wants(self, entry: LogEntry) -> bool:
        event = entry.event
        return (not self.events or any(_matches(event.type, one) for one in self.events)) and (
            not self.rooms or event.room.startswith(tuple(self.rooms))
        )


def receivers(webhooks: Sequence[Webhook], entry: LogEntry) -> list[Receiver]:
    """Return those who are sent an event: the operator's webhooks, and the ``callback`` of its segment."""
    found = [Receiver(webhook.id, webhook.url) for webhook in webhooks if webhook.wants(entry)]
    if entry.segment is not None and (url := entry.segment.callback) is not None:
        found.append(Receiver(callback_receiver(url), url))
    return found


def callback_receiver(url: str) -> str:
    """Return the receiver of callbacks to ``url``: all that go to one server wait for each other only."""
    return f"callback {urlsplit(url).netloc.lower()}"


def _matches(type: str, wanted: str) -> bool:
    return type.startswith(wanted[:-1]) if wanted.endswith("*") else type == wanted
