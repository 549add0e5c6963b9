"""``examples/agent-1.py``, unchanged, in a conversation by keys of OpenAI, and a service that speaks beside it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from livekit import api, rtc

from mouthpiece.segments import Receipt, Segment, State
from mouthpiece_sender import Speaker
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.openai_emulator import ANSWER, ANSWER_TONES, GREETING_TONES, KEY, OpenAIEmulator, openai_emulator
from tests.live.agents.services import AvatarServer, Rooms, RunningProcess, environment
from tests.live.ops.name_lookups import names_looked_up, traced
from tests.live.sender.tones import heard, scale
from tests.live.viewer import Viewer, viewer_token

ROOT = Path(__file__).parents[3]
SERVICE_TONES = range(9, 15)
TONES = SERVICE_TONES.stop
RATE = 16_000
BLOCK = RATE // 50
WORDS = round(1.7 * RATE)
"""The sample after which words follow without a pause."""

pytestmark = pytest.mark.timeout(300)  # several processes that import for seconds, on a busy machine


@dataclass
class Conversation:
    """A room with the worker's agent, its avatar, and one person, who hears the avatar and can speak."""

    openai: OpenAIEmulator
    viewer: Viewer
    speaker: Speaker
    worker: RunningProcess
    trace: Path
    _microphone: rtc.AudioSource

    async def say(self, samples: npt.NDArray[np.int16]) -> None:
        """Speak into the microphone, which goes on with silence until the next words."""
        for start in range(0, len(samples), BLOCK):
            block = samples[start : start + BLOCK]
            frame = rtc.AudioFrame(np.pad(block, (0, BLOCK - len(block))).tobytes(), RATE, 1, BLOCK)
            await self._microphone.capture_frame(frame)

    async def serve(self, tones: range, folder: Path) -> Segment:
        """Speak tones as another service does; return the segment at its end."""
        file = folder / "service.wav"
        await asyncio.to_thread(file.write_bytes, scale(tones.start, len(tones)))
        return await (await self.speaker.play(file)).finished()


@pytest.fixture
async def conversation(
    livekit: LiveKit, avatar_server: AvatarServer, room_name: str, tmp_path: Path
) -> AsyncIterator[Conversation]:
    """Under way: the agent has greeted the person."""
    trace = tmp_path / "trace"
    command = [*(traced(trace) if shutil.which("strace") else []), sys.executable, str(ROOT / "examples/agent-1.py")]
    async with openai_emulator() as openai:
        values = {"OPENAI_BASE_URL": openai.url, "OPENAI_API_KEY": KEY, "MOUTHPIECE_AVATAR_URL": avatar_server.url}
        async with contextlib.AsyncExitStack() as stack:
            env = environment(livekit, **values)
            worker = stack.enter_context(RunningProcess([*command, "dev"], env, tmp_path))
            await worker.says("registered worker")
            token = viewer_token(livekit, room_name)
            viewer = await stack.enter_async_context(Viewer(livekit.url, token, identity="avatar-mouthpiece"))
            url, key, secret = livekit.url, livekit.api_key, livekit.api_secret
            speaker = await stack.enter_async_context(Speaker(room_name, url=url, api_key=key, api_secret=secret))
            server = await stack.enter_async_context(api.LiveKitAPI(url, key, secret))
            microphone = rtc.AudioSource(RATE, 1)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", microphone)
            source = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await viewer.room.local_participant.publish_track(track, source)
            with viewer.record_sound() as recording:
                began = time.monotonic()
                await Rooms(server, "agent-1").dispatch(room_name)
                await viewer.offset(await viewer.onset(began, 60))
            assert heard(recording, TONES) == list(GREETING_TONES)
            yield Conversation(openai, viewer, speaker, worker, trace, microphone)
            await microphone.aclose()
            worker.signal(signal.SIGTERM)  # strace passes none on
            await worker.ended()
        assert openai.refused == []


@pytest.fixture(scope="module")
def words() -> npt.NDArray[np.int16]:
    """Some words, and the silence after which a listener knows that they are over."""
    samples, rate = soundfile.read(ROOT / "assets/hello_world_16kHz.wav", dtype="int16", start=WORDS)
    assert rate == RATE
    return np.concatenate([samples, np.zeros(2 * RATE, np.int16)])


def in_turn(*parts: range) -> list[int]:
    return [tone for part in parts for tone in part]


async def test_a_question_is_answered_and_a_service_speaks_after_the_answer(
    conversation: Conversation, words: npt.NDArray[np.int16], tmp_path: Path
) -> None:
    viewer, openai = conversation.viewer, conversation.openai
    with viewer.record_sound() as recording:
        began = time.monotonic()
        await conversation.say(words)
        await viewer.onset(began, 30)
        segment = await conversation.serve(SERVICE_TONES, tmp_path)
        await viewer.offset(time.monotonic())
    assert openai.understood
    assert ANSWER in openai.spoken
    assert (segment.state, segment.receipt) == (State.FINISHED, Receipt.CONFIRMED)
    assert heard(recording, TONES) == in_turn(ANSWER_TONES, SERVICE_TONES)
    assert "Traceback" not in conversation.worker.output
    if conversation.trace.exists():
        assert names_looked_up(await asyncio.to_thread(conversation.trace.read_text)) == set()


async def test_somebody_who_speaks_while_a_service_does_cuts_nothing_and_is_answered_after_it(
    conversation: Conversation, words: npt.NDArray[np.int16], tmp_path: Path
) -> None:
    viewer = conversation.viewer
    with viewer.record_sound() as recording:
        began = time.monotonic()
        serving = asyncio.create_task(conversation.serve(SERVICE_TONES, tmp_path))
        await viewer.onset(began, 30)
        await conversation.say(words)
        segment = await serving
        await viewer.until(lambda: ANSWER in conversation.openai.spoken, 30)
        await viewer.offset(await viewer.onset(time.monotonic(), 30))
    assert (segment.state, segment.receipt) == (State.FINISHED, Receipt.CONFIRMED)
    assert heard(recording, TONES) == in_turn(SERVICE_TONES, ANSWER_TONES)
    assert "Traceback" not in conversation.worker.output
