"""At the API: a segment's end says what was heard, after the avatar was lost and by a receipt that is short.

The service is real; the LiveKit room with the avatar in it is a fake, so that it can be lost, or report,
at a chosen moment.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mouthpiece.wire import PlaybackReceipt
from mouthpiece_sender import service
from mouthpiece_sender.livekit.connection import ReceiptArrived
from mouthpiece_sender.livekit.server_api import RoomFacts
from mouthpiece_sender.livekit.target import LiveKitTarget
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.fakes import avatar
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.ten_ways.harness import STOCK
from tests.virtual_time import now

HEARD = 1.0
"""Seconds that play before the avatar is lost."""


OURS = avatar("mia")


@pytest.fixture
def room(request: pytest.FixtureRequest) -> FakeRoom:
    """A room with an avatar of ours, or with the one that a test is parametrized with."""
    return FakeRoom(getattr(request, "param", OURS))


@pytest.fixture
async def speaking(start: Start, room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(service, "LiveKitTarget", functools.partial(LiveKitTarget, connect=room.connect))
    async with start(avatar_timeout=2.0) as running:
        running.livekit.rooms_there["demo"] = RoomFacts("demo", "RM_1", 0, 300, 20)
        running.livekit.people["demo"] = [room.avatar]
        yield running


async def lost_after_being_heard(running: Running, room: FakeRoom, **query: Any) -> tuple[str, float]:
    """Speak a segment with ``on_loss=replay`` and lose its avatar after ``HEARD`` seconds.

    :returns: its id, and the seconds until the loss as they were measured: a busy machine sleeps longer.
    """
    wanted = {"on_loss": "replay", "wait": "playing", "timeout": 10, **query}
    began = now()
    answer = await running.client.post("/v1/rooms/demo/segments", content=sound_file(30.0), params=wanted)
    assert answer.status_code == 200, answer.text
    await asyncio.sleep(HEARD)
    room.avatar_leaves()
    heard = now() - began
    await asyncio.sleep(0.5)
    return str(answer.json()["id"]), heard


@pytest.mark.parametrize(
    ("how", "state"),
    [("cancel", "interrupted"), ("drop", "interrupted"), ("expires_in", "interrupted"), ("no new avatar", "unknown")],
)
async def test_a_lost_segment_that_waits_to_be_replayed_ends_with_what_may_have_been_heard(
    how: str, state: str, speaking: Running, room: FakeRoom
) -> None:
    query = {"expires_in": HEARD + 1.5} if how == "expires_in" else {}
    segment, heard = await lost_after_being_heard(speaking, room, **query)
    waiting = (await speaking.client.get(f"/v1/segments/{segment}")).json()
    assert waiting["state"] == "playing"
    match how:
        case "cancel":
            await speaking.client.delete(f"/v1/segments/{segment}")
        case "drop":
            await speaking.client.post("/v1/rooms/demo/interrupt", json={"queued": "drop"})
    ended = (await speaking.client.get(f"/v1/segments/{segment}", params={"wait": "finished", "timeout": 10})).json()
    assert (ended["state"], ended["receipt"]) == (state, "unknown")
    assert HEARD - 0.6 <= ended["position"] <= heard + 0.6
    assert ended["position"] >= waiting["position"]


async def test_with_a_new_avatar_the_state_never_goes_back(speaking: Running, room: FakeRoom) -> None:
    segment, _ = await lost_after_being_heard(speaking, room)
    room.avatar_comes(sid="PA_another", session="another")
    states, positions = set(), [0.0]
    for _ in range(40):
        shown = (await speaking.client.get(f"/v1/segments/{segment}")).json()
        states.add(shown["state"])
        positions.append(shown["position"])
        await asyncio.sleep(0.05)
    assert states == {"playing"}
    assert positions == sorted(positions)
    assert len(room.streams) == 2, "the new avatar was sent the replay"


@pytest.mark.parametrize(
    ("room", "proof"), [(OURS, "confirmed"), (STOCK, "estimated")], ids=["ours", "stock"], indirect=["room"]
)
async def test_a_receipt_short_of_what_was_sent_is_no_finish(proof: str, speaking: Running, room: FakeRoom) -> None:
    room.plays = room.track_arrives = False  # its report is all that there is
    wanted: dict[str, Any] = {"wait": "playing", "timeout": 10}
    answer = await speaking.client.post("/v1/rooms/demo/segments", content=sound_file(2.0), params=wanted)
    segment = answer.json()["id"]
    (stream,) = room.streams
    async with asyncio.timeout(5):
        while stream.closed_at is None:
            await speaking.client.get(f"/v1/segments/{segment}", params={"wait": "finished", "timeout": 0.1})
    assert stream.seconds == 2.0
    if stream.header.segment is None:  # only then can all of it have been played
        await asyncio.sleep(stream.writes[0][0] + 2.0 - now())
    receipt = PlaybackReceipt(stream.header.segment, "finished", 0.75, False, stream.header.attempt)
    room.connections[0].listener(ReceiptArrived(room.avatar.identity, receipt))
    ended = (await speaking.client.get(f"/v1/segments/{segment}", params={"wait": "finished", "timeout": 5})).json()
    assert (ended["state"], ended["receipt"], ended["position"]) == ("interrupted", proof, 0.75)
