"""What the sender says of a segment when its avatar does something wrong, against what a viewer recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from mouthpiece.segments import State
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.sender.fault_trials import LENGTH, Trial, trial

pytestmark = pytest.mark.timed


@dataclass(frozen=True, slots=True)
class Known:
    """How a segment ends, in the words of the API."""

    state: str
    receipt: str
    error: str = ""


CONFIRMED: Final = Known("finished", "confirmed")
HEARD_IT: Final = Known("finished", "heard")
ESTIMATED: Final = Known("finished", "estimated")
REPORTED_HALF: Final = Known("interrupted", "estimated")
BROKE_OFF: Final = Known("interrupted", "heard")
UNHEARD: Final = Known("unknown", "unknown", "avatar-unheard")
LEFT: Final = Known("unknown", "unknown", "avatar-left")
SILENT: Final = Known("unknown", "unknown", "avatar-silent")
NOBODY: Final = Known("failed", "none", "avatar-timeout")
ELSEWHERE: Final = Known("failed", "none", "avatar-bound-elsewhere")

TRUE: Final = (HEARD_IT, ESTIMATED)
"""Of a segment that was heard: where the machine is busy, what comes back can be too broken to be recognised."""
TRUE_AND_REPORTED: Final = (*TRUE, CONFIRMED)
"""The same where its end was reported: that counts where too little came back."""

NEXT_HEARD: Final = 0.5
"""The share of the next segment, which is one second: a busy machine's jitter buffer leaves a syllable out,
of which the longest is two fifths."""
ALL: Final = (0.75, 1.5)
"""With one syllable left out as well, of 2 s."""
NONE: Final = (0.0, 0.05)
BEYOND: Final = 1.25
"""Seconds by which the position of what is ``unknown`` may lie beyond what the viewer heard, of which a busy machine
leaves out a syllable or two, and hears of a stop late."""
A_PART: Final = (0.2, 0.75)
"""Shares of the segment between which that lies what the viewer heard."""


@dataclass(frozen=True, slots=True)
class Row:
    fault: str
    known: Sequence[Known]
    """What may be said of the segment; the first is the best."""
    heard: tuple[float, float] = ALL

    def problems(self, done: Trial) -> list[str]:
        """What is wrong with a trial of it."""
        found = Known(done.state, done.receipt, done.error)
        right = {
            "the end": found in self.known,
            "what was heard": self.heard[0] <= done.heard <= self.heard[1],
            "the position": done.state is not State.UNKNOWN or done.position <= done.heard * LENGTH + BEYOND,
            "the next segment": done.next_state == "finished" and done.next_heard >= NEXT_HEARD,
        }
        return [f"{self.fault}, {what}: {done}" for what, holds in right.items() if not holds]


STOCK: Final = (
    Row("receipt-missing@1", TRUE),
    Row("receipt-early@1", TRUE),
    Row("receipt-late:3@1", TRUE),
    Row("receipt-doubled@1", TRUE_AND_REPORTED),
    Row("receipt-short@1", (HEARD_IT, REPORTED_HALF)),
    Row("receipt-other-participant@1", TRUE),
    Row("deaf-after:0", [UNHEARD], NONE),
    Row("silent@1", [UNHEARD], NONE),
    Row("bound-elsewhere", [NOBODY], NONE),
    Row("rejects", [ELSEWHERE], NONE),
    Row("slow-rpc", TRUE_AND_REPORTED),
    Row("slow-rpc:3", [NOBODY], NONE),
    Row("lost-trailer@1", TRUE),
    Row("stalls@1", [BROKE_OFF, ESTIMATED], A_PART),
    Row("dies", [LEFT], A_PART),
    Row("joins-late", TRUE_AND_REPORTED),
    Row("noise", TRUE_AND_REPORTED),
    Row("other-speech", TRUE_AND_REPORTED),
)
"""Its receipts name no segment, so there is no other one to name."""
OURS: Final = (
    Row("receipt-missing@1", [CONFIRMED]),
    Row("receipt-early@1", [CONFIRMED]),
    Row("receipt-late:3@1", [CONFIRMED]),
    Row("receipt-doubled@1", [CONFIRMED]),
    Row("receipt-short@1", [Known("interrupted", "confirmed")]),
    Row("receipt-other-segment@1", [CONFIRMED]),
    Row("receipt-other-participant@1", [CONFIRMED]),
    Row("silent@1", [UNHEARD], NONE),
    Row("slow-rpc", [CONFIRMED]),
    Row("lost-trailer@1", [CONFIRMED]),
    Row("deaf-after:0", [SILENT], NONE),
    Row("stalls@1", [SILENT], A_PART),
    Row("dies", [LEFT], A_PART),
)
"""Receipts of our avatar are believed, and what it answers to ``mouthpiece.status``, unless its track is silent."""
AVALUMA: Final = (
    Row("receipt-missing@1", TRUE),
    Row("silent@1", [UNHEARD], NONE),
    Row("bound-elsewhere", [UNHEARD], NONE),
    Row("rejects", [ELSEWHERE], NONE),
)


def batches() -> Iterator[object]:
    """Faults that are tried beside each other, each in a room of its own, as most of a trial is waiting: one alone
    where all that is said depends on listening, which needs a loop that is not busy with four viewers."""
    for presented, rows, at_once in (("stock", STOCK, 1), ("mouthpiece", OURS, 4), ("avaluma", AVALUMA, 1)):
        for first in range(0, len(rows), at_once):
            batch = rows[first : first + at_once]
            yield pytest.param(presented, batch, id=f"{presented}: {', '.join(row.fault for row in batch)}")


@pytest.mark.parametrize(("presented", "rows"), [*batches()])
async def test_a_segment_ends_as_it_can_be_known_and_the_next_one_is_heard(
    livekit: LiveKit, room_name: str, presented: str, rows: Sequence[Row]
) -> None:
    trials = [trial(livekit, f"{room_name}-{number}", row.fault, presented) for number, row in enumerate(rows)]
    done = await asyncio.gather(*trials)
    assert [problem for row, each in zip(rows, done, strict=True) for problem in row.problems(each)] == []


async def test_a_receiver_that_is_pinned_to_an_identity_hears_the_sender_that_takes_it(
    livekit: LiveKit, room_name: str
) -> None:
    """What ``MOUTHPIECE_SENDER_IDENTITY`` is for."""
    done = await trial(livekit, room_name, "bound-elsewhere", "avaluma", identity="external-audio-sender")
    assert Row("bound-elsewhere", TRUE_AND_REPORTED).problems(done) == []


def test_what_may_be_called_finished_without_having_been_heard_is_known() -> None:
    """A stall is mostly told from its track, and ``estimated`` otherwise."""
    claiming = [
        row.fault
        for rows in (STOCK, AVALUMA, OURS)
        for row in rows
        if row.heard is not ALL and any(known.state == "finished" for known in row.known)
    ]
    assert claiming == ["stalls@1"]
