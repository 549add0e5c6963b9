"""The open connections of a service, bounded in all and per peer, and closed where a request does not come.

``guarded`` extends a server's protocol class. A connection waits for a request's header, answers one, or is idle
between two. Where there are too many, the one that has waited longest for its client gives way: clients that hold
connections open do not keep others out, also where they all come from one address.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

HEADER_TIME: Final = 10.0
"""Seconds from a connection's start, or from the first byte of a further request, to the end of its header."""
STALLED: Final = 1.0
"""Seconds without a byte of its body after which a request gives way."""
FRESH: Final = 1.0
"""Seconds in which a connection without a request goes last."""
LINGER: Final = 2.0
"""Seconds that an answered client has to read the answer, where the rest of its request is not read."""
MOST_READ: Final = 16_384
"""Bytes that are read from a connection at a time. asyncio reads up to 256 kB: of a few hundred clients that stall, 100
MB before any request was looked at."""
MOST_AHEAD: Final = 16_384
"""Bytes of a body that may come before the request asks for them, beside one read."""
MOST_CONNECTIONS: Final = 1_000
FILES_OF_ROOMS: Final = 50 * 65 + 256
"""Descriptors that are kept for rooms, of which each takes 65 (docs/wire.md), and for all else."""

_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n"
    b"X-Content-Type-Options: nosniff\r\n\r\n"
)
_LATE: Final = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The most connections."""

    total: int = MOST_CONNECTIONS
    per_peer: int = MOST_CONNECTIONS * 3 // 4

    @classmethod
    def within(cls, files: int) -> ConnectionLimits:
        """Return the limits for a process that may open ``files`` descriptors: rooms keep theirs."""
        total = max(8, min(MOST_CONNECTIONS, max(files // 4, files - FILES_OF_ROOMS)))
        return cls(total, total * 3 // 4)


class Phase(enum.Enum):
    """:class:`Connection` alone writes it."""

    HEADER = "header"
    """No request has come, or a part of its header."""
    REQUEST = "request"
    IDLE = "idle"
    """Between two requests."""


class Connection:
    """One open connection; ``Connections`` makes it."""

    def __init__(self, transport: asyncio.Transport, peer: str, clock: Callable[[], float], header_time: float) -> None:
        self._transport = transport
        self.peer = peer
        self._clock = clock
        self._header_time = header_time
        self._answering = 0
        self._heard = self._leaving = False
        self._ahead = 0
        """Bytes that came since the request last waited for its body."""
        self._timer: asyncio.TimerHandle | None = None
        self.waits_since: float | None = None
        """Since when a request waits for more of its body; None: it does not."""
        self.phase = Phase.IDLE
        self.since = clock()
        """Of the phase."""
        self._enter(Phase.HEADER)

    def received(self, size: int) -> None:
        """``size`` bytes have come. No more are read where the request does not ask for those that are here."""
        self._heard = True
        if self.phase is Phase.REQUEST:
            self._ahead += size
            if self._ahead >= MOST_AHEAD:
                self._transport.pause_reading()
        if self.phase is Phase.IDLE and not self._leaving:
            self._enter(Phase.HEADER)

    def request_began(self) -> None:
        self._answering += 1
        self._enter(Phase.REQUEST)

    def body_wanted(self) -> None:
        """The request waits for more of its body from now on; whoever calls it clears ``waits_since``."""
        self.waits_since = self._clock()
        self.read_on()

    def read_on(self) -> None:
        """Read what comes, also where it is the end of the connection alone."""
        if self._ahead >= MOST_AHEAD and not self._leaving:
            self._transport.resume_reading()
        self._ahead = 0

    def request_ended(self) -> None:
        self._answering -= 1
        if not self._answering:
            self.waits_since = None
            self._enter(Phase.IDLE)
            self.read_on()

    def gives_way(self) -> tuple[int, float] | None:
        """How soon it may be closed for another one, soonest first; None: its client waits for us."""
        now = self._clock()
        if self.phase is Phase.REQUEST:
            stalled = self.waits_since is not None and now - self.waits_since > STALLED
            return (2, self.waits_since or 0.0) if stalled else None
        if now - self.since <= FRESH:  # its request may be on its way
            return 3, self.since
        return 0 if self.phase is Phase.HEADER else 1, self.since

    def abort(self) -> None:
        self.lost()
        self._transport.abort()

    def linger(self) -> None:
        """Read nothing more, and close once the client has had time to read what it was answered."""
        if not self._transport.is_closing():
            self._leaving = True
            self._transport.pause_reading()
            self._cancel()
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._transport.abort)

    def lost(self) -> None:
        """It is closed."""
        self._cancel()

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since = phase, self._clock()
        self._cancel()
        if phase is Phase.HEADER:
            self._timer = asyncio.get_running_loop().call_later(self._header_time, self._late)

    def _late(self) -> None:
        if self._heard:
            self._transport.write(_LATE)
            self._transport.close()
        else:
            self._transport.abort()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Connections:
    """The open connections of one service.

    :param clock: seconds, monotonic.
    """

    def __init__(
        self,
        limits: ConnectionLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        header_time: float = HEADER_TIME,
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._header_time = header_time
        self._open: dict[object, Connection] = {}
        self._by_peer: Counter[str] = Counter()
        self._unnamed = itertools.count()

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> list[Connection]:
        return list(self._open.values())

    def of(self, client: Any) -> Connection | None:
        """Return the connection from the address ``client``, as an ASGI scope names it."""
        return self._open.get(tuple(client)) if client else None

    def admit(self, transport: asyncio.Transport) -> tuple[object, Connection] | None:
        """Admit a connection; return it with its key, or None where none gives way to it."""
        name = transport.get_extra_info("peername")
        key: object = tuple(name[:2]) if isinstance(name, tuple | list) else next(self._unnamed)
        peer = str(name[0]) if isinstance(name, tuple | list) else ""
        crowded = self._by_peer[peer] >= self.limits.per_peer
        if (crowded or len(self._open) >= self.limits.total) and not self._make_way(peer if crowded else None):
            return None
        connection = Connection(transport, peer, self._clock, self._header_time)
        self._open[key] = connection
        self._by_peer[peer] += 1
        return key, connection

    def lost(self, key: object, connection: Connection) -> None:
        """Forget a connection that is closed."""
        connection.lost()
        if self._open.get(key) is connection:
            del self._open[key]
            self._by_peer[connection.peer] -= 1
            if not self._by_peer[connection.peer]:
                del self._by_peer[connection.peer]

    def _make_way(self, peer: str | None) -> bool:
        """Close the connection that gives way first; with ``peer``, among those from there."""
        first: tuple[tuple[int, float], object, Connection] | None = None
        for key, one in self._open.items():  # oldest first
            if peer in (None, one.peer) and (rank := one.gives_way()) is not None:
                if first is None or rank < first[0]:
                    first = rank, key, one
                if rank[0] == 0:
                    break
        if first is None:
            return False
        _, key, connection = first
        self.lost(key, connection)
        connection.abort()
        return True


def guarded(base: type[asyncio.Protocol], connections: Connections) -> type[asyncio.Protocol]:
    """Return ``base``, a server's protocol class, with its connections among ``connections``."""

    buffer = memoryview(bytearray(MOST_READ))  # one for all: what was read is copied before the next read

    class Guarded(base, asyncio.BufferedProtocol):  # type: ignore[misc, valid-type]  # the server's class
        _admitted: tuple[object, Connection] | None = None

        def get_buffer(self, sizehint: int) -> memoryview:
            return buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.data_received(bytes(buffer[:nbytes]))

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            stream = cast(asyncio.Transport, transport)
            self._admitted = connections.admit(stream)
            if self._admitted is None:
                stream.write(_BUSY)
                stream.close()
            else:
                super().connection_made(stream)

        def data_received(self, data: bytes) -> None:
            if self._admitted is not None:
                self._admitted[1].received(len(data))
                super().data_received(data)

        def connection_lost(self, error: Exception | None) -> None:
            if self._admitted is not None:
                connections.lost(*self._admitted)
                super().connection_lost(error)

    return Guarded
