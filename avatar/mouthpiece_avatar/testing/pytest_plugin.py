"""A pytest fixture: a scripted receiver in a room of your LiveKit server.

::

    pytest_plugins = ["mouthpiece_avatar.testing.pytest_plugin"]

    async def test_a_late_receipt(scripted_receiver: StartScripted) -> None:
        async with scripted_receiver("my-room", "receipt-late:3", presented="stock") as receiver:
            ...  # speak to it with the sender under test
"""

from __future__ import annotations

import os
from typing import Protocol

import pytest

from mouthpiece_avatar.testing.named import parse
from mouthpiece_avatar.testing.receiver import Credentials, Presented, ScriptedReceiver

_NEEDED = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


class StartScripted(Protocol):
    """Makes a receiver, to be entered with ``async with``."""

    def __call__(
        self, room: str, fault: str | None = None, *, presented: str = "stock", identity: str | None = None
    ) -> ScriptedReceiver:
        """
        :param fault: as ``python -m mouthpiece_avatar --fault list`` names them; None: it does all as it should.
        :param presented: ``stock``, ``avaluma`` or ``mouthpiece``.
        :param identity: its own; None: one that fits.
        :raises ValueError: there is no such fault, or nothing like ``presented``.
        """


@pytest.fixture(scope="session")
def livekit_credentials() -> Credentials:
    """Of the server to use: from the environment. Override it where you start a server of your own."""
    missing = [name for name in _NEEDED if not os.environ.get(name)]
    if missing:
        pytest.skip(f"the scripted receiver needs a LiveKit server: {', '.join(missing)} not set")
    return Credentials(*(os.environ[name] for name in _NEEDED))


@pytest.fixture
def scripted_receiver(livekit_credentials: Credentials) -> StartScripted:
    """Return what makes a receiver in a room, with a fault by name."""

    def start(
        room: str, fault: str | None = None, *, presented: str = "stock", identity: str | None = None
    ) -> ScriptedReceiver:
        made = None if fault is None else parse(fault)
        return ScriptedReceiver(livekit_credentials, room, made, presented=Presented(presented), identity=identity)

    return start
