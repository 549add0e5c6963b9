"""Pictures as LiveKit's encoder takes them: I420, limited range, ITU-R BT.601.

A sprite is a row of bytes: luma and its keep, then both chroma planes and their keep, at half the size. *Keep* is what
remains visible of that which the sprite is laid over: 0 nothing, 255 all. Colours are premultiplied, so that any mean
of sprites of one box is again a sprite, whatever is transparent in them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]


def sprite_length(width: int, height: int) -> int:
    """Return the bytes of a sprite; both are even."""
    return width * height * 11 // 4


def sprite_of(picture: Image.Image) -> Bytes:
    """
    :param picture: of mode RGBa (premultiplied), width and height even.
    """
    luma, keep = _luma_and_keep(np.asarray(picture))
    half = np.asarray(picture.reduce(2))
    keep_half = 255 - half[..., 3]
    return np.concatenate([plane.ravel() for plane in (luma, keep, *_chroma(half), keep_half)])


def picture_of(picture: Image.Image) -> Bytes:
    """Return an opaque picture as I420.

    :param picture: of mode RGB, width and height even.
    """
    opaque = picture.convert("RGBa")
    luma, _ = _luma_and_keep(np.asarray(opaque))
    return np.concatenate([plane.ravel() for plane in (luma, *_chroma(np.asarray(opaque.reduce(2))))])


def _luma_and_keep(rgba: Bytes) -> tuple[Bytes, Bytes]:
    wide = rgba.astype(np.uint16)
    luma = (66 * wide[..., 0] + 129 * wide[..., 1] + 25 * wide[..., 2] + 128) >> 8
    return (luma + (16 * wide[..., 3] + 127) // 255).astype(np.uint8), 255 - rgba[..., 3]


def _chroma(rgba: Bytes) -> tuple[Bytes, Bytes]:
    red, green, blue, alpha = np.moveaxis(rgba.astype(np.int32), 2, 0)
    grey = (128 * alpha + 127) // 255
    blueness = ((-38 * red - 74 * green + 112 * blue + 128) >> 8) + grey
    redness = ((112 * red - 94 * green - 18 * blue + 128) >> 8) + grey
    return np.clip(blueness, 0, 255).astype(np.uint8), np.clip(redness, 0, 255).astype(np.uint8)


def put_bgr(picture: Bytes, width: int, height: int, out: Bytes) -> None:
    """Write an opaque picture into ``out``: (height, width, 3 or 4), BGR; a fourth channel is left as it is.

    Chroma is repeated, not interpolated.
    """
    size, quarter = width * height, width * height // 4
    luma = picture[:size].reshape(height // 2, 2, width).astype(np.int16)
    luma -= 16
    luma *= 75
    luma += 32
    blueness = picture[size : size + quarter].reshape(height // 2, width // 2).astype(np.int16) - 128
    redness = picture[size + quarter :].reshape(height // 2, width // 2).astype(np.int16) - 128
    colours = (129 * blueness, -25 * blueness - 52 * redness, 102 * redness)
    row = np.empty((height // 2, 1, width), np.int16)
    for channel, colour in enumerate(colours):
        row[:, 0, ::2] = colour
        row[:, 0, 1::2] = colour
        values = luma + row
        values >>= 6
        np.clip(values, 0, 255, out=values)
        out[..., channel] = values.reshape(height, width)
