"""The event log over HTTP: streams that go on after reconnects and restarts, a segment's history, and tickets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from mouthpiece_sender.api.models import Event, EventPage
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.event_reader import Received, reading

QUEUE = "/v1/rooms/demo/segments"
TO_NOBODY = {"avatar": "avatar-x"}


async def accept(sender: Running, room: str = "demo") -> str:
    answer = await sender.client.post(f"/v1/rooms/{room}/segments", json={"text": "Hello."}, params=TO_NOBODY)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def cancel(sender: Running, segment: str) -> None:
    assert (await sender.client.delete(f"/v1/segments/{segment}")).json()["state"] == "cancelled"


def types(events: list[Received]) -> list[str]:
    return [event.type for event in events]


async def test_what_happens_is_streamed_as_it_happens_with_the_segment_as_it_stood(sender: Running) -> None:
    async with reading(sender.client, "/v1/events") as all_rooms, reading(sender.client, "/v1/rooms/a/events") as room:
        first, second = await accept(sender, "a"), await accept(sender, "b")
        await cancel(sender, first)
        events = await all_rooms.take(3)
        assert types(events) == ["segment.queued", "segment.queued", "segment.cancelled"]
        assert [event.data["segment"]["id"] for event in events] == [first, second, first]
        assert [event.data["segment"]["state"] for event in events] == ["queued", "queued", "cancelled"]
        assert await room.take(2) == [events[0], events[2]]
    for event in events:
        Event.model_validate(event.data)
        assert (event.id, event.type) == (event.data["id"], event.data["type"])


@pytest.mark.parametrize("seed", range(2))
async def test_over_reconnects_and_restarts_each_event_comes_once_in_order(start: Start, seed: int) -> None:
    """20 reconnects, each after a few events, over 5 restarts of the service, while segments come and go."""
    seen: list[Received] = []
    last: str | None = "0"
    expected = 0
    for restart in range(5):
        async with start() as sender:
            for turn in range(4):
                acting = asyncio.create_task(act(sender))
                expected += 6
                async with reading(sender.client, "/v1/events", last) as events:
                    for _ in range(6 if turn == 3 else (restart + turn + seed) % 6 + 1):
                        if len(seen) < expected:
                            seen += await events.take(1)
                    last = events.last
                await acting
    async with start() as sender, reading(sender.client, "/v1/events", last) as events:
        seen += await events.take(expected - len(seen))
        assert [event.id for event in seen] == [str(number) for number in range(1, expected + 1)]
        whole = await sender.dependencies.store.log(0, 1000)
        assert [event.id for event in seen] == [str(entry.event.seq) for entry in whole.entries]


async def act(sender: Running) -> None:
    segments = [await accept(sender) for _ in range(3)]
    for segment in segments:
        await cancel(sender, segment)


async def test_a_stream_ends_when_the_service_stops_and_its_last_events_are_in_it(start: Start) -> None:
    async with start() as sender, reading(sender.client, "/v1/events") as events:
        await accept(sender)
        sender.dependencies.stopping.set()
        async with asyncio.timeout(10):
            assert types(await events.take(1)) == ["segment.queued"]
            assert await events.next() is None


async def test_where_the_log_no_longer_reaches_back_a_gap_comes_first(sender: Running) -> None:
    for _ in range(3):
        await accept(sender)
    await sender.dependencies.store.remove("events", datetime.now(UTC) + timedelta(days=1), 2)
    async with reading(sender.client, "/v1/events", "1") as events:
        gap, event = await events.take(2)
        assert (gap.type, gap.id, gap.data) == ("gap", None, {"type": "gap", "after": "1", "reached": "2"})
        assert event.id == "3"
    async with reading(sender.client, "/v1/events", "2") as events:
        assert (await events.take(1))[0].id == "3"
    async with reading(sender.client, "/v1/rooms/demo/events?after=99") as events:
        assert types(await events.take(1)) == ["gap"]
        await accept(sender)
        assert (await events.take(1))[0].id == "4"


async def test_last_event_id_counts_more_than_after(sender: Running) -> None:
    for _ in range(2):
        await accept(sender)
    async with reading(sender.client, "/v1/events?after=0", "1") as events:
        assert (await events.take(1))[0].id == "2"
    for headers, query in (({"Last-Event-ID": "x"}, ""), ({}, "?after=-1"), ({}, "?after=1&before=2")):
        assert (await sender.client.get(f"/v1/events{query}", headers=headers)).status_code == 400


async def test_a_silent_stream_has_comments(sender: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mouthpiece_sender.api.events.HEARTBEAT", 0.01)
    async with sender.client.stream("GET", "/v1/events") as answer:
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(4)] == ["retry: 1000", "id: 0", "", ": still here"]


async def test_a_reader_that_takes_nothing_keeps_nobody_waiting(sender: Running) -> None:
    async with sender.client.stream("GET", "/v1/events?after=0"), reading(sender.client, "/v1/events") as events:
        for _ in range(20):
            await cancel(sender, await accept(sender))
        assert len(await events.take(40)) == 40


async def test_the_history_of_a_segment_as_json_and_as_a_stream_that_ends_with_it(sender: Running) -> None:
    segment, other = await accept(sender), await accept(sender)
    path = f"/v1/segments/{segment}/events"
    async with reading(sender.client, path) as events:
        assert types(await events.take(1)) == ["segment.queued"]
        await cancel(sender, other)
        await cancel(sender, segment)
        assert types(await events.take(1)) == ["segment.cancelled"]
        assert await events.next() is None
        done = await sender.client.get(
            path, headers={"Accept": "text/event-stream", "Last-Event-ID": events.last or ""}
        )
        assert done.status_code == 204
    history = (await sender.client.get(path)).json()
    EventPage.model_validate(history)
    assert [event["type"] for event in history["events"]] == ["segment.queued", "segment.cancelled"]
    page = (await sender.client.get(path, params={"limit": 1})).json()
    rest = (await sender.client.get(path, params={"after": page["next"]})).json()
    assert [*page["events"], *rest["events"]] == history["events"]
    assert rest["next"] is None
    assert (await sender.client.get("/v1/segments/seg_none/events")).status_code == 404


async def test_a_purged_segment_has_no_words_in_the_log(sender: Running) -> None:
    segment = await accept(sender)
    await sender.client.delete(f"/v1/segments/{segment}", params={"purge": "true"})
    history = (await sender.client.get(f"/v1/segments/{segment}/events")).json()["events"]
    assert {event["segment"]["source"]["text"] for event in history} == {None}


async def test_a_key_with_a_prefix_sees_the_events_of_its_rooms(start: Start) -> None:
    keys = [SecretStr("all"), SecretStr("some:a-")]
    async with start(api_keys=keys) as sender:
        sender.client.headers["Authorization"] = "Bearer all"
        for room in ("a-1", "b-1", "a-2"):
            await accept(sender, room)
        sender.client.headers["Authorization"] = "Bearer some"
        async with reading(sender.client, "/v1/events", "0") as events:
            assert [event.data["room"] for event in await events.take(2)] == ["a-1", "a-2"]
        assert (await sender.client.get("/v1/rooms/b-1/events")).status_code == 403
        assert (await sender.client.post("/v1/rooms/b-1/tickets")).status_code == 403


async def test_a_ticket_opens_the_events_of_its_room_and_nothing_else(start: Start) -> None:
    async with start(api_keys=[SecretStr("key")]) as sender:
        made = await sender.client.post("/v1/rooms/demo/tickets", headers={"Authorization": "Bearer key"})
        assert made.status_code == 201
        ticket = made.json()["ticket"]
        await sender.dependencies.store.check()
        async with reading(sender.client, f"/v1/rooms/demo/events?after=0&ticket={ticket}") as events:
            sender.client.headers["Authorization"] = "Bearer key"
            await accept(sender, "demo2")
            await accept(sender)
            del sender.client.headers["Authorization"]
            assert [event.data["room"] for event in await events.take(1)] == ["demo"]
        for method, path in (
            ("GET", "/v1/rooms/demo2/events"),
            ("GET", "/v1/events"),
            ("GET", "/v1/rooms/demo"),
            ("GET", QUEUE),
            ("POST", "/v1/rooms/demo/tickets"),
            ("POST", QUEUE),
        ):
            refused = await sender.client.request(method, path, params={"ticket": ticket})
            assert (refused.status_code, refused.json()["type"]) == (401, "wrong-ticket"), path
        for wrong in ("", "x", "x.y", f"{ticket}x", ticket.partition(".")[0], "é.é"):
            refused = await sender.client.get("/v1/rooms/demo/events", params={"ticket": wrong})
            assert refused.json()["type"] == "wrong-ticket", wrong
        body = {"expires_in": 601}
        refused = await sender.client.post("/v1/rooms/demo/tickets", json=body, headers={"Authorization": "Bearer key"})
        assert refused.status_code == 400
