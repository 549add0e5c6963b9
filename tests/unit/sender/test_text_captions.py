from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mouthpiece_sender.captions import CaptionClock, Cue, Worded
from tests.sounds import Tone

CUES = [Cue(0.0, "One.", 0), Cue(1.5, "Two.", 1), Cue(1.7, "Three.", 2), Cue(4.0, "Four.", 3)]


@dataclass
class Words:
    cues: list[Cue] = field(default_factory=list)


def test_a_sentence_is_due_once_as_it_begins() -> None:
    clock = CaptionClock(Words(CUES))
    assert clock.due(0.0) == CUES[:1]
    assert clock.due(1.4) == []
    assert clock.due(1.5) == CUES[1:2]
    assert clock.due(1.5) == []


def test_those_that_were_passed_come_in_order() -> None:
    clock = CaptionClock(Words(CUES))
    assert clock.due(2.0) == CUES[:3]
    assert clock.next(2.0) == pytest.approx(2.0)


def test_nothing_is_due_before_its_words_are_known() -> None:
    words = Words()
    clock = CaptionClock(words)
    assert clock.due(1.0) == []
    assert clock.next(1.0) is None
    words.cues.append(CUES[0])
    assert clock.next(1.0) == 0.0
    assert clock.due(1.0) == CUES[:1]


def test_a_position_that_falls_back_shows_nothing_twice() -> None:
    clock = CaptionClock(Words(CUES))
    assert clock.due(1.6) == CUES[:2]
    assert clock.due(0.5) == []


def test_a_sound_without_words_has_no_captions() -> None:
    assert isinstance(Words(), Worded)
    assert not isinstance(Tone(1.0), Worded)
