"""Which connection gives way where there are too many."""

from __future__ import annotations

import asyncio
from typing import cast

from mouthpiece.serving.connections import MOST_CONNECTIONS, Connection, ConnectionLimits, Connections


class Transport:
    def __init__(self, host: str, port: int) -> None:
        self.peer = (host, port)
        self.aborted = False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        assert name == "peername"
        return self.peer

    def abort(self) -> None:
        self.aborted = True


class Peers:
    """Opens connections, two seconds after another."""

    def __init__(self, total: int, per_peer: int) -> None:
        self.now = 0.0
        self.connections = Connections(ConnectionLimits(total, per_peer), clock=lambda: self.now)
        self.transports: list[Transport] = []

    def open(self, host: str = "10.0.0.1") -> Connection | None:
        self.now += 2
        self.transports.append(Transport(host, len(self.transports)))
        admitted = self.connections.admit(cast(asyncio.Transport, self.transports[-1]))
        return None if admitted is None else admitted[1]

    def aborted(self) -> list[int]:
        return [number for number, transport in enumerate(self.transports) if transport.aborted]


async def test_a_client_that_says_nothing_keeps_nobody_out() -> None:
    peers = Peers(3, 3)
    for _ in range(10):
        assert peers.open() is not None
    assert peers.aborted() == [0, 1, 2, 3, 4, 5, 6]
    assert len(peers.connections) == 3


async def test_the_silent_go_before_the_idle_and_these_before_stalled_uploads() -> None:
    peers = Peers(3, 3)
    upload, idle, silent = peers.open(), peers.open(), peers.open()
    assert upload is not None
    assert idle is not None
    assert silent is not None
    upload.request_began()
    upload.waits_since = peers.now
    idle.request_began()
    idle.request_ended()
    for gone in ([2], [1, 2]):
        last = peers.open()
        assert last is not None
        last.request_began()
        assert peers.aborted() == gone
    assert peers.open() is not None
    assert peers.aborted() == [0, 1, 2]


async def test_one_that_has_just_come_goes_last() -> None:
    peers = Peers(2, 2)
    upload = peers.open()
    assert upload is not None
    upload.request_began()
    upload.waits_since = peers.now
    assert peers.open() is not None
    peers.now -= 1.5
    assert peers.open() is not None
    assert peers.aborted() == [0]


async def test_who_is_being_answered_stays_and_the_next_one_is_sent_away() -> None:
    peers = Peers(2, 2)
    for _ in range(2):
        served = peers.open()
        assert served is not None
        served.request_began()
    assert peers.open() is None
    assert peers.aborted() == []


async def test_one_peer_makes_room_among_its_own() -> None:
    peers = Peers(4, 2)
    other = [peers.open("10.0.0.2") for _ in range(2)]
    assert None not in other
    for _ in range(5):
        assert peers.open("10.0.0.1") is not None
    assert peers.aborted() == [2, 3, 4]


def test_rooms_keep_their_descriptors() -> None:
    assert ConnectionLimits.within(1 << 20).total == MOST_CONNECTIONS
    assert ConnectionLimits.within(1024).total == 256
    assert ConnectionLimits.within(4096).total == 1024 - 24
