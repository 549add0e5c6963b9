"""Texts through Anam: the same command, with any voice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from mouthpiece.segments import State
from tests.loopback.anam.breaking_voice import BreakingVoice
from tests.loopback.anam.conftest import LINGER, NOT_OURS, Proxy, outcome
from tests.loopback.anam.emulator import KEY, Engine, engine
from tests.loopback.anam.test_pushing import speaking

TEXT = "The first sentence is heard whole. The second one never comes."
OWN = """
import numpy as np
from mouthpiece.tts import TTS, PcmData, AudioFormat

class MyTTS(TTS):
    async def stream_audio(self, text: str, *args, **kwargs) -> PcmData:
        return PcmData.from_bytes(np.full(8000, len(text), "<i2").tobytes(), 16000, 1, AudioFormat.S16)

    async def stop_audio(self) -> None:
        pass
"""


async def say(
    engine: Engine, cwd: Path, *arguments: str, stdin: str | None = None, **environment: str
) -> tuple[int, str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", "say", *arguments, "--via", "anam"),
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=known
        | {"ANAM_API_KEY": KEY, "ANAM_API_URL": engine.url, "MOUTHPIECE_ANAM_LINGER": str(LINGER)}
        | environment,
        cwd=cwd,
    )
    try:
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin.encode())
            process.stdin.close()
        return await outcome(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["Hello there. It is good to see you."], None),
        (["--text", "Hello, this is a test", "--voice", "heart"], None),
        (["-"], "Hello there. It is good to see you.\n"),
    ],
)
async def test_a_text_is_spoken_by_a_voice_of_ours(tmp_path: Path, arguments: list[str], stdin: str | None) -> None:
    async with engine() as emulated:
        code, out, err = await say(emulated, tmp_path, *arguments, "--json", stdin=stdin)
        assert (code, err) == (0, "")
        segment = json.loads(out)
        source = segment["source"]
        assert (segment["state"], source["kind"], source["voice"]) == ("finished", "text", "heart")
        assert source["text"] == (stdin.strip() if stdin else arguments[-3] if "--voice" in arguments else arguments[0])
        session = emulated.session
        samples = np.frombuffer(session.sound, "<i2")
        assert len(samples) / 24_000 == pytest.approx(segment["position"], abs=0.01)
        assert segment["position"] > 1
        assert np.abs(samples).max() > 1_000
        assert (session.too_early, len(session.ends)) == (0, 1)


async def test_a_class_of_the_users_speaks_its_sentences_in_order(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "mine.py").write_text, OWN)
    async with engine() as emulated:
        code, _, err = await say(emulated, tmp_path, "One thing. Another thing.", "--tts", "mine:MyTTS")
        assert (code, err) == (0, "")
        samples = np.frombuffer(emulated.session.sound, "<i2")
        assert len(samples) == 24_000
        assert (samples[6_000], samples[18_000]) == (len("One thing."), len("Another thing."))


async def test_a_voice_without_its_key_is_named_before_a_session_is_opened(tmp_path: Path) -> None:
    async with engine() as emulated:
        code, out, err = await say(emulated, tmp_path, "Hello.", "--tts", "elevenlabs")
        assert (code, out) == (2, "")
        assert "ELEVENLABS_API_KEY" in err
        assert emulated.sessions == []


async def test_a_text_that_names_no_voice_goes_to_elevenlabs_if_its_key_is_set(tmp_path: Path, proxy: Proxy) -> None:
    environment = {"ELEVENLABS_API_KEY": "some key", **proxy.environment}
    async with engine() as emulated:
        code, out, err = await say(emulated, tmp_path, "Hello.", **environment)
        assert (code, out) == (1, "")
        assert "ElevenLabs is not reachable" in err
        assert set(proxy.asked) == {"api.elevenlabs.io:443"}
        assert not any(session.sound for session in emulated.sessions)  # one may have been opened meanwhile


async def test_a_voice_that_fails_in_mid_text_fails_the_segment_and_ends_the_turn(tmp_path: Path) -> None:
    await asyncio.to_thread(shutil.copy, Path(__file__).with_name("breaking_voice.py"), tmp_path)
    async with engine() as emulated:
        code, out, err = await say(emulated, tmp_path, TEXT, "--tts", "breaking_voice:BreakingVoice", "--json")
        assert (code, err) == (1, "")
        segment = json.loads(out)
        assert (segment["state"], segment["error"]["type"]) == ("failed", "tts-stream-cut")
        assert segment["position"] == pytest.approx(0.5)
        session = emulated.session
        assert (len(session.sound), session.log[-1], len(session.ends)) == (24_000, "end", 1)


async def test_after_a_voice_that_failed_the_next_text_is_spoken() -> None:
    async with engine() as emulated, speaking(emulated) as speaker, BreakingVoice() as voice:
        failed = await (await speaker.say(TEXT, tts=voice)).finished(30)
        assert failed.error is not None
        assert (failed.state, failed.error.type, failed.error.retryable) == (State.FAILED, "tts-stream-cut", True)
        segment = await (await speaker.say("One sentence.", tts=voice)).finished(30)
        assert segment.state is State.FINISHED
        session = emulated.session
        assert (len(session.sound), len(session.ends), len(emulated.sessions)) == (48_000, 2, 1)
