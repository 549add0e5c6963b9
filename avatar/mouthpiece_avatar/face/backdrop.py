"""What is behind the person: a room out of focus, a colour, or a picture."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image, ImageOps

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face.body import wall
from mouthpiece_avatar.face.drawing import SIZE, Colour, Picture, hex_colour
from mouthpiece_avatar.face.i420 import Bytes, picture_of
from mouthpiece_avatar.face.placing import Screen

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LARGEST = 40_000_000
"""Pixels of a picture."""


def backdrop(colours: tuple[Colour, Colour, Colour], screen: Screen, chosen: str | None = None) -> Bytes:
    """Return it in I420; blocks while it reads a picture.

    :param colours: of the room, light, middle, dark.
    :param chosen: a colour (``#rrggbb``), the path of a picture, or None for the room.
    :raises ConfigurationError: there is no such picture, or it is none.
    """
    size = (screen.width, screen.height)
    if not chosen:
        room = wall(colours).image.convert("RGB").crop((SIZE // 12, SIZE // 12, SIZE - SIZE // 12, SIZE - SIZE // 12))
        return picture_of(ImageOps.fit(room, size, Image.Resampling.BICUBIC))
    if chosen.startswith("#"):
        if not _COLOUR.fullmatch(chosen):
            raise ConfigurationError(f"the background {chosen!r} is no colour: write one as #rrggbb, as #f0f4f8")
        return picture_of(Image.new("RGB", size, hex_colour(chosen)))
    return picture_of(ImageOps.fit(_read(Path(chosen)), size, Image.Resampling.LANCZOS))


def check_background(chosen: str | None) -> None:
    """Blocks while it reads a picture.

    :raises ConfigurationError: see :func:`backdrop`.
    """
    backdrop(((0, 0, 0), (0, 0, 0), (0, 0, 0)), Screen(16, 16), chosen)


def _read(path: Path) -> Picture:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > _LARGEST:
                raise ConfigurationError(f"the background {path} is larger than 40 million pixels: scale it down")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or "it is no picture that can be read"
        raise ConfigurationError(
            f"the background {path} cannot be shown ({reason}): give a PNG, JPEG or WebP file, or a colour as #rrggbb"
        ) from None
