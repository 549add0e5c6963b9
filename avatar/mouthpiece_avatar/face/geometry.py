"""Coordinates that all faces share, in pixels of the drawing (512 by 512)."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.face.drawing import SIZE, Box

AXIS = SIZE / 2
"""X of the axis of the face's symmetry."""
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
HEAD_BOX: Box = (88, 36, 424, 412)
CHIN_REACH = 66.0
"""How far from the axis the outline follows the jaw."""


@dataclass(frozen=True, slots=True)
class FeatureBoxes:
    """Where the features of one face are drawn; each holds whatever a state of its feature changes."""

    mouth: Box
    """The chin, which drops with the jaw, included."""
    eyes: Box
    brows: tuple[Box, Box]
    """The one on the left of the picture, and the other."""
