"""Lips, teeth and tongue, in any shape that speech takes."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import Box, Layer, Path, Point, ellipse, mix, smooth, stroke
from mouthpiece_avatar.face.geometry import AXIS, BLACK, WHITE


@dataclass(frozen=True, slots=True)
class MouthShape:
    """How a mouth stands."""

    open: float
    """Height of the opening: 0 closed, 1 as wide as speech goes."""
    wide: float
    """-1 rounded as for "oo", 0 at ease, 1 drawn wide as for "ee"."""
    teeth: bool = False
    """Teeth together, as for "s"."""
    pressed: bool = False
    """Lips pressed, as for "m"."""
    bite: bool = False
    """The lower lip at the upper teeth, as for "f"."""
    tongue: bool = False
    """The tip of the tongue behind the upper teeth, as for "l"."""
    smile: float = 0.0
    """How far the corners are lifted: 1 for a small smile."""

    @property
    def jaw(self) -> float:
        """How far the chin drops, in pixels; in steps, because each takes a drawing of its own."""
        return 2.25 * round(4 * self.open)


def draw_mouth(design: FaceDesign, shape: MouthShape, box: Box) -> Layer:
    """Lips, teeth and tongue; the chin below belongs to the skin."""
    layer = Layer(box)
    bones = design.bones
    size = bones.mouth_half / 26.5
    half = 26.5 + (4.0 * shape.wide if shape.wide > 0 else 11.5 * shape.wide) - 2.2 * shape.open * (shape.wide <= 0)
    half = half * size + 2.6 * shape.smile
    gap = 1.0 + 21.0 * shape.open * (1 - 0.3 * max(-shape.wide, 0))
    if shape.teeth:
        gap = max(gap, 6.0)
    if shape.bite:
        gap = 4.6
    smile = 4.2 + 1.2 * max(shape.wide, 0) - 3.0 * max(-shape.wide, 0) - 1.2 * shape.open + 4.4 * shape.smile
    y = bones.mouth_y
    above = 0.95 if shape.bite else 0.30
    top_in, low_in = y - gap * above, y + gap * (1 - above)
    pucker = max(-shape.wide, 0)
    thin = 0.6 if shape.pressed else 1.0 - 0.08 * shape.smile
    top_out = top_in - (bones.upper_lip + 2.2 * pucker) * thin
    tucked = 0.62 if shape.bite else 1.0
    low_out = low_in + (bones.lower_lip + 1.6 * pucker - 1.5 * shape.open) * thin * tucked
    corner = y - smile + gap * 0.12
    bow = half * (0.5 + 0.22 * pucker)  # a rounded mouth is an oval, a mouth at ease is an almond
    belly = half * (0.58 + 0.14 * pucker)
    inner_top: list[Point] = [
        (-half, corner), (-bow, top_in + 0.6), (0, top_in + 1.0), (bow, top_in + 0.6), (half, corner),
    ]  # fmt: skip
    inner_low: list[Point] = [
        (half, corner), (belly, low_in - gap * 0.1), (0, low_in), (-belly, low_in - gap * 0.1), (-half, corner),
    ]  # fmt: skip
    outer_top: list[Point] = [
        (-half - 1.6, corner), (-half * 0.55, top_out + 3.0), (-half * 0.2, top_out), (0, top_out + 1.9),
        (half * 0.2, top_out), (half * 0.55, top_out + 3.0), (half + 1.6, corner),
    ]  # fmt: skip
    outer_low: list[Point] = [
        (half + 1.6, corner), (half * 0.62, low_out - 2.6), (0, low_out), (-half * 0.62, low_out - 2.6),
        (-half - 1.6, corner),
    ]  # fmt: skip

    def at(points: list[Point]) -> list[Point]:
        return [(AXIS + a, b) for a, b in points]

    lips = [*smooth(at(outer_top), closed=False), *smooth(at(outer_low), closed=False)]
    opening = [*smooth(at(inner_top), closed=False), *smooth(at(inner_low), closed=False)]
    layer.fill(ellipse(AXIS, low_out + 4.5, half * 0.62, 4), design.shade, alpha=0.62, blur=3.2)
    for way in (-1, 1):
        layer.fill(ellipse(AXIS + (half + 3.5) * way, corner + 0.5, 3.4, 3.2), design.shade, alpha=0.6, blur=2)
    colour = design.lips
    layer.gradient(
        lips, ((AXIS, top_out), mix(colour, BLACK, 0.12)), ((AXIS, low_out), mix(colour, design.light, 0.22))
    )
    inside = layer.mask(lips)
    shine = ellipse(AXIS - 3, (low_in + low_out) / 2, half * 0.4, 2.0)
    layer.fill(shine, WHITE, alpha=design.lip_shine, blur=1.6, clip=inside)
    layer.fill(ellipse(AXIS - 3, top_out + 2.0, half * 0.35, 1.0), WHITE, alpha=0.14, blur=1.0, clip=inside)
    if gap > 2.0:
        _inside(layer, design, opening, half, top_in, low_in, gap, shape)
    else:
        layer.fill(
            stroke(at(inner_top), (1.0, 2.0, 1.8, 2.0, 1.0)), mix(colour, (60, 10, 16), 0.72), alpha=0.95, blur=0.5
        )
    return layer


def _inside(
    layer: Layer, design: FaceDesign, opening: Path, half: float, top: float, low: float, gap: float, shape: MouthShape
) -> None:
    hollow = layer.mask(opening, 0.3)
    layer.pour(hollow, (74, 22, 28))
    layer.fill(ellipse(AXIS, (top + low) / 2, half * 0.7, gap * 0.45), (38, 8, 14), alpha=0.8, blur=3, clip=hollow)
    if shape.open > 0.25 and not shape.tongue:
        tongue = ellipse(AXIS, low + 1.5, half * 0.55, gap * 0.34)
        layer.fill(tongue, (196, 92, 92), blur=1.2, clip=hollow)
        layer.fill(ellipse(AXIS, low - gap * 0.12, half * 0.3, 1.6), (226, 130, 126), alpha=0.6, blur=1.4, clip=hollow)
    depth = gap * 0.96 if shape.teeth or shape.bite else min(7.5, 1.8 + gap * 0.36)
    if shape.wide > -0.45 or shape.teeth:
        row = [(-0.86, -4.0), (0.86, -4.0), (0.74, depth * 0.8), (0.3, depth), (-0.3, depth), (-0.74, depth * 0.8)]
        teeth = [(AXIS + half * x, top + y) for x, y in row]
        layer.fill(smooth(teeth), (247, 243, 236), blur=0.5, clip=hollow)
        for x in (-11.5, -5.8, 0, 5.8, 11.5):
            seam = [(AXIS + x, top), (AXIS + x, top + depth)]
            layer.fill(stroke(seam, (0.5, 0.7)), (206, 196, 190), alpha=0.55, blur=0.4, clip=hollow)
        if shape.teeth:
            line = [
                (AXIS - half * 0.8, (top + low) / 2 + 0.4),
                (AXIS, (top + low) / 2 + 1),
                (AXIS + half * 0.8, (top + low) / 2 + 0.4),
            ]
            layer.fill(stroke(line, (0.8, 1.1, 0.8)), (170, 150, 146), alpha=0.8, blur=0.4, clip=hollow)
    if shape.tongue:
        tip = ellipse(AXIS, top + gap * 0.78, half * 0.42, gap * 0.3)
        layer.fill(tip, (214, 112, 108), blur=0.8, clip=hollow)
        layer.fill(ellipse(AXIS, top + gap * 0.7, half * 0.24, 1.3), (238, 150, 142), alpha=0.7, blur=0.9, clip=hollow)
    shadow = [(AXIS - half, top - 6), (AXIS + half, top - 6), (AXIS + half, top + 1.8), (AXIS - half, top + 1.8)]
    layer.fill(shadow, (60, 14, 20), alpha=0.5, blur=1.2, clip=hollow)
