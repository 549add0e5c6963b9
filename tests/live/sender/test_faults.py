"""What the sender says of a segment when its avatar does something wrong, against what a viewer recorded.

Each fault stands in the table with how the segment ends by receipts and by the sender's clock, and, where that says
more than was heard or less than could be known, with how it shall end once the sender listens to the avatar's track:
``LISTENS`` switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.sender.fault_trials import HEARD, trial

pytestmark = pytest.mark.alone

LISTENS: Final = False
"""The sender hears the avatar's track, and says ``heard`` and ``avatar-unheard``."""


@dataclass(frozen=True, slots=True)
class Known:
    """How a segment ends, in the words of the API."""

    state: str
    receipt: str
    error: str = ""


CONFIRMED: Final = Known("finished", "confirmed")
ESTIMATED: Final = Known("finished", "estimated")
HALF: Final = Known("interrupted", "estimated")
LEFT: Final = Known("unknown", "unknown", "avatar-left")
SILENT: Final = Known("unknown", "unknown", "avatar-silent")
NOBODY: Final = Known("failed", "none", "avatar-timeout")
ELSEWHERE: Final = Known("failed", "none", "avatar-bound-elsewhere")

HEARD_IT: Final = Known("finished", "heard")
UNHEARD: Final = Known("unknown", "unknown", "avatar-unheard")

ALL: Final = (HEARD, 1.5)
NONE: Final = (0.0, 0.05)
A_PART: Final = (0.2, 0.75)
"""Shares of the segment between which that lies what the viewer heard."""


@dataclass(frozen=True, slots=True)
class Row:
    fault: str
    today: Known
    listening: Known | None = None
    """Once the sender listens; None: as today."""
    heard: tuple[float, float] = ALL

    @property
    def expected(self) -> Known:
        return self.listening if LISTENS and self.listening is not None else self.today

    @property
    def claims_too_much(self) -> bool:
        """It is ``finished`` and was not heard."""
        return self.expected.state == "finished" and self.heard is not ALL


STOCK: Final = (
    Row("receipt-missing@1", ESTIMATED, HEARD_IT),
    Row("receipt-early@1", ESTIMATED, HEARD_IT),
    Row("receipt-late:3@1", ESTIMATED, HEARD_IT),
    Row("receipt-doubled@1", CONFIRMED, HEARD_IT),
    Row("receipt-short@1", HALF, HEARD_IT),
    Row("receipt-other-participant@1", ESTIMATED, HEARD_IT),
    Row("deaf-after:0", ESTIMATED, UNHEARD, NONE),
    Row("silent@1", CONFIRMED, UNHEARD, NONE),
    Row("bound-elsewhere", NOBODY, heard=NONE),
    Row("rejects", ELSEWHERE, heard=NONE),
    Row("slow-rpc", CONFIRMED, HEARD_IT),
    Row("slow-rpc:3", NOBODY, heard=NONE),
    Row("lost-trailer@1", ESTIMATED, HEARD_IT),
    Row("stalls@1", ESTIMATED, Known("interrupted", "heard"), A_PART),
    Row("dies", LEFT, heard=A_PART),
    Row("joins-late", CONFIRMED, HEARD_IT),
    Row("noise", CONFIRMED, HEARD_IT),
    Row("other-speech", CONFIRMED, ESTIMATED),
)
"""Without segment ids in its receipts there is no other segment to name."""

OURS: Final = (
    Row("receipt-missing@1", CONFIRMED),
    Row("receipt-early@1", CONFIRMED),
    Row("receipt-late:3@1", CONFIRMED),
    Row("receipt-doubled@1", CONFIRMED),
    Row("receipt-short@1", Known("interrupted", "confirmed")),
    Row("receipt-other-segment@1", CONFIRMED),
    Row("receipt-other-participant@1", CONFIRMED),
    Row("silent@1", CONFIRMED, heard=NONE),
    Row("slow-rpc", CONFIRMED),
    Row("lost-trailer@1", CONFIRMED),
    Row("deaf-after:0", SILENT, heard=NONE),
    Row("stalls@1", SILENT, heard=A_PART),
    Row("dies", LEFT, heard=A_PART),
)
"""Receipts of our avatar are believed, and what it answers to ``mouthpiece.status``: the sender does not listen."""

AVALUMA: Final = (
    Row("receipt-missing@1", ESTIMATED, HEARD_IT),
    Row("silent@1", CONFIRMED, UNHEARD, NONE),
    Row("bound-elsewhere", ESTIMATED, UNHEARD, NONE),
    Row("rejects", ELSEWHERE, heard=NONE),
)

AT_ONCE: Final = 4
"""Faults that are tried beside each other, each in a room of its own: most of a trial is waiting."""


def batches() -> Iterator[object]:
    for presented, rows in (("stock", STOCK), ("mouthpiece", OURS), ("avaluma", AVALUMA)):
        for first in range(0, len(rows), AT_ONCE):
            batch = rows[first : first + AT_ONCE]
            yield pytest.param(presented, batch, id=f"{presented}: {', '.join(row.fault for row in batch)}")


@pytest.mark.parametrize(("presented", "rows"), [*batches()])
async def test_a_segment_ends_as_it_can_be_known_and_the_next_one_is_heard(
    livekit: LiveKit, room_name: str, presented: str, rows: Sequence[Row]
) -> None:
    trials = [trial(livekit, f"{room_name}-{number}", row.fault, presented) for number, row in enumerate(rows)]
    for row, done in zip(rows, await asyncio.gather(*trials), strict=True):
        assert Known(done.state, done.receipt, done.error) == row.expected, done
        assert row.heard[0] <= done.heard <= row.heard[1], done
        assert done.next_state == "finished", done
        assert done.next_heard >= HEARD, done


async def test_a_receiver_that_is_pinned_to_an_identity_hears_the_sender_that_takes_it(
    livekit: LiveKit, room_name: str
) -> None:
    """What ``MOUTHPIECE_SENDER_IDENTITY`` is for."""
    done = await trial(livekit, room_name, "bound-elsewhere", "avaluma", identity="external-audio-sender")
    assert Known(done.state, done.receipt, done.error) == (HEARD_IT if LISTENS else CONFIRMED), done
    assert done.heard >= HEARD, done


def test_nothing_is_called_finished_that_was_not_heard_but_where_listening_alone_tells() -> None:
    """Our own avatar is believed: one of ours that lies is not found out."""
    believed = [row.fault for row in OURS if row.claims_too_much]
    claimed = [row for row in (*STOCK, *AVALUMA) if row.claims_too_much]
    assert [row.fault for row in claimed if row.listening is None or LISTENS] == []
    assert believed == ["silent@1"]
