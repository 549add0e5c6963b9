"""``mouthpiece serve`` that speaks through Anam: the same API, and no LiveKit anywhere."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.loopback.anam.conftest import Proxy, Sound
from tests.loopback.anam.emulator import KEY, Engine, Faults, engine
from tests.loopback.serving import Serving, address, serve


@dataclass(frozen=True)
class Running:
    serving: Serving
    client: httpx.AsyncClient

    async def speak(self, room: str, sound: bytes | dict[str, str], **query: Any) -> httpx.Response:
        body: dict[str, Any] = {"json": sound} if isinstance(sound, dict) else {"content": sound}
        return await self.client.post(f"/v1/rooms/{room}/segments", params=query, **body)


@asynccontextmanager
async def running(emulated: Engine, folder: Path, *options: str, **environment: str) -> AsyncIterator[Running]:
    known = {"MOUTHPIECE_TARGET": "anam", "ANAM_API_KEY": KEY, "ANAM_API_URL": emulated.url} | environment
    async with serve(folder, "--port", "0", *options, **known) as serving:
        url = address(await serving.said("listening on"))
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
            yield Running(serving, client)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


async def test_a_sound_and_a_text_are_said_and_the_segment_says_how_it_ended(sound: Sound, tmp_path: Path) -> None:
    file = sound(1.2)
    async with engine() as emulated, running(emulated, tmp_path) as service:
        assert (await service.client.get("/readyz")).status_code == 200
        answer = await service.speak("stage", await asyncio.to_thread(file.read_bytes), wait="finished")
        segment = answer.json()
        assert (answer.status_code, segment["state"], segment["receipt"]) == (200, "finished", "estimated")
        assert (segment["profile"], segment["position"]) == ("anam", pytest.approx(1.2))
        samples, _ = soundfile.read(file, dtype="int16")
        assert emulated.session.sound == samples.tobytes()

        answer = await service.speak("stage", {"text": "It is good to see you."}, wait="finished")
        assert (answer.json()["state"], answer.json()["source"]["voice"]) == ("finished", "heart")
        assert np.abs(np.frombuffer(emulated.session.sound[len(samples) * 2 :], np.int16)).max() > 1_000
        assert (len(emulated.session.ends), emulated.session.too_early) == (2, 0)


async def test_an_interrupt_is_answered_with_the_segments_that_it_ended(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated, running(emulated, tmp_path) as service:
        await service.speak("stage", await asyncio.to_thread(sound(20.0).read_bytes), wait="playing")
        (ended,) = (await service.client.post("/v1/rooms/stage/interrupt")).json()["segments"]
        await asyncio.wait_for(emulated.session.interrupted.wait(), 5)
        assert (ended["state"], emulated.session.interrupts, len(emulated.session.ends)) == ("interrupted", 1, 1)


async def test_a_room_is_seen_while_it_has_a_session_and_ended_by_its_deletion(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated, running(emulated, tmp_path) as service:
        assert problem(await service.client.get("/v1/rooms/stage")) == (404, "room-not-found")
        await service.speak("stage", await asyncio.to_thread(sound(0.4).read_bytes), wait="finished")
        room = (await service.client.get("/v1/rooms/stage")).json()
        assert [(avatar["profile"], avatar["ready"]) for avatar in room["avatars"]] == [("anam", True)]
        assert [one["room"] for one in (await service.client.get("/v1/rooms")).json()["rooms"]] == ["stage"]
        assert (await service.client.delete("/v1/rooms/stage")).status_code == 204
        await asyncio.wait_for(emulated.session.closed.wait(), 10)
        assert emulated.session.end_sessions == 1


async def test_a_session_is_closed_when_it_has_been_quiet(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated, running(emulated, tmp_path, MOUTHPIECE_WARM="0.5") as service:
        data = await asyncio.to_thread(sound(0.4).read_bytes)
        await service.speak("stage", data, wait="finished")
        await asyncio.wait_for(emulated.session.closed.wait(), 10)
        answer = await service.speak("another", data, wait="finished")
        assert (answer.json()["state"], len(emulated.sessions)) == ("finished", 2)


async def test_requests_without_a_meaning_for_anam_are_refused(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated, running(emulated, tmp_path) as service:
        data = await asyncio.to_thread(sound(3.0).read_bytes)
        assert problem(await service.client.post("/v1/rooms", json={})) == (409, "no-livekit")
        assert problem(await service.client.post("/v1/rooms/stage/tokens", json={})) == (409, "no-livekit")
        assert problem(await service.speak("stage", data, wait_for_viewer=True)) == (400, "not-through-anam")
        assert problem(await service.speak("stage", data, avatar="another")) == (400, "not-through-anam")
        assert (await service.speak("stage", data)).status_code == 202
        busy = await service.speak("second", data)
        assert problem(busy) == (503, "anam-busy")
        assert int(busy.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("fault", "slug"),
    [
        (Faults(status=429, error="limit"), "anam-busy"),
        (Faults(status=402, error="plan"), "anam-refused"),
        (Faults(end_before_ready=True), "avatar-left"),
    ],
)
async def test_a_session_that_is_refused_fails_the_segment_and_not_the_next(
    sound: Sound, tmp_path: Path, fault: Faults, slug: str
) -> None:
    async with engine(fault) as emulated, running(emulated, tmp_path) as service:
        data = await asyncio.to_thread(sound(0.4).read_bytes)
        segment = (await service.speak("stage", data, wait="finished")).json()
        assert (segment["state"], segment["error"]["type"]) == ("failed", slug)
        emulated.faults = Faults()
        assert (await service.speak("stage", data, wait="finished")).json()["state"] == "finished"


async def test_a_text_that_names_no_voice_goes_to_elevenlabs_if_its_key_is_set(tmp_path: Path, proxy: Proxy) -> None:
    environment = {"ELEVENLABS_API_KEY": "some key", **proxy.environment}
    async with engine() as emulated, running(emulated, tmp_path, **environment) as service:
        answer = await service.speak("stage", {"text": "It is good to see you."})
        assert problem(answer) == (502, "tts-unavailable")
        assert (set(proxy.asked), emulated.sessions) == ({"api.elevenlabs.io:443"}, [])


async def test_stopping_the_service_ends_the_turn_and_the_session(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated, running(emulated, tmp_path) as service:
        data = await asyncio.to_thread(sound(40.0).read_bytes)
        await service.speak("stage", data, wait="playing")  # longer than MOUTHPIECE_DRAIN: it is cut
        await service.speak("stage", data)  # it waits, and is not begun
        service.serving.process.send_signal(signal.SIGTERM)
        code, said = await service.serving.ended()
        assert (code, "Traceback" in said) == (0, False), said
        await asyncio.wait_for(emulated.session.closed.wait(), 5)
        session = emulated.session
        await asyncio.wait_for(session.interrupted.wait(), 5)
        assert (session.interrupts, len(session.ends), session.end_sessions) == (1, 1, 1)


async def test_stopping_while_the_avatar_is_awaited_does_not_wait_for_it(sound: Sound, tmp_path: Path) -> None:
    async with engine(Faults(never_ready=True)) as emulated, running(emulated, tmp_path) as service:
        await service.speak("stage", await asyncio.to_thread(sound(1.0).read_bytes))
        await asyncio.wait_for(emulated.opened.wait(), 20)
        service.serving.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(12):
            code, said = await service.serving.ended()
        assert (code, "Traceback" in said) == (0, False), said
        await asyncio.wait_for(emulated.session.closed.wait(), 5)


@pytest.mark.parametrize(
    ("options", "environment", "word"),
    [
        ((), {"MOUTHPIECE_TARGET": "anam"}, "ANAM_API_KEY not set"),
        ((), {"MOUTHPIECE_TARGET": "radio"}, "MOUTHPIECE_TARGET"),
        (("--via", "anam", "--record", "x.avi"), {"ANAM_API_KEY": "k"}, ".mp4"),
        (("--view",), {"LIVEKIT_URL": "ws://h", "LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s"}, "--via anam"),
        ((), {"MOUTHPIECE_TARGET": "anam", "ANAM_API_KEY": "k", "MOUTHPIECE_TTS": "nobody"}, "no voice provider"),
    ],
)
async def test_wrong_usage_is_named(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], word: str
) -> None:
    async with serve(tmp_path, "--port", "0", *options, **environment) as serving:
        code, said = await serving.ended()
    assert (code, "Traceback" in said) == (2, False), said
    assert word in said
