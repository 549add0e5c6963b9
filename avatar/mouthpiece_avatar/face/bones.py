"""What makes one face another person's: the skull, and where and how large its features are."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.face.drawing import Point


@dataclass(frozen=True, slots=True)
class Bones:
    """In pixels of the drawing, 512 by 512, unless it says otherwise."""

    outline: tuple[Point, ...]
    """Right half of the face's outline, from the forehead to the chin."""
    eye_x: float
    """Distance of an eye from the axis."""
    eye_y: float
    eye_width: float
    """Half of it."""
    eye_height: float
    """Of the upper lid's arch."""
    eye_tilt: float
    """By which the outer corner is higher than the inner one would have it."""
    crease: float
    """How clearly the fold of the upper lid shows; 0 for a lid without."""
    brow: tuple[Point, Point, Point, Point]
    """From the inner end to the outer one, about the middle of the eye."""
    brow_weight: float
    nose_y: float
    """Its lower edge."""
    nose_width: float
    """1 is 35 pixels from wing to wing."""
    nose_bridge: float
    """How far it stands out: 1 for one that throws an ordinary shadow."""
    mouth_y: float
    mouth_half: float
    """Half of its width at ease."""
    upper_lip: float
    lower_lip: float
    ear_size: float
    """Their size; 0 where hair covers them."""
    ear_y: float
    cheek_y: float
    """Of the highest point of the cheekbones."""
    cheeks: float
    """How far the cheekbones stand out; 1 is ordinary."""
    neck: float
    """Half its width."""
    shoulders: float
    """Half their width at the lower edge."""

    @property
    def chin(self) -> float:
        """Its lower edge."""
        return self.outline[-1][1]

    def half_width(self, y: float) -> float:
        """Return half the width of the face at a height, between the points of its outline."""
        before = self.outline[0]
        for point in self.outline[1:]:
            if before[1] <= y <= point[1]:
                along = (y - before[1]) / max(point[1] - before[1], 1e-6)
                return before[0] + (point[0] - before[0]) * along - 256
            before = point
        return 0.0
