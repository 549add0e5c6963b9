"""What a picture shows of a face."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.face.mouths import SHUT, Blend


@dataclass(frozen=True, slots=True)
class Pose:
    """Pixels are those of a screen of 512 lines."""

    yaw: float = 0.0
    """-1 to the left of the picture, 1 to the right; the head tilts and shifts with it."""
    nod: float = 0.0
    """Pixels that the head is lowered by."""
    breath: float = 0.0
    """0 breathed out, 1 breathed in."""
    mouth: Blend = SHUT
    eyes: int = 0
    """Index into :data:`mouthpiece_avatar.face.views.EYES`."""
    brows: tuple[float, float] = (0.0, 0.0)
    """How far the brow on the left of the picture is raised, and the other: -0.7 to 1."""
