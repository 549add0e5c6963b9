"""The socket that a service of ours answers on."""

from __future__ import annotations

import socket

import pytest

from mouthpiece.process.sockets import listen


def test_it_listens_in_a_way_that_lets_asyncio_send_without_delay() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_it_does_not_listen_where_somebody_does() -> None:
    with listen("127.0.0.1", 0) as listening, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", listening.getsockname()[1])
