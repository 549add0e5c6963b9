"""Where the drawing lies on the screen: zoomed, and moved with the head from one side to the other.

The head moves along one path: it shifts, tilts and sinks a little with the yaw; features move further than the outline,
which reads as depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from mouthpiece_avatar.face.drawing import SIZE, Box, Layer, Picture

_ZOOM = 1.2
_ZOOM_CENTRE = (256.0, 236.0)
_SCREEN_CENTRE = (256.0, 250.0)
_PIVOT = (256.0, 350.0)
_TILT = math.radians(1.5)
_SHIFT = 4.6
"""Pixels of the drawing that the outline of the head moves by at most; features move ``_DEPTH`` further."""
_DEPTH = 3.2
_RISE = 2.0
_SPREAD = 10
"""Pixels of the screen, at 512 lines, by which a feature moves at most."""
HEAD_SPREAD = 16
"""Likewise the crown."""
MOST_NOD = 6.0
"""Pixels of the screen, at 512 lines, that the head is lowered or lifted by at most."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A picture that faces are shown on."""

    width: int
    height: int

    @property
    def scale(self) -> float:
        """Its pixels for each of a screen of 512 lines."""
        return self.height / SIZE

    def whole(self) -> Box:
        return 0, 0, self.width, self.height

    def box_of(self, box: Box, *, spread: float = _SPREAD, within: Box | None = None) -> Box:
        """Return where a box of the drawing lies, with room to move; even in place and size."""
        left, top = self._at(box[0], box[1])
        right, bottom = self._at(box[2], box[3])
        spread, nod = spread * self.scale, math.ceil(MOST_NOD * self.scale) + 1
        limits = (0, nod, self.width, self.height - nod) if within is None else within
        return (
            _even_up(max(limits[0], left - spread)),
            _even_up(max(limits[1], top - spread)),
            _even_down(min(limits[2], right + spread)),
            _even_down(min(limits[3], bottom + spread)),
        )

    def place(self, layer: Layer, box: Box, *, yaw: float = 0.0, deep: bool = False, rise: float = 0.0) -> Picture:
        """Return a layer as it appears in a box of the screen, at twice the screen's size; RGBA.

        :param layer: premultiplied.
        :param rise: pixels of the drawing that it is lifted by.
        """
        angle = _TILT * yaw
        shift_x = (_SHIFT + (_DEPTH if deep else 0)) * yaw
        shift_y = _RISE * yaw * yaw - rise
        cos, sin = math.cos(angle), math.sin(angle)
        (zx, zy), (sx, sy), (px, py) = _ZOOM_CENTRE, _SCREEN_CENTRE, _PIVOT
        # screen at twice the size → drawing, backwards through zoom, shift and tilt → the layer's own pixels
        step = 0.5 / (_ZOOM * self.scale)
        left = ((box[0] - self.width / 2) / self.scale + SIZE / 2 - sx) / _ZOOM + zx - shift_x - px
        top = (box[1] / self.scale - sy) / _ZOOM + zy - shift_y - py
        scale = layer.scale
        matrix = (
            scale * cos * step,
            scale * sin * step,
            scale * (cos * left + sin * top + px - layer.box[0]),
            -scale * sin * step,
            scale * cos * step,
            scale * (-sin * left + cos * top + py - layer.box[1]),
        )
        size = ((box[2] - box[0]) * 2, (box[3] - box[1]) * 2)
        return layer.image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR).convert("RGBA")

    def _at(self, x: float, y: float) -> tuple[float, float]:
        (zx, zy), (sx, sy) = _ZOOM_CENTRE, _SCREEN_CENTRE
        return (
            ((x - zx) * _ZOOM + sx - SIZE / 2) * self.scale + self.width / 2,
            ((y - zy) * _ZOOM + sy) * self.scale,
        )


def moved_by(yaw: float, x: float, y: float, *, deep: bool = False) -> tuple[float, float]:
    """Return where a point of the drawing is at a yaw, in pixels of a screen of 512 lines."""
    angle = _TILT * yaw
    cos, sin = math.cos(angle), math.sin(angle)
    dx, dy = x - _PIVOT[0], y - _PIVOT[1]
    moved_x = cos * dx - sin * dy + _PIVOT[0] + (_SHIFT + (_DEPTH if deep else 0)) * yaw
    moved_y = sin * dx + cos * dy + _PIVOT[1] + _RISE * yaw * yaw
    return Screen(SIZE, SIZE)._at(moved_x, moved_y)


def _even_up(value: float) -> int:
    return 2 * math.ceil(value / 2)


def _even_down(value: float) -> int:
    return 2 * math.floor(value / 2)
