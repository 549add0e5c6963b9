"""Decides which sentence to show as a caption, and until when. No I/O.

A caption is published when its sentence begins to *play*, not when it is sent: sound is sent up to two seconds ahead.
It is published again, under the same id, when the sentence has been said or was cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece.wire import CaptionPhase
from mouthpiece_sender.sounds.cues import Cue, HasCues

DRY: Final = 1.0
"""Seconds with nothing left to play after which a sentence counts as said: its source pauses, or its end was never
reported. Gaps in speech that is synthesised more slowly than it plays are shorter."""
SAME: Final = 0.25
"""Seconds before the next sentence in which the previous one is not shown again: positions are estimates."""
PENDING: Final = 32
"""Captions that may wait for the network; the oldest are dropped."""
TRIES: Final = 3
AGAIN: Final = 1.0
"""Seconds between two tries."""


@dataclass(frozen=True, slots=True)
class Line:
    """A caption to publish; a later one of the same ``id`` replaces it."""

    id: str
    text: str
    phase: CaptionPhase


@dataclass(slots=True)
class CaptionClock:
    """The captions of one segment. In its methods ``position`` is the second of the segment that plays, and ``known``
    the one at which what has been sent ends. At most one line is ``PLAYING`` at a time; the segment's end ends it."""

    segment: str
    cues: HasCues
    _shown: int = -1
    """Index of the last sentence that was shown."""
    _open: Cue | None = None
    """The sentence whose line is ``PLAYING``."""
    _playing: bool = False
    _dry_since: float | None = None

    def begin(self, position: float) -> None:
        """An attempt begins to play at ``position``. The sentence at that position is shown, again if need be."""
        begun = [cue.index for cue in self.cues.cues if cue.start <= position]
        self._shown = max(begun, default=0) - 1
        self._playing, self._dry_since = True, None

    def due(self, now: float, position: float, known: float) -> list[Line]:
        """The lines to publish now, in order. No line is shown twice when ``position`` falls."""
        if not self._playing:
            return []
        lines: list[Line] = []
        if begun := [cue for cue in self._following() if cue.start <= position]:
            *passed, current = begun
            lines += self._end(CaptionPhase.SAID)
            lines += [self._line(cue, CaptionPhase.SAID) for cue in passed]
            lines += self._show(current)
        if position < known:
            self._dry_since = None
            if self._goes_on(position):
                lines += self._show(self.cues.cues[self._shown])
        elif self._dry_since is None:
            self._dry_since = now
        elif now - self._dry_since >= DRY:
            lines += self._end(CaptionPhase.SAID)
        return lines

    def pause(self, phase: CaptionPhase) -> list[Line]:
        """The segment does not play any more, until ``begin``."""
        self._playing = False
        return self._end(phase)

    def over(self, *, whole: bool) -> list[Line]:
        """The segment has ended. ``whole``: all of it was heard, so that no sentence is left out."""
        if not whole:
            return self.pause(CaptionPhase.CUT)
        return self.pause(CaptionPhase.SAID) + [self._line(cue, CaptionPhase.SAID) for cue in self._following()]

    def next(self, now: float, position: float, known: float) -> float | None:
        """Seconds until ``due`` returns a line, as far as is known; None: not without more sound."""
        if not self._playing:
            return None
        waits = [cue.start - position for cue in self._following()[:1] if cue.start < known]
        if self._open is not None:
            waits.append(known - position + DRY if self._dry_since is None else self._dry_since + DRY - now)
        return max(0.0, min(waits)) if waits else None

    def _following(self) -> Sequence[Cue]:
        return self.cues.cues[self._shown + 1 :]

    def _goes_on(self, position: float) -> bool:
        """Whether the sentence that counts as said is being spoken after all."""
        if self._open is not None or self._shown < 0:
            return False
        return all(cue.start > position + SAME for cue in self._following()[:1])

    def _show(self, cue: Cue) -> list[Line]:
        self._open, self._shown = cue, cue.index
        return [self._line(cue, CaptionPhase.PLAYING)]

    def _end(self, phase: CaptionPhase) -> list[Line]:
        cue, self._open = self._open, None
        return [] if cue is None else [self._line(cue, phase)]

    def _line(self, cue: Cue, phase: CaptionPhase) -> Line:
        return Line(f"{self.segment}-{cue.index}", cue.text, phase)


@dataclass(slots=True)
class Outbox:
    """The lines of one avatar that wait to be published, in order; of each caption only the latest."""

    _lines: dict[str, Line] = field(default_factory=dict)

    def put(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._lines.pop(line.id, None)
            self._lines[line.id] = line
        while len(self._lines) > PENDING:
            self.take()

    def take(self) -> Line | None:
        """Remove and return the next line."""
        return self._lines.pop(next(iter(self._lines))) if self._lines else None

    async def drain(self, publish: Callable[[Line], Awaitable[bool]], leaving: Callable[[], bool]) -> None:
        """Publish one line after the other until none waits: the end of a caption must not overtake its beginning.

        :param publish: returns whether the line was published. A failed end is tried again, a failed beginning is not.
        :param leaving: once it returns True nothing is tried again, and a failure drops the lines that still wait.
        """
        while (line := self.take()) is not None:
            for tries in range(1, TRIES + 1):
                if await publish(line):
                    break
                if leaving():
                    self._lines.clear()
                    return
                if line.phase is CaptionPhase.PLAYING or tries == TRIES:
                    break
                await asyncio.sleep(AGAIN)
