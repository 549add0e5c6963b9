"""Watches whether LiveKit stands still, while something plays at an avatar that cannot be asked what it played.

:mod:`mouthpiece_sender.livekit.stall` decides. The packets and LiveKit's answers are looked for here, and the room's
slots are held: what is sent into a stall is heard by nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece_sender.livekit.avatar_slot import AvatarSlot
from mouthpiece_sender.livekit.avatar_slots import AvatarSlots
from mouthpiece_sender.livekit.connection import CONNECTION_LOST
from mouthpiece_sender.livekit.current_connection import CurrentConnection
from mouthpiece_sender.livekit.stall import ANSWER_WITHIN, Flow, StallDecision

LOOK: Final = 0.25
"""Seconds from one look to the next."""
SILENT_FOR: Final = 0.4
"""Seconds of silence on a track from which its packets are counted: a count costs 1 ms, so there is none in speech."""


@dataclass
class StallWatch:
    """Of one room."""

    slots: AvatarSlots
    current: CurrentConnection
    answers: Callable[[], Awaitable[bool]]
    """Asks LiveKit whether it is there."""
    back: Callable[[], None]
    """Called when LiveKit is there again after what played was lost."""
    clock: Callable[[], float]
    tasks: asyncio.TaskGroup
    _decision: StallDecision = field(default_factory=StallDecision)
    _away: bool = False
    _lost: bool = False
    """What played has been ended."""
    _task: asyncio.Task[None] | None = None

    def tick(self) -> None:
        """Begin and end to watch, as something plays or not."""
        if self._task is None and self._playing:
            self._decision.begin(self.clock())
            self._task = self.tasks.create_task(self._watch(), name="watch for a stall")
        elif self._task is not None and self._decision.state is Flow.FLOWING and not self._playing:
            self.stop()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    @property
    def _playing(self) -> Sequence[AvatarSlot]:
        return [slot for slot in self.slots if slot.plays_unasked]

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._look()
            self._follow()  # nothing is sent while LiveKit is asked
            if self._decision.due(self.clock()):
                self._decision.answered(await self._asked(), self.clock())
                self._follow()

    async def _look(self) -> None:
        decision, connection = self._decision, self.current.open
        playing = self._playing
        if any(slot.sounded_at > self.clock() - SILENT_FOR for slot in playing):
            decision.sounded(self.clock())
        elif playing and connection is not None and (identity := playing[0].identity) is not None:
            decision.counted(await connection.packets(identity), self.clock())

    def _follow(self) -> None:
        """Hold what plays, let it go on, or end it, as was decided."""
        decision = self._decision
        if decision.state is Flow.FLOWING:
            for slot in self.slots:
                slot.driver.flows(was_away=self._away)
            lost, self._lost, self._away = self._lost, False, False
            if lost:
                self.back()
            return
        self._away = self._away or decision.state is Flow.AWAY
        if decision.lost(self.clock()) and not self._lost:
            self._lost = True
            self.slots.lose_connection(CONNECTION_LOST)
        else:
            for slot in self._playing:
                slot.driver.stalled(decision.flowed_at)

    async def _asked(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await self.answers()
        except TimeoutError:
            return False
