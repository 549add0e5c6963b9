"""Webhooks and callbacks: receivers that are down, slow, failing, gone or elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from mouthpiece.client import AsyncClient
from mouthpiece_sender.api.models import DeliveryPage, Event, WebhookList
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.webhook_receiver import WebhookReceiver, receiving
from tests.unit.net_guard.test_tricks import BY_TEXT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TO_NOBODY = {"avatar": "avatar-x"}
DONE = ["segment.queued", "segment.cancelled"]
FAST = 0.001
"""Delays between tries: 5 ms, 300 ms, 1.8 s, …"""


async def say(sender: Running, room: str = "demo", **query: str) -> str:
    answer = await sender.client.post(f"/v1/rooms/{room}/segments", json={"text": "Hello."}, params=TO_NOBODY | query)
    assert answer.status_code == 202, answer.text
    segment = str(answer.json()["id"])
    assert (await sender.client.delete(f"/v1/segments/{segment}")).json()["state"] == "cancelled"
    return segment


def hook(receiver: WebhookReceiver, **more: Any) -> dict[str, Any]:
    return {"url": receiver.url, "secret": SECRET} | more


async def deliveries(sender: Running, state: str = "failed") -> list[dict[str, Any]]:
    answer = (await sender.client.get("/v1/webhooks/deliveries", params={"state": state})).json()
    DeliveryPage.model_validate(answer)
    return list(answer["deliveries"])


async def until(sender: Running, state: str, reached: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """What the service lists, once it has changed so: there is nothing to wait on but another look."""
    async with asyncio.timeout(20):
        while not reached(found := await deliveries(sender, state)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


async def until_failed(sender: Running, count: int) -> list[dict[str, Any]]:
    return await until(sender, "failed", lambda found: len(found) >= count)


async def test_what_arrives_is_verified_by_the_standards_own_package_and_comes_in_order(start: Start) -> None:
    async with receiving() as receiver, start(webhooks=[hook(receiver)]) as sender:
        segments = [await say(sender) for _ in range(5)]
        await receiver.until(lambda: len(receiver.taken) == 10)
        assert [receiver.of(segment) for segment in segments] == [DONE] * 5
        for headers, body in receiver.taken:
            Event.model_validate(Verifier(SECRET).verify(body, dict(headers)))
            with pytest.raises(Exception, match="signature"):
                Verifier(OTHER).verify(body, dict(headers))
        ids = [headers["webhook-id"] for headers, _ in receiver.taken]
        assert sorted(ids) == sorted(f"evt_{event['id']}" for event in receiver.events)
        listed = (await sender.client.get("/v1/webhooks")).json()
        WebhookList.model_validate(listed)
        assert [(one["url"], one["failed"]) for one in listed["webhooks"]] == [(receiver.url, 0)]
        assert "secret" not in str(listed)


async def test_a_webhook_is_sent_the_types_and_rooms_that_it_asks_for(start: Start) -> None:
    async with (
        receiving() as ends,
        receiving() as shop,
        start(webhooks=[hook(ends, events=["segment.cancelled"]), hook(shop, rooms=["shop-"])]) as sender,
    ):
        await say(sender, "demo")
        await say(sender, "shop-1")
        await ends.until(lambda: len(ends.taken) == 2)
        await shop.until(lambda: len(shop.taken) == 2)
        assert sorted((event["type"], event["room"]) for event in ends.events) == [  # of two segments in any order
            ("segment.cancelled", "demo"),
            ("segment.cancelled", "shop-1"),
        ]
        assert {event["room"] for event in shop.events} == {"shop-1"}


async def test_a_receiver_that_is_down_gets_all_in_order_once_it_is_up_over_a_restart(start: Start) -> None:
    async with receiving() as gone:
        port = gone.port
    webhooks = [{"url": f"http://127.0.0.1:{port}/hook", "secret": SECRET}]
    async with start(webhooks=webhooks, webhook_backoff=FAST) as sender:
        segments = [await say(sender) for _ in range(3)]
        await until(sender, "pending", lambda found: len(found) == 6 and all(one["tries"] for one in found[1::2]))
    async with (
        receiving(port) as receiver,
        start(webhooks=webhooks, webhook_backoff=FAST) as sender,
    ):
        await receiver.until(lambda: len(receiver.taken) >= 6)
        assert [receiver.of(segment) for segment in segments] == [DONE] * 3
        assert await deliveries(sender) == []


async def test_a_receiver_that_fails_is_tried_again_and_a_slow_one_delays_neither_it_nor_speech(start: Start) -> None:
    async with (
        receiving(held=True) as slow,
        receiving() as failing,
        start(webhooks=[hook(slow), hook(failing)], webhook_backoff=FAST) as sender,
    ):
        failing.answer = lambda number: web.Response(status=500 if number < 4 else 200)
        segments = [await say(sender) for _ in range(6)]
        await failing.until(lambda: len(failing.taken) == 12)
        assert [failing.of(segment) for segment in segments] == [DONE] * 6
        assert slow.taken == []
        assert slow.asked == 4  # at a time, whatever waits
        slow.hold.set()
        await slow.until(lambda: len(slow.taken) == 12)
        assert [slow.of(segment) for segment in segments] == [DONE] * 6


async def test_a_receiver_that_takes_too_long_is_sent_it_again(start: Start) -> None:
    async with (
        receiving(held=True) as slow,
        start(webhooks=[hook(slow)], webhook_backoff=FAST, webhook_timeout=0.05) as sender,
    ):
        segment = await say(sender)
        await slow.until(lambda: slow.asked == 2)
        slow.hold.set()
        await slow.until(lambda: set(DONE) <= set(slow.of(segment)))


async def test_what_is_gone_is_given_up_at_once_and_can_be_sent_again(start: Start) -> None:
    async with receiving() as receiver, start(webhooks=[hook(receiver)]) as sender:
        receiver.answer = lambda _: web.Response(status=410)
        segment = await say(sender)
        failed = await until_failed(sender, 2)
        assert [(one["segment"], one["state"], one["tries"], one["detail"]) for one in failed] == [
            (segment, "failed", 1, "It answered 410.")
        ] * 2
        assert receiver.asked == 2
        receiver.answer = lambda _: web.Response(status=200)
        async with AsyncClient(sender.url, trust_env=False) as client:
            assert (await client.deliveries(limit=5))["deliveries"] == failed
            for one in reversed(failed):
                assert (await client.retry_delivery(one["id"]))["state"] == "pending"
                await receiver.until(lambda one=one: one["type"] in receiver.of(segment))  # type: ignore[misc]
        assert receiver.of(segment) == DONE
        await until(sender, "pending", lambda found: not found)
        assert await deliveries(sender) == []
        again = await sender.client.post(f"/v1/webhooks/deliveries/{failed[0]['id']}/retry")
        assert (again.status_code, again.json()["type"]) == (404, "delivery-not-found")


async def test_after_its_last_try_it_is_a_dead_letter_and_the_next_event_is_sent(start: Start) -> None:
    async with receiving() as receiver, start(webhooks=[hook(receiver)], webhook_backoff=0) as sender:
        receiver.answer = lambda number: web.Response(status=500 if number < 8 else 200)
        segment = await say(sender)
        await receiver.until(lambda: receiver.of(segment) == DONE[1:])
        (dead,) = await until_failed(sender, 1)
        assert (dead["type"], dead["tries"], dead["detail"]) == ("segment.queued", 8, "It answered 500.")


async def test_a_redirect_is_followed_with_its_body_and_only_where_the_guard_lets_it(start: Start) -> None:
    async with receiving() as receiver, start(webhooks=[hook(receiver)], webhook_backoff=0) as sender:
        receiver.answer = lambda number: (
            web.Response(status=307, headers={"Location": "/elsewhere"}) if number % 2 == 0 else web.Response()
        )
        segment = await say(sender)
        await receiver.until(lambda: receiver.of(segment) == DONE)
        Verifier(SECRET).verify(receiver.taken[0][1], dict(receiver.taken[0][0]))
        for location in ("http://169.254.169.254/latest", "http://[::1]:1/", "file:///etc/passwd"):
            receiver.answer = lambda _, to=location: web.Response(status=308, headers={"Location": to})  # type: ignore[misc]
            known = len(await deliveries(sender))
            await say(sender)
            for one in (await until_failed(sender, known + 2))[:2]:
                assert "URL" in one["detail"] or "reached" in one["detail"]
        receiver.answer = lambda _: web.Response(status=303, headers={"Location": "/elsewhere"})
        known = len(await deliveries(sender))
        await say(sender)
        assert (await until_failed(sender, known + 2))[0]["detail"] == "It answered 303."


async def test_a_callback_gets_its_segments_events_and_leads_to_a_public_address_alone(start: Start) -> None:
    async with receiving() as receiver:
        for url in (receiver.url, "http://localhost:1/", "file:///etc/passwd", "http://169.254.169.254/"):
            async with start() as sender:
                answer = await sender.client.post(
                    "/v1/rooms/demo/segments", json={"text": "Hello."}, params={"callback": url}
                )
                assert (answer.status_code, answer.json()["type"]) == (400, "url-refused")
        own = f"127.0.0.1:{receiver.port}"
        async with start(allowed_hosts=[own], callback_secret=SECRET) as sender:
            segment = await say(sender, callback=receiver.url)
            await say(sender)
            await receiver.until(lambda: len(receiver.taken) == 2)
            assert receiver.of(segment) == DONE
            for headers, body in receiver.taken:
                Verifier(SECRET).verify(body, dict(headers))


async def test_a_callback_by_any_of_the_tricks_is_refused_before_anything_is_accepted(sender: Running) -> None:
    for trick in (trick for trick in BY_TEXT if trick):
        answer = await sender.client.post("/v1/rooms/demo/segments", json={"text": "No."}, params={"callback": trick})
        assert (answer.status_code, answer.json()["type"]) in ((400, "url-refused"), (400, "bad-parameter")), trick
    assert (await sender.client.get("/v1/rooms/demo/segments")).json()["segments"] == []


async def test_a_callback_whose_name_leads_inside_is_given_up_without_a_connection(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with receiving() as receiver, start(webhook_backoff=0) as sender:
        transport = sender.dependencies.dispatch._send.__self__._callbacks._transport  # type: ignore[attr-defined]
        monkeypatch.setattr(transport, "_resolve", resolve)
        await say(sender, callback=f"http://evil.example:{receiver.port}/hook")
        failed = await until_failed(sender, 2)
        assert {one["webhook"] for one in failed} == {None}
        assert all("MOUTHPIECE_ALLOWED_HOSTS" in one["detail"] and one["tries"] == 1 for one in failed)
        assert receiver.asked == 0


async def test_what_is_purged_is_purged_from_what_is_still_to_be_delivered(start: Start) -> None:
    async with receiving() as gone:
        port = gone.port
    webhooks = [{"url": f"http://127.0.0.1:{port}/hook", "secret": SECRET}]
    async with start(webhooks=webhooks) as sender:
        segment = await say(sender)
        await sender.client.delete(f"/v1/segments/{segment}", params={"purge": "true"})
        async with receiving(port) as receiver:
            for one in (await deliveries(sender, "pending"))[::-1]:
                await sender.client.post(f"/v1/webhooks/deliveries/{one['id']}/retry")
            await receiver.until(lambda: len(receiver.taken) >= 2)
            assert not any(b"Hello." in body for _, body in receiver.taken)
