from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from mouthpiece.wire import CaptionPhase
from mouthpiece_sender.playout import captions
from mouthpiece_sender.playout.captions import DRY, PENDING, CaptionClock, Line, Outbox
from mouthpiece_sender.sounds.cues import Cue, HasCues
from tests.sounds import Tone

CUES = [Cue(0.0, "One.", 0), Cue(1.5, "Two.", 1), Cue(1.7, "Three.", 2), Cue(4.0, "Four.", 3)]
END = 6.0
PLAYING, SAID, CUT = CaptionPhase.PLAYING, CaptionPhase.SAID, CaptionPhase.CUT


@dataclass
class Words:
    cues: list[Cue] = field(default_factory=list)


@dataclass
class Played:
    """A segment on its way, all of it sent; ``at`` is what a wake-up at that position brings."""

    clock: CaptionClock
    known: float = END

    def at(self, position: float, now: float | None = None) -> list[tuple[int, CaptionPhase]]:
        return brief(self.clock.due(position if now is None else now, position, self.known))


def brief(lines: Sequence[Line]) -> list[tuple[int, CaptionPhase]]:
    for line in lines:
        assert line.text == CUES[int(line.id.removeprefix("seg-"))].text
    return [(int(line.id.removeprefix("seg-")), line.phase) for line in lines]


@pytest.fixture
def played() -> Played:
    clock = CaptionClock("seg", Words(list(CUES)))
    clock.begin(0.0)
    return Played(clock)


def test_a_sentence_is_shown_as_it_begins_and_said_as_the_next_one_does(played: Played) -> None:
    assert played.at(0.0) == [(0, PLAYING)]
    assert played.at(1.4) == []
    assert played.at(1.5) == [(0, SAID), (1, PLAYING)]
    assert played.at(1.5) == []


def test_those_that_were_passed_come_in_order_and_are_over(played: Played) -> None:
    assert played.at(2.0) == [(0, SAID), (1, SAID), (2, PLAYING)]
    assert played.clock.next(2.0, 2.0, END) == pytest.approx(2.0)


def test_nothing_is_due_before_its_words_are_known() -> None:
    words = Words()
    clock = CaptionClock("seg", words)
    clock.begin(0.0)
    assert clock.due(1.0, 1.0, 2.0) == []
    assert clock.next(1.0, 1.0, 2.0) is None
    words.cues.append(CUES[0])
    assert clock.next(1.0, 1.0, 2.0) == 0.0
    assert brief(clock.due(1.0, 1.0, 2.0)) == [(0, PLAYING)]


def test_nothing_is_due_before_it_plays() -> None:
    clock = CaptionClock("seg", Words(CUES))
    assert clock.due(0.0, 0.0, END) == []
    assert clock.next(0.0, 0.0, END) is None
    assert clock.over(whole=False) == []


def test_a_position_that_falls_back_shows_nothing_twice(played: Played) -> None:
    assert played.at(1.6) == [(0, SAID), (1, PLAYING)]
    assert played.at(0.5) == []


def test_the_end_of_the_segment_ends_its_caption(played: Played) -> None:
    played.at(4.0)
    assert brief(played.clock.over(whole=True)) == [(3, SAID)]
    assert played.clock.over(whole=False) == []


def test_what_is_cut_off_keeps_its_text_and_says_so(played: Played) -> None:
    played.at(2.0)
    assert brief(played.clock.over(whole=False)) == [(2, CUT)]


def test_a_transcript_has_every_sentence_of_what_was_heard(played: Played) -> None:
    played.at(1.0)
    assert brief(played.clock.over(whole=True)) == [(0, SAID), (1, SAID), (2, SAID), (3, SAID)]


def test_a_sentence_is_over_when_its_source_pauses(played: Played) -> None:
    played.clock.cues = Words(CUES[:1])
    played.known = 1.2
    assert played.at(1.0) == [(0, PLAYING)]
    assert played.clock.next(1.0, 1.0, 1.2) == pytest.approx(0.2 + DRY)
    assert played.at(1.2, now=1.2) == []
    assert played.clock.next(1.5, 1.2, 1.2) == pytest.approx(DRY - 0.3)
    assert played.at(1.2, now=1.2 + DRY) == [(0, SAID)]
    assert played.clock.next(9.0, 1.2, 1.2) is None
    assert played.at(1.2, now=9.0) == []


def test_a_short_gap_ends_nothing(played: Played) -> None:
    played.known = 1.0
    assert played.at(1.0, now=1.0) == [(0, PLAYING)]
    played.known = 1.3
    assert played.at(1.1, now=1.9) == []
    assert played.at(1.3, now=2.1) == []


def test_a_sentence_that_goes_on_after_a_gap_is_shown_again(played: Played) -> None:
    played.known = 1.0
    played.at(1.0, now=1.0)
    assert played.at(1.0, now=1.0 + DRY) == [(0, SAID)]
    played.known = END
    assert played.at(1.1, now=4.0) == [(0, PLAYING)]


def test_the_sentence_after_a_pause_does_not_bring_the_one_before_it_back(played: Played) -> None:
    played.known = 1.5 - 1e-9
    played.at(played.known, now=1.5)
    assert played.at(played.known, now=1.5 + DRY) == [(0, SAID)]
    assert played.clock.next(9.0, played.known, played.known) is None  # it comes with more sound, not with time
    position, played.known = played.known, END
    assert played.at(position, now=9.0) == []
    assert played.at(1.5, now=9.0) == [(1, PLAYING)]


def test_an_attempt_that_goes_on_shows_the_sentence_that_it_is_in(played: Played) -> None:
    played.at(2.0)
    assert brief(played.clock.pause(CUT)) == [(2, CUT)]
    assert played.at(2.5) == []
    assert played.clock.next(2.5, 2.5, END) is None
    played.clock.begin(2.5)
    assert played.at(2.5) == [(2, PLAYING)]
    assert played.at(4.0) == [(2, SAID), (3, PLAYING)]


def test_an_attempt_elsewhere_does_not_repeat_what_was_said_before() -> None:
    clock = CaptionClock("seg", Words(CUES))
    clock.begin(2.0)
    assert brief(clock.due(0.0, 2.0, END)) == [(2, PLAYING)]


def test_a_sound_without_words_has_no_captions() -> None:
    assert isinstance(Words(), HasCues)
    assert not isinstance(Tone(1.0), HasCues)


def test_what_waits_is_published_in_order_and_of_each_caption_the_latest() -> None:
    outbox = Outbox()
    outbox.put([Line("a", "A", PLAYING)])
    outbox.put([Line("a", "A", SAID), Line("b", "B", PLAYING)])
    assert outbox.take() == Line("a", "A", SAID)
    assert outbox.take() == Line("b", "B", PLAYING)
    assert outbox.take() is None


def test_what_waits_is_bounded() -> None:
    outbox = Outbox()
    outbox.put([Line(str(number), "A", SAID) for number in range(2 * PENDING)])
    kept = list(iter(outbox.take, None))
    assert [line.id for line in kept] == [str(number) for number in range(PENDING, 2 * PENDING)]


@dataclass
class Network:
    """Refuses a number of publications."""

    refusals: int = 0
    asked: list[Line] = field(default_factory=list)

    async def publish(self, line: Line) -> bool:
        await asyncio.sleep(0)
        self.asked.append(line)
        self.refusals -= 1
        return self.refusals < 0


async def test_one_is_published_after_the_other_also_what_comes_meanwhile() -> None:
    outbox, network = Outbox(), Network()
    outbox.put([Line("a", "A", PLAYING)])
    draining = asyncio.create_task(outbox.drain(network.publish, lambda: False))
    await asyncio.sleep(0)
    outbox.put([Line("a", "A", SAID), Line("b", "B", PLAYING)])
    await draining
    assert [(line.id, line.phase) for line in network.asked] == [("a", PLAYING), ("a", SAID), ("b", PLAYING)]


@pytest.mark.parametrize(
    ("refusals", "asked"),
    [(1, [PLAYING, CUT]), (2, [PLAYING, CUT, CUT]), (9, [PLAYING, CUT, CUT, CUT])],
)
async def test_the_end_of_a_caption_is_tried_again_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, refusals: int, asked: list[CaptionPhase]
) -> None:
    monkeypatch.setattr(captions, "AGAIN", 0.0)
    outbox, network = Outbox(), Network(refusals)
    outbox.put([Line("a", "A", PLAYING), Line("b", "B", CUT)])
    await outbox.drain(network.publish, lambda: False)
    assert [line.phase for line in network.asked] == asked


async def test_who_leaves_waits_for_no_caption() -> None:
    outbox, network = Outbox(), Network(refusals=9)
    outbox.put([Line("a", "A", CUT), Line("b", "B", CUT)])
    await outbox.drain(network.publish, lambda: True)
    assert [line.id for line in network.asked] == ["a"]
    assert outbox.take() is None
