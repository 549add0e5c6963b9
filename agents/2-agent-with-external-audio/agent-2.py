"""The worker of Avaluma's document on external audio. Its avatar needs no key until AVATAR_PROVIDER says avaluma.

    docker compose up livekit-agent-2 -d

The sender runs in this process for local simulation only: in production it is a service of its own.
"""

import asyncio
import os

import external_audio_sender
from dotenv import load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.agents.voice.room_io import RoomOptions

from mouthpiece_agents.avatar_session import AvatarSession
from mouthpiece_agents.connect import end_connect_at_ctrl_c

load_dotenv(".env.local")

agent_name = "agent-2"
avatar_id = ""  # your .hvia file's name without the extension, or a face of the local avatar; empty: AVATAR_ID
if avatar_id:
    os.environ["AVATAR_ID"] = avatar_id

# A job computes nothing: the processor's load, which livekit-agents goes by, would keep rooms waiting for no reason.
server = AgentServer(load_threshold=float("inf"), drain_timeout=1)


def print_error(simulation: asyncio.Task[None]) -> None:
    """Print why the simulation failed; nothing awaits its task, so that its error would go unseen."""
    if not simulation.cancelled() and (error := simulation.exception()) is not None:
        print(f"the simulation ended: {type(error).__name__}: {error}", flush=True)


@server.rtc_session(agent_name=agent_name)
async def entrypoint(ctx: JobContext) -> None:
    session: AgentSession[None] = AgentSession(turn_handling={"turn_detection": "manual"})  # nobody is listened to
    avatar = AvatarSession.from_environment()  # AVATAR_PROVIDER, AVALUMA_LICENSE_KEY, AVATAR_SERVER_URL
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
    end_connect_at_ctrl_c(server)
    cli.run_app(server)
