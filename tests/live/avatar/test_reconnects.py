"""The avatar's own connection breaks: it comes back and says so, or gives up after a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece_avatar import session as session_module
from mouthpiece_avatar.acknowledgements import SILENT_AT_MOST
from mouthpiece_avatar.session import Session, SessionState
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar import stepped_tone
from tests.live.avatar.conftest import AVATAR, RATE, Join, tone
from tests.live.viewer import SAMPLE_RATE, Viewer, viewer_token


async def until(condition: Callable[[], bool], timeout: float = 15) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 (states change in the SDK's callbacks)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "scenario",
    [rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT, rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT],
    ids=["signal", "everything"],
)
async def test_it_comes_back_says_that_it_listens_and_speaks(
    session: Session, livekit: LiveKit, room_name: str, join: Join, scenario: rtc.SimulateScenarioKind.ValueType
) -> None:
    seen: list[SessionState] = []
    session._room.on("reconnecting", lambda: seen.append(session.state))
    session._room.on("reconnected", lambda: seen.append(session.state))
    await session._room.simulate_scenario(scenario)
    await until(lambda: SessionState.LIVE in seen)
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer, join() as sender:
        await viewer.ready()
        await viewer.until(lambda: wire.ATTR_AVATAR in viewer.room.remote_participants[AVATAR].attributes)
        before = time.monotonic()
        await sender.say(tone(0.6), segment="seg")
        await viewer.onset(before)
        assert await sender.finished() == [wire.PlaybackFinished(0.6, False)]
    assert seen[0] is SessionState.ABSENT


async def test_a_long_absence_ends_it(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "ABSENCE", 0.05)
    session._on_reconnecting()  # and no reconnected follows
    await until(lambda: session.state is SessionState.ENDED)
    assert "too long" in session.reason


async def test_what_left_while_it_reconnected_is_said_again(
    session: Session, livekit: LiveKit, room_name: str, join: Join
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer, join() as sender:
        await viewer.ready()
        with viewer.record_sound() as recorded:
            before = time.monotonic()
            await sender.say(stepped_tone.make(6.0, RATE), segment="seg")
            await viewer.onset(before)
            await asyncio.sleep(2)
            await session._room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
            [end] = await sender.finished(timeout=40)
            await asyncio.sleep(1)
    heard = stepped_tone.listen(np.frombuffer(b"".join(recorded), np.int16), SAMPLE_RATE)
    assert heard.missing(6.0) == []
    assert session.publisher.delivery["repeated"] <= 1000 * SILENT_AT_MOST
    assert end == wire.PlaybackFinished(6.0, False)
