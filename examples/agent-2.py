"""A worker whose avatar speaks audio from outside: no STT, no LLM, no TTS in the agent.

The sender runs in this process for local simulation only. In production it is a service of its own (Mouthpiece's, or
external_audio_sender.py) on any machine: it needs the room's name and LiveKit's credentials.

    python -m mouthpiece_avatar &
    python examples/agent-2.py dev
    lk dispatch create --agent-name agent-2 --room demo

LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET come from the environment or from .env.local. `python -m
mouthpiece_agents` does this and more: it starts an avatar again that has left, ends its job in an empty room, and reads
the job's metadata.
"""

import asyncio
import os

import external_audio_sender
from dotenv import load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.agents.voice.room_io import RoomOptions

from mouthpiece_agents.avatar_session import AvatarSession

load_dotenv(".env.local")
server = AgentServer()


def print_error(simulation: asyncio.Task[None]) -> None:
    """Print why the simulation failed; nothing awaits its task, so that its error would go unseen."""
    if not simulation.cancelled() and (error := simulation.exception()) is not None:
        print(f"the simulation ended: {type(error).__name__}: {error}", flush=True)


@server.rtc_session(agent_name="agent-2")
async def entrypoint(ctx: JobContext) -> None:
    # For Avaluma's avatar: license_key=os.environ["AVALUMA_LICENSE_KEY"], provider=Provider.AVALUMA
    # (from mouthpiece.dispatch), avatar_server_url="https://api.avaluma.ai", avatar_id=<your .hvia file's name>.
    avatar = AvatarSession(
        avatar_id=os.getenv("AVATAR_ID", "mia"),
        avatar_server_url=os.getenv("MOUTHPIECE_AVATAR_URL", "http://127.0.0.1:8080"),
    )
    session: AgentSession[None] = AgentSession()
    await avatar.start(session, room=ctx.room)
    await session.start(
        agent=Agent(instructions=""),  # without an LLM nothing reads them
        room=ctx.room,
        room_options=RoomOptions(audio_input=False, close_on_disconnect=False),  # a reloaded tab comes back
    )
    simulation = asyncio.create_task(external_audio_sender.run(ctx.room.name))
    simulation.add_done_callback(print_error)

    async def stop() -> None:
        simulation.cancel()
        await asyncio.wait({simulation})

    ctx.add_shutdown_callback(stop)


if __name__ == "__main__":
    cli.run_app(server)
