"""Alive, ready, figures."""

from __future__ import annotations

import asyncio

import httpx

from mouthpiece_sender.api.app import create_app
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running


async def test_alive_is_not_ready(sender: Running) -> None:
    assert (await sender.client.get("/readyz")).json()["status"] == "ok"
    sender.livekit.away = True
    assert (await sender.client.get("/readyz")).status_code == 503
    assert (await sender.client.get("/healthz")).json() == {"status": "ok"}


async def test_a_service_that_stops_is_alive_and_not_ready(sender: Running) -> None:
    app = await asyncio.to_thread(create_app, sender.dependencies, host="127.0.0.1", page_folder=None)
    sender.dependencies.stopping.set()  # as SIGTERM does; `app` goes on answering, as while something plays out
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["type"]) == (503, "stopping")
        assert ready.headers["Retry-After"]
        assert (await client.get("/healthz")).status_code == 200


async def test_probes_may_ask_for_the_head_alone(sender: Running) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await sender.client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


async def test_figures_count_segments_and_requests_without_names(sender: Running) -> None:
    first = await sender.speak("secret-room", sound_file())
    await sender.speak("secret-room", sound_file())
    await sender.client.delete(f"/v1/segments/{first['id']}")
    await sender.client.get("/nothing")
    await sender.client.get("/v1/rooms/secret-room/segments")  # what has happened is written before it is listed
    text = (await sender.client.get("/metrics")).text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert figures['mouthpiece_segments_ended_total{state="cancelled"}'] == "1.0"
    assert figures['mouthpiece_segments_ended_total{state="finished"}'] == "0.0"
    assert figures["mouthpiece_segments_queued"] == "1.0"
    assert figures["mouthpiece_segments_playing"] == "0.0"
    assert figures["mouthpiece_rooms_connected"] == "0.0"
    assert figures["mouthpiece_accept_seconds_count"] == "2.0"
    call = '{call="/v1/rooms/{room}/segments",method="POST",status="202"}'
    assert figures[f"mouthpiece_http_requests_total{call}"] == "2.0"
    assert not [name for name in figures if 'status="5' in name]
    assert "secret" not in text
    assert first["id"] not in text


async def test_a_fault_of_ours_is_counted_as_one(sender: Running) -> None:
    sender.livekit.rooms_there["demo"] = None  # type: ignore[assignment]  # breaks what reads it
    assert (await sender.client.get("/v1/rooms")).status_code == 500
    text = (await sender.client.get("/metrics")).text
    assert 'mouthpiece_http_requests_total{call="/v1/rooms",method="GET",status="500"} 1.0' in text
