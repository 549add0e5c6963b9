"""The sprites of one face: drawn once for each position of the head, so that a frame is put together by copying.

The head moves a little from side to side, along one path of ``YAW_STEPS`` steps; features move further than the
outline, which reads as depth. For each step there are a head and, cut out of the same drawing, patches with every
mouth and every state of the eyes: laid over the head they fit to the pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from mouthpiece_avatar.face import body, head
from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import SIZE, Box, Layer, Picture
from mouthpiece_avatar.face.eyes import draw_eyes
from mouthpiece_avatar.face.geometry import EYES_BOX, HEAD_BOX, MOUTH_BOX
from mouthpiece_avatar.face.mouth import draw_mouth
from mouthpiece_avatar.face.mouths import MOUTHS, WHOLE, Blend

YAW_STEPS = 15
"""Steps of the head from one side to the other; the middle one looks straight ahead."""
BREATHS = 7
"""Steps of the shoulders from breathed out to breathed in."""
MAX_NOD = 5
"""Pixels that the head may be lowered or lifted by."""


@dataclass(frozen=True, slots=True)
class EyeState:
    """See :func:`draw_eyes`."""

    lid: float = 0.0
    gaze: float = 0.0
    raised: float = 0.0


EYES = (
    EyeState(),
    EyeState(lid=0.4),
    EyeState(lid=0.75),
    EyeState(lid=1.0),
    EyeState(gaze=-0.6),
    EyeState(gaze=0.6),
    EyeState(raised=0.5),
    EyeState(raised=1.0),
)

ZOOM = 1.2
_ZOOM_CENTRE = (256.0, 236.0)
_SCREEN_CENTRE = (256.0, 250.0)
_PIVOT = (256.0, 350.0)
_TILT = math.radians(1.9)
_SHIFT = 4.6
"""Pixels that the outline of the head moves at most; features move ``_DEPTH`` further."""
_DEPTH = 3.0
_RISE = 2.4
_LIFT = 3.0
"""Pixels that the shoulders rise in breathing."""

Pixels = npt.NDArray[np.uint32]
"""BGRA, one number a pixel: copied in one go."""


class Sprite:
    """A picture with transparent parts and its place on the screen."""

    def __init__(self, bgra: npt.NDArray[np.uint8], left: int, top: int) -> None:
        """:param bgra: (height, width, 4), contiguous, not premultiplied."""
        alpha = bgra[..., 3]
        self.bgra = bgra
        self.left, self.top = left, top
        self.height, self.width = alpha.shape
        self._pixels: Pixels = bgra.view(np.uint32)[..., 0]
        self._solid: npt.NDArray[np.bool_] | None = None if (alpha == 255).all() else alpha == 255
        rows, columns = np.nonzero((alpha > 0) & (alpha < 255))
        self._edge = rows * SIZE + columns
        share = alpha[rows, columns].astype(np.uint16)[:, None]
        self._edge_colour = bgra[rows, columns, :3].astype(np.uint16) * share
        self._edge_rest = 255 - share

    def put_on(self, canvas: Pixels, down: int) -> None:
        """Draws it on a contiguous canvas of SIZE by SIZE, ``down`` pixels lower than its place."""
        top = self.top + down
        area = canvas[top : top + self.height, self.left : self.left + self.width]
        if self._solid is None:
            area[...] = self._pixels
            return
        np.copyto(area, self._pixels, where=self._solid)
        flat = canvas.reshape(-1).view(np.uint8).reshape(-1, 4)
        at = self._edge + (top * SIZE + self.left)
        under = flat[at, :3] * self._edge_rest
        flat[at, :3] = (self._edge_colour + under) // 255


def put_blend_on(canvas: Pixels, drawn: Sequence[Sprite], parts: Blend, down: int) -> None:
    """Draw the weighted mean of sprites that cover the same box, see :meth:`Sprite.put_on`."""
    first = drawn[parts[0][0]]
    if len(parts) == 1:
        first.put_on(canvas, down)
        return
    rows = slice(first.top + down, first.top + down + first.height)
    columns = slice(first.left, first.left + first.width)
    under = canvas[rows, columns].copy()
    total = np.full((first.height, first.width * 4), WHOLE // 2, np.uint16)
    for number, weight in parts:
        canvas[rows, columns] = under
        drawn[number].put_on(canvas, down)
        total += np.multiply(canvas[rows, columns].view(np.uint8), np.uint8(weight), dtype=np.uint16)
    total //= WHOLE
    canvas[rows, columns] = total.astype(np.uint8).view(np.uint32)


_OPAQUE = np.array([0, 0, 0, 255], np.uint8)


@dataclass(frozen=True, slots=True)
class Sprites:
    """Everything a compositor needs."""

    scenes: Sequence[Pixels]
    """By breath."""
    heads: Sequence[Sprite]
    """By yaw."""
    mouths: Sequence[Sequence[Sprite]]
    """By yaw and mouth."""
    eyes: Sequence[Sequence[Sprite]]
    """By yaw and state."""


def draw(design: FaceDesign) -> Sprites:
    """Draws a face; takes a few seconds of all cores."""
    with ThreadPoolExecutor() as pool:
        scenes = pool.submit(_scenes, design)
        skins = pool.map(lambda jaw: _halved(head.skin(design, jaw)), sorted({shape.jaw for shape in MOUTHS}))
        parts = _FaceParts(
            dict(zip(sorted({shape.jaw for shape in MOUTHS}), skins, strict=True)),
            _halved(head.nose(design)),
            _halved(head.hair_front(design)),
            list(pool.map(lambda shape: _halved(draw_mouth(design, shape)), MOUTHS)),
            list(pool.map(lambda eye: _halved(draw_eyes(design, eye.lid, eye.gaze, eye.raised)), EYES)),
        )
        views = list(pool.map(parts.at_yaw, np.linspace(-1, 1, YAW_STEPS).tolist()))
        return Sprites(
            scenes.result(),
            [whole for whole, _, _ in views],
            [mouths for _, mouths, _ in views],
            [eyes for _, _, eyes in views],
        )


def _halved(layer: Layer) -> Layer:
    """At twice the screen's size, which moving it needs to stay sharp, and premultiplied, as it mixes pixels."""
    half = Layer(layer.box, 2)
    half.image = layer.image.convert("RGBa").reduce(layer.scale // 2)
    return half


def _premultiplied(layer: Layer) -> Layer:
    layer.image = layer.image.convert("RGBa")
    return layer


def _bgra(picture: Picture) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(picture)[..., [2, 1, 0, 3]])


def _scenes(design: FaceDesign) -> list[Pixels]:
    back = _placed(_premultiplied(body.wall(design)), (0, 0, SIZE, SIZE))
    back.alpha_composite(_placed(_halved(body.hair_back(design)), (0, 0, SIZE, SIZE)))
    torso = _halved(body.torso(design))
    scenes = []
    for lift in np.linspace(0, _LIFT, BREATHS):
        scene = back.copy()
        scene.alpha_composite(_placed(torso, (0, 0, SIZE, SIZE), rise=float(lift)))
        scenes.append((_bgra(scene.reduce(2)) | _OPAQUE).view(np.uint32)[..., 0])
    return scenes


@dataclass(frozen=True, slots=True)
class _FaceParts:
    skins: dict[float, Layer]
    """By how far the jaw has dropped."""
    nose: Layer
    hair: Layer
    mouths: list[Layer]
    eyes: list[Layer]

    def at_yaw(self, yaw: float) -> tuple[Sprite, list[Sprite], list[Sprite]]:
        """The head at ``yaw`` (-1 to 1), with its mouths and its eyes."""
        mouth_box, eyes_box = _on_screen(MOUTH_BOX, 8), _on_screen(EYES_BOX, 8)
        eyes_box = (eyes_box[0], eyes_box[1], eyes_box[2], min(eyes_box[3], mouth_box[1]))
        head_box = _on_screen(HEAD_BOX, 10)
        [whole] = self._cut_out(head_box, yaw, [(self.skins[0.0], None)])
        mouths = [(self.skins[shape.jaw], mouth) for shape, mouth in zip(MOUTHS, self.mouths, strict=True)]
        eyes: list[tuple[Layer, Layer | None]] = [(self.skins[0.0], eye) for eye in self.eyes]
        return whole, self._cut_out(mouth_box, yaw, mouths), self._cut_out(eyes_box, yaw, eyes)

    def _cut_out(self, box: Box, yaw: float, features: Sequence[tuple[Layer, Layer | None]]) -> list[Sprite]:
        """A part of the screen, once with each feature on its skin."""
        nose, hair = _placed(self.nose, box, yaw, deep=True), _placed(self.hair, box, yaw)
        covered = hair.getbbox() is not None
        under: dict[int, Picture] = {}
        for skin, _ in features:
            if id(skin) not in under:
                under[id(skin)] = _placed(skin, box, yaw)
                under[id(skin)].alpha_composite(nose)
        sprites = []
        for skin, feature in features:
            picture = under[id(skin)].copy()
            if feature is not None:
                picture.alpha_composite(_placed(feature, box, yaw, deep=True))
            if covered:
                picture.alpha_composite(hair)
            sprites.append(Sprite(_bgra(picture.reduce(2)), box[0], box[1]))
        return sprites


def _on_screen(box: Box, margin: int) -> Box:
    """Where a box of the drawing lies on the screen, with room to move."""
    (zx, zy), (sx, sy) = _ZOOM_CENTRE, _SCREEN_CENTRE
    left, top = (box[0] - zx) * ZOOM + sx - margin, (box[1] - zy) * ZOOM + sy - margin
    right, bottom = (box[2] - zx) * ZOOM + sx + margin, (box[3] - zy) * ZOOM + sy + margin
    spare = MAX_NOD
    return max(0, int(left)), max(spare, int(top)), min(SIZE, math.ceil(right)), min(SIZE - spare, math.ceil(bottom))


def _placed(layer: Layer, box: Box, yaw: float = 0.0, *, deep: bool = False, rise: float = 0.0) -> Picture:
    """The layer as it appears in a part of the screen, at twice the screen's size."""
    angle = _TILT * yaw
    shift_x = (_SHIFT + (_DEPTH if deep else 0)) * yaw
    shift_y = _RISE * yaw * yaw - rise
    cos, sin = math.cos(angle), math.sin(angle)
    (zx, zy), (sx, sy), (px, py) = _ZOOM_CENTRE, _SCREEN_CENTRE, _PIVOT
    # screen (u, v) at twice the size → drawing, backwards through zoom, shift and tilt → the layer's own pixels
    step = 0.5 / ZOOM
    left = (box[0] - sx) / ZOOM + zx - shift_x - px
    top = (box[1] - sy) / ZOOM + zy - shift_y - py
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
