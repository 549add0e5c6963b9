"""A worker whose avatar holds a conversation, by your own keys of STT, LLM and TTS, and speaks audio from outside too.

    uv pip install livekit-plugins-openai        # or the plugins of other services
    export OPENAI_API_KEY=…
    python -m mouthpiece_avatar &
    python examples/agent-1.py dev
    lk dispatch create --agent-name agent-1 --room demo

Any service speaks into the same room meanwhile, for example

    mouthpiece play assets/hello_world_16kHz.wav --room demo

The local avatar says what the agent and the services send one after the other. The avatar of a vendor (AVATAR_PROVIDER,
see agent-2.py) may be bound to one agent of the room: then it rejects the service's audio, and the service says so.
"""

from dotenv import load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.agents.voice.room_io import RoomOptions
from livekit.plugins import openai

from mouthpiece_agents.avatar_session import AvatarSession
from mouthpiece_agents.connect import end_connect_at_ctrl_c

load_dotenv(".env.local")
server = AgentServer()


@server.rtc_session(agent_name="agent-1")
async def entrypoint(ctx: JobContext) -> None:
    session: AgentSession[None] = AgentSession(stt=openai.STT(), llm=openai.LLM(), tts=openai.TTS())
    await AvatarSession.from_environment().start(session, room=ctx.room)
    await session.start(
        agent=Agent(instructions="You are a friendly assistant. You are heard: answer in short sentences."),
        room=ctx.room,
        room_options=RoomOptions(close_on_disconnect=False),  # a reloaded tab comes back
    )
    session.generate_reply(instructions="Greet the user.")


if __name__ == "__main__":
    end_connect_at_ctrl_c(server)
    cli.run_app(server)
