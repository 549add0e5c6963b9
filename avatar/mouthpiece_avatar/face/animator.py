"""Makes a pose for each frame, from what is heard during it and from what a face does by itself.

Breathing, blinking, glances and the sway of the head come from a seeded generator and the count of frames: no clock, so
the same sound gives the same frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mouthpiece_avatar.face.mouths import Blend, blend_of
from mouthpiece_avatar.face.sprites import BREATHS, MAX_NOD, YAW_STEPS
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth
from mouthpiece_avatar.renderer import Mood

FPS = 25
_BLINK = (1, 3, 3, 2, 1)
"""States of the eyes in the frames of a blink."""
_OPEN, _GLANCES, _RAISED = 0, (4, 5), (6, 7)


@dataclass(frozen=True, slots=True)
class Pose:
    """Which sprites make a frame: an index for each part."""

    yaw: int
    breath: int
    nod: int
    """Pixels that the head is lowered by."""
    mouth: Blend
    eyes: int


class FaceAnimator:
    """Call ``step`` once a frame."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._phases = [float(phase) for phase in self._random.uniform(0, math.tau, 4)]
        self._mood = Mood.IDLE
        self._frame = 0
        self._energy = 0.0
        self._nod = 0.0
        self._raised = 0
        self._blinking: list[int] = []
        self._next_blink = self._after(1.5, 4.0)
        self._glance = 0
        self._glance_until = 0
        self._next_glance = self._after(3.0, 7.0)

    def set_mood(self, mood: Mood) -> None:
        """Set what the face shows while it does not speak."""
        self._mood = mood

    def step(self, heard: Mouth = AT_REST) -> Pose:
        """Return the pose of the next frame, for the mouth that says what is heard during it."""
        self._frame += 1
        self._energy += (heard.loud - self._energy) * 0.12
        return Pose(self._yaw(), self._breath(), self._nodding(heard), blend_of(heard), self._eyes(heard))

    def _after(self, low: float, high: float) -> int:
        """Return the number of a frame between ``low`` and ``high`` seconds from now."""
        return self._frame + int(self._random.uniform(low, high) * FPS)

    def _yaw(self) -> int:
        t = self._frame / FPS
        a, b, c, _ = self._phases
        sway = 0.42 * math.sin(math.tau * t / 7.9 + a) + 0.24 * math.sin(math.tau * t / 4.7 + b)
        sway += 0.34 * self._energy * math.sin(math.tau * t / 2.3 + c)
        return round((min(1.0, max(-1.0, sway)) + 1) / 2 * (YAW_STEPS - 1))

    def _breath(self) -> int:
        t = self._frame / FPS
        return round((0.5 - 0.5 * math.cos(math.tau * t / 4.3 + self._phases[3])) * (BREATHS - 1))

    def _nodding(self, heard: Mouth) -> int:
        wanted = 3.4 * max(0.0, heard.loud - self._energy) + 1.2 * self._energy
        if self._mood is Mood.ATTENTIVE:
            beat = (self._frame / FPS) % 3.7
            wanted += 3.0 * math.sin(math.pi * beat / 0.6) if beat < 0.6 else 0.0
        self._nod += (wanted - self._nod) * 0.25
        return min(MAX_NOD, round(self._nod))

    def _eyes(self, heard: Mouth) -> int:
        if self._frame >= self._next_blink:
            self._blinking = list(_BLINK)
            twice = self._random.random() < 0.15
            self._next_blink = self._frame + 9 if twice else self._after(2.0, 5.5)
        if self._blinking:
            return self._blinking.pop(0)
        if heard.loud - self._energy > 0.55 and self._raised == 0 and self._random.random() < 0.35:
            self._raised = 12
        if self._raised:
            self._raised -= 1
            return _RAISED[1] if 3 <= self._raised <= 9 else _RAISED[0]
        return self._looking()

    def _looking(self) -> int:
        if self._mood is Mood.ATTENTIVE:
            return _RAISED[0] if (self._frame // (3 * FPS)) % 3 == 0 else _OPEN
        if self._frame >= self._next_glance:
            self._glance = _GLANCES[int(self._random.integers(len(_GLANCES)))]
            self._glance_until = self._after(0.5, 1.3)
            rest = (1.0, 2.5) if self._mood is Mood.THINKING else (4.0, 10.0)
            self._next_glance = self._glance_until + int(self._random.uniform(*rest) * FPS)
        return self._glance if self._frame < self._glance_until else _OPEN
