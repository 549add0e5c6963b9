"""Eyes, lids, lashes and brows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import ImageChops

from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import Box, Layer, Path, Picture, Point, ellipse, mix, moved, smooth, stroke
from mouthpiece_avatar.face.geometry import AXIS, BLACK, WHITE


@dataclass(frozen=True, slots=True)
class EyeState:
    """How both eyes stand."""

    lid: float = 0.0
    """0 open, 1 closed; a little below 0 for eyes that are widened."""
    gaze: float = 0.0
    """-1 to the left of the picture, 1 to the right."""
    up: float = 0.0
    """-1 down, 1 up."""


def draw_eyes(design: FaceDesign, state: EyeState, box: Box) -> Layer:
    layer = Layer(box)
    for way in (-1, 1):
        _Eye(design, way, state).draw(layer)
    return layer


class _Eye:
    """One eye. Points are those of a right eye about (0, 0), the outer corner at positive x."""

    def __init__(self, design: FaceDesign, way: int, state: EyeState) -> None:
        self._design, self._way, self._state = design, way, state
        bones = design.bones
        self._x, self._y = AXIS + bones.eye_x * way, bones.eye_y
        self._scale = bones.eye_width / 21.0
        tall = bones.eye_height / self._scale
        rise = bones.eye_tilt
        lift = 1 - min(state.lid, 0) * 1.2
        self._upper: Path = [
            (-20.5, 4.0), (-13, -0.45 * tall * lift), (-2, -tall * lift), (10, -0.74 * tall * lift - 0.4 * rise),
            (21.5, -0.6 - rise),
        ]  # fmt: skip
        self._lower: Path = [
            (21.5, -0.6 - rise), (14, 6.2 - 0.4 * rise), (2, 0.3 * tall + 5), (-12, 0.2 * tall + 5), (-20.5, 4.0),
        ]  # fmt: skip
        lid = max(state.lid, 0)
        meet = 0.3 * tall + 4.0
        self._lid: Path = [
            (a, b + (meet - 0.009 * a * a - 0.03 * rise * (a + 10) * (a > 0) - b) * lid) for a, b in self._upper
        ]

    def _at(self, points: Path) -> Path:
        return [(self._x + a * self._scale * self._way, self._y + b * self._scale) for a, b in points]

    def draw(self, layer: Layer) -> None:
        design, lid, at = self._design, max(self._state.lid, 0), self._at
        x = self._x
        low = smooth(at(self._lower), closed=False)
        up = smooth(at(self._lid), closed=False)
        socket = smooth(at([(-25, 4), (-14, -12), (2, -19), (18, -14), (28, -1), (16, 11), (0, 14), (-16, 11)]))
        layer.fill(socket, design.shade, alpha=0.3, blur=5)
        full = [*smooth(at(self._upper), closed=False), *low]
        if lid < 0.95:
            white = layer.mask([*up, *low])
            layer.pour(white, (250, 246, 242))
            layer.fill(moved(full, 0, -17), (120, 96, 96), alpha=0.5, blur=3.5, clip=white)  # the lid's shadow
            for corner in (-20, 21):
                spot = ellipse(x + corner * self._way, self._y + 2, 5, 6)
                layer.fill(spot, (205, 150, 140), alpha=0.5, blur=3, clip=white)
            self._iris(layer, x + 6.0 * self._state.gaze - 0.5 * self._way, self._y - 2.0 - 3.6 * self._state.up, white)
            under = moved(stroke(at(self._lid), (2, 5, 5, 2)), 0, 2.2)
            layer.fill(under, (40, 24, 24), alpha=0.4, blur=1.6, clip=white)
        else:
            layer.fill(full, mix(design.skin, design.shade, 0.2))
        if lid > 0.02:  # the skin that came down
            cover = [*smooth(at(self._upper), closed=False), *reversed(up)]
            layer.fill(cover, mix(design.skin, design.shade, 0.16))
            layer.fill(stroke(at(self._upper), (0.6, 2, 1)), design.shade, alpha=0.4, blur=1.2)
        crease = [(a * 1.04, b - 4.8 + 2.6 * lid) for a, b in self._upper]
        fold = stroke(at(crease), (0.4, 1.7, 1.9, 0.6))
        layer.fill(fold, mix(design.shade, design.brow, 0.35), alpha=design.bones.crease, blur=0.8)
        self._lashes(layer, at(self._lid), lid)
        line = stroke(at([(20, 0.8 - self._design.bones.eye_tilt), (13, 7.0), (1, 9.2), (-12, 7.8)]), (1.6, 1.1, 0.3))
        layer.fill(line, design.brow, alpha=0.5, blur=0.5)
        layer.fill(stroke(at([(-15, 12.5), (0, 15), (14, 12)]), (0.4, 2, 0.4)), design.shade, alpha=0.4, blur=1.6)

    def _iris(self, layer: Layer, x: float, y: float, white: Picture) -> None:
        design = self._design
        radius = 10.44 * self._scale if self._scale < 1.14 else 11.9
        iris = Layer(layer.box)
        disc = ellipse(x, y, radius, radius)
        iris.radial(disc, (x, y + 3), radius * 1.05, design.iris_light, design.iris_dark, power=1.5)
        ring = ImageChops.subtract(iris.mask(disc), iris.mask(ellipse(x, y, radius - 1.7, radius - 1.7), 0.7))
        iris.pour(ring, mix(design.iris_dark, BLACK, 0.55), alpha=0.85)
        for spoke in range(20):
            angle = spoke * math.tau / 20 + 0.1
            line = [
                (x + 5 * math.cos(angle), y + 5 * math.sin(angle)),
                (x + 8.6 * math.cos(angle), y + 8.6 * math.sin(angle)),
            ]
            iris.fill(stroke(line, (0.7, 0.3)), mix(design.iris_light, WHITE, 0.35), alpha=0.4, blur=0.3)
        iris.fill(ellipse(x, y, 5.6, 5.6), (18, 12, 12), blur=0.4)
        iris.fill(ellipse(x, y - 8, 11, 5), BLACK, alpha=0.35, blur=2, clip=iris.mask(disc))
        iris.fill(ellipse(x - 4.0, y - 4.6, 3.3, 3.0), WHITE, alpha=0.96, blur=0.3)
        iris.fill(ellipse(x + 4.4, y + 4.6, 1.8, 1.6), WHITE, alpha=0.6, blur=0.4)
        iris.image.putalpha(ImageChops.multiply(iris.image.getchannel("A"), white))
        layer.put(iris)

    def _lashes(self, layer: Layer, line: list[Point], lid: float) -> None:
        dark = mix(self._design.brow, BLACK, 0.62)
        thick = self._design.lashes
        layer.fill(stroke(line, (0.8, thick * 0.7, thick, thick * 0.95, 1.4)), dark, blur=0.3)
        if not self._design.long_lashes:
            return
        way = self._way
        ex, ey = line[-1]
        droop = 7 * lid
        for dx, dy, start in ((7.0, -4.6, 0.0), (4.6, -5.4, 3.4)):
            sx, sy = ex - start * way, ey - start * 0.42 * (1 - lid)
            lash = [
                (sx, sy),
                (sx + dx * 0.55 * way, sy + dy * 0.35 + droop * 0.4),
                (sx + dx * way, sy + dy + droop * 1.4),
            ]
            layer.fill(stroke(lash, (2.2, 1.5, 0.2)), dark, blur=0.25)


def draw_brow(design: FaceDesign, way: int, raised: float, box: Box) -> Layer:
    """One brow; ``way`` is -1 for the left of the picture, ``raised`` -1 lowered to 1 raised."""
    layer = Layer(box)
    bones = design.bones
    lift, arch = -5.5 * raised, -1.6 * max(raised, 0)
    line = [
        (AXIS + (bones.eye_x + x) * way, bones.eye_y + y + lift + (arch if 0 < index < 3 else 0))
        for index, (x, y) in enumerate(bones.brow)
    ]
    weight = bones.brow_weight
    thick = moved(stroke(line, (weight * 0.5, weight * 1.05, weight, 0.5)), 0, 0.6)
    layer.fill(thick, design.brow, alpha=0.82, blur=1.1)
    core = stroke(line, (weight * 0.4, weight * 0.6, weight * 0.5, 0.3))
    layer.fill(core, mix(design.brow, BLACK, 0.25), alpha=0.5, blur=1.2)
    return layer
