"""The conformance avatar, as somebody else's tests use it (docs/conformance.md)."""

from __future__ import annotations

import asyncio

import pytest

from mouthpiece import wire
from mouthpiece_avatar.testing import Credentials
from mouthpiece_avatar.testing.pytest_plugin import StartScripted, scripted_receiver
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, Join
from tests.live.viewer import Viewer, viewer_token
from tests.sounds import Tone

__all__ = ["scripted_receiver"]  # a fixture


@pytest.fixture(scope="session")
def livekit_credentials(livekit: LiveKit) -> Credentials:
    return Credentials(livekit.url, livekit.api_key, livekit.api_secret)


async def test_it_plays_what_it_is_sent_and_gets_wrong_what_its_fault_says(
    scripted_receiver: StartScripted, livekit: LiveKit, room_name: str, join: Join
) -> None:
    async with (
        scripted_receiver(room_name, "receipt-doubled", presented="avaluma", identity=AVATAR) as receiver,
        Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer,
        join() as speaker,
    ):
        await viewer.ready()
        await speaker.say(Tone(1.0).samples.tobytes())
        first, second = await speaker.finished(2)
        assert first == second == wire.PlaybackFinished(1.0, False)
        await viewer.until(lambda: viewer.loud_seconds() > 0.8)
    (stream,) = receiver.inbound
    assert stream.received == pytest.approx(1.0)
    assert not receiver.present


@pytest.mark.parametrize(
    ("presented", "identity", "announces"),
    [
        ("stock", "scripted-avatar-agent", False),
        ("avaluma", "avatar-scripted", False),
        ("mouthpiece", "avatar-scripted", True),
    ],
)
async def test_it_appears_as_what_it_is_presented_as(
    scripted_receiver: StartScripted, livekit: LiveKit, room_name: str, presented: str, identity: str, announces: bool
) -> None:
    async with (
        Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer,
        scripted_receiver(room_name, presented=presented),
    ):
        await viewer.ready()
        avatar = viewer.room.remote_participants[identity]
        await viewer.until(lambda: (wire.ATTR_AVATAR in avatar.attributes) == announces)
        assert avatar.attributes[wire.ATTR_PUBLISH_ON_BEHALF] == "agent-scripted"


async def test_one_that_dies_is_gone(
    scripted_receiver: StartScripted, livekit: LiveKit, room_name: str, join: Join
) -> None:
    async with (
        scripted_receiver(room_name, "dies:0.3", presented="avaluma", identity=AVATAR) as receiver,
        join() as speaker,
    ):
        gone = asyncio.Event()
        speaker.room.on("participant_disconnected", lambda _: gone.set())
        await speaker.say(Tone(2.0).samples.tobytes())
        async with asyncio.timeout(10):
            await receiver.left()
            await gone.wait()
        assert AVATAR not in speaker.room.remote_participants
        assert speaker.receipts == ["started"]
