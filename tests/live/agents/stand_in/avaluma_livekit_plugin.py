"""A stand-in for Avaluma's LiveKit plugin, which is on no package index; not their code, only its outside.

The same constructor and ``start``, the same request to the avatar server, the same token, the states by RPC, the
session's sound to the avatar, the address and keys of LiveKit from the environment.
"""

import asyncio
import os
from typing import Any

import aiohttp
from livekit import api, rtc
from livekit.agents import AgentSession, get_job_context
from livekit.agents.voice.avatar import DataStreamAudioOutput


class AvatarSession:
    def __init__(self, license_key: str, avatar_id: str, avatar_server_url: str = "https://api.avaluma.ai") -> None:
        self._key = license_key
        self._avatar_id = avatar_id
        self._url = avatar_server_url
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        identity = f"avatar-{self._avatar_id}"
        token = (
            api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
            .with_kind("agent")
            .with_identity(identity)
            .with_name(identity)
            .with_grants(api.VideoGrants(room_join=True, room=room.name))
            .with_attributes({"lk.publish_on_behalf": get_job_context().token_claims().identity})
            .to_jwt()
        )
        body = {
            "livekit_url": os.environ["LIVEKIT_URL"],
            "livekit_token": token,
            "avaluma_key": self._key,
            "avaluma_avatar_id": self._avatar_id,
        }
        async with (
            aiohttp.ClientSession() as http,
            http.post(self._url + "/v1/livekit/start-avatar", json=body, headers={"api-secret": self._key}) as response,
        ):
            response.raise_for_status()

        async def send(method: str, state: str) -> None:
            try:
                await room.local_participant.perform_rpc(destination_identity=identity, method=method, payload=state)
            except rtc.RpcError:
                pass  # the avatar may not be there yet

        def forward(method: str) -> None:
            def on_change(event: object) -> None:
                task = asyncio.create_task(send(method, event.new_state))  # type: ignore[attr-defined]
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

            agent_session.on(method, on_change)  # type: ignore[arg-type]

        forward("user_state_changed")
        forward("agent_state_changed")
        agent_session.output.audio = DataStreamAudioOutput(
            room,
            destination_identity=identity,
            sample_rate=16_000,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
        )
