"""A caption publisher over reports made by hand: what is shown when an avatar is lost and its segment replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from mouthpiece.playback.commands import AttemptEnd, Report
from mouthpiece.playback.heard import Heard
from mouthpiece.segments import Attempt, AttemptState, Receipt, State
from mouthpiece_sender.livekit.caption_publisher import CaptionPublisher
from mouthpiece_sender.playout.captions import Line
from mouthpiece_sender.sounds.cues import Cue
from tests.sounds import Tone
from tests.virtual_time import in_virtual_time


class Spoken(Tone):
    """A sound that knows its words: a sentence a second."""

    cues: Sequence[Cue] = [Cue(float(second), f"Sentence {second}.", second) for second in range(4)]


def report(type: str, number: int, offset: float, position: float) -> Report:
    return Report("seg_1", type, State.PLAYING, position=position, attempt=Attempt("seg_1", number, offset))


def attempt_ended(number: int, offset: float, position: float, state: AttemptState) -> Report:
    end = AttemptEnd(state, Heard(position, Receipt.CONFIRMED))
    return replace(report("attempt.ended", number, offset, position), attempt_end=end)


@in_virtual_time
async def test_a_replay_shows_the_sentence_that_it_begins_with_again() -> None:
    shown: list[str] = []
    playhead = 0.0

    async def publish(line: Line) -> bool:
        shown.append(f"{line.text} {line.phase}")
        return True

    async with asyncio.TaskGroup() as tasks:
        captions = CaptionPublisher(publish, lambda segment, now: (playhead, 4.0), lambda: False, tasks)
        sound = Spoken(4.0)
        captions.on_report(report("segment.playing", 1, 0.0, 0.0), sound)
        playhead = 2.5
        captions.tick(2.5)
        await asyncio.sleep(0.1)
        captions.on_report(attempt_ended(1, 0.0, 2.5, AttemptState.LOST), sound)
        await asyncio.sleep(0.1)
        playhead = 1.0
        captions.on_report(report("attempt.started", 2, 1.0, 2.5), sound)
        captions.tick(3.0)
    assert shown == [
        "Sentence 0. said",
        "Sentence 1. said",
        "Sentence 2. playing",
        "Sentence 2. cut",
        "Sentence 1. playing",
    ]


@in_virtual_time
async def test_the_last_sentence_of_a_segment_that_was_heard_whole_is_said_and_not_cut() -> None:
    shown: list[str] = []

    async def publish(line: Line) -> bool:
        shown.append(f"{line.text} {line.phase}")
        return True

    async with asyncio.TaskGroup() as tasks:
        captions = CaptionPublisher(publish, lambda segment, now: (3.5, 4.0), lambda: False, tasks)
        sound = Spoken(4.0)
        captions.on_report(report("segment.playing", 1, 0.0, 0.0), sound)
        captions.tick(3.5)
        captions.on_report(attempt_ended(1, 0.0, 4.0, AttemptState.FINISHED), sound)
        await asyncio.sleep(0.1)
        captions.on_report(Report("seg_1", "segment.finished", State.FINISHED, position=4.0), sound)
    assert shown[-2:] == ["Sentence 3. playing", "Sentence 3. said"]
