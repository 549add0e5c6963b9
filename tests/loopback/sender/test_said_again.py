"""``{"segment": id}``, tags, metadata, and what a purge leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, Start

QUEUE = "/v1/rooms/demo/segments"


async def again(sender: Running, id: str, room: str = "demo", **more: Any) -> Any:
    return await sender.client.post(f"/v1/rooms/{room}/segments", json={"segment": id} | more)


async def test_a_text_is_said_again_from_its_words(sender: Running) -> None:
    first = (await sender.client.post(QUEUE, json={"text": "Hello."})).json()
    await sender.client.delete(f"/v1/segments/{first['id']}")
    answer = await again(sender, first["id"], "another", metadata={"why": "missed"})
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert said["id"] != first["id"]
    assert (said["room"], said["source"], said["metadata"]) == ("another", first["source"], {"why": "missed"})


@pytest.mark.parametrize("kind", ["file", "samples"])
async def test_a_sound_is_said_again_while_its_segment_waits_and_while_it_is_kept(start: Start, kind: str) -> None:
    async with start(keep_sounds=60) as sender:
        content = sound_file() if kind == "file" else samples(order=">")
        headers = {} if kind == "file" else {"Content-Type": "audio/L16;rate=16000"}
        first = (await sender.client.post(QUEUE, content=content, headers=headers)).json()
        second = (await again(sender, first["id"])).json()
        await sender.client.delete(f"/v1/segments/{first['id']}")
        third = (await again(sender, first["id"])).json()
        assert second["audio"] == third["audio"] == first["audio"]
        assert second["source"] == third["source"] == first["source"]
        assert sender.stored() == sorted(segment["id"] for segment in (first, second, third))
        assert (sender.data / "sounds" / third["id"]).read_bytes() == content


async def test_a_sound_that_is_not_kept_cannot_be_said_again(sender: Running) -> None:
    first = await sender.speak("demo", sound_file())
    await sender.client.delete(f"/v1/segments/{first['id']}")
    await sender.client.get(QUEUE)  # what has happened is written before it is listed
    refused = await again(sender, first["id"])
    assert (refused.status_code, refused.json()["type"], refused.json()["field"]) == (409, "sound-not-kept", "segment")
    assert "MOUTHPIECE_KEEP_SOUNDS" in refused.json()["detail"]
    assert sender.stored() == []


@pytest.mark.parametrize("body", [{"segment": "seg_none"}, {"segment": "../../instance"}])
async def test_a_segment_that_never_was_is_not_found(sender: Running, body: dict[str, str]) -> None:
    refused = await sender.client.post(QUEUE, json=body)
    assert (refused.status_code, refused.json()["type"], refused.json()["field"]) == (
        404,
        "segment-not-found",
        "segment",
    )


@pytest.mark.parametrize("body", [{"segment": ""}, {"segment": 1}, {"segment": "seg_1", "text": "Hello."}])
async def test_a_body_that_asks_for_two_things_or_none_is_refused(sender: Running, body: dict[str, Any]) -> None:
    assert (await sender.client.post(QUEUE, json=body)).status_code == 400


async def test_another_room_than_the_keys_own_cannot_be_heard_through_it(start: Start) -> None:
    async with start(api_keys=["all", "part:shop-"]) as sender:
        first = await sender.client.post(QUEUE, json={"text": "A secret."}, headers={"Authorization": "Bearer all"})
        refused = await sender.client.post(
            "/v1/rooms/shop-1/segments",
            json={"segment": first.json()["id"]},
            headers={"Authorization": "Bearer part"},
        )
        assert (refused.status_code, refused.json()["type"]) == (403, "not-this-room")


async def test_a_tag_is_kept_shown_and_listed_by(sender: Running) -> None:
    for tag in ("order 12", "order 13", "order 12"):
        assert (await sender.speak("demo", sound_file(), tag=tag))["tag"] == tag
    await sender.speak("demo", sound_file())
    listed = (await sender.client.get(QUEUE, params={"tag": "order 12"})).json()["segments"]
    assert [segment["tag"] for segment in listed] == ["order 12"] * 2
    page = (await sender.client.get(QUEUE, params={"tag": "order 12", "limit": 1})).json()
    page = (await sender.client.get(QUEUE, params={"tag": "order 12", "limit": 1, "after": page["next"]})).json()
    assert [segment["id"] for segment in page["segments"]] == [listed[1]["id"]]
    assert (await sender.speak("demo", sound_file(), tag="ä" * 200))["tag"] == "ä" * 200


@pytest.mark.parametrize("tag", ["", "x" * 201])
async def test_a_tag_that_is_too_long_or_empty_is_refused_by_name(sender: Running, tag: str) -> None:
    for answer in (
        await sender.client.post(QUEUE, content=sound_file(), params={"tag": tag}),
        await sender.client.get(QUEUE, params={"tag": tag}),
    ):
        assert (answer.status_code, answer.json()["field"]) == (400, "tag")


META = {"order": 12, "who": {"name": "Zoë"}, "list": [1.5, None, True]}


async def test_metadata_is_kept_and_shown_as_it_came(sender: Running) -> None:
    text = await sender.client.post(QUEUE, json={"text": "Hello.", "metadata": META})
    form = await sender.client.post(QUEUE, files={"file": sound_file()}, data={"metadata": json.dumps(META)})
    for answer in (text, form):
        assert answer.status_code == 202, answer.text
        assert answer.json()["metadata"] == META
        assert (await sender.client.get(answer.headers["Location"])).json()["metadata"] == META
    assert (await sender.speak("demo", sound_file()))["metadata"] is None


@pytest.mark.parametrize("metadata", ["[]", '"text"', "{", '{"a": NaN}', json.dumps({"a": "x" * 2048}), "x" * 20_000])
async def test_metadata_that_is_too_large_or_no_object_is_refused_by_name(sender: Running, metadata: str) -> None:
    refused = await sender.client.post(QUEUE, files={"file": sound_file()}, data={"metadata": metadata})
    assert (refused.status_code, refused.json()["field"]) == (400, "metadata"), refused.text
    assert sender.stored() == []


async def test_a_purge_leaves_no_name_text_or_metadata_on_the_disk(start: Start) -> None:
    async with start(keep_sounds=60) as sender:
        text = await sender.client.post(QUEUE, json={"text": "The eagle lands.", "metadata": {"who": "Ann Onymous"}})
        named = await sender.client.post(
            QUEUE, params={"tag": "order-12"}, files={"file": ("secret-name.wav", sound_file())}
        )
        for answer in (text, named):
            purged = (await sender.client.delete(answer.headers["Location"], params={"purge": True})).json()
            assert purged["state"] == "cancelled"
            assert (purged["source"]["name"], purged["source"]["text"], purged["metadata"]) == (None, None, None)
            assert (await again(sender, purged["id"])).json()["type"] == "sound-not-kept"
        assert purged["tag"] == "order-12"
        assert sender.stored() == []
        for file in sender.data.glob("mouthpiece.db*"):
            for word in (b"eagle", b"Onymous", b"secret-name"):
                assert word not in file.read_bytes(), file


async def test_a_compressed_body_is_refused_by_name(sender: Running) -> None:
    refused = await sender.client.post(QUEUE, content=sound_file(), headers={"Content-Encoding": "gzip"})
    assert (refused.status_code, refused.json()["field"]) == (415, "Content-Encoding")
