"""How much may wait, and whose: decided on values."""

from __future__ import annotations

import pytest

from mouthpiece.errors import AvatarAmbiguous, KeyLimitReached, MouthpieceError, QueueFull, RoomsFull
from mouthpiece.segments import Mode, Source, new_segment_id
from mouthpiece_sender.places import Places, Quotas
from mouthpiece_sender.target import SpeakRequest
from tests.sounds import Tone


def request(room: str = "demo", holder: str = "a", seconds: float = 1.0, mode: Mode = Mode.APPEND) -> SpeakRequest:
    source = Source("file", "tone")
    return SpeakRequest(room, Tone(seconds), source, new_segment_id(), holder=holder, mode=mode)


def take(places: Places, wanted: SpeakRequest, rooms: int | None = None) -> str:
    with places.taken(wanted, rooms):
        pass
    return wanted.segment_id


@pytest.mark.parametrize(
    ("quotas", "second", "error"),
    [
        (Quotas(room_segments=1), request(), QueueFull),
        (Quotas(key_segments=1), request("another"), KeyLimitReached),
        (Quotas(key_rooms=1), request("another"), KeyLimitReached),
        (Quotas(key_seconds=2.5), request("another", seconds=2.0), KeyLimitReached),
    ],
)
def test_what_is_beyond_a_quota_waits_until_a_place_is_left(
    quotas: Quotas, second: SpeakRequest, error: type[MouthpieceError]
) -> None:
    places = Places(quotas)
    first = take(places, request())
    with pytest.raises(error):
        take(places, second)
    places.leave(first)
    take(places, second)


@pytest.mark.parametrize(
    "quotas", [Quotas(key_segments=1), Quotas(key_rooms=1), Quotas(key_seconds=1.0)], ids=["segments", "rooms", "s"]
)
def test_a_key_that_has_its_share_holds_up_no_other(quotas: Quotas) -> None:
    places = Places(quotas)
    take(places, request(holder="a"))
    take(places, request("another", holder="b"))


def test_one_sound_that_is_longer_than_the_share_is_said_alone() -> None:
    places = Places(Quotas(key_seconds=1.0))
    take(places, request(seconds=5.0))
    with pytest.raises(KeyLimitReached):
        take(places, request(seconds=0.5))


def test_a_burst_that_would_be_ignored_passes_every_queue_and_share() -> None:
    places = Places(Quotas(room_segments=1, key_segments=1, key_seconds=1.0))
    take(places, request())
    for _ in range(50):
        take(places, request(mode=Mode.IGNORE))


def test_one_room_more_than_there_may_be_is_refused_and_the_known_ones_go_on() -> None:
    places = Places(Quotas(rooms=2))
    take(places, request("new"), rooms=1)
    with pytest.raises(RoomsFull):
        take(places, request("new"), rooms=2)
    take(places, request("known"), rooms=None)


def test_a_request_that_fails_gives_its_place_back() -> None:
    places, wanted = Places(Quotas(room_segments=1)), request()

    def fail() -> None:
        with places.taken(wanted, None):
            assert (places.in_room("demo"), places.arriving["demo"]) == (1, 1)
            raise AvatarAmbiguous("Several avatars are in the room.")

    with pytest.raises(AvatarAmbiguous):
        fail()
    assert (places.in_room("demo"), bool(places.arriving)) == (0, False)
    take(places, wanted)


def test_what_an_earlier_process_left_takes_a_place_in_its_room_and_none_of_a_key() -> None:
    places = Places(Quotas(room_segments=1, key_segments=1))
    places.restore("seg_old", "demo")
    with pytest.raises(QueueFull):
        take(places, request())
    take(places, request("another"))
