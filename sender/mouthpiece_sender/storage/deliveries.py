"""What is still to be delivered to webhooks, and what could not be.

A delivery is one event for one receiver. Deliveries of one receiver, URL and subject (a segment, or a room) form a
chain in the order of events; only the first of a chain has a time at which it is due, and gives it to the next when it
has been delivered or given up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, Protocol

from mouthpiece_sender.storage import log_rows
from mouthpiece_sender.storage.journal import LogEntry
from mouthpiece_sender.storage.rows import written_time

DeliveryState = Literal["pending", "failed"]

_PAGE: Final = 100
"""Events that are routed in one transaction."""
_NEXT: Final = """
    UPDATE deliveries SET due_at = :now WHERE number = (
        SELECT number FROM deliveries
        WHERE state = 'pending' AND receiver = :receiver AND url = :url AND subject = :subject ORDER BY event LIMIT 1
    ) AND due_at IS NULL"""
_INSERT: Final = """
    INSERT INTO deliveries (receiver, url, event, subject, room, state, tries, created_at, due_at)
    VALUES (:receiver, :url, :event, :subject, :room, 'pending', 0, :now, CASE WHEN EXISTS (
        SELECT 1 FROM deliveries
        WHERE state = 'pending' AND receiver = :receiver AND url = :url AND subject = :subject
    ) THEN NULL ELSE :now END) ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is sent events."""

    name: str
    """A webhook's id; for callbacks, the server that they are sent to."""
    url: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one receiver."""

    number: int
    receiver: Receiver
    entry: LogEntry
    state: DeliveryState
    tries: int
    """How often it was sent."""
    created_at: datetime
    due_at: datetime | None
    """When it is sent next; None: after others of its segment, or not by itself."""
    detail: str | None
    """Why it could not be delivered the last time."""


class Write(Protocol):
    def __call__(self, work: Callable[[sqlite3.Connection], Any], /) -> Awaitable[Any]: ...


class Deliveries:
    """:param write: runs a function in a transaction of the store's thread; raises ``StoreError``."""

    def __init__(self, write: Write) -> None:
        self._write = write

    async def route(self, receivers: Callable[[LogEntry], Sequence[Receiver]], now: datetime) -> bool:
        """Make deliveries of the events that have none yet: each event is routed once, whatever happens.

        :param receivers: returns those who are sent an event; it is called in the store's thread.
        :returns: whether more events wait to be routed.
        """
        return bool(await self._write(partial(_route, receivers, now)))

    async def due(self, now: datetime, without: Collection[str], limit: int) -> Sequence[Delivery]:
        """Return deliveries that are due, the longest due first, but for those of the receivers ``without``."""
        marks = ", ".join("?" * len(without))
        where = f"due_at <= ? AND receiver NOT IN ({marks}) ORDER BY due_at, number LIMIT ?"
        return list(await self._write(partial(_select, where, [written_time(now), *without, limit])))

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next delivery is due that is not yet."""
        found = await self._write(lambda base: base.execute(_NEXT_DUE, [written_time(now)]).fetchone()[0])
        return None if found is None else datetime.fromisoformat(found)

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Forget a delivery that arrived; the next of its chain is due."""
        await self._write(partial(_end, "DELETE FROM deliveries WHERE number = :number", delivery, now, ""))

    async def postpone(self, delivery: Delivery, until: datetime, detail: str) -> None:
        """It was sent and did not arrive: it is due again at ``until``."""
        statement = "UPDATE deliveries SET tries = tries + 1, due_at = ?, detail = ? WHERE number = ?"
        await self._write(lambda base: base.execute(statement, [written_time(until), detail, delivery.number]))

    async def give_up(self, delivery: Delivery, now: datetime, detail: str) -> None:
        """It was sent and is not sent again; the next of its chain is due."""
        statement = """
            UPDATE deliveries SET state = 'failed', tries = tries + 1, due_at = NULL, detail = :detail
            WHERE number = :number"""
        await self._write(partial(_end, statement, delivery, now, detail))

    async def list(self, state: DeliveryState, limit: int, before: int | None) -> Sequence[Delivery]:
        """Return deliveries in a state, the newest first.

        :param before: only those with a lower number.
        """
        where = "deliveries.state = ? AND number < ? ORDER BY number DESC LIMIT ?"
        return list(await self._write(partial(_select, where, [state, before or 2**62, limit])))

    async def get(self, number: int) -> Delivery | None:
        found = await self._write(partial(_select, "number = ?", [number]))
        return found[0] if found else None

    async def retry(self, number: int, now: datetime) -> None:
        """Send one that could not be delivered again, with all its tries; one that is pending at once."""
        statement = "UPDATE deliveries SET state = 'pending', tries = 0, due_at = ? WHERE number = ?"
        await self._write(lambda base: base.execute(statement, [written_time(now), number]))

    async def counts(self) -> dict[tuple[str, str], int]:
        """Return how many there are of each receiver and state."""
        select = "SELECT receiver, state, count(*) FROM deliveries GROUP BY receiver, state"
        return {(one[0], one[1]): one[2] for one in await self._write(lambda base: base.execute(select).fetchall())}


_NEXT_DUE: Final = "SELECT min(due_at) FROM deliveries WHERE due_at > ?"
_COLUMNS: Final = (
    "deliveries.number, deliveries.receiver, deliveries.url, deliveries.state, deliveries.tries, "
    "deliveries.created_at, deliveries.due_at, deliveries.detail AS trouble"
)


def _route(receivers: Callable[[LogEntry], Sequence[Receiver]], now: datetime, database: sqlite3.Connection) -> bool:
    (last,) = database.execute("SELECT last FROM routed_events").fetchone()
    entries = log_rows.entries(database, "WHERE events.seq > ? ORDER BY events.seq LIMIT ?", [last, _PAGE])
    for entry in entries:
        event = entry.event
        values = {"event": event.seq, "room": event.room, "now": written_time(now)}
        values["subject"] = event.segment or f"room {event.room}"
        for receiver in receivers(entry):
            database.execute(_INSERT, values | {"receiver": receiver.name, "url": receiver.url})
    if entries:
        database.execute("UPDATE routed_events SET last = ?", [entries[-1].event.seq])
    return len(entries) == _PAGE


def _end(statement: str, delivery: Delivery, now: datetime, detail: str, database: sqlite3.Connection) -> None:
    database.execute(statement, {"number": delivery.number, "detail": detail})
    event = delivery.entry.event
    chain = {"receiver": delivery.receiver.name, "url": delivery.receiver.url, "now": written_time(now)}
    database.execute(_NEXT, chain | {"subject": event.segment or f"room {event.room}"})


def _select(where: str, values: Sequence[object], database: sqlite3.Connection) -> list[Delivery]:
    clauses = f"JOIN deliveries ON deliveries.event = events.seq WHERE {where}"
    return [
        Delivery(
            found["number"],
            Receiver(found["receiver"], found["url"]),
            entry,
            "failed" if found["state"] == "failed" else "pending",
            found["tries"],
            datetime.fromisoformat(found["created_at"]),
            None if found["due_at"] is None else datetime.fromisoformat(found["due_at"]),
            found["trouble"],
        )
        for found, entry in log_rows.joined(database, _COLUMNS, clauses, values)
    ]
