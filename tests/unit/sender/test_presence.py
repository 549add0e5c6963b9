from __future__ import annotations

import itertools

import pytest

from mouthpiece.profiles import MOUTHPIECE, STOCK
from mouthpiece_sender.livekit.presence import (
    BACKOFF,
    LONGEST_INTERVAL,
    LOOK_INTERVAL,
    STREAM_IDLE,
    Act,
    Membership,
    Presence,
)


def test_it_does_nothing_while_there_is_nothing_to_say() -> None:
    presence = Presence(warm=10)
    assert presence.decide(False, 0.0) is Act.NOTHING
    assert presence.next_wakeup(False, 0.0) is None


def test_it_looks_before_it_joins_and_joins_once_the_avatar_is_there() -> None:
    presence = Presence(warm=10)
    assert presence.decide(True, 0.0) is Act.LOOK
    assert presence.decide(True, 0.0) is Act.NOTHING
    presence.looked([], 0.1)
    assert presence.decide(True, 0.2) is Act.NOTHING
    assert presence.next_wakeup(True, 0.2) == 0.1 + LOOK_INTERVAL
    assert presence.decide(True, 0.1 + LOOK_INTERVAL) is Act.LOOK
    presence.looked([MOUTHPIECE], 0.7)
    assert presence.decide(True, 0.7) is Act.JOIN


def there(warm: float = 10) -> Presence:
    presence = Presence(warm=warm)
    presence.decide(True, 0.0)
    presence.looked([MOUTHPIECE], 0.0)
    presence.decide(True, 0.0)
    presence.joined()
    return presence


def test_it_stays_warm_for_a_while_and_leaves_when_quiet() -> None:
    presence = there()
    assert presence.decide(True, 5.0) is Act.NOTHING
    assert presence.next_wakeup(False, 6.0) == 15.0
    assert presence.decide(False, 14.9) is Act.NOTHING
    assert presence.decide(False, 15.1) is Act.LEAVE
    presence.left(15.2)
    assert presence.decide(False, 16.0) is Act.NOTHING


def test_a_failed_join_is_tried_again_later_and_later() -> None:
    presence = Presence(warm=100)
    now = 0.0
    for wait in (*BACKOFF, BACKOFF[-1]):
        assert presence.decide(True, now) is Act.LOOK
        presence.failed(now)
        assert presence.decide(True, now + wait - 0.01) is Act.NOTHING
        now += wait


def test_thrown_out_as_a_duplicate_it_never_comes_back() -> None:
    presence = there()
    presence.left(1.0, duplicate=True)
    assert presence.state is Membership.DUPLICATE
    assert presence.decide(True, 100.0) is Act.NOTHING
    assert presence.next_wakeup(True, 100.0) is None


def test_who_expects_to_speak_makes_it_look_without_anything_to_say() -> None:
    presence = Presence(warm=10)
    presence.expect(0.0)
    assert presence.decide(False, 0.0) is Act.LOOK


def test_once_out_with_nothing_to_say_it_is_dormant() -> None:
    presence = there()
    assert not presence.dormant(5.0)
    assert presence.decide(False, 11.0) is Act.LEAVE
    assert not presence.dormant(11.0)
    presence.left(11.1)
    assert presence.dormant(11.2)
    presence.expect(12.0)
    assert not presence.dormant(12.0)


def test_a_stock_receiver_is_joined_once_it_has_given_up_the_stream_of_a_killed_process() -> None:
    presence = Presence(warm=100, left_open_at=5.0)
    presence.decide(True, 6.0)
    presence.looked([STOCK], 6.0)
    now = 6.0
    while (act := presence.decide(True, now)) is not Act.JOIN:
        if act is Act.LOOK:
            presence.looked([STOCK], now)
        now += 0.1
    assert 5.0 + STREAM_IDLE < now < 5.0 + STREAM_IDLE + 2.0


def test_our_own_avatar_is_joined_at_once_after_a_kill() -> None:
    presence = Presence(warm=100, left_open_at=5.0)
    presence.decide(True, 6.0)
    presence.looked([MOUTHPIECE], 6.0)
    assert presence.decide(True, 6.0) is Act.JOIN


def looks_until(presence: Presence, until: float, since: float = 0.0) -> list[float]:
    """When it looks, while no avatar comes."""
    now, looks = since, []
    while now <= until:
        if presence.decide(True, now) is Act.LOOK:
            looks.append(now)
            presence.looked([], now)
        now += 0.01
    return looks


def test_an_avatar_that_is_long_in_coming_is_looked_for_less_often_and_seen_a_tenth_later_at_most() -> None:
    looks = looks_until(Presence(warm=10), 120.0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert gaps[:5] == pytest.approx([LOOK_INTERVAL] * 5, abs=0.02)
    assert gaps[-5:] == pytest.approx([LONGEST_INTERVAL] * 5, abs=0.02)
    assert all(gap <= max(LOOK_INTERVAL, 0.1 * at) + 0.02 for at, gap in zip(looks, gaps, strict=False))


def test_who_expects_to_speak_in_a_room_that_was_long_waited_for_has_it_looked_at_often_again() -> None:
    presence = Presence(warm=10)
    looks_until(presence, 100.0)
    presence.expect(100.0)
    looks = looks_until(presence, 102.0, since=100.0)
    assert len(looks) >= 3


def test_a_room_that_was_waited_for_in_vain_is_looked_at_often_the_next_time() -> None:
    presence = Presence(warm=0)
    looks_until(presence, 100.0)
    assert presence.decide(False, 101.0) is Act.NOTHING
    assert len(looks_until(presence, 106.0, since=104.0)) >= 4
