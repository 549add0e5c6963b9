"""Eyes, lids, lashes and brows."""

from __future__ import annotations

import math

from PIL import ImageChops

from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import Layer, Picture, Point, ellipse, mix, moved, smooth, stroke
from mouthpiece_avatar.face.geometry import AXIS, BLACK, EYE_SCALE, EYE_X, EYE_Y, EYES_BOX, WHITE


def draw_eyes(design: FaceDesign, lid: float, gaze: float, raised: float) -> Layer:
    """``lid`` 0 open to 1 closed, ``gaze`` -1 left to 1 right, ``raised`` 0 to 1 lifts the brows."""
    layer = Layer(EYES_BOX)
    for way in (-1, 1):
        _eye(layer, design, way, lid, gaze)
        _brow(layer, design, way, raised)
    return layer


def _eye(layer: Layer, design: FaceDesign, way: int, lid: float, gaze: float) -> None:
    x = AXIS + EYE_X * way

    def at(points: list[Point]) -> list[Point]:
        """From a right eye around (0, 0), outer corner at positive x."""
        return [(x + a * EYE_SCALE * way, EYE_Y + b * EYE_SCALE) for a, b in points]

    tall = 10.6 if design.masculine else 12.2
    upper = [(-20.5, 4.0), (-13, -5.2), (-2, -tall), (10, -9.0), (21.5, -0.6)]
    lower = [(21.5, -0.6), (14, 6.2), (2, 8.6), (-12, 7.4), (-20.5, 4.0)]
    low = smooth(at(lower), closed=False)
    closed_upper = [(a, b + (7.2 - 0.011 * a * a - b + 0.4) * lid) for a, b in upper]
    up = smooth(at(closed_upper), closed=False)
    socket = smooth(at([(-25, 4), (-14, -12), (2, -19), (18, -14), (28, -1), (16, 11), (0, 14), (-16, 11)]))
    layer.fill(socket, design.shade, alpha=0.3, blur=5)
    full = [*smooth(at(upper), closed=False), *low]
    opening = [*up, *low]
    if lid < 0.95:
        white = layer.mask(opening)
        layer.pour(white, (250, 246, 242))
        layer.fill(moved(full, 0, -17), (120, 96, 96), alpha=0.5, blur=3.5, clip=white)  # the lid's shadow
        for corner in (-20, 21):
            layer.fill(ellipse(x + corner * way, EYE_Y + 2, 5, 6), (205, 150, 140), alpha=0.5, blur=3, clip=white)
        _iris(layer, design, x + 5.0 * gaze - 0.5 * way, white)
        layer.fill(moved(stroke(at(closed_upper), (2, 5, 5, 2)), 0, 2.2), (40, 24, 24), alpha=0.4, blur=1.6, clip=white)
    else:
        layer.fill(full, mix(design.skin, design.shade, 0.2))
    if lid > 0.02:  # the skin that came down
        cover = [*smooth(at(upper), closed=False), *reversed(up)]
        layer.fill(cover, mix(design.skin, design.shade, 0.16))
        layer.fill(moved(stroke(at(upper), (0.6, 2, 1)), 0, 0), design.shade, alpha=0.4, blur=1.2)
    crease = [(a * 1.04, b - 4.8 + 2.6 * lid) for a, b in upper]
    layer.fill(stroke(at(crease), (0.4, 1.7, 1.9, 0.6)), mix(design.shade, design.brow, 0.35), alpha=0.75, blur=0.8)
    _lashes(layer, design, at(closed_upper), way, lid)
    layer.fill(
        stroke(at([(20, 0.8), (13, 7.0), (1, 9.2), (-12, 7.8)]), (1.6, 1.1, 0.3)), design.brow, alpha=0.5, blur=0.5
    )
    layer.fill(stroke(at([(-15, 12.5), (0, 15), (14, 12)]), (0.4, 2, 0.4)), design.shade, alpha=0.4, blur=1.6)


def _iris(layer: Layer, design: FaceDesign, x: float, white: Picture) -> None:
    y, radius = EYE_Y - 2.0, 11.9
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


def _lashes(layer: Layer, design: FaceDesign, line: list[Point], way: int, lid: float) -> None:
    dark = mix(design.brow, BLACK, 0.62)
    thick = design.lashes
    layer.fill(stroke(line, (0.8, thick * 0.7, thick, thick * 0.95, 1.4)), dark, blur=0.3)
    if design.masculine:
        return
    ex, ey = line[-1]
    droop = 7 * lid
    for dx, dy, start in ((7.0, -4.6, 0.0), (4.6, -5.4, 3.4)):
        sx, sy = ex - start * way, ey - start * 0.42 * (1 - lid)
        lash = [(sx, sy), (sx + dx * 0.55 * way, sy + dy * 0.35 + droop * 0.4), (sx + dx * way, sy + dy + droop * 1.4)]
        layer.fill(stroke(lash, (2.2, 1.5, 0.2)), dark, blur=0.25)


def _brow(layer: Layer, design: FaceDesign, way: int, raised: float) -> None:
    lift = -5.0 * raised
    if design.masculine:
        line = [(-21, -0.4), (-6, -3.8), (12, -5.2), (31, 2.4)]
    else:
        line = [(-20, -1.6), (-6, -4.6), (12, -6.6), (31, 2.2)]
    points = [(AXIS + (EYE_X + x) * way, EYE_Y - 28.5 + y + lift) for x, y in line]
    weight = design.brow_weight
    layer.fill(
        moved(stroke(points, (weight * 0.5, weight * 1.05, weight, 0.5)), 0, 0.6), design.brow, alpha=0.82, blur=1.1
    )
    layer.fill(
        stroke(points, (weight * 0.4, weight * 0.6, weight * 0.5, 0.3)),
        mix(design.brow, BLACK, 0.25),
        alpha=0.5,
        blur=1.2,
    )
