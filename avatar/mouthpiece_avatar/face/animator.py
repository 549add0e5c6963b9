"""Makes a pose for each picture, from what is heard during it and from what a face does by itself.

What it does comes from its seed, the count of pictures and the sound: no clock, so the same sound gives the same
pictures. While the head moves, no point of it moves by more than half a pixel from one picture to the next, on a screen
of 512 lines: ``_YAW_STEP`` and ``_NOD_STEP`` bound it.
"""

from __future__ import annotations

import math

import numpy as np

from mouthpiece_avatar.face.life import Drift, Eased, Stresses
from mouthpiece_avatar.face.mouths import blend_of
from mouthpiece_avatar.face.placing import MOST_NOD
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth
from mouthpiece_avatar.renderer import Mood

FPS = 25
_BLINK = (1, 3, 3, 2, 1)
"""States of the eyes in the pictures of a blink."""
_OPEN, _NEAR, _ASIDE, _UP, _DOWN, _WIDE = 0, (4, 5), (6, 7), (8, 9), (10, 11), 12
"""States of the eyes, those of a pair to the left and to the right."""
_YAW_STEP = 0.022
"""The crown, which moves furthest, moves by 0.34 pixels then."""
_NOD_STEP = 0.28


class FaceAnimator:
    """Call ``step`` once a picture."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        seeds = self._random.integers(1 << 62, size=8).tolist()
        self._slow, self._quick, self._eager = Drift(seeds[0], 3.7), Drift(seeds[1], 1.9), Drift(seeds[2], 1.1)
        self._bob, self._ease, self._pace = Drift(seeds[3], 2.3), Drift(seeds[4], 4.1), Drift(seeds[5], 5.0)
        self._side = 1.0 if seeds[6] & 1 else -1.0
        self._yaw = Eased(0.5, _YAW_STEP, FPS)
        self._nod = Eased(0.22, _NOD_STEP, FPS)
        self._brows = (Eased(0.16, 0.12, FPS), Eased(0.16, 0.12, FPS))
        self._smile = Eased(0.5, 0.06, FPS)
        self._stresses = Stresses(FPS)
        self._mood = Mood.IDLE
        self._frame = 0
        self._breath = float(self._random.uniform(0, math.tau))
        self._beats: list[tuple[int, int, float]] = []
        """Nods: first picture, pictures, depth."""
        self._lifts: list[tuple[int, int, float, float]] = []
        """Of the brows: first picture, pictures, and how far the one and the other is raised."""
        self._next_lift = self._after(5.0, 11.0)
        self._next_nod = self._after(1.2, 2.5)
        self._blinking: list[int] = []
        self._next_blink = self._after(1.5, 4.0)
        self._look = _OPEN
        self._look_until = self._after(1.0, 3.0)

    def set_mood(self, mood: Mood) -> None:
        """Set what the face shows while it does not speak."""
        if mood is not self._mood:
            self._next_nod = self._after(1.0, 2.2)
        self._mood = mood

    def step(self, heard: Mouth = AT_REST) -> Pose:
        """Return the pose of the next picture, for the mouth that says what is heard during it."""
        self._frame += 1
        stress = self._stresses.hear(heard.loud)
        if stress:
            self._stressed(stress)
        listens = self._mood is Mood.ATTENTIVE and self._stresses.usual < 0.1
        return Pose(
            self._yaws(listens),
            self._nods(listens),
            self._breathes(),
            blend_of(heard, self._smiles(listens)),
            self._sees(listens),
            self._raises(listens),
        )

    @property
    def _seconds(self) -> float:
        return self._frame / FPS

    def _after(self, low: float, high: float) -> int:
        """Return the number of a picture between ``low`` and ``high`` seconds from now."""
        return self._frame + int(self._random.uniform(low, high) * FPS)

    def _stressed(self, stress: float) -> None:
        self._beats.append((self._frame, 11, 1.4 + 2.4 * stress))
        if self._random.random() < 0.2 + 0.25 * stress:
            self._lift(0.45 + 0.45 * stress, 0.5, 0.9)

    def _lift(self, far: float, shortest: float, longest: float) -> None:
        """Raise one brow or the other, or both, one of them further."""
        which = int(self._random.integers(4))
        left, right = ((far, 0.0), (0.0, far), (far, far * 0.7), (far * 0.7, far))[which]
        self._lifts.append((self._frame, int(self._random.uniform(shortest, longest) * FPS), left, right))

    def _yaws(self, listens: bool) -> float:
        t = self._seconds
        eager = min(1.0, 1.6 * self._stresses.usual)
        wanted = 0.85 * self._slow.at(t) + 0.4 * self._quick.at(t) + 0.55 * eager * self._eager.at(t)
        if listens:
            wanted = 0.62 * self._side + 0.35 * wanted
        elif self._mood is Mood.THINKING:
            wanted = -0.4 * self._side + 0.7 * wanted
        return self._yaw.towards(min(1.0, max(-1.0, wanted)))

    def _nods(self, listens: bool) -> float:
        if listens and self._frame >= self._next_nod:
            depth = float(self._random.uniform(2.6, 4.2))
            self._beats.append((self._frame, 16, depth))
            if self._random.random() < 0.5:
                self._beats.append((self._frame + 17, 15, depth * 0.7))
            self._next_nod = self._after(2.2, 5.0)
        wanted = 0.9 * self._bob.at(self._seconds) + (1.6 if listens else 0.0) + 0.7 * self._stresses.usual
        self._beats = [beat for beat in self._beats if self._frame < beat[0] + beat[1]]
        for first, pictures, depth in self._beats:
            if self._frame >= first:
                wanted += depth * math.sin(math.pi * (self._frame - first + 1) / pictures)
        return min(MOST_NOD, max(-MOST_NOD, self._nod.towards(min(MOST_NOD - 0.5, wanted))))

    def _breathes(self) -> float:
        self._breath += math.tau * 0.23 * (1 + 0.25 * self._pace.at(self._seconds)) / FPS
        return 0.5 - 0.5 * math.cos(self._breath)

    def _smiles(self, listens: bool) -> float:
        wanted = 0.45 + 0.75 * self._ease.at(self._seconds) + (0.2 if listens else 0.0)
        speaks = min(1.0, 3 * self._stresses.usual)
        return self._smile.towards(min(1.0, max(0.0, wanted)) * (1 - speaks))

    def _raises(self, listens: bool) -> tuple[float, float]:
        if self._frame >= self._next_lift:
            if self._mood is not Mood.THINKING:
                self._lift(float(self._random.uniform(0.35, 0.7)), 0.6, 1.4)
            self._next_lift = self._after(6.0, 14.0)
        wanted = [0.42, 0.42] if listens else [0.0, 0.0]
        if self._mood is Mood.THINKING:
            wanted[self._side > 0] = -0.55
            wanted[self._side <= 0] = 0.25
        self._lifts = [lift for lift in self._lifts if self._frame < lift[0] + lift[1]]
        for _, _, *far in self._lifts:
            wanted = [max(before, now) if now else before for before, now in zip(wanted, far, strict=True)]
        left, right = (brow.towards(far) for brow, far in zip(self._brows, wanted, strict=True))
        return min(1.0, max(-0.7, left)), min(1.0, max(-0.7, right))

    def _sees(self, listens: bool) -> int:
        if self._frame >= self._next_blink:
            self._blinking = list(_BLINK)
            twice = self._random.random() < 0.15
            self._next_blink = self._frame + 9 if twice else self._after(2.0, 5.5)
        if self._blinking:
            return self._blinking.pop(0)
        if self._frame >= self._look_until:
            self._choose_look(listens)
        if self._look in (_OPEN, _WIDE):
            return _WIDE if listens or min(brow.value for brow in self._brows) > 0.4 else _OPEN
        return self._look

    def _choose_look(self, listens: bool) -> None:
        """Begin a saccade: away and back, or from one eye of the other to the other eye."""
        chance = float(self._random.random())
        side = int(self._random.integers(2))
        if self._look not in (_OPEN, _WIDE):
            self._look, self._look_until = _OPEN, self._after(*self._rests(listens))
        elif listens or chance < 0.3:
            self._look, self._look_until = (
                (_NEAR[side] if not listens or chance < 0.4 else _OPEN),
                self._after(0.3, 0.9),
            )
        elif self._mood is Mood.THINKING:
            self._look, self._look_until = (_UP if chance < 0.8 else _ASIDE)[side], self._after(0.7, 1.8)
        else:
            away = _ASIDE if chance < 0.7 else _DOWN if chance < 0.88 else _UP
            self._look, self._look_until = away[side], self._after(0.4, 1.2)

    def _rests(self, listens: bool) -> tuple[float, float]:
        """Return the fewest and the most seconds for which it looks at its viewer."""
        if self._mood is Mood.THINKING:
            return 0.5, 1.6
        return (1.5, 4.0) if listens or self._stresses.usual > 0.1 else (1.6, 5.5)
