"""An audio source without one: performs what a playout says, in time of its own, and keeps what would be heard."""

from __future__ import annotations

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.playout import Capture, Cut, Finished, PlayoutQueue, Started, Wait
from mouthpiece_avatar.playout_stream import RATE

STEP = 0.005
"""Seconds at most between two looks at the playout."""


class SimulatedSource:
    """Plays its queue in real time; ``now`` only moves by :meth:`run`."""

    def __init__(self, playout: PlayoutQueue) -> None:
        self.playout = playout
        self.now = 100.0
        self.heard: list[Samples] = []
        self.events: list[Started | Finished] = []
        self.cuts = 0
        self._queue: Samples = np.zeros(0, np.int16)
        self._owed = 0.0

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        end = self.now + seconds
        while True:
            rest = self._perform()
            step = min(rest, STEP, end - self.now)
            if step <= 0:
                return
            self._play(step)

    def sound(self) -> Samples:
        """Everything that has left so far."""
        return np.concatenate([*self.heard, np.zeros(0, np.int16)])

    def _perform(self) -> float:
        while True:
            action = self.playout.act(self.now)
            self.events += self.playout.events()
            match action:
                case Capture(samples, _):
                    self._queue = np.concatenate((self._queue, samples))
                case Cut(keep):
                    self.cuts += 1
                    self._queue = keep
                case Wait(seconds):
                    return max(seconds, 0.001)

    def _play(self, seconds: float) -> None:
        self.now += seconds
        self._owed += seconds * RATE
        count = int(self._owed)
        self._owed -= count
        self.heard.append(self._queue[:count])
        self._queue = self._queue[count:]
