"""A worker whose avatar speaks audio from outside: no STT, no LLM, no TTS in the agent.

The sender runs in this process for local simulation only. In production it is a service of its own (Mouthpiece's, or
external_audio_sender_plain.py) on any machine: it needs the room's name and LiveKit's credentials.

    .venv/bin/python -m mouthpiece_avatar &
    .venv/bin/python examples/agent-2.py dev
    lk dispatch create --agent-name agent-2 --room talk    # LiveKit's command

or, without a dispatch, `.venv/bin/python examples/agent-2.py connect --room talk`. The settings come from the
environment or from .env.local: LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; AVATAR_PROVIDER=avaluma with
AVALUMA_LICENSE_KEY and AVATAR_ID takes Avaluma's avatar in place of the local one (.env.local.example has them all).
`python -m mouthpiece_agents` does this and more: it starts an avatar again that has left, ends its job in an empty
room, and reads the job's metadata.
"""

import asyncio

import external_audio_sender
from dotenv import load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.agents.voice.room_io import RoomOptions

from mouthpiece_agents.avatar_session import AvatarSession
from mouthpiece_agents.connect import end_connect_at_ctrl_c

load_dotenv(".env.local")
server = AgentServer()


def print_error(simulation: asyncio.Task[None]) -> None:
    """Print why the simulation failed; nothing awaits its task, so that its error would go unseen."""
    if not simulation.cancelled() and (error := simulation.exception()) is not None:
        print(f"the simulation ended: {type(error).__name__}: {error}", flush=True)


@server.rtc_session(agent_name="agent-2")
async def entrypoint(ctx: JobContext) -> None:
    session: AgentSession[None] = AgentSession(turn_handling={"turn_detection": "manual"})  # nobody is listened to
    await AvatarSession.from_environment().start(session, room=ctx.room)
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
