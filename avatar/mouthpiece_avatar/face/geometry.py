"""Coordinates that the parts of a face share, in pixels of the drawing (512 by 512)."""

from __future__ import annotations

from mouthpiece_avatar.face.drawing import SIZE, Box

AXIS = SIZE / 2
"""X of the axis of the face's symmetry."""
EYE_X = 36.0
"""Distance of an eye from the axis."""
EYE_Y = 222.0
EYE_SCALE = 1.14
MOUTH_Y = 296.0
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)

HEAD_BOX: Box = (104, 48, 408, 408)
EYES_BOX: Box = (178, 172, 334, 252)
MOUTH_BOX: Box = (186, 254, 326, 360)
