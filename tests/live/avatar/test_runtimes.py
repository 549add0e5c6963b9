"""A session that shows what a push-and-drain runtime draws: the built-in face behind the runtimes' adapter."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from mouthpiece import wire
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.runtimes.face import FaceRuntime
from mouthpiece_avatar.runtimes.renderer import RuntimeRenderer
from mouthpiece_avatar.session import Session
from mouthpiece_avatar.sessions import Sessions
from mouthpiece_avatar.token import Claims
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, Join, avatar_token, tone
from tests.live.viewer import Viewer, viewer_token

pytestmark = pytest.mark.timed

HELLO = Path(__file__).parents[3] / "assets" / "hello_world_16kHz.wav"


class CountingFaceRuntime(FaceRuntime):
    """The built-in face; it keeps whether it was stopped."""

    stopped = 0

    async def stop(self) -> None:
        self.stopped += 1
        await super().stop()


@pytest.fixture
async def runtime() -> CountingFaceRuntime:
    made = await CountingFaceRuntime.create("mia", idle_pictures=True)
    assert isinstance(made, CountingFaceRuntime)
    return made


@pytest.fixture
async def session(livekit: LiveKit, room_name: str, runtime: CountingFaceRuntime) -> AsyncIterator[Session]:
    async def make_renderer(_: str) -> Renderer:
        return RuntimeRenderer(runtime)

    async with Sessions(make_renderer, limit=1) as sessions:
        request = wire.StartAvatar(livekit.url, avatar_token(livekit, room_name), "any", "mia")
        yield await sessions.start(request, Claims(AVATAR, room_name))
    assert runtime.stopped


async def test_it_is_seen_heard_and_interrupted_as_the_built_in_face_is(
    session: Session, livekit: LiveKit, room_name: str, join: Join
) -> None:
    with wave.open(str(HELLO)) as wav:
        hello, seconds = wav.readframes(wav.getnframes()), wav.getnframes() / wav.getframerate()
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer, join() as sender:
        viewer.probe = lambda luma: float(luma[310:340, 235:275].mean())
        await viewer.ready()
        start = time.monotonic()
        await viewer.until(lambda: time.monotonic() - start > 1)
        said = time.monotonic()
        await sender.say(hello, segment="seg_1")
        onset = await viewer.onset(start)
        await viewer.offset(onset, quiet=0.8)
        [end] = await sender.finished()
        assert end.playback_position == pytest.approx(seconds, abs=1e-4)
        assert not end.interrupted
        quiet = [p.probed for p in viewer.pictures if p.probed is not None and p.at < said]
        speaking = [p.probed for p in viewer.pictures if p.probed is not None and p.at > onset]
        assert np.ptp(speaking) > 4 * max(np.ptp(quiet), 2), "the mouth does not move"

        began = time.monotonic()
        await sender.say(tone(20))
        onset = await viewer.onset(began)
        assert await sender.clear() == "ok"
        offset = await viewer.offset(time.monotonic())
        [_, cut] = await sender.finished(2)
        assert cut.interrupted
        # in its sound and not on the clock: a clear comes late where the machine stands still
        assert viewer.loud_seconds(onset, offset) < cut.playback_position + 1.0 < 15


async def test_a_runtime_that_stops_ends_the_session(session: Session, runtime: CountingFaceRuntime) -> None:
    await runtime.stop()
    async with asyncio.timeout(10):
        while session.state.value != "ended":  # noqa: ASYNC110 (a session has no event for its end)
            await asyncio.sleep(0.05)
    assert session.reason == "failed"
