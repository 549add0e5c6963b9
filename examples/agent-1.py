"""A worker whose avatar holds a conversation, by your own keys of STT, LLM and TTS, and speaks audio from outside too.

    make demo                                # in a terminal of its own: LiveKit, and the local avatar's server
    uv pip install livekit-plugins-openai    # or those of other services; make's own uv is .cache/tools/bin/uv
    export LIVEKIT_URL=ws://127.0.0.1:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=mouthpiece-development-secret-0000
    export OPENAI_API_KEY=…
    .venv/bin/python examples/agent-1.py connect --room talk

(`dev` in the place of `connect --room talk` waits for dispatches of agent-1.) Join the room with a front end that has a
microphone: the demo's page at /?room=talk shows the avatar, and has none. Any service speaks into the room meanwhile:

    .venv/bin/mouthpiece play assets/hello_world_16kHz.wav --room talk

The local avatar says what the agent and the services send one after the other. A user who speaks cuts the agent's
words, not a service's, and is answered after them. The avatar of a vendor (AVATAR_PROVIDER, see agent-2.py) may be
bound to one agent of the room: then it rejects the service's audio, and the service says so.
"""

from dotenv import load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli, inference
from livekit.agents.voice.room_io import RoomOptions
from livekit.plugins import openai

from mouthpiece_agents.avatar_session import AvatarSession
from mouthpiece_agents.connect import end_connect_at_ctrl_c

load_dotenv(".env.local")
server = AgentServer()


@server.rtc_session(agent_name="agent-1")
async def entrypoint(ctx: JobContext) -> None:
    session: AgentSession[None] = AgentSession(
        stt=openai.STT(),
        llm=openai.LLM(),
        tts=openai.TTS(),
        # on this machine: without these two, `dev` sends what the user says to LiveKit's cloud as well
        turn_handling={
            "turn_detection": inference.TurnDetector(version="v1-mini"),
            "interruption": {"mode": "vad"},
        },
    )
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
