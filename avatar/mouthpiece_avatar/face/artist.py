"""What the views of a face are drawn from: a layer for each part, in each of its states."""

from __future__ import annotations

from typing import Protocol

from mouthpiece_avatar.face import body, head
from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.design import FaceDesign
from mouthpiece_avatar.face.drawing import Colour, Layer
from mouthpiece_avatar.face.eyes import EyeState, draw_brow, draw_eyes
from mouthpiece_avatar.face.geometry import AXIS, CHIN_REACH, FeatureBoxes
from mouthpiece_avatar.face.mouth import MouthShape, draw_mouth


class Artist(Protocol):
    """Draws one face. Layers are of ``SCALE`` and lie one over the other in the order of the methods."""

    @property
    def name(self) -> str: ...

    @property
    def wall(self) -> tuple[Colour, Colour, Colour]:
        """Of the room behind: light, middle, dark."""

    @property
    def boxes(self) -> FeatureBoxes: ...

    def behind(self) -> Layer:
        """What hangs down behind neck and shoulders."""

    def torso(self) -> Layer:
        """Neck, shoulders and garment."""

    def skin(self, jaw: float) -> Layer:
        """The head, its chin dropped by ``jaw`` pixels."""

    def nose(self) -> Layer: ...

    def mouth(self, shape: MouthShape) -> Layer: ...

    def eyes(self, state: EyeState) -> Layer: ...

    def brow(self, way: int, raised: float) -> Layer:
        """:param way: -1 for the one on the left of the picture, 1 for the other.
        :param raised: -1 lowered, 1 raised.
        """

    def worn(self) -> Layer:
        """What is before the eyes, and moves with them."""

    def hair(self) -> Layer:
        """What is before all else, and moves with the head's outline."""


class PersonArtist:
    """Draws a person."""

    def __init__(self, design: FaceDesign) -> None:
        self._design = design
        bones = design.bones
        eyes, mouth = bones.eye_y, bones.mouth_y
        reach = bones.eye_x + bones.eye_width * 1.4 + 8
        brow = eyes + min(y for _, y in bones.brow)
        self._boxes = FeatureBoxes(
            mouth=(
                round(AXIS - CHIN_REACH - 12),
                round(mouth - 32),
                round(AXIS + CHIN_REACH + 12),
                round(bones.chin + 17),
            ),
            eyes=(round(AXIS - reach), round(eyes - 28), round(AXIS + reach), round(eyes + 28)),
            brows=(
                (round(AXIS - reach - 4), round(brow - 16), round(AXIS - 4), round(brow + 24)),
                (round(AXIS + 4), round(brow - 16), round(AXIS + reach + 4), round(brow + 24)),
            ),
        )

    @property
    def name(self) -> str:
        return self._design.name

    @property
    def bones(self) -> Bones:
        return self._design.bones

    @property
    def wall(self) -> tuple[Colour, Colour, Colour]:
        return self._design.wall

    @property
    def boxes(self) -> FeatureBoxes:
        return self._boxes

    def behind(self) -> Layer:
        return body.hair_back(self._design)

    def torso(self) -> Layer:
        return body.torso(self._design)

    def skin(self, jaw: float) -> Layer:
        return head.skin(self._design, jaw)

    def nose(self) -> Layer:
        return head.nose(self._design)

    def mouth(self, shape: MouthShape) -> Layer:
        return draw_mouth(self._design, shape, self._boxes.mouth)

    def eyes(self, state: EyeState) -> Layer:
        return draw_eyes(self._design, state, self._boxes.eyes)

    def brow(self, way: int, raised: float) -> Layer:
        return draw_brow(self._design, way, raised, self._boxes.brows[way > 0])

    def worn(self) -> Layer:
        return head.glasses(self._design)

    def hair(self) -> Layer:
        return head.hair_front(self._design)
