"""The background of the head: the room, the hair that hangs down, neck and shoulders."""

from __future__ import annotations

from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import (
    SIZE,
    Colour,
    Layer,
    Path,
    Point,
    ellipse,
    flipped,
    mix,
    moved,
    smooth,
    stroke,
)
from mouthpiece_avatar.face.geometry import AXIS, BLACK, WHITE


def wall(colours: tuple[Colour, Colour, Colour]) -> Layer:
    """The room, out of focus.

    :param colours: light, middle, dark.
    """
    layer = Layer(scale=1)
    light, middle, dark = colours
    layer.radial(_frame(), (190, 150), 470, light, mix(middle, dark, 0.55), power=1.1)
    for x, y, radius, colour, alpha in (
        (84, 96, 74, WHITE, 0.34),
        (438, 150, 58, light, 0.42),
        (470, 330, 92, dark, 0.22),
        (30, 330, 70, mix(middle, dark, 0.6), 0.25),
        (400, 40, 34, WHITE, 0.25),
    ):
        layer.fill(ellipse(x, y, radius, radius), colour, alpha=alpha, blur=16)
    return layer


def hair_back(design: FaceDesign) -> Layer:
    """The hair behind neck and shoulders."""
    layer = Layer()
    if not design.hair.back:
        return layer
    path = smooth(design.hair.back)
    layer.fill(moved(path, 4, 8), mix(design.wall[2], BLACK, 0.3), alpha=0.35, blur=12)
    layer.gradient(path, ((256, 90), design.hair.dark), ((256, 420), mix(design.hair.dark, design.hair.mid, 0.7)))
    clip = layer.mask(path)
    for strand in design.hair.back_strands:
        layer.fill(stroke(strand, (0.5, 5, 1)), design.hair.mid, alpha=0.5, blur=1.2, clip=clip)
    return layer


def torso(design: FaceDesign) -> Layer:
    """Neck, shoulders and garment."""
    layer = Layer()
    _torso(layer, design)
    return layer


def _frame() -> Path:
    return [(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)]


def _torso(layer: Layer, design: FaceDesign) -> None:
    light, _, dark = design.garment
    wide, neck = design.bones.shoulders, design.bones.neck
    half: list[Point] = [
        (AXIS + neck + 1, 366),
        (AXIS + neck + 22, 381),
        (AXIS + neck + 64, 400),
        (AXIS + wide * 0.8, 422),
        (AXIS + wide, 468),
        (AXIS + wide + 14, 530),
    ]
    body = [*smooth(half, closed=False), *flipped(smooth(half, closed=False))[::-1]]
    layer.fill(moved(body, 0, -4), mix(design.wall[2], BLACK, 0.35), alpha=0.3, blur=12)
    layer.gradient(body, ((150, 380), light), ((420, 520), dark))
    clip = layer.mask(body)
    layer.fill(ellipse(AXIS - 90, 455, 60, 34, -0.4), light, alpha=0.5, blur=16, clip=clip)
    for x, tilt, way in ((AXIS - 118, 0.25, 1), (AXIS + 122, -0.2, -1)):  # folds from arm to chest
        fold = [(x, 440), (x + 12 * way, 476), (x + 8 * way, 520)]
        layer.fill(stroke(fold, (1, 8, 3)), dark, alpha=0.55, blur=5, clip=clip)
        layer.fill(moved(stroke(fold, (1, 5, 2)), -9 * way, tilt), light, alpha=0.4, blur=4, clip=clip)
    _neckline(layer, design, _throat(design))


def _throat(design: FaceDesign) -> Path:
    """Neck and the opening of the garment, as one piece of skin."""
    neck, deep = design.bones.neck, 414.0
    half = [
        (AXIS + neck - 1, 286),
        (AXIS + neck - 3, 330),
        (AXIS + neck + 2, 364),
        (AXIS + neck + 4, 382),
        (AXIS + neck - 8, 400),
        (AXIS + 16, deep - 2),
        (AXIS, deep),
    ]
    right = smooth(half, closed=False)
    return [*right, *flipped(right)[::-1]]


def _neckline(layer: Layer, design: FaceDesign, throat: Path) -> None:
    light, middle, dark = design.garment
    layer.fill([point for point in moved(throat, 0, 6) if point[1] > 370], dark, alpha=0.6, blur=3)
    layer.fill(throat, design.skin)
    inside = layer.mask(throat)
    layer.fill(
        ellipse(AXIS + 4, design.bones.chin + 3, 78, 32), design.shade, alpha=0.95, blur=11, clip=inside
    )  # the chin's shadow
    layer.fill(ellipse(AXIS + design.bones.neck + 2, 350, 13, 70), design.shade, alpha=0.75, blur=9, clip=inside)
    layer.fill(ellipse(AXIS - design.bones.neck - 6, 340, 9, 60), design.shade, alpha=0.5, blur=7, clip=inside)
    for way in (-1, 1):  # tendons and collar bones
        tendon = [(AXIS + 27 * way, 352), (AXIS + 17 * way, 384), (AXIS + 7 * way, 404)]
        layer.fill(stroke(tendon, (2, 4, 1)), design.shade, alpha=0.35, blur=2.6, clip=inside)
    layer.fill(ellipse(AXIS, 402, 5, 5), design.shade, alpha=0.4, blur=2.6, clip=inside)
    layer.fill(ellipse(AXIS - 18, 388, 11, 13), design.light, alpha=0.45, blur=7, clip=inside)
    half = [point for point in throat[: len(throat) // 2] if point[1] > 366]
    edge = [*half[::6], half[-1]]
    rim = [*edge, *flipped(edge)[::-1][1:]]
    layer.fill(stroke(moved(rim, 0, 1), (2, 8.5, 10, 8.5, 2)), mix(middle, dark, 0.25))
    layer.fill(moved(stroke(rim, (1.6, 2.2, 2.2, 1.6)), 0, -1.6), light, alpha=0.85, blur=0.9)
    layer.fill(moved(stroke(rim, (1.2, 1.6, 1.6, 1.2)), 0, 5.6), dark, alpha=0.7, blur=0.9)
