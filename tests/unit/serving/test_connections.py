"""Which connection gives way where there are too many."""

from __future__ import annotations

import asyncio
from typing import cast

from mouthpiece.serving.connections import MOST_AHEAD, MOST_CONNECTIONS, Connection, ConnectionLimits, Connections
from mouthpiece.serving.request_guard import Message, Receive, RequestGuard, Scope, Send


class Transport:
    def __init__(self, host: str, port: int) -> None:
        self.peer = (host, port)
        self.aborted = self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

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


async def test_no_more_of_a_body_is_read_than_the_request_asks_for() -> None:
    peers = Peers(1, 1)
    upload = peers.open()
    assert upload is not None
    (transport,) = peers.transports
    upload.received(MOST_AHEAD)  # its header
    assert not transport.paused
    upload.request_began()
    for _ in range(2):
        upload.received(MOST_AHEAD - 1)
        assert not transport.paused
        upload.received(1)
        assert transport.paused
        upload.body_wanted()
        assert upload.waits_since == peers.now
        assert not transport.paused


async def test_after_a_request_whose_body_was_not_read_the_next_one_is() -> None:
    peers = Peers(1, 1)
    upload = peers.open()
    assert upload is not None
    upload.request_began()
    upload.received(MOST_AHEAD)
    upload.request_ended()
    assert not peers.transports[0].paused


async def test_whoever_waits_for_an_answer_is_seen_to_leave_after_a_long_body() -> None:
    peers = Peers(1, 1)
    upload = peers.open()
    assert upload is not None
    (transport,) = peers.transports

    states = []

    async def receive() -> Message:
        states.append(transport.paused)
        if len(states) > 1:
            return {"type": "http.disconnect"}
        upload.received(MOST_AHEAD)
        return {"type": "http.request", "body": bytes(MOST_AHEAD), "more_body": False}

    async def application(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        states.append(transport.paused)
        await receive()

    async def send(_: Message) -> None: ...

    guard = RequestGuard(application, connections=peers.connections, answer=lambda _: application)
    headers = [(b"content-length", str(MOST_AHEAD).encode())]
    scope = {"type": "http", "path": "/", "query_string": b"", "headers": headers, "client": transport.peer}

    await guard(scope, receive, send)
    assert states == [False, True, False]


def test_rooms_keep_their_descriptors() -> None:
    assert ConnectionLimits.within(1 << 20).total == MOST_CONNECTIONS
    assert ConnectionLimits.within(1024).total == 256
    assert ConnectionLimits.within(4096).total == 1024 - 24
