"""Publishes one avatar's captions in time with its voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from mouthpiece.playback.commands import Report
from mouthpiece.segments import AttemptState, State
from mouthpiece.wire import CaptionPhase
from mouthpiece_sender.playout.captions import CaptionClock, Line, Outbox
from mouthpiece_sender.sounds.cues import HasCues
from mouthpiece_sender.sounds.sound import Sound


@dataclass
class CaptionPublisher:
    """Follows the reports of a ledger and its playout clock; ``publish`` sends one caption, and returns whether it
    could."""

    publish: Callable[[Line], Awaitable[bool]]
    reach: Callable[[str, float], tuple[float, float] | None]
    """For a segment and a moment: the second that plays, and the one at which what has been sent ends; None if it is
    not in flight."""
    leaving: Callable[[], bool]
    """From then on no caption is tried again."""
    tasks: asyncio.TaskGroup
    _clocks: dict[str, CaptionClock] = field(default_factory=dict)
    """Of the segments that play and know their words."""
    _outbox: Outbox = field(default_factory=Outbox)
    _publishing: bool = False
    """One task at a time: a caption's end must not overtake its beginning."""
    _detached: bool = False

    def on_report(self, report: Report, sound: Sound) -> None:
        """Begin or end captions as ``report`` requires: no caption may outlive its sound."""
        clock = self._clocks.get(report.segment)
        if report.state.terminal:
            if clock is not None:
                del self._clocks[report.segment]
                self._put(clock.over(whole=report.state is State.FINISHED))
        elif report.attempt_end is not None and clock is not None:
            if report.attempt_end.state is not AttemptState.FINISHED:  # its segment's end would follow
                self._put(clock.pause(CaptionPhase.CUT))
        elif report.type in ("segment.playing", "attempt.started"):
            for other in self._clocks.values():
                self._put(other.pause(CaptionPhase.SAID))
            if clock is None and isinstance(sound, HasCues):
                clock = self._clocks[report.segment] = CaptionClock(report.segment, sound)
            if clock is not None and report.attempt is not None:
                clock.begin(report.attempt.offset)  # a replay goes back behind the segment's position

    def tick(self, now: float) -> None:
        """Publish the sentences that have begun to play, and the ends of those that have been said."""
        for segment, clock in self._clocks.items():
            if (reach := self.reach(segment, now)) is not None:
                self._put(clock.due(now, *reach))

    def next_wakeup(self, now: float) -> float | None:
        """When a sentence begins, or may count as said; None while none can."""
        waits = [
            clock.next(now, *reach)
            for segment, clock in self._clocks.items()
            if (reach := self.reach(segment, now)) is not None
        ]
        return min((now + wait for wait in waits if wait is not None), default=None)

    def forget(self, segment: str) -> None:
        """The segment will be said by another avatar."""
        self._clocks.pop(segment, None)

    def detach(self) -> None:
        """From now on nothing is published: the tasks have ended."""
        self._detached = True

    def _put(self, lines: Sequence[Line]) -> None:
        if not lines or self._detached:
            return
        self._outbox.put(lines)
        if not self._publishing:
            self._publishing = True
            self.tasks.create_task(self._drain(), name="captions")

    async def _drain(self) -> None:
        try:
            await self._outbox.drain(self.publish, self.leaving)
        finally:
            self._publishing = False
