"""Which hosts are this machine alone."""

from __future__ import annotations

import pytest

from mouthpiece.process.sockets import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com", "localhost.example.com", "10.0.0.1", ""])
def test_what_is_not_loopback_is_known(host: str) -> None:
    assert not is_loopback(host)
