"""The worker of Avaluma's document on external audio, written anew with its calls in its order."""

import asyncio
import os

import external_audio_sender
from avaluma_livekit_plugin import AvatarSession
from dotenv import load_dotenv
from livekit.agents import Agent, AgentSession, JobContext, WorkerOptions, cli

load_dotenv(".env.local")

agent_name = "agent-2"
avatar_id = "260218-Avaluma_Avatar_Kadda_v5"
license_key = os.getenv("AVALUMA_LICENSE_KEY", "")
avatar_server_url = os.getenv("AVATAR_SERVER_URL", "https://api.avaluma.ai")


class Assistant(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are a helpful assistant.")


async def entrypoint(ctx: JobContext) -> None:
    ctx.log_context_fields = {"room": ctx.room.name}
    session: AgentSession[None] = AgentSession()
    avatar = AvatarSession(license_key=license_key, avatar_id=avatar_id, avatar_server_url=avatar_server_url)
    await avatar.start(agent_session=session, room=ctx.room)
    await session.start(agent=Assistant(), room=ctx.room)
    await ctx.connect()
    asyncio.create_task(external_audio_sender.run(ctx.room.name))  # noqa: RUF006 - as the document does


if __name__ == "__main__":
    cli.run_app(WorkerOptions(entrypoint, agent_name=agent_name))
