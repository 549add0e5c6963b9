"""Noise that never repeats, and motion that never jumps: what a face does by itself is made of both."""

from __future__ import annotations

import math

_MASK = (1 << 64) - 1


class Drift:
    """A smooth wander between -1 and 1, a function of time alone. It has no period: its knots are random."""

    def __init__(self, seed: int, every: float) -> None:
        """:param every: seconds from one knot to the next; it turns about once in two of them."""
        self._seed = seed & _MASK
        self._every = every
        self._near: tuple[int | None, list[float]] = (None, [])
        """A knot, and the numbers of the one before it, of itself and of the two after it."""

    def at(self, seconds: float) -> float:
        """Return where it is: a cubic B-spline through the knots about that moment."""
        knot = math.floor(seconds / self._every)
        t = seconds / self._every - knot
        if knot != self._near[0]:
            self._near = knot, [self._knot(knot + near) for near in (-1, 0, 1, 2)]
        a, b, c, d = self._near[1]
        return (
            (1 - t) ** 3 * a + (3 * t**3 - 6 * t * t + 4) * b + (-3 * t**3 + 3 * t * t + 3 * t + 1) * c + t**3 * d
        ) / 6

    def _knot(self, number: int) -> float:
        """Return a number between -1 and 1 for each knot (the mixer of SplitMix64)."""
        mixed = (self._seed + 0x9E3779B97F4A7C15 * (number + 1)) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 52) - 1


class Eased:
    """A value that goes where it is wanted as a critically damped spring does, and never faster than it may."""

    def __init__(self, seconds: float, fastest: float, fps: int) -> None:
        """
        :param seconds: after which most of the way is gone.
        :param fastest: the most by which it changes from picture to picture.
        """
        self.value = 0.0
        self._speed = 0.0
        self._pull = 1 - math.exp(-2 / (seconds * fps))
        self._fastest = fastest

    def towards(self, wanted: float) -> float:
        """Return the value one picture later."""
        pull = self._pull
        self._speed += pull * pull * (wanted - self.value) - (2 * pull - pull * pull) * self._speed
        self._speed = min(self._fastest, max(-self._fastest, self._speed))
        self.value += self._speed
        return self.value


class Stresses:
    """Hears stressed syllables: a voice that rises clearly above what it has been."""

    def __init__(self, fps: int) -> None:
        self._apart = round(0.44 * fps)
        self._usual = 0.0
        self._before = 0.0
        self._since = self._apart

    @property
    def usual(self) -> float:
        """How loud it has been of late, 0 to 1: 0 where nobody speaks."""
        return self._usual

    def hear(self, loud: float) -> float:
        """Take the loudness of a picture; return how strong a stress begins with it, 0 for none."""
        self._since += 1
        above = loud - self._usual
        rising = loud > self._before + 0.02
        self._before = loud
        self._usual += (loud - self._usual) * 0.08
        if self._since < self._apart or not rising or above < 0.2 or loud < 0.35:
            return 0.0
        self._since = 0
        return min(1.0, above / 0.45)
