"""What a person's face is drawn from: bones, colours, hair, and what the years left."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.drawing import Colour, Point


@dataclass(frozen=True, slots=True)
class Hair:
    """Outlines in picture coordinates; each is drawn smooth."""

    dark: Colour
    mid: Colour
    light: Colour
    back: tuple[Point, ...]
    """Behind neck and shoulders."""
    front: tuple[tuple[Point, ...], ...]
    """Over the face, from back to front."""
    strands: tuple[tuple[Point, ...], ...]
    """Lines of light in the front hair."""
    back_strands: tuple[tuple[Point, ...], ...] = ()
    shine: tuple[tuple[Point, ...], ...] = ()
    """Where the light falls on the crown."""
    softness: float = 0.0
    """Blur of the outline: for curls and for hair that is cropped."""


@dataclass(frozen=True, slots=True)
class Beard:
    """Hair on the lower face."""

    colour: Colour
    strength: float
    """0 to 1: from a shadow to a full beard."""
    top: float
    """Where it begins at the cheeks, in pixels above the mouth."""
    moustache: bool = True


@dataclass(frozen=True, slots=True)
class Glasses:
    """A frame about each eye."""

    colour: Colour
    width: float
    """Half of one glass."""
    height: float
    weight: float
    """Of the rim."""


@dataclass(frozen=True, slots=True)
class FaceDesign:
    """One person."""

    name: str
    bones: Bones
    skin: Colour
    shade: Colour
    """Of the skin where little light falls."""
    light: Colour
    """Of the skin where much falls."""
    blush: Colour
    lips: Colour
    brow: Colour
    iris_dark: Colour
    iris_light: Colour
    wall: tuple[Colour, Colour, Colour]
    """Background: light, middle, dark."""
    garment: tuple[Colour, Colour, Colour]
    """Light, middle, dark."""
    hair: Hair
    lashes: float
    """Thickness of the upper lash line."""
    long_lashes: bool = False
    lip_shine: float = 0.12
    age: float = 0.0
    """0 for a young face, 1 for a lined one."""
    beard: Beard | None = None
    glasses: Glasses | None = None
