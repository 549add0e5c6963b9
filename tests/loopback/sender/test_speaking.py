"""Segments of sound over HTTP: accepted, listed, cancelled, interrupted."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from mouthpiece_sender.api.models import Segment, SegmentPage
from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, Start

ASSETS = Path(__file__).parents[3] / "assets"
QUEUE = "/v1/rooms/demo/segments"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


async def test_a_sound_is_accepted_with_where_to_look(sender: Running) -> None:
    answer = await sender.client.post(QUEUE, content=sound_file(0.5), headers={"Content-Type": "audio/wav"})
    segment = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/segments/{segment['id']}"
    assert Segment.model_validate(segment)
    assert list(segment) == list(Segment.model_fields)
    assert re.fullmatch(r"seg_[0-9a-f]{22}", segment["id"])
    assert re.fullmatch(TIME, segment["created_at"])
    assert segment["state"] == "queued"
    assert segment["room"] == "demo"
    assert segment["audio"] == {"sample_rate": 16000, "num_channels": 1, "duration": 0.5}
    assert segment["source"] == {"kind": "file", "name": None, "text": None, "voice": None}
    looked = await sender.client.get(answer.headers["Location"])
    assert (looked.status_code, looked.json()) == (200, segment)
    assert sender.stored() == [segment["id"]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hello_world_16kHz.wav", "audio/wav"),
        ("greeting_44kHz_stereo.wav", "audio/x-wav"),
        ("greeting_24kHz.mp3", "audio/mpeg"),
        ("greeting_48kHz.ogg", "application/ogg"),
        ("greeting_48kHz.ogg", "audio/ogg; codecs=vorbis"),
        ("greeting_24kHz.mp3", "application/octet-stream"),
        ("greeting_24kHz.mp3", "application/x-www-form-urlencoded"),
        ("greeting_24kHz.mp3", None),
    ],
)
async def test_files_are_known_by_what_is_in_them(sender: Running, name: str, kind: str | None) -> None:
    sound = await asyncio.to_thread((ASSETS / name).read_bytes)
    answer = await sender.client.post(QUEUE, content=sound, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 202, answer.text
    assert answer.json()["audio"]["duration"] > 1


@pytest.mark.parametrize(("kind", "order"), [("audio/L16", ">"), ("audio/pcm", "<"), ("Audio/PCM", "<")])
async def test_raw_samples_are_read_in_the_order_of_their_type(sender: Running, kind: str, order: str) -> None:
    sound = samples(0.25, rate=8000, channels=2, order=order)
    answer = await sender.client.post(QUEUE, content=sound, headers={"Content-Type": f"{kind}; rate=8000; channels=2"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["audio"] == {"sample_rate": 8000, "num_channels": 2, "duration": 0.25}


@pytest.mark.parametrize("kind", ["audio/L16;codec=pcm;rate=24000", "audio/L16;rate=24000;endianness=little-endian"])
async def test_l16_is_little_endian_where_its_parameters_say_so(sender: Running, kind: str) -> None:
    segment = (await sender.client.post(QUEUE, content=samples(0.25), headers={"Content-Type": kind})).json()
    stored = await sender.dependencies.store.get(segment["id"])
    assert stored.source.encoding == "s16le"


@pytest.mark.parametrize(
    "parameter", ["codec=mulaw", "encoding=float32", "bits=24", "endianness=middle", "signed=false", "sample-format=u8"]
)
async def test_samples_of_another_kind_are_refused_by_name(sender: Running, parameter: str) -> None:
    kind = f"audio/pcm;rate=16000;{parameter}"
    answer = await sender.client.post(QUEUE, content=samples(0.25), headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert f"“{parameter.partition('=')[0]}”" in answer.json()["detail"]


@pytest.mark.parametrize(
    "kind",
    [
        "audio/pcm;rate=16000;rate=8000",
        "audio/pcm;rate=16000;channels=1;Channels=2",
        "audio/L16;rate=16000;endianness=big;endianness=little",
    ],
)
async def test_parameters_that_contradict_each_other_are_refused(sender: Running, kind: str) -> None:
    answer = await sender.client.post(QUEUE, content=samples(0.25), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["field"]) == (400, "Content-Type"), answer.text
    assert sender.stored() == []


async def test_a_parameter_may_be_said_twice(sender: Running) -> None:
    kind = "audio/pcm;rate=16000;rate=16000"
    answer = await sender.client.post(QUEUE, content=samples(0.25), headers={"Content-Type": kind})
    assert answer.json()["audio"]["sample_rate"] == 16_000


@pytest.mark.parametrize("kind", ["binary/octet-stream", "application/octet-stream", "application/x-binary"])
async def test_a_type_that_says_nothing_says_nothing_in_a_form_either(sender: Running, kind: str) -> None:
    answer = await sender.client.post(QUEUE, files={"file": ("a.wav", sound_file(), kind)})
    assert answer.status_code == 202, answer.text


async def test_a_form_has_a_bounded_number_of_parts(sender: Running) -> None:
    files = [(f"f{number}", ("a", b"x")) for number in range(40)]
    answer = await sender.client.post(QUEUE, files=files)
    assert (answer.status_code, "32 parts" in answer.json()["detail"]) == (400, True)


async def test_a_form_carries_a_file_with_its_name(sender: Running) -> None:
    files = {"file": ("hello there.wav", sound_file(), "audio/wav")}
    answer = await sender.client.post(QUEUE, files=files, data={"note": "beside it"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["source"]["name"] == "hello there.wav"


async def test_a_body_is_named_by_its_disposition(sender: Running) -> None:
    headers = {"Content-Disposition": 'attachment; filename="/tmp/hello.wav"'}
    answer = await sender.client.post(QUEUE, content=sound_file(), headers=headers)
    assert answer.json()["source"]["name"] == "hello.wav"


async def test_a_wait_that_times_out_is_still_accepted(sender: Running) -> None:
    segment = await sender.speak("demo", sound_file(), wait="finished", timeout=0.05)
    assert segment["state"] == "queued"


async def test_a_wait_ends_with_the_segment(sender: Running) -> None:
    answer = await sender.client.post(
        QUEUE, content=sound_file(), params={"wait": "finished", "expires_in": 0.2, "timeout": 10}
    )
    segment = answer.json()
    assert answer.status_code == 200
    assert segment["state"] == "expired"
    assert segment["created_at"] < segment["expires_at"] <= segment["finished_at"]
    assert answer.headers["Location"] == f"/v1/segments/{segment['id']}"


async def test_looking_can_wait_too(sender: Running) -> None:
    segment = await sender.speak("demo", sound_file())
    place = f"/v1/segments/{segment['id']}"
    looking = asyncio.create_task(sender.client.get(place, params={"wait": "finished", "timeout": 10}))
    early = await sender.client.get(place, params={"wait": "playing", "timeout": 0.05})
    assert early.json()["state"] == "queued"
    await sender.client.delete(place)
    assert (await looking).json()["state"] == "cancelled"


async def test_a_client_that_goes_away_changes_nothing(sender: Running) -> None:
    gone = asyncio.create_task(sender.client.post(QUEUE, content=sound_file(), params={"wait": "finished"}))
    while not (listed := (await sender.client.get(QUEUE)).json()["segments"]):
        pass
    gone.cancel()
    await asyncio.wait([gone])
    assert (await sender.client.get(f"/v1/segments/{listed[0]['id']}")).json()["state"] == "queued"


async def test_segments_are_listed_newest_first_page_by_page(sender: Running) -> None:
    made = [(await sender.speak("demo", sound_file()))["id"] for _ in range(5)]
    await sender.speak("other", sound_file())
    first = (await sender.client.get(QUEUE, params={"limit": 3})).json()
    SegmentPage.model_validate(first)
    assert [segment["id"] for segment in first["segments"]] == made[:1:-1]
    second = (await sender.client.get(QUEUE, params={"limit": 3, "after": first["next"]})).json()
    assert [segment["id"] for segment in second["segments"]] == made[1::-1]
    assert second["next"] is None
    assert (await sender.client.get("/v1/rooms/empty/segments")).json() == {"segments": [], "next": None}


@pytest.mark.parametrize(
    "query", ["state=cancelled&state=queued", "state=cancelled,queued", "state=cancelled&state=queued,failed"]
)
async def test_a_list_can_be_narrowed_to_states(sender: Running, query: str) -> None:
    one, two = [await sender.speak("demo", sound_file()) for _ in range(2)]
    await sender.client.delete(f"/v1/segments/{one['id']}")
    listed = (await sender.client.get(f"{QUEUE}?{query}")).json()["segments"]
    assert [(segment["id"], segment["state"]) for segment in listed] == [
        (two["id"], "queued"),
        (one["id"], "cancelled"),
    ]
    listed = (await sender.client.get(f"{QUEUE}?state=cancelled")).json()["segments"]
    assert [segment["id"] for segment in listed] == [one["id"]]


async def test_deleting_cancels_once_and_leaves_no_sound(sender: Running) -> None:
    segment = await sender.speak("demo", sound_file())
    place = f"/v1/segments/{segment['id']}"
    first = await sender.client.delete(place)
    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    again = await sender.client.delete(place)
    assert (again.status_code, again.json()) == (200, first.json())
    purged = await sender.client.delete(place, params={"purge": "true"})
    assert (purged.status_code, purged.json()["state"]) == (200, "cancelled")
    assert sender.stored() == []


@pytest.mark.parametrize(
    ("body", "states"),
    [(None, ["queued", "queued"]), ({"queued": "keep"}, ["queued", "queued"]), ({"queued": "drop"}, ["cancelled"] * 2)],
)
async def test_an_interrupt_keeps_or_drops_what_waits(
    sender: Running, body: dict[str, Any] | None, states: list[str]
) -> None:
    made = [(await sender.speak("demo", sound_file()))["id"] for _ in range(2)]
    answer = await sender.client.post("/v1/rooms/demo/interrupt", json=body)
    assert answer.status_code == 200
    if states[0] == "cancelled":
        assert [segment["id"] for segment in answer.json()["segments"]] == made
    else:
        assert answer.json() == {"segments": []}
    assert [(await sender.client.get(f"/v1/segments/{id}")).json()["state"] for id in made] == states


async def test_an_interrupt_of_a_room_where_nothing_is_said_is_no_error(sender: Running) -> None:
    answer = await sender.client.post("/v1/rooms/quiet/interrupt", params={"avatar": "avatar-x"})
    assert (answer.status_code, answer.json()) == (200, {"segments": []})


async def test_stopping_answers_who_waits(start: Start) -> None:
    async with start() as sender:
        waiting = asyncio.create_task(sender.client.post(QUEUE, content=sound_file(), params={"wait": "finished"}))
        while not (await sender.client.get(QUEUE)).json()["segments"]:
            pass
        sender.dependencies.stopping.set()
        answer = await waiting
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")


async def test_a_room_without_an_avatar_fails_with_its_reason(start: Start) -> None:
    async with start(avatar_timeout=0.3) as sender:
        answer = await sender.client.post(QUEUE, content=sound_file(), params={"wait": "finished", "timeout": 10})
        segment = answer.json()
        while sender.stored():
            await sender.client.get("/healthz")
    assert answer.status_code == 200
    assert segment["state"] == "failed"
    assert segment["error"] == {
        "type": "avatar-timeout",
        "detail": "There is no such room on the LiveKit server.",
        "retryable": True,
    }


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b'\xef\xbb\xbf{"text": "Hello there."}', "application/json", "Hello there."),
        (b'\xef\xbb\xbf{"text": "Hello there."}', None, "Hello there."),
        (
            '{"text": "The café is open."}'.encode("latin-1"),
            "application/json; charset=iso-8859-1",
            "The café is open.",
        ),
        ('{"text": "The café is open."}'.encode("utf-16"), "application/json; charset=utf-16", "The café is open."),
        (b'{"text": "Hello.\nSecond line."}', "application/json", "Hello.\nSecond line."),
        (b'{"text": "Tab\there."}', "application/json", "Tab\there."),
    ],
)
async def test_json_is_read_as_clients_write_it(sender: Running, body: bytes, kind: str | None, text: str) -> None:
    answer = await sender.client.post(QUEUE, content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 202, answer.text
    assert answer.json()["source"]["text"] == text


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ('{"text": "café"}'.encode("latin-1"), "application/json", 400, "charset=iso-8859-1"),
        (b'{"text": "a"}', "application/json; charset=klingon", 415, "charset is not known"),
        (b'{"text": "a"}', "application/json; charset=hex", 415, "charset is not known"),
        (b"\x1f\x8b\x08\0abc", "application/json", 415, "compressed"),
        (b"[" * 5_000, "application/json", 400, "not JSON"),
        (b"[" * 100_000, "application/json", 400, "10,000 values"),
        (b'{"text": "a"' + b"".join(b', "k%d": 1' % n for n in range(60)) + b"}", "application/json", 400, "50 keys"),
    ],
)
async def test_json_that_cannot_be_read_is_refused_with_what_to_do(
    sender: Running, body: bytes, kind: str, status: int, words: str
) -> None:
    answer = await sender.client.post(QUEUE, content=body, headers={"Content-Type": kind})
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


@pytest.mark.parametrize("room", ["会" * 86, "合同审查会议室" * 20, "é" * 129])
async def test_a_room_name_of_too_many_bytes_is_refused_at_once(sender: Running, room: str) -> None:
    answer = await sender.client.post("/v1/rooms", json={"room": room})
    assert (answer.status_code, "256 bytes" in answer.json()["detail"] or "256" in answer.json()["detail"]) == (
        400,
        True,
    )


@pytest.mark.parametrize("room", ["می\u200cخواهم", "会" * 85, "x" * 256, "👨\u200d👩\u200d👧"])
async def test_a_room_name_may_be_in_any_script(sender: Running, room: str) -> None:
    answer = await sender.client.post("/v1/rooms", json={"room": room})
    assert (answer.status_code, answer.json()["room"]) == (201, room)
