"""The Python client against a service that is started again in the middle of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mouthpiece.client import AsyncClient, Client, Event, Segment, SegmentOptions, ServiceProblem, ServiceUnavailable
from mouthpiece_sender.cli.service_client import ServiceClient, ServiceError
from mouthpiece_sender.livekit.server_api import RoomFacts
from tests.loopback.client.restarting import Restarting
from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running

PCM = "audio/pcm;rate=16000;channels=1"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Restarting]:
    async with Restarting(tmp_path) as service:
        yield service


CALLS: list[tuple[str, Callable[[AsyncClient, str], Awaitable[Any]]]] = [
    ("say", lambda client, _: client.say("demo", "Hello.", avatar="avatar-x", tag="new")),
    ("play", lambda client, _: client.play("demo", sound_file(), avatar="avatar-x", tag="new")),
    ("play PCM", lambda client, _: client.play("demo", samples(), content_type=PCM, avatar="avatar-x", tag="new")),
    ("wait", lambda client, one: client.wait(one, timeout=0.1)),
    ("segment", lambda client, one: client.segment(one)),
    ("segments", lambda client, _: client.segments("demo", state="queued", limit=10)),
    ("cancel", lambda client, one: client.cancel(one)),
    ("interrupt", lambda client, _: client.interrupt("demo")),
    ("pause", lambda client, _: client.pause("demo")),
    ("resume", lambda client, _: client.resume("demo")),
    ("open_room", lambda client, _: client.open_room("demo")),
    ("rooms", lambda client, _: client.rooms()),
    ("voices", lambda client, _: client.voices()),
    ("token", lambda client, _: client.token("demo")),
    ("ticket", lambda client, _: client.ticket("demo", expires_in=10)),
    ("webhooks", lambda client, _: client.webhooks()),
    ("deliveries", lambda client, _: client.deliveries(state="pending", limit=5)),
    ("again", lambda client, one: client.again("demo", one, avatar="avatar-x", tag="new")),
]


async def test_every_call_survives_a_restart_that_loses_its_answer_and_nothing_is_said_twice(
    service: Restarting,
) -> None:
    async with AsyncClient(service.url, trust_env=False) as client:
        waiting = await client.say("demo", "This waits.", avatar="avatar-x")
        for number, (name, call) in enumerate(CALLS, 1):
            service.lose = 1
            assert await call(client, waiting["id"]), name
            assert service.restarted == number, name
        said = (await client.segments("demo", tag="new"))["segments"]
        assert len(said) == 4
        assert (await client.segment(waiting["id"]))["state"] == "cancelled"


async def test_a_room_whose_end_was_not_heard_of_is_ended_all_the_same(service: Restarting) -> None:
    async with AsyncClient(service.url, trust_env=False) as client:
        await client.open_room("over")
        service.lose = 1
        await client.end_room("over")  # it is gone when it is sent again
        assert service.restarted == 1
        with pytest.raises(ServiceProblem, match="room-not-found"):
            await client.end_room("over")


async def test_the_plain_client_survives_it_too(service: Restarting, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    await asyncio.to_thread(file.write_bytes, sound_file())

    def work() -> list[str]:
        with Client(service.url, trust_env=False) as client:
            service.lose = 1
            first = client.say("demo", "Hello.", avatar="avatar-x")
            service.lose = 1
            second = client.play("demo", file, avatar="avatar-x")
            listed = [one["id"] for one in client.segments("demo")["segments"]]
            assert listed == [second["id"], first["id"]]
            assert client.cancel(first["id"])["state"] == "cancelled"
            types = [event["type"] for event in client.events(segment=first["id"])]
            assert client.wait(first["id"])["state"] == "cancelled"
            assert client.again("demo", first["id"], avatar="avatar-x")["state"] == "queued"
            client.open_room("over")
            assert client.token("over", identity="anna")["token"]
            assert client.ticket("over")["expires_in"] == 60
            client.end_room("over")
            with pytest.raises(ServiceProblem, match="room-not-found"):
                client.end_room("over")
            assert client.webhooks()["webhooks"] == client.deliveries()["deliveries"] == []
            with pytest.raises(ServiceProblem, match="delivery-not-found"):
                client.retry_delivery("1")
            return types

    assert await asyncio.to_thread(work) == ["segment.queued", "segment.cancelled"]
    assert service.restarted == 2


async def test_the_commands_survive_it_once_the_service_has_answered(service: Restarting, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    await asyncio.to_thread(file.write_bytes, sound_file())
    options = SegmentOptions(avatar="avatar-x")
    async with ServiceClient(service.url) as client:
        service.lose = 1
        with pytest.raises(ServiceError, match="cannot be reached"):  # or a wrong address would be a minute's silence
            await client.rooms()
        await service.settled()
        await client.rooms()
        for number in range(2, 7):
            service.lose = 1
            match number:
                case 2:
                    first = await client.speak("demo", file, options)
                case 3:
                    second = await client.say("demo", "Hello.", None, None, "plain", options)
                case 4:
                    assert (await client.cancel(first["id"]))["state"] == "cancelled"
                case 5:
                    assert (await client.finished(first["id"]))["state"] == "cancelled"
                case 6:
                    assert (await client.interrupt("demo", None, "drop"))["segments"] == []
            assert service.restarted == number
        assert (await client.segment(second["id"]))["state"] == "cancelled"
    async with AsyncClient(service.url, trust_env=False) as client_of_all:
        assert len((await client_of_all.segments("demo"))["segments"]) == 2


async def test_what_happens_before_the_first_event_of_a_stream_that_is_cut_is_not_missed(service: Restarting) -> None:
    async with AsyncClient(service.url, trust_env=False) as client:
        await client.say("demo", "Before.", avatar="avatar-x")
        stream = client.events("demo")
        event = asyncio.ensure_future(anext(stream))
        async with asyncio.timeout(10):
            while not service.streams:  # noqa: ASYNC110  # there is nothing to wait on but another look
                await asyncio.sleep(0.01)
        said: list[Segment] = []

        async def say(sender: Running) -> None:
            async with AsyncClient(sender.url, trust_env=False) as direct:
                said.append(await direct.say("demo", "In between.", avatar="avatar-x"))

        await service.restart(say)
        assert (await event)["segment"] == said[0]
        await stream.aclose()  # type: ignore[attr-defined]


async def test_events_go_on_over_restarts_each_once(service: Restarting) -> None:
    seen: list[Event] = []
    async with AsyncClient(service.url, trust_env=False) as client:
        stream = client.events(after="0")
        for turn in range(4):
            segment = await client.say("demo", "Hello.", avatar="avatar-x")
            await client.cancel(segment["id"])
            seen += [await anext(stream) for _ in range(1 + turn % 3)]
            await service.restart()
        seen += [await anext(stream) for _ in range(8 - len(seen))]
        await stream.aclose()  # type: ignore[attr-defined]
    assert [event["id"] for event in seen] == [str(number) for number in range(1, 9)]


async def test_a_refusal_is_raised_at_once_and_an_absence_when_it_lasts(service: Restarting) -> None:
    async with AsyncClient(service.url, trust_env=False) as client:
        with pytest.raises(ServiceProblem) as refused:
            await client.say("demo", "")
        assert (refused.value.status, refused.value.slug) == (400, "tts-bad-text")
        with pytest.raises(ServiceProblem, match="segment-not-found"):
            await client.segment("seg_none")
    async with AsyncClient("http://127.0.0.1:1", retry_for=0, trust_env=False) as client:
        with pytest.raises(ServiceUnavailable):
            await client.rooms()
        with pytest.raises(ServiceUnavailable):
            await anext(client.events())


async def test_what_passes_is_waited_out(service: Restarting) -> None:
    service.sender.livekit.away = True
    async with AsyncClient(service.url, trust_env=False, retry_for=0.1) as client:
        with pytest.raises(ServiceProblem, match="livekit-unavailable"):
            await client.rooms()
    service.sender.livekit.rooms_there["demo"] = RoomFacts("demo", "RM_1", 0, 300, 60)
    service.sender.livekit.away = False
    async with AsyncClient(service.url, trust_env=False) as client:
        assert (await client.room("demo"))["room"] == "demo"
