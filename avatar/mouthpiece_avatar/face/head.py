"""The head without eyes and mouth: skin, ears, nose, beard, what the years left, and the hair over it."""

from __future__ import annotations

from PIL import Image, ImageChops

from mouthpiece_avatar.face.design import Beard, FaceDesign
from mouthpiece_avatar.face.drawing import Layer, Path, Picture, Point, ellipse, mirrored, mix, moved, smooth, stroke
from mouthpiece_avatar.face.geometry import AXIS, CHIN_REACH, HEAD_BOX


def skin(design: FaceDesign, jaw: float) -> Layer:
    """The head without its features; ``jaw`` is how far the chin has dropped, in pixels."""
    layer = Layer(HEAD_BOX)
    bones = design.bones
    path = _outline(design, jaw)
    if bones.ear_size:
        for way in (-1, 1):
            _ear(layer, design, way)
    layer.gradient(path, ((206, 130), design.light), ((330, bones.chin - 5), mix(design.skin, design.shade, 0.35)))
    clip = layer.mask(path)
    layer.pour(clip, design.skin, alpha=0.35)
    edge = ImageChops.subtract(clip, layer.mask(_shrunk(path, 0.9, 0.93, (250, 222)), 14))
    layer.pour(edge, design.shade, alpha=0.62)  # turns away from the light
    far = ImageChops.multiply(edge, layer.mask([(276, 90), (402, 90), (402, 388), (276, 388)], 20))
    layer.pour(far, design.shade, alpha=0.5)
    layer.fill(ellipse(238, 158, 46, 30), design.light, alpha=0.55, blur=16, clip=clip)  # forehead
    layer.fill(ellipse(AXIS - 4, bones.chin - 9 + jaw, 17, 8), design.light, alpha=0.5, blur=6, clip=clip)  # chin
    out = bones.half_width(bones.cheek_y) * 0.65
    for way, strength in ((-1, 0.36), (1, 0.3)):
        layer.fill(
            ellipse(AXIS + out * way, bones.cheek_y + 15, 25, 17, 0.25 * way),
            design.blush, alpha=strength, blur=10, clip=clip,
        )  # fmt: skip
        layer.fill(
            ellipse(AXIS + (out - 5) * way, bones.cheek_y, 19, 8, 0.3 * way),
            design.light, alpha=min(0.55, 0.3 * bones.cheeks), blur=6, clip=clip,
        )  # fmt: skip
        hollow = ellipse(AXIS + (out + 4) * way, bones.cheek_y + 36, 12, 20, 0.45 * way)
        layer.fill(hollow, design.shade, alpha=max(0.0, 0.3 * (bones.cheeks - 0.7)), blur=9, clip=clip)
    if design.age:
        _lines(layer, design, clip, jaw)
    if design.beard:
        _beard(layer, design, design.beard, clip, jaw)
    return layer


def _outline(design: FaceDesign, jaw: float) -> Path:
    """The chin drops by ``jaw``, the cheeks follow less the higher and the further out they are."""
    chin = design.bones.chin
    half = []
    for x, y in design.bones.outline:
        low = float(min(1.0, max(0.0, (y - chin + 85) / 80)) ** 1.2) * min(1.0, max(0.0, (CHIN_REACH - x + AXIS) / 18))
        half.append((x - 0.12 * jaw * low * (x > AXIS), y + jaw * low))
    return smooth(mirrored(half))


def _shrunk(path: Path, x: float, y: float, centre: Point) -> Path:
    return [(centre[0] + (a - centre[0]) * x, centre[1] + (b - centre[1]) * y) for a, b in path]


def _ear(layer: Layer, design: FaceDesign, way: int) -> None:
    bones = design.bones
    edge = bones.half_width(bones.ear_y) - 5
    size = bones.ear_size

    def at(points: list[Point]) -> Path:
        return smooth([(AXIS + (edge + x * size) * way, bones.ear_y + y * size) for x, y in points])

    path = at([(0, -26), (14, -30), (20, -16), (16, 8), (8, 26), (0, 28)])
    layer.fill(path, mix(design.skin, design.shade, 0.25 if way < 0 else 0.45))
    clip = layer.mask(path)
    inner = at([(5, -17), (13, -18), (14, -4), (9, 10), (6, 16)])
    layer.fill(inner, design.shade, alpha=0.75, blur=2.5, clip=clip)


def _lines(layer: Layer, design: FaceDesign, clip: Picture, jaw: float) -> None:
    """From nose to mouth, under the eyes, on the forehead, beside the eyes, at the jaw."""
    bones, age = design.bones, design.age
    for way in (-1, 1):
        fold = [
            (AXIS + 20 * bones.nose_width * way, bones.nose_y - 8),
            (AXIS + (bones.mouth_half + 7) * way, bones.mouth_y - 12),
            (AXIS + (bones.mouth_half + 11) * way, bones.mouth_y + 4 + jaw * 0.4),
        ]
        layer.fill(stroke(fold, (0.6, 3.0, 2.2, 0.4)), design.shade, alpha=0.6 * age, blur=1.6, clip=clip)
        bag = [(AXIS + (bones.eye_x + x) * way, bones.eye_y + y) for x, y in ((-16, 14), (0, 20), (17, 15))]
        layer.fill(stroke(bag, (0.4, 3, 0.4)), design.shade, alpha=0.5 * age, blur=1.6, clip=clip)
        for rise in (-7, -1, 5):
            crow = [
                (AXIS + (bones.eye_x + bones.eye_width + 5) * way, bones.eye_y + rise * 0.4),
                (AXIS + (bones.eye_x + bones.eye_width + 14) * way, bones.eye_y + rise),
            ]
            layer.fill(stroke(crow, (1.4, 0.3)), design.shade, alpha=0.5 * age, blur=0.7, clip=clip)
        jowl = [(AXIS + (bones.mouth_half + 9) * way, bones.mouth_y + 12), (AXIS + 46 * way, bones.chin - 12)]
        layer.fill(stroke(moved(jowl, 0, jaw), (0.5, 5, 1)), design.shade, alpha=0.35 * age, blur=3, clip=clip)
    for y in (158, 172):
        wave = [(AXIS - 42, y + 2), (AXIS - 12, y - 1), (AXIS + 14, y + 1), (AXIS + 44, y + 2)]
        layer.fill(stroke(wave, (0.3, 1.8, 1.8, 0.3)), design.shade, alpha=0.32 * age, blur=1.2, clip=clip)


def _beard(layer: Layer, design: FaceDesign, beard: Beard, clip: Picture, jaw: float) -> None:
    bones = design.bones
    top = bones.mouth_y - beard.top
    wide = bones.half_width(top) + 6
    half: list[Point] = [
        (AXIS + wide, top - 34), (AXIS + wide - 8, top - 6), (AXIS + bones.mouth_half + 13, top + 8),
        (AXIS + bones.mouth_half + 6, bones.mouth_y + 4), (AXIS + 12, bones.mouth_y + 17 + jaw * 0.7),
        (AXIS, bones.mouth_y + 16 + jaw * 0.7),
    ]  # fmt: skip
    upper = smooth(half, closed=False)
    below = [(AXIS + 130, top - 34), (AXIS + 130, 400), (AXIS - 130, 400), (AXIS - 130, top - 34)]
    whole = [*upper, *[(2 * AXIS - x, y) for x, y in reversed(upper)], *reversed(below)]
    layer.fill(whole, beard.colour, alpha=beard.strength, blur=3.2, clip=clip)
    if beard.moustache:
        lip = [
            (AXIS - bones.mouth_half - 7, bones.mouth_y - 1), (AXIS - bones.mouth_half * 0.6, bones.mouth_y - 11),
            (AXIS, bones.mouth_y - bones.upper_lip - 7), (AXIS + bones.mouth_half * 0.6, bones.mouth_y - 11),
            (AXIS + bones.mouth_half + 7, bones.mouth_y - 1),
        ]  # fmt: skip
        layer.fill(stroke(lip, (4, 8, 6, 8, 4)), beard.colour, alpha=beard.strength * 0.9, blur=2.2, clip=clip)


def nose(design: FaceDesign) -> Layer:
    layer = Layer(HEAD_BOX)
    bones = design.bones
    big, down, out = bones.nose_width, bones.nose_y - 270.5, bones.nose_bridge
    ridge = [(262, 214), (268, 240 + down * 0.5), (272, 262 + down), (262, 268 + down), (258, 240 + down * 0.5)]
    layer.fill(smooth(ridge), design.shade, alpha=min(0.7, 0.42 * out), blur=5)
    layer.fill(ellipse(AXIS, 270.5 + down, 17 * big, 5.5), design.shade, alpha=0.62, blur=3.4)
    bright = [(250, 206), (252, 232 + down * 0.5), (254, 254 + down)]
    layer.fill(stroke(bright, (4, 5, 6)), design.light, alpha=0.4 + 0.35 * min(out, 1.3), blur=3.4)
    layer.fill(ellipse(254, 258 + down, 7.5 * big, 6), design.light, alpha=0.85, blur=3)
    for way in (-1, 1):
        wing = [
            (AXIS + 13.5 * big * way, 256 + down),
            (AXIS + 17.5 * big * way, 263 + down),
            (AXIS + 14 * big * way, 269 + down),
        ]
        layer.fill(stroke(wing, (0.5, 2.4, 0.8)), design.shade, alpha=0.8, blur=1.2)
        hole = ellipse(AXIS + 7.6 * big * way, 268.6 + down, 4.0 * big, 1.9, -0.25 * way)
        layer.fill(hole, mix(design.shade, (70, 20, 15), 0.55), alpha=0.85, blur=0.7)
    return layer


def glasses(design: FaceDesign) -> Layer:
    """What is worn before the eyes; empty without."""
    layer = Layer(HEAD_BOX)
    worn, bones = design.glasses, design.bones
    if worn is None:
        return layer
    y = bones.eye_y + 2
    for way in (-1, 1):
        x = AXIS + bones.eye_x * way
        ring = [
            (x + a * worn.width * way, y + b * worn.height)
            for a, b in ((-0.95, -0.5), (-0.3, -0.92), (0.5, -0.95), (1.0, -0.55), (0.95, 0.35), (0.4, 0.95),
                         (-0.35, 0.97), (-0.92, 0.4))
        ]  # fmt: skip
        outer, inner = (
            smooth(ring),
            _shrunk(smooth(ring), 1 - worn.weight / worn.width, 1 - worn.weight / worn.height, (x, y)),
        )
        glass = layer.mask(inner)
        layer.pour(glass, (255, 255, 255), alpha=0.05)
        glint = [(x - 14, y - 16), (x - 5, y - 16), (x - 15, y + 10), (x - 22, y + 4)]
        layer.fill(glint, (255, 255, 255), alpha=0.12, blur=1.2, clip=glass)
        rim = ImageChops.subtract(layer.mask(outer), glass)
        layer.pour(ImageChops.offset(rim, 0, 8), design.shade, alpha=0.35)
        layer.pour(rim, worn.colour)
        temple = [(x + worn.width * 0.96 * way, y - 6), (AXIS + (bones.half_width(y) + 2) * way, y - 10)]
        layer.fill(stroke(temple, (worn.weight, worn.weight * 0.8)), worn.colour)
    inner_end = bones.eye_x - worn.width * 0.93
    bridge = [(AXIS - inner_end, y - 4), (AXIS, y - 8), (AXIS + inner_end, y - 4)]
    layer.fill(stroke(bridge, (worn.weight, worn.weight * 0.9, worn.weight)), worn.colour)
    return layer


def hair_front(design: FaceDesign) -> Layer:
    layer = Layer(HEAD_BOX)
    hair = design.hair
    whole = Image.new("L", layer.image.size, 0)
    for outline in hair.front:
        whole = ImageChops.lighter(whole, layer.mask(smooth(outline), hair.softness))
    face = layer.mask(_outline(design, 0))
    shadow = ImageChops.multiply(ImageChops.offset(whole, 8, 22), face)
    soft = Layer(HEAD_BOX)
    soft.pour(shadow, design.shade)
    soft.blurred(4)
    layer.pour(ImageChops.multiply(soft.image.getchannel("A"), face), design.shade, alpha=0.6)
    for outline in hair.front:
        path = smooth(outline)
        lock = Layer(HEAD_BOX)
        clip = layer.mask(path, hair.softness)
        lock.gradient([(88, 36), (424, 36), (424, 412), (88, 412)], ((230, 70), hair.mid), ((300, 380), hair.dark))
        lock.image.putalpha(clip)
        layer.put(lock)
        rim = ImageChops.subtract(clip, layer.mask(_shrunk(path, 0.94, 0.96, (256, 220)), 6))
        layer.pour(rim, hair.dark, alpha=0.55)
    for band, alpha in zip(hair.shine, (0.3, 0.22), strict=False):
        layer.fill(stroke(band, (2, 15, 17, 2)), hair.light, alpha=alpha, blur=7, clip=whole)
    for index, strand in enumerate(hair.strands):
        wide = 7 - 1.2 * (index % 4)
        layer.fill(stroke(strand, (0.6, wide, wide * 0.7, 0.4)), hair.light, alpha=0.34, blur=1.6, clip=whole)
        layer.fill(moved(stroke(strand, (0.4, wide * 0.5, 0.4)), 5, 3), hair.dark, alpha=0.5, blur=1.0, clip=whole)
        layer.fill(moved(stroke(strand, (0.3, 1.3, 0.3)), -3, 0), hair.light, alpha=0.5, blur=0.5, clip=whole)
    return layer
