"""Gaps of Anam's SDK that ``sdk.py`` bridges: ends that it does not report, connections that it leaves open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc import RTCPeerConnection

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.anam.session import AnamSession, PassthroughStream
from mouthpiece_sender.anam.settings import AnamSettings
from tests.loopback.anam.emulator import KEY, Engine, Faults, engine

pytestmark = pytest.mark.filterwarnings("ignore:ConnectionClosed:DeprecationWarning")
"""The SDK reads its ``code`` and ``reason``, and would fail before it reports the close."""
CHUNK = bytes(24_000)


def session(emulated: Engine, *, timeout: float = 10.0) -> AnamSession:
    return AnamSession(AnamSettings(KEY, api_url=emulated.url, ready_timeout=timeout))


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> list[RTCPeerConnection]:
    """The SDK's peer connections."""
    made: list[RTCPeerConnection] = []

    class Kept(RTCPeerConnection):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self)

    monkeypatch.setattr("anam._streaming.RTCPeerConnection", Kept)
    return made


def left_open(emulated: Engine, ours: list[RTCPeerConnection]) -> set[str]:
    theirs = [peer for seen in emulated.sessions for peer in seen.peers]
    tasks = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return (
        {f"our peer: {peer.connectionState}" for peer in ours if peer.connectionState != "closed"}
        | {"their peer" for peer in theirs if peer.connectionState == "connected"}
        | {"socket" for seen in emulated.sessions if seen.open}
        | {name for name in tasks if name.startswith(("SignallingClient", "StreamingClient"))}
    )


async def assert_nothing_is_left_open(emulated: Engine, ours: list[RTCPeerConnection]) -> None:
    """Wait until both ends are closed; the emulator closes no connection by itself."""
    for _ in range(250):
        if not left_open(emulated, ours):
            break
        await asyncio.sleep(0.02)
    assert left_open(emulated, ours) == set()


async def test_a_socket_that_closes_in_peace_is_a_loss_though_the_picture_goes_on() -> None:
    async with engine(Faults(close_after=0.0)) as emulated, session(emulated) as running:
        stream = await PassthroughStream(running, 24_000).open()
        await stream.write(CHUNK)
        await asyncio.wait_for(running.until_lost(), 10)
        assert [peer.connectionState for peer in emulated.session.peers] == ["connected"]
        with pytest.raises(ConnectionResetError):
            await stream.write(CHUNK)
        await stream.aclose()
        assert emulated.session.log == ["push", "drop"]


FAILED = {
    "no socket": Faults(refuse_socket=True),
    "no answer": Faults(no_answer=True),
    "no path": Faults(no_path=True),
    "never ready": Faults(never_ready=True),
    "ended by the engine": Faults(end_before_ready=True),
}


@pytest.mark.parametrize("fault", FAILED.values(), ids=FAILED)
async def test_a_connect_that_fails_leaves_nothing_open(fault: Faults, ours: list[RTCPeerConnection]) -> None:
    async with engine(fault) as emulated:
        with pytest.raises(MouthpieceError):
            async with session(emulated, timeout=2.0):
                pass
        await assert_nothing_is_left_open(emulated, ours)
        assert (len(emulated.sessions), len(ours)) == (1, 0 if fault.refuse_socket else 1)


@pytest.mark.parametrize(
    ("fault", "reached"), [(Faults(no_answer=True), "new"), (Faults(never_ready=True), "connected")]
)
async def test_a_connect_that_is_cancelled_leaves_nothing_open(
    fault: Faults, reached: str, ours: list[RTCPeerConnection]
) -> None:
    async with engine(fault) as emulated:
        connecting = asyncio.create_task(session(emulated).__aenter__())
        async with asyncio.timeout(20):
            # gathered too: aioice (0.13) leaves the sockets of a gathering that is cancelled to the garbage collector
            while [(peer.connectionState, peer.iceGatheringState) for peer in ours] != [(reached, "complete")]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        connecting.cancel()
        await asyncio.wait([connecting])
        await assert_nothing_is_left_open(emulated, ours)
        assert emulated.session.end_sessions == 1


ENDED = {
    "by us": Faults(),
    "by the engine": Faults(end_session_after=0.0),
    "socket closed": Faults(close_after=0.0),
    "socket broken": Faults(abort_after=0.0),
}


@pytest.mark.parametrize("fault", ENDED.values(), ids=ENDED)
async def test_a_session_that_has_ended_leaves_nothing_open(fault: Faults, ours: list[RTCPeerConnection]) -> None:
    async with engine(fault) as emulated:
        async with session(emulated) as running:
            await (await PassthroughStream(running, 24_000).open()).write(CHUNK)
            if fault != Faults():
                await asyncio.wait_for(running.until_lost(), 10)
        await assert_nothing_is_left_open(emulated, ours)
