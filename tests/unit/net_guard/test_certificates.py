"""The certificates that are trusted are read once in a process: for 40 ms its event loop stands still."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest

from mouthpiece.net_guard import GuardedTransport


async def test_transports_share_what_they_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    create = ssl.create_default_context

    def count(*given: Any, **options: Any) -> ssl.SSLContext:
        read.append(options)
        return create(*given, **options)

    monkeypatch.setattr(ssl, "create_default_context", count)
    for _ in range(3):
        async with GuardedTransport():
            pass
    assert len(read) <= 1
    httpx.create_ssl_context()
    assert read, "it is counted where it is read"
