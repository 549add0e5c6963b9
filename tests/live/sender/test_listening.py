"""A stock receiver with a voice: what the sender hears on its track decides, on a real server."""

from __future__ import annotations

import functools

import pytest

from mouthpiece.segments import Receipt, Source, State, new_segment_id
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.target import SpeakRequest
from tests.live.sender.conftest import StartReceiver, running_gateway
from tests.sounds import Tone
from tests.unit.listening.rooms import words

pytestmark = pytest.mark.timed


class Words(Tone):
    def __init__(self, seconds: float, seed: int = 1) -> None:
        super().__init__(seconds)
        self.samples = words(seconds, seed)


async def said(gateway: Gateway, room: str, seconds: float, seed: int = 1) -> str:
    request = SpeakRequest(room, Words(seconds, seed), Source("file", "words"), new_segment_id())
    return (await gateway.speak(request)).id


@pytest.fixture
def stock_player(stock_receiver: StartReceiver) -> StartReceiver:
    """Starts a stock receiver that plays onto an audio track."""
    return functools.partial(stock_receiver, script="stock_player.py", on_behalf_of="agent-7")


async def test_what_it_plays_is_heard(access: LiveKitAccess, stock_player: StartReceiver, room_name: str) -> None:
    async with stock_player(room_name, identity="simli-avatar-agent"), running_gateway(access) as gateway:
        ends = []
        for seed, seconds in enumerate((1.0, 3.0, 2.0)):
            ends.append(await gateway.wait(await said(gateway, room_name, seconds, seed), "finished", 20))
        queued = [await said(gateway, room_name, 1.5) for _ in range(3)]
        ends += [await gateway.wait(one, "finished", 20) for one in queued]
        assert {end.state for end in ends} == {State.FINISHED}
        # On a busy machine what comes back may have a hole, and then proves nothing.
        receipts = [end.receipt for end in ends]
        assert receipts.count(Receipt.HEARD) >= 4
        assert set(receipts) <= {Receipt.HEARD, Receipt.ESTIMATED}


async def test_one_that_is_bound_elsewhere_is_unheard_and_the_advice_mends_it(
    access: LiveKitAccess, stock_player: StartReceiver, room_name: str
) -> None:
    bound = "external-audio-sender"
    async with stock_player(room_name, sender=bound):
        async with running_gateway(access) as gateway:
            ended = await gateway.wait(await said(gateway, room_name, 2.0), "finished", 30)
            assert (ended.state, ended.receipt) == (State.UNKNOWN, Receipt.UNKNOWN)
            assert ended.error is not None
            assert ended.error.type == "avatar-unheard"
            assert "MOUTHPIECE_SENDER_IDENTITY" in ended.error.detail
            assert bound in ended.error.detail
            assert "agent-7" not in ended.error.detail
        async with running_gateway(access, identity=bound) as gateway:
            ended = await gateway.wait(await said(gateway, room_name, 2.0), "finished", 30)
            assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.HEARD)
