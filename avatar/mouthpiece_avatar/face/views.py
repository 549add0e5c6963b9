"""The views of one face: drawn once for some positions of the head, so that a picture is put together by blending.

For each yaw there are a head and, cut out of the same drawing, patches with every mouth and every state of the eyes:
laid over the head they fit to the pixel. A yaw between two of them is their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mouthpiece_avatar.face.artist import Artist
from mouthpiece_avatar.face.drawing import Box, Layer, Picture
from mouthpiece_avatar.face.eyes import EyeState
from mouthpiece_avatar.face.i420 import Bytes, sprite_of
from mouthpiece_avatar.face.mouths import MOUTHS
from mouthpiece_avatar.face.placing import HEAD_SPREAD, Screen

YAWS = 17
"""From one side to the other; the middle one looks straight ahead."""
BREATHS = 7
"""Of the shoulders, from breathed out to breathed in."""
_LIFT = 3.0
"""Pixels of the drawing that the shoulders rise by in breathing."""
EYES = (
    EyeState(),
    EyeState(lid=0.4),
    EyeState(lid=0.75),
    EyeState(lid=1.0),
    EyeState(gaze=-0.2),
    EyeState(gaze=0.2),
    EyeState(gaze=-0.75),
    EyeState(gaze=0.75),
    EyeState(lid=-0.1, gaze=-0.55, up=0.6),
    EyeState(lid=-0.1, gaze=0.55, up=0.6),
    EyeState(lid=0.18, gaze=-0.4, up=-0.6),
    EyeState(lid=0.18, gaze=0.4, up=-0.6),
    EyeState(lid=-0.14),
)
BROWS = (-0.7, -0.35, 0.0, 0.35, 0.7, 1.0)
"""How far a brow is raised."""


@dataclass(frozen=True, slots=True)
class Sprites:
    """Sprites that cover the same box of the screen."""

    box: Box
    data: Bytes
    """The last axis holds the bytes of one, see :mod:`mouthpiece_avatar.face.i420`."""

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class Views:
    """Everything of a face that a compositor needs."""

    screen: Screen
    bodies: Sprites
    """By breath; they cover the screen."""
    heads: Sprites
    """By yaw."""
    mouths: Sprites
    """By yaw and mouth."""
    eyes: Sprites
    """By yaw and state."""
    brows: tuple[Sprites, Sprites]
    """The one on the left of the picture and the other, each by yaw and state; nothing but the brow."""


def draw(artist: Artist, screen: Screen, *, yaws: int = YAWS) -> Views:
    """Draw a face; takes seconds of all cores, more for larger screens.

    :param yaws: how many positions of the head; one looks straight ahead.
    """
    half = _Reduced(screen)
    with ThreadPoolExecutor() as pool:
        bodies = pool.submit(_bodies, artist, screen, half)
        jaws = sorted({shape.jaw for shape in MOUTHS})
        skins = pool.map(lambda jaw: half(artist.skin(jaw)), jaws)
        drawing = _Drawing(
            screen,
            dict(zip(jaws, skins, strict=True)),
            half(artist.nose()),
            half(artist.worn()),
            half(artist.hair()),
            list(pool.map(lambda shape: half(artist.mouth(shape)), MOUTHS)),
            list(pool.map(lambda state: half(artist.eyes(state)), EYES)),
            [[half(artist.brow(way, raised)) for raised in BROWS] for way in (-1, 1)],
        )
        boxes = artist.boxes
        head = screen.box_of(drawing.covered(), spread=HEAD_SPREAD)
        mouth = screen.box_of(boxes.mouth, within=head)
        eyes = screen.box_of(boxes.eyes, within=(head[0], head[1], head[2], mouth[1]))
        brows = [screen.box_of(box, within=head) for box in boxes.brows]
        turns = np.linspace(-1, 1, yaws).tolist() if yaws > 1 else [0.0]
        heads = list(pool.map(lambda yaw: drawing.cut_out(head, yaw, [(drawing.skins[0.0], None)]), turns))
        mouths = list(pool.map(lambda yaw: drawing.cut_out(mouth, yaw, drawing.spoken()), turns))
        looks = list(pool.map(lambda yaw: drawing.cut_out(eyes, yaw, drawing.looking()), turns))
        raised = [
            list(pool.map(lambda yaw, side=side: drawing.brows(brows[side], yaw, side), turns)) for side in (0, 1)
        ]
        return Views(
            screen,
            Sprites(screen.whole(), bodies.result()),
            Sprites(head, np.concatenate(heads)),
            Sprites(mouth, np.stack(mouths)),
            Sprites(eyes, np.stack(looks)),
            (Sprites(brows[0], np.stack(raised[0])), Sprites(brows[1], np.stack(raised[1]))),
        )


class _Reduced:
    """Makes of a layer one that is premultiplied, as it mixes pixels, and no larger than the screen needs."""

    def __init__(self, screen: Screen) -> None:
        self._scale = 1 if screen.height <= 320 else 2 if screen.height <= 640 else 4

    def __call__(self, layer: Layer) -> Layer:
        reduced = Layer(layer.box, min(self._scale, layer.scale))
        picture = layer.image.convert("RGBa")
        reduced.image = picture if reduced.scale == layer.scale else picture.reduce(layer.scale // reduced.scale)
        return reduced


def _bodies(artist: Artist, screen: Screen, half: _Reduced) -> Bytes:
    behind = screen.place(half(artist.behind()), screen.whole())
    torso = half(artist.torso())
    bodies = []
    for lift in np.linspace(0, _LIFT, BREATHS).tolist():
        body = behind.copy()
        body.alpha_composite(screen.place(torso, screen.whole(), rise=lift))
        bodies.append(sprite_of(body.convert("RGBa").reduce(2)))
    return np.stack(bodies)


@dataclass(frozen=True, slots=True)
class _Drawing:
    screen: Screen
    skins: dict[float, Layer]
    """By how far the jaw has dropped."""
    nose: Layer
    worn: Layer
    hair: Layer
    mouths: list[Layer]
    eyes: list[Layer]
    raised: list[list[Layer]]
    """Brows, by side and state."""

    def covered(self) -> Box:
        """Return the box of the drawing that the head takes, wherever its jaw is."""
        boxes = []
        for layer in (*self.skins.values(), self.hair, self.worn):
            found = layer.image.getbbox()
            if found is not None:
                boxes.append([layer.box[axis % 2] + edge / layer.scale for axis, edge in enumerate(found)])
        left, top, right, bottom = zip(*boxes, strict=True)
        return math.floor(min(left)), math.floor(min(top)), math.ceil(max(right)), math.ceil(max(bottom))

    def spoken(self) -> list[tuple[Layer, Layer | None]]:
        return [(self.skins[shape.jaw], mouth) for shape, mouth in zip(MOUTHS, self.mouths, strict=True)]

    def looking(self) -> list[tuple[Layer, Layer | None]]:
        return [(self.skins[0.0], eyes) for eyes in self.eyes]

    def cut_out(self, box: Box, yaw: float, features: Sequence[tuple[Layer, Layer | None]]) -> Bytes:
        """Return a part of the screen, once with each feature on its skin."""
        nose, front = self.screen.place(self.nose, box, yaw=yaw, deep=True), self._front(box, yaw)
        covered = front.getbbox() is not None
        under: dict[int, Picture] = {}
        for skin, _ in features:
            if id(skin) not in under:
                under[id(skin)] = self.screen.place(skin, box, yaw=yaw)
                under[id(skin)].alpha_composite(nose)
        sprites = []
        for skin, feature in features:
            picture = under[id(skin)].copy()
            if feature is not None:
                picture.alpha_composite(self.screen.place(feature, box, yaw=yaw, deep=True))
            if covered:
                picture.alpha_composite(front)
            sprites.append(sprite_of(picture.convert("RGBa").reduce(2)))
        return np.stack(sprites)

    def brows(self, box: Box, yaw: float, side: int) -> Bytes:
        """Return one brow in all states, without what hair and glasses cover of it."""
        seen = self._front(box, yaw).getchannel("A").point([255 - value for value in range(256)])
        sprites = []
        for layer in self.raised[side]:
            brow = self.screen.place(layer, box, yaw=yaw, deep=True)
            empty = Image.new("RGBA", brow.size, (0, 0, 0, 0))
            sprites.append(sprite_of(Image.composite(brow.convert("RGBa"), empty.convert("RGBa"), seen).reduce(2)))
        return np.stack(sprites)

    def _front(self, box: Box, yaw: float) -> Picture:
        front = self.screen.place(self.worn, box, yaw=yaw, deep=True)
        front.alpha_composite(self.screen.place(self.hair, box, yaw=yaw))
        return front
