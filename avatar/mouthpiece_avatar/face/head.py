"""The head without eyes and mouth: skin, ears, nose, and the hair over it."""

from __future__ import annotations

from PIL import Image, ImageChops

from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import Layer, Path, Point, ellipse, mirrored, mix, moved, smooth, stroke
from mouthpiece_avatar.face.geometry import AXIS, HEAD_BOX


def skin(design: FaceDesign, jaw: float) -> Layer:
    """The head without its features; ``jaw`` is how far the chin has dropped, in pixels."""
    layer = Layer(HEAD_BOX)
    path = _outline(design, jaw)
    if design.masculine:
        for way in (-1, 1):
            _ear(layer, design, way)
    layer.gradient(path, ((206, 130), design.light), ((330, 330), mix(design.skin, design.shade, 0.35)))
    clip = layer.mask(path)
    layer.pour(clip, design.skin, alpha=0.35)
    edge = ImageChops.subtract(clip, layer.mask(_shrunk(path, 0.9, 0.93, (250, 222)), 14))
    layer.pour(edge, design.shade, alpha=0.62)  # turns away from the light
    far = ImageChops.multiply(edge, layer.mask([(276, 90), (402, 90), (402, 388), (276, 388)], 20))
    layer.pour(far, design.shade, alpha=0.5)
    layer.fill(ellipse(238, 158, 46, 30), design.light, alpha=0.55, blur=16, clip=clip)  # forehead
    layer.fill(ellipse(AXIS - 4, 326 + jaw, 17, 8), design.light, alpha=0.5, blur=6, clip=clip)  # chin
    for way, strength in ((-1, 0.36), (1, 0.3)):
        layer.fill(ellipse(AXIS + 51 * way, 262, 25, 17, 0.25 * way), design.blush, alpha=strength, blur=10, clip=clip)
        layer.fill(ellipse(AXIS + 46 * way, 247, 19, 8, 0.3 * way), design.light, alpha=0.3, blur=6, clip=clip)
    return layer


def _outline(design: FaceDesign, jaw: float) -> Path:
    """The chin drops by ``jaw``, the cheeks follow less the higher they are."""
    half = [(x - 0.12 * jaw * _low(y) * (x > AXIS), y + jaw * _low(y)) for x, y in design.jaw]
    return smooth(mirrored(half))


def _low(y: float) -> float:
    return float(min(1.0, max(0.0, (y - 250) / 80)) ** 1.2)


def _shrunk(path: Path, x: float, y: float, centre: Point) -> Path:
    return [(centre[0] + (a - centre[0]) * x, centre[1] + (b - centre[1]) * y) for a, b in path]


def _ear(layer: Layer, design: FaceDesign, way: int) -> None:
    outer = [(78, 206), (92, 202), (97, 216), (93, 238), (86, 256), (78, 258)]
    path = smooth([(AXIS + x * way, y) for x, y in outer])
    layer.fill(path, mix(design.skin, design.shade, 0.25 if way < 0 else 0.45))
    clip = layer.mask(path)
    inner = [(82, 214), (90, 213), (91, 226), (86, 240), (83, 246)]
    layer.fill(smooth([(AXIS + x * way, y) for x, y in inner]), design.shade, alpha=0.75, blur=2.5, clip=clip)


def nose(design: FaceDesign) -> Layer:
    layer = Layer(HEAD_BOX)
    big = 1.14 if design.masculine else 1.0
    layer.fill(smooth([(262, 214), (268, 240), (272, 262), (262, 268), (258, 240)]), design.shade, alpha=0.42, blur=5)
    layer.fill(ellipse(AXIS, 270.5, 17 * big, 5.5), design.shade, alpha=0.62, blur=3.4)
    layer.fill(stroke([(250, 206), (252, 232), (254, 254)], (4, 5, 6)), design.light, alpha=0.75, blur=3.4)
    layer.fill(ellipse(254, 258, 7.5 * big, 6), design.light, alpha=0.85, blur=3)
    for way in (-1, 1):
        wing = [(AXIS + 13.5 * big * way, 256), (AXIS + 17.5 * big * way, 263), (AXIS + 14 * big * way, 269)]
        layer.fill(stroke(wing, (0.5, 2.4, 0.8)), design.shade, alpha=0.8, blur=1.2)
        hole = ellipse(AXIS + 7.6 * big * way, 268.6, 4.0 * big, 1.9, -0.25 * way)
        layer.fill(hole, mix(design.shade, (70, 20, 15), 0.55), alpha=0.85, blur=0.7)
    return layer


def hair_front(design: FaceDesign) -> Layer:
    layer = Layer(HEAD_BOX)
    whole = Image.new("L", layer.image.size, 0)
    for outline in design.hair.front:
        path = smooth(outline)
        whole = ImageChops.lighter(whole, layer.mask(path))
    face = layer.mask(_outline(design, 0))
    shadow = ImageChops.multiply(ImageChops.offset(whole, 8, 22), face)
    soft = Layer(HEAD_BOX)
    soft.pour(shadow, design.shade)
    soft.blurred(4)
    layer.pour(ImageChops.multiply(soft.image.getchannel("A"), face), design.shade, alpha=0.6)
    for outline in design.hair.front:
        path = smooth(outline)
        clip = layer.mask(path)
        layer.gradient(path, ((230, 70), design.hair_mid), ((300, 380), design.hair_dark))
        rim = ImageChops.subtract(clip, layer.mask(_shrunk(path, 0.94, 0.96, (256, 220)), 6))
        layer.pour(rim, design.hair_dark, alpha=0.55)
    for band, alpha in zip(design.hair.shine, (0.3, 0.22), strict=False):
        layer.fill(stroke(band, (2, 15, 17, 2)), design.hair_light, alpha=alpha, blur=7, clip=whole)
    for index, strand in enumerate(design.hair.strands):
        wide = 7 - 1.2 * (index % 4)
        layer.fill(stroke(strand, (0.6, wide, wide * 0.7, 0.4)), design.hair_light, alpha=0.34, blur=1.6, clip=whole)
        layer.fill(
            moved(stroke(strand, (0.4, wide * 0.5, 0.4)), 5, 3), design.hair_dark, alpha=0.5, blur=1.0, clip=whole
        )
        layer.fill(moved(stroke(strand, (0.3, 1.3, 0.3)), -3, 0), design.hair_light, alpha=0.5, blur=0.5, clip=whole)
    return layer
