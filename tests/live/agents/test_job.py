"""A job with the real livekit-server, worker and local avatar server, each in a process of its own."""

from __future__ import annotations

import asyncio
import json

import pytest
from livekit import api

from mouthpiece import wire
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AvatarServer, Rooms, RunningProcess, agents
from tests.live.viewer import Viewer, viewer_token

AVATAR = "avatar-mouthpiece"

pytestmark = [pytest.mark.usefixtures("running_worker"), pytest.mark.timeout(240)]


async def test_after_a_dispatch_a_viewer_sees_and_hears_the_avatar(
    livekit: LiveKit, rooms: Rooms, room_name: str
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        people = await rooms.until(room_name, lambda people: wire.ATTR_AVATAR in people[AVATAR].attributes)
        (agent,) = agents(people)
        assert people[AVATAR].attributes[wire.ATTR_PUBLISH_ON_BEHALF] == agent
        assert people[AVATAR].kind == api.ParticipantInfo.Kind.AGENT
        assert not people[agent].tracks


async def test_a_token_with_a_dispatch_starts_the_avatar_that_it_names(
    livekit: LiveKit, rooms: Rooms, agent_name: str, room_name: str
) -> None:
    metadata = json.dumps({"avatar": {"provider": "local", "id": "noah"}})
    dispatch = api.RoomAgentDispatch(agent_name=agent_name, metadata=metadata)
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity("viewer")
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .with_room_config(api.RoomConfiguration(agents=[dispatch]))
        .to_jwt()
    )
    async with Viewer(livekit.url, token, sound_only=True) as viewer:
        await viewer.ready(40)
        assert "avatar-noah" in await rooms.people(room_name)


async def test_the_job_ends_after_the_empty_timeout_and_leaves_the_room_to_others(
    livekit: LiveKit, rooms: Rooms, room_name: str
) -> None:
    other_agent = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity("external-audio-sender-1")
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .to_jwt()
    )
    async with Viewer(livekit.url, other_agent):
        async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
            await rooms.dispatch(room_name, '{"empty_timeout": 2}')
            await viewer.ready(40)
        await rooms.until(room_name, lambda people: list(people) == ["external-audio-sender-1"])
        await rooms.without_dispatch(room_name)


async def test_a_tab_that_is_reloaded_finds_the_same_agent_and_avatar(
    livekit: LiveKit, rooms: Rooms, room_name: str
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        before = await rooms.people(room_name)
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        await viewer.ready(40)
        await asyncio.sleep(6)  # longer than the worker's time-out for an empty room
        after = await rooms.people(room_name)
        (agent,) = agents(after)
        assert {after[who].sid for who in (agent, AVATAR)} == {before[who].sid for who in (agent, AVATAR)}


async def test_a_second_job_leaves_the_avatar_to_the_first(
    livekit: LiveKit, rooms: Rooms, running_worker: RunningProcess, room_name: str
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        before = await rooms.people(room_name)
        await rooms.dispatch(room_name)
        await running_worker.says("another agent in this room has an avatar with this name")
        after = await rooms.until(room_name, lambda people: len(agents(people)) == 1)
        assert after[AVATAR].sid == before[AVATAR].sid


async def test_an_avatar_whose_agent_has_left_is_replaced(livekit: LiveKit, rooms: Rooms, room_name: str) -> None:
    orphan = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity(AVATAR)
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .with_attributes({wire.ATTR_PUBLISH_ON_BEHALF: "agent-that-died"})
        .to_jwt()
    )
    async with (
        Viewer(livekit.url, orphan, sound_only=True),
        Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer,
    ):
        before = await rooms.until(room_name, lambda people: AVATAR in people)
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        after = await rooms.people(room_name)
        (agent,) = agents(after)
        assert after[AVATAR].sid != before[AVATAR].sid
        assert after[AVATAR].attributes[wire.ATTR_PUBLISH_ON_BEHALF] == agent


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ('{"avatar":', "the job metadata is not JSON"),
        ('{"avatar": {"provider": "acme"}}', "must be one of: local, avaluma"),
        ('{"avatar": {"provider": "avaluma", "id": "kadda"}}', "AVALUMA_LICENSE_KEY is not set"),
    ],
)
async def test_a_job_that_cannot_be_done_logs_the_reason_once_and_ends(
    livekit: LiveKit, rooms: Rooms, running_worker: RunningProcess, room_name: str, metadata: str, says: str
) -> None:
    before = running_worker.output.count(says)
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True):
        await rooms.dispatch(room_name, metadata)
        await running_worker.says(says, times=before + 1)
        await asyncio.sleep(2)  # by then a second dispatch of the job would have arrived
        assert sum(f"received job request  room={room_name}" in line for line in running_worker.lines) == 1
        assert len(await rooms.people(room_name)) == 1
    assert "Traceback" not in running_worker.output


async def test_a_killed_avatar_is_started_again(
    livekit: LiveKit, rooms: Rooms, avatar_server: AvatarServer, room_name: str
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        before = await rooms.people(room_name)
        await asyncio.to_thread(avatar_server.kill)
        await asyncio.to_thread(avatar_server.start_again)
        after = await rooms.until(
            room_name, lambda people: AVATAR in people and people[AVATAR].sid != before[AVATAR].sid, timeout=60
        )
        await viewer.ready(40)
        assert agents(after) == agents(before)
