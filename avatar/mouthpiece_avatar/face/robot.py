"""Robo, a robot: a rounded head of painted metal, eyes of light behind lids, lips of rubber that close."""

from __future__ import annotations

from PIL import ImageChops

from mouthpiece_avatar.face.drawing import (
    Colour,
    Layer,
    Path,
    Point,
    ellipse,
    flipped,
    hex_colour,
    mirrored,
    mix,
    moved,
    smooth,
    stroke,
)
from mouthpiece_avatar.face.eyes import EyeState
from mouthpiece_avatar.face.geometry import AXIS, BLACK, HEAD_BOX, WHITE, FeatureBoxes
from mouthpiece_avatar.face.mouth import MouthShape

_METAL, _LIGHT, _SHADE = hex_colour("#b9c6cf"), hex_colour("#eef4f7"), hex_colour("#6f8391")
_TRIM = hex_colour("#2f6f9f")
_SCREEN = hex_colour("#14222c")
_GLOW = hex_colour("#6fe3ff")
_RUBBER = hex_colour("#35434d")
_EYE_X, _EYE_Y, _EYE = 46.0, 212.0, 25.0
_MOUTH_Y = 298.0
_CHIN = 342.0


def _slab(left: float, top: float, right: float, bottom: float, corner: float) -> Path:
    """A box with round corners."""
    points: Path = []
    for x, y, start in (
        (right - corner, top + corner, 270),
        (right - corner, bottom - corner, 0),
        (left + corner, bottom - corner, 90),
        (left + corner, top + corner, 180),
    ):
        arc = ellipse(x, y, corner, corner)
        first = start * len(arc) // 360
        points.extend(arc[(first + step) % len(arc)] for step in range(len(arc) // 4 + 1))
    return points


class RobotArtist:
    """See :class:`mouthpiece_avatar.face.artist.Artist`."""

    name = "robo"
    wall: tuple[Colour, Colour, Colour] = (hex_colour("#e6ecf5"), hex_colour("#b9c4dc"), hex_colour("#7f8fb4"))
    boxes = FeatureBoxes(
        mouth=(178, 262, 334, 366),
        eyes=(174, 178, 338, 246),
        brows=((166, 156, 252, 200), (260, 156, 346, 200)),
    )

    def behind(self) -> Layer:
        return Layer()

    def torso(self) -> Layer:
        layer = Layer()
        half: list[Point] = [
            (AXIS + 70, 392),
            (AXIS + 120, 398),
            (AXIS + 176, 418),
            (AXIS + 204, 462),
            (AXIS + 208, 540),
        ]
        body = [*smooth(half, closed=False), *flipped(smooth(half, closed=False))[::-1]]
        layer.fill(moved(body, 0, -4), mix(self.wall[2], BLACK, 0.35), alpha=0.3, blur=12)
        for index in range(5):  # the neck, ring by ring
            y = 340 + 12 * index
            layer.gradient(
                _slab(AXIS - 40 - index, y, AXIS + 40 + index, y + 13, 6), ((AXIS - 40, y), mix(_RUBBER, _LIGHT, 0.3)),
                ((AXIS + 40, y), mix(_RUBBER, BLACK, 0.35)),
            )  # fmt: skip
        layer.fill(ellipse(AXIS, 346, 52, 14), BLACK, alpha=0.45, blur=6)
        layer.gradient(body, ((140, 390), _LIGHT), ((420, 520), _SHADE))
        clip = layer.mask(body)
        collar = [(AXIS - 96, 396), (AXIS - 50, 414), (AXIS, 420), (AXIS + 50, 414), (AXIS + 96, 396)]
        layer.fill(stroke(collar, (12, 16, 16, 16, 12)), _TRIM, clip=clip)
        layer.fill(moved(stroke(collar, (3, 3)), 0, -5), mix(_TRIM, WHITE, 0.5), alpha=0.8, blur=0.8, clip=clip)
        for x in (-120, 120):
            layer.fill(
                stroke([(AXIS + x, 424), (AXIS + x * 1.05, 520)], (2, 2)), _SHADE, alpha=0.8, blur=0.6, clip=clip
            )
        return layer

    def skin(self, jaw: float) -> Layer:
        layer = Layer(HEAD_BOX)
        for way in (-1, 1):
            rod = [(AXIS + 92 * way, 214), (AXIS + 112 * way, 196), (AXIS + 116 * way, 150)]
            layer.fill(stroke(rod, (9, 7, 5)), _SHADE)
            layer.fill(ellipse(AXIS + 116 * way, 146, 8, 8), _GLOW)
            layer.fill(ellipse(AXIS + 113 * way, 143, 3, 3), WHITE, alpha=0.8, blur=0.5)
            ear = _slab(AXIS + 84 * way - 16, 184, AXIS + 84 * way + 16, 256, 13)
            layer.gradient(ear, ((AXIS, 184), mix(_TRIM, WHITE, 0.2)), ((AXIS + 80, 256), mix(_TRIM, BLACK, 0.3)))
        path = self._outline(jaw)
        layer.gradient(path, ((190, 100), _LIGHT), ((344, 344), mix(_METAL, _SHADE, 0.7)))
        clip = layer.mask(path)
        edge = ImageChops.subtract(
            clip, layer.mask([(250 + (x - 250) * 0.9, 222 + (y - 222) * 0.92) for x, y in path], 10)
        )
        layer.pour(edge, _SHADE, alpha=0.6)
        layer.fill(ellipse(228, 122, 60, 18, -0.12), WHITE, alpha=0.65, blur=9, clip=clip)
        crest = [(AXIS, 84), (AXIS, 120), (AXIS, 156)]
        layer.fill(stroke(crest, (16, 14, 2)), _TRIM, clip=clip)
        layer.fill(moved(stroke(crest, (3, 2, 0.5)), -4, 0), mix(_TRIM, WHITE, 0.6), alpha=0.8, blur=0.8, clip=clip)
        seam = [(AXIS - 92, 266), (AXIS - 62, 272), (AXIS - 48, 330 + jaw), (AXIS - 42, 348 + jaw)]
        for line in (seam, flipped(seam)):
            layer.fill(stroke(line, (1.6, 2, 2, 1.2)), _SHADE, alpha=0.9, blur=0.5, clip=clip)
            layer.fill(moved(stroke(line, (1.2, 1.2)), 1.6, 0.8), WHITE, alpha=0.5, blur=0.5, clip=clip)
        for x in (-78, 78):
            for y in (132, 284):
                layer.fill(ellipse(AXIS + x * (0.86 if y < 200 else 1), y, 4, 4), _SHADE, clip=clip)
                layer.fill(ellipse(AXIS + x * (0.86 if y < 200 else 1) - 1, y - 1, 2, 2), WHITE, alpha=0.7, clip=clip)
        return layer

    def _outline(self, jaw: float) -> Path:
        half = [
            (AXIS, 84), (AXIS + 52, 90), (AXIS + 84, 122), (AXIS + 92, 190), (AXIS + 92, 254), (AXIS + 80, 304),
            (AXIS + 56, 334 + 0.9 * jaw), (AXIS, _CHIN + jaw),
        ]  # fmt: skip
        return smooth(mirrored(half))

    def nose(self) -> Layer:
        layer = Layer(HEAD_BOX)
        visor = _slab(AXIS - 82, 180, AXIS + 82, 244, 30)
        layer.fill(moved(visor, 0, 3), _SHADE, alpha=0.7, blur=3)
        layer.gradient(visor, ((200, 180), mix(_SCREEN, _METAL, 0.22)), ((320, 244), _SCREEN))
        rim = ImageChops.subtract(layer.mask(visor), layer.mask(_slab(AXIS - 79, 183, AXIS + 79, 241, 27)))
        layer.pour(rim, mix(_SCREEN, _SHADE, 0.7))
        grille = [(AXIS - 10, 262), (AXIS, 260), (AXIS + 10, 262)]
        for down in (0, 5):
            layer.fill(moved(stroke(grille, (1.6, 2.4, 1.6)), 0, down), _SHADE, alpha=0.8, blur=0.4)
        return layer

    def worn(self) -> Layer:
        layer = Layer(HEAD_BOX)
        glint = [(AXIS - 70, 190), (AXIS - 34, 186), (AXIS - 52, 206), (AXIS - 74, 214)]
        layer.fill(smooth(glint), WHITE, alpha=0.13, blur=2)
        return layer

    def hair(self) -> Layer:
        return Layer(HEAD_BOX)

    def eyes(self, state: EyeState) -> Layer:
        layer = Layer(self.boxes.eyes)
        lid = max(state.lid, 0)
        for way in (-1, 1):
            x, y = AXIS + _EYE_X * way, _EYE_Y
            high = _EYE * (1 + 0.5 * max(-state.lid, 0))
            socket = ellipse(x, y, _EYE, high)
            layer.fill(ellipse(x, y, _EYE + 3, high + 3), _GLOW, alpha=0.3, blur=5)
            layer.radial(socket, (x, y), _EYE, mix(_GLOW, _SCREEN, 0.55), _SCREEN)
            clip = layer.mask(socket)
            at = (x + 9.0 * state.gaze, y - 6.0 * state.up)
            layer.fill(ellipse(*at, 14, 14), _GLOW, blur=1.2, clip=clip)
            layer.fill(ellipse(*at, 6.5, 6.5), _SCREEN, blur=0.5, clip=clip)
            layer.fill(ellipse(at[0] - 5, at[1] - 5, 3.4, 3.2), WHITE, alpha=0.95, blur=0.3, clip=clip)
            if lid > 0:
                edge = y - _EYE + 2 * _EYE * lid * 0.62
                cover = [(x - 40, y - 40), (x + 40, y - 40), (x + 40, edge - 2), (x, edge + 4), (x - 40, edge - 2)]
                layer.fill(cover, mix(_METAL, _SHADE, 0.5), clip=clip)
                rise = y + _EYE - 2 * _EYE * lid * 0.38
                lower = [(x - 40, y + 40), (x + 40, y + 40), (x + 40, rise + 2), (x, rise + 4), (x - 40, rise + 2)]
                layer.fill(lower, mix(_METAL, _SHADE, 0.65), clip=clip)
                line = [(x - _EYE, edge - 1), (x, edge + 3), (x + _EYE, edge - 1)]
                layer.fill(stroke(line, (1, 2.4, 1)), _SCREEN, clip=clip)
        return layer

    def brow(self, way: int, raised: float) -> Layer:
        layer = Layer(self.boxes.brows[way > 0])
        lift = -6.0 * raised
        line = [(AXIS + 22 * way, 178 + lift * 0.8), (AXIS + 46 * way, 173 + lift), (AXIS + 70 * way, 178 + lift * 0.9)]
        layer.fill(moved(stroke(line, (6, 8, 6)), 0, 2), _SHADE, alpha=0.6, blur=1.6)
        layer.fill(stroke(line, (5, 7, 5)), _TRIM)
        layer.fill(moved(stroke(line, (1.5, 2, 1.5)), 0, -1.6), mix(_TRIM, WHITE, 0.5), alpha=0.8, blur=0.5)
        return layer

    def mouth(self, shape: MouthShape) -> Layer:
        """Two lips of rubber about an opening with a light in it and plates for teeth."""
        layer = Layer(self.boxes.mouth)
        pucker = max(-shape.wide, 0)
        half = 36 + 5 * max(shape.wide, 0) - 15 * pucker - 3 * shape.open * (shape.wide <= 0) + 2 * shape.smile
        gap = 25.0 * shape.open * (1 - 0.25 * pucker)
        gap = 8.0 if shape.teeth else 6.0 if shape.bite else gap
        above = 0.9 if shape.bite else 0.3
        top, low = _MOUTH_Y - gap * above, _MOUTH_Y + gap * (1 - above)
        lip = (4.4 if shape.pressed else 6.6) + 2.6 * pucker
        corner = _MOUTH_Y - (1 - pucker) * (3.0 + 4.0 * shape.smile + 1.4 * max(shape.wide, 0)) + gap * 0.16
        bow = 0.62 + 0.1 * pucker

        def line(middle: float, lift: float = 0.0) -> Path:
            return [
                (AXIS - half, corner + lift), (AXIS - half * bow, middle + lift), (AXIS, middle + lift),
                (AXIS + half * bow, middle + lift), (AXIS + half, corner + lift),
            ]  # fmt: skip

        layer.fill(ellipse(AXIS, low + lip + 3, half * 0.8, 4), _SHADE, alpha=0.55, blur=2.4)
        opening = [*smooth(line(top), closed=False), *smooth(line(low), closed=False)[::-1]]
        if gap > 1.5:
            hollow = layer.mask(opening)
            layer.pour(hollow, _SCREEN)
            layer.fill(ellipse(AXIS, low + 2, half * 0.6, gap * 0.5), _GLOW, alpha=0.5, blur=4, clip=hollow)
            if shape.wide > -0.45 or shape.teeth:
                deep = gap * 0.98 if shape.teeth or shape.bite else min(8.0, 2 + gap * 0.35)
                plate = [
                    (AXIS - half, top - 9),
                    (AXIS + half, top - 9),
                    (AXIS + half * 0.8, top + deep),
                    (AXIS - half * 0.8, top + deep),
                ]
                layer.fill(plate, _LIGHT, clip=hollow)
                for x in range(-3, 4):
                    gapline = [(AXIS + 9 * x + 4.5, top - 6), (AXIS + 9 * x + 4.5, top + deep)]
                    layer.fill(stroke(gapline, (1.2, 1.2)), _SHADE, clip=hollow)
                if shape.teeth:
                    layer.fill(stroke(line((top + low) / 2), (1, 1.4, 1.4, 1.4, 1)), _SHADE, clip=hollow)
            if shape.tongue:
                layer.fill(
                    ellipse(AXIS, top + gap * 0.72, half * 0.4, gap * 0.3), hex_colour("#e0736f"), blur=0.6, clip=hollow
                )
        under = lip * (0.5 if shape.bite else 1.15)
        edge = half + 3 + 3.5 * pucker
        ring = [
            (AXIS - edge, corner), (AXIS - half * bow, top - lip), (AXIS, top - lip * 0.9),
            (AXIS + half * bow, top - lip),
            (AXIS + edge, corner), (AXIS + half * bow, low + under), (AXIS, low + under * 1.05),
            (AXIS - half * bow, low + under),
        ]  # fmt: skip
        whole = layer.mask(smooth(ring))
        lips = ImageChops.subtract(whole, layer.mask(opening)) if gap > 1.5 else whole
        layer.pour(lips, _RUBBER)
        for y, light in ((top - lip * 0.6, 0.2), (low + under * 0.5, 0.32)):
            gleam = stroke(line(y), (0.5, 2.4, 2.8, 2.4, 0.5))
            layer.fill(gleam, mix(_RUBBER, WHITE, light + 0.2), alpha=0.8, blur=1.2, clip=lips)
        if gap <= 1.5:
            layer.fill(stroke(line(_MOUTH_Y), (0.8, 1.8, 1.6, 1.8, 0.8)), mix(_RUBBER, BLACK, 0.65), blur=0.3)
        return layer
