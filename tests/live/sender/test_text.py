"""Texts, said by the local avatar to a viewer who listens and reads."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from livekit import rtc

from mouthpiece.segments import Receipt, State
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.speaker import Speaker
from tests.live.viewer import Viewer

ONE = "Good morning to all of you."
TWO = "Here is the second sentence."
MOMENT = 0.8
"""Seconds by which a caption and its sound may be apart here: audio is sent two seconds ahead."""
OWN = """
import numpy as np
from mouthpiece.tts import TTS, PcmData, AudioFormat

class MyTTS(TTS):
    async def stream_audio(self, text: str, *args, **kwargs) -> PcmData:
        tone = (9000 * np.sin(2 * np.pi * 330 * np.arange(22050) / 22050)).astype("<i2")
        return PcmData.from_bytes(tone.tobytes(), sample_rate=22050, channels=1, format=AudioFormat.S16)

    async def stop_audio(self) -> None:
        pass
"""


class Reader:
    """Keeps the captions that reach a viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self.read: list[tuple[float, str, str, dict[str, str]]] = []
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

        def on_caption(reader: rtc.TextStreamReader, identity: str) -> None:
            task = asyncio.create_task(self._keep(reader, identity))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        viewer.room.register_text_stream_handler("lk.transcription", on_caption)

    async def _keep(self, reader: rtc.TextStreamReader, identity: str) -> None:
        text = await reader.read_all()
        self.read.append((time.monotonic(), identity, text, dict(reader.info.attributes or {})))
        self._changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.read) < count:
                self._changed.clear()
                await self._changed.wait()


@pytest.mark.timed
async def test_a_text_is_heard_and_read_as_it_is_heard(speaker: Speaker, viewer: Viewer) -> None:
    reader = Reader(viewer)
    first = await speaker.say("Ready.")
    assert (await first.finished(20)).state is State.FINISHED
    await viewer.offset(time.monotonic())
    said = time.monotonic()
    segment = await speaker.say(f"{ONE} {TWO}")
    onset = await viewer.onset(said)
    ended = await segment.finished(20)
    assert (ended.state, ended.receipt, ended.profile) == (State.FINISHED, Receipt.CONFIRMED, "mouthpiece")
    assert (ended.source.kind, ended.source.text, ended.source.voice) == ("text", f"{ONE} {TWO}", "heart")
    assert ended.audio.duration == pytest.approx(ended.position, abs=0.02)
    await reader.until(6)
    # the end of one and the beginning of the next travel side by side
    captions = sorted(
        reader.read[2:], key=lambda one: (one[3]["lk.segment_id"], one[3]["lk.transcription_final"] == "true")
    )
    assert [text for _, _, text, _ in captions] == [ONE, ONE, TWO, TWO]
    assert {identity for _, identity, _, _ in captions} == {"avatar-mia"}
    voice = viewer.room.remote_participants["avatar-mia"].track_publications.values()
    track = next(one.sid for one in voice if one.kind == rtc.TrackKind.KIND_AUDIO)
    for number, (_, _, _, attributes) in enumerate(captions):
        assert attributes == {
            "lk.segment_id": f"{segment.id}-{number // 2}",
            "lk.transcription_final": "true" if number % 2 else "false",
            "lk.transcribed_track_id": track,
            "mouthpiece.caption": "said" if number % 2 else "playing",
        }
    # The captions must come with the voice, and go with it; a machine that stands still holds one of them up.
    began, over, again, ended_at = (at for at, _, _, _ in captions)
    assert began == pytest.approx(onset, abs=MOMENT)
    assert over - began > 1.0
    assert again == pytest.approx(over, abs=MOMENT)
    assert ended_at - began == pytest.approx(ended.position, abs=MOMENT)


async def test_an_interrupted_text_is_silent_and_the_next_one_is_heard(speaker: Speaker, viewer: Viewer) -> None:
    reader = Reader(viewer)
    said = time.monotonic()
    segment = await speaker.say(" ".join(f"This is sentence number {number} of many." for number in range(60)))
    await viewer.onset(said)
    await reader.until(1)
    interrupted = time.monotonic()
    ended = await segment.interrupt()
    assert ended.state is State.INTERRUPTED
    await reader.until(2)
    at, _, text, attributes = reader.read[-1]
    assert at - interrupted < 2
    assert text == reader.read[-2][2]  # a transcript keeps it
    assert attributes["lk.segment_id"] == reader.read[-2][3]["lk.segment_id"]
    assert (attributes["lk.transcription_final"], attributes["mouthpiece.caption"]) == ("true", "cut")
    assert ended.audio.duration is None
    quiet = await viewer.offset(time.monotonic())
    assert quiet - time.monotonic() < 2
    following = await speaker.say(ONE)
    assert (await following.finished(20)).state is State.FINISHED
    assert viewer.loud_seconds(quiet + 0.1) > 0.8


async def test_a_text_that_is_still_being_written_is_said_as_it_comes(speaker: Speaker, viewer: Viewer) -> None:
    more = asyncio.Event()

    async def written() -> AsyncIterator[str]:
        yield f"{ONE} Well"
        await more.wait()
        yield f" then. {TWO}"

    reader = Reader(viewer)
    said = time.monotonic()
    segment = await speaker.say(written())
    await viewer.onset(said)
    assert not more.is_set()
    await reader.until(2)  # nobody has to look at a sentence while the next one is being written
    assert [attributes["mouthpiece.caption"] for _, _, _, attributes in reader.read[:2]] == ["playing", "said"]
    more.set()
    ended = await segment.finished(20)
    assert ended.state is State.FINISHED
    assert ended.position > 3


async def started(*arguments: str, folder: Path, livekit: LiveKit) -> asyncio.subprocess.Process:
    """The command, in a folder without settings."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", *arguments),
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.api_key,
            "LIVEKIT_API_SECRET": livekit.api_secret,
            "MOUTHPIECE_DATA": str(folder / "data"),
        },
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )


async def mouthpiece(*arguments: str, folder: Path, livekit: LiveKit, stdin: str | None = None) -> tuple[int, str, str]:
    process = await started(*arguments, folder=folder, livekit=livekit)
    async with asyncio.timeout(60):
        out, error = await process.communicate(None if stdin is None else stdin.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


@pytest.fixture
async def service(livekit: LiveKit, tmp_path: Path) -> AsyncIterator[str]:
    port = livekit_server.free_port()
    url = f"http://127.0.0.1:{port}"
    process = await started("serve", "--port", str(port), folder=tmp_path, livekit=livekit)
    try:
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{url}/readyz")).is_success:
                        break
                await asyncio.sleep(0.1)
        yield url
    finally:
        process.terminate()
        await process.communicate()


async def test_the_command_says_texts_and_pipes_through_a_service(
    livekit: LiveKit, viewer: Viewer, service: str, room_name: str, tmp_path: Path
) -> None:
    whole = ["say", f"{ONE} {TWO}", "--room", room_name, "--service", service, "--json"]
    code, out, error = await mouthpiece(*whole, folder=tmp_path, livekit=livekit)
    assert (code, error) == (0, "")
    (segment,) = map(json.loads, out.splitlines())
    assert (segment["state"], segment["source"]["text"]) == ("finished", f"{ONE} {TWO}")
    piped = ["say", "-", "--room", room_name, "--service", service, "--json"]
    code, out, error = await mouthpiece(*piped, folder=tmp_path, livekit=livekit, stdin=f"{ONE} {TWO}")
    assert (code, error) == (0, "")
    segments = [json.loads(line) for line in out.splitlines()]
    assert [(one["state"], one["source"]["text"]) for one in segments] == [("finished", ONE), ("finished", TWO)]
    refused = ["say", "Hello", "--voice", "nobody", "--room", room_name, "--service", service]
    code, out, error = await mouthpiece(*refused, folder=tmp_path, livekit=livekit)
    assert (code, out) == (1, "")
    assert "There is no voice" in error


async def test_somebody_who_types_is_heard_and_ctrl_c_ends_it(
    livekit: LiveKit, viewer: Viewer, room_name: str, tmp_path: Path
) -> None:
    process = await started("say", "-", "--room", room_name, folder=tmp_path, livekit=livekit)
    assert process.stdin is not None
    said = time.monotonic()
    process.stdin.write(b"Hello there")  # no end of a sentence, and the pipe stays open
    await viewer.onset(said, timeout=20)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        out, error = await process.communicate()
    assert (process.returncode, out, error) == (130, b"", b"")


async def test_the_command_says_texts_pipes_and_classes_of_ones_own(
    livekit: LiveKit, viewer: Viewer, room_name: str, tmp_path: Path
) -> None:
    await asyncio.to_thread((tmp_path / "my_voice.py").write_text, OWN)
    calls: list[tuple[list[str], str | None]] = [
        (["--text", "Hello, this is a test", "--voice", "heart"], None),
        (["-"], f"{ONE} {TWO}\n"),
        (["Anything.", "--tts", "my_voice:MyTTS"], None),
    ]
    for arguments, stdin in calls:
        said = time.monotonic()
        code, out, error = await mouthpiece(
            "say", *arguments, "--room", room_name, folder=tmp_path, livekit=livekit, stdin=stdin
        )
        assert (code, error) == (0, ""), error
        assert "finished" in out
        await viewer.offset(said)
        assert viewer.loud_seconds(said) > 0.8


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["Hello", "--tts", "nothing:Here"], 2, "cannot be imported"),
        (["Hello", "--tts", "json:JSONDecoder"], 2, "TTS"),
        (["Hello", "--tts", "json:Nothing"], 2, "has no class"),
        (["Hello", "--tts", "loud"], 2, "There is no voice provider"),
        (["Hello", "--voice", "nobody"], 1, "There is no voice"),
        (["<speak>Hello</speak>"], 1, "tags"),
        ([""], 1, "no text"),
    ],
)
async def test_what_cannot_be_said_is_reported_in_a_sentence(
    livekit: LiveKit, room_name: str, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    answered, out, error = await mouthpiece("say", *arguments, "--room", room_name, folder=tmp_path, livekit=livekit)
    assert (answered, out) == (code, "")
    assert words in error
    assert "Traceback" not in error
