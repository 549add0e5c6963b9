"""Envelopes: where levels lie on the time line, however the sound was cut into blocks."""

from __future__ import annotations

import numpy as np
import pytest

from mouthpiece.listening.envelope import FRAME, LIMIT, HeardEnvelope, SentEnvelope
from tests.unit.listening.rooms import RATE, sent, silence, words


@pytest.mark.parametrize("block", [1, 100, 320, 4_001])
def test_levels_do_not_depend_on_how_the_sound_was_cut(block: int) -> None:
    sound = words(1.0)
    envelope = SentEnvelope(RATE)
    for start in range(0, len(sound), block):
        envelope.write(sound[start : start + block].tobytes(), 0.0)
    envelope.close()
    assert np.array_equal(envelope.levels(), sent(sound))
    assert len(envelope.levels()) == pytest.approx(1.0 / FRAME)


def test_a_source_that_stalled_leaves_a_silence_as_long() -> None:
    sound = words(1.0)
    envelope = SentEnvelope(RATE)
    envelope.write(sound.tobytes(), 10.0)
    envelope.write(sound.tobytes(), 13.0)
    levels = envelope.levels()
    assert envelope.duration == pytest.approx(4.0)
    assert not levels[round(1.0 / FRAME) : round(3.0 / FRAME)].any()
    assert levels[round(3.1 / FRAME)] > 0


def test_what_is_sent_ahead_leaves_none() -> None:
    envelope = SentEnvelope(RATE)
    for at in (10.0, 10.1, 10.9):
        envelope.write(words(0.5).tobytes(), at)
    assert envelope.duration == pytest.approx(1.5)


def test_a_sound_without_end_stays_bounded() -> None:
    envelope = SentEnvelope(1_000)
    for minute in range(80):
        envelope.write(np.zeros(60_000, dtype=np.int16).tobytes(), minute * 60.0)
    assert not envelope.complete
    assert envelope.duration <= LIMIT + 60


def pushed(delays: list[float]) -> HeardEnvelope:
    """Blocks of 50 ms from second 5 on, each of which came so much later."""
    envelope = HeardEnvelope(RATE)
    for index, delay in enumerate(delays):
        loud = index in (10, 11)
        envelope.push((words(0.05) if loud else silence(0.05)), 5.0 + 0.05 * (index + 1) + delay)
    return envelope


def loud_at(envelope: HeardEnvelope) -> float:
    levels = envelope.window(5.0, envelope.until)
    return 5.0 + int(np.argmax(levels > 0)) * FRAME


def test_blocks_that_come_late_lie_where_the_others_put_them() -> None:
    late = [0.0] * 5 + [0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05] + [0.0] * 10
    assert loud_at(pushed(late)) == pytest.approx(loud_at(pushed([0.0] * 23)), abs=FRAME)
    first_late = [0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05] + [0.0] * 15
    assert loud_at(pushed(first_late)) == pytest.approx(5.5, abs=FRAME)


def test_between_two_subscriptions_nothing_is_known() -> None:
    envelope = pushed([0.0] * 20)
    envelope.restart()
    envelope.push(words(0.1), 8.0)
    window = envelope.window(5.0, 8.0)
    assert np.isnan(window[round(1.2 / FRAME) : round(2.8 / FRAME)]).all()
    assert not np.isnan(window[-3:]).any()


def test_before_the_first_block_nothing_is_known_and_what_is_forgotten_is_not_either() -> None:
    envelope = pushed([0.0] * 20)
    assert np.isnan(envelope.window(4.0, 5.0)).all()
    assert len(envelope.window(4.0, 5.0)) == pytest.approx(1.0 / FRAME)
    forgetful = pushed([0.0] * 20)
    forgetful.forget(5.5)
    assert np.isnan(forgetful.window(5.0, 5.5)).all()
    assert np.array_equal(forgetful.window(5.5, 6.0), envelope.window(5.5, 6.0))
