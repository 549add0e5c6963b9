"""Avatars that come and leave, as entries of the event log."""

from __future__ import annotations

from mouthpiece.errors import StoreError
from mouthpiece.segments import Event
from mouthpiece_sender.events.room_log import RoomLog
from mouthpiece_sender.livekit.attendance import Attendance
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from tests.loopback.sender.fakes import avatar, viewer


def test_each_coming_and_leaving_is_noted_once() -> None:
    noted: list[tuple[str, str, str | None]] = []
    attendance = Attendance("demo", lambda *note: noted.append(note))
    attendance.sync([viewer("anna")])
    attendance.sync([viewer("anna"), avatar("mia")])
    attendance.sync([avatar("mia"), avatar("leo")])
    attendance.sync([avatar("leo")])
    attendance.closed()
    attendance.sync([avatar("leo")])
    assert noted == [
        ("demo", "room.avatar_joined", "avatar-mia"),
        ("demo", "room.avatar_joined", "avatar-leo"),
        ("demo", "room.avatar_left", "avatar-mia"),
        ("demo", "room.closed", None),
        ("demo", "room.avatar_joined", "avatar-leo"),
    ]


async def test_what_was_noted_is_in_the_log_once_it_is_left_and_a_failure_loses_that_one_alone() -> None:
    class FailsOnce(MemoryJournal):
        failed = False

        async def note(self, event: Event) -> Event:
            if not self.failed:
                self.failed = True
                raise StoreError("The disk is away.")
            return await super().note(event)

    journal = FailsOnce()
    async with RoomLog(journal) as log:
        log.note("demo", "room.avatar_joined", "avatar-mia")
        log.note("demo", "room.avatar_left", "avatar-mia")
    (entry,) = (await journal.log(0, 9)).entries
    assert (entry.event.type, entry.event.avatar, entry.segment) == ("room.avatar_left", "avatar-mia", None)
