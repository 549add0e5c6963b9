"""Smooth shapes, soft shades and gradients on a transparent layer, drawn large and scaled down.

Coordinates are those of the finished picture (512 by 512); a layer is ``scale`` times as large, so that its edges come
out smooth when it is scaled down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = 512
SCALE = 4
_SOFT = 2.5
"""Blur, in pixels, from which a shape is drawn at scale 1."""

Point = tuple[float, float]
Path = list[Point]
Colour = tuple[int, int, int]
Picture = Image.Image
Box = tuple[int, int, int, int]
Grid = npt.NDArray[np.floating]


def hex_colour(text: str) -> Colour:
    """``#rrggbb``."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``share`` of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 14) -> Path:
    """A Catmull-Rom curve through the points."""
    known = list(points)
    known = [known[-1], *known, known[0], known[1]] if closed else [known[0], *known, known[-1]]
    path: Path = []
    for (x0, y0), (x1, y1), (x2, y2), (x3, y3) in zip(known, known[1:], known[2:], known[3:], strict=False):
        for step in range(steps):
            t = step / steps
            a, b, c, d = (
                -0.5 * t + t * t - 0.5 * t**3,
                1 - 2.5 * t * t + 1.5 * t**3,
                0.5 * t + 2 * t * t - 1.5 * t**3,
                -0.5 * t * t + 0.5 * t**3,
            )
            path.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    if not closed:
        path.append(known[-1])
    return path


def mirrored(half: Sequence[Point], axis: float = SIZE / 2) -> list[Point]:
    """A symmetric outline from its right half, given from top to bottom."""
    left = [(2 * axis - x, y) for x, y in reversed(half) if abs(x - axis) > 0.01]
    return [*half, *left]


def flipped(path: Sequence[Point], axis: float = SIZE / 2) -> Path:
    return [(2 * axis - x, y) for x, y in path]


def moved(path: Sequence[Point], x: float, y: float) -> Path:
    return [(a + x, b + y) for a, b in path]


def ellipse(x: float, y: float, rx: float, ry: float, tilt: float = 0.0) -> Path:
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    cos, sin = np.cos(tilt), np.sin(tilt)
    a, b = rx * np.cos(angle), ry * np.sin(angle)
    return list(zip((x + a * cos - b * sin).tolist(), (y + a * sin + b * cos).tolist(), strict=True))


def stroke(points: Sequence[Point], widths: Sequence[float]) -> Path:
    """The outline of a line through the points whose width runs through ``widths``."""
    line = np.array(smooth(points, closed=False))
    along = np.linspace(0, 1, len(line))
    half = np.interp(along, np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    way = np.gradient(line, axis=0)
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-6)[:, None]
    across = np.stack((-way[:, 1], way[:, 0]), axis=1) * half
    outline = np.concatenate((line + across, (line - across)[::-1]))
    return [(float(x), float(y)) for x, y in outline]


class Layer:
    """A transparent picture of ``box`` (left, top, right, bottom; picture coordinates), drawn on from back to front."""

    def __init__(self, box: Box = (0, 0, SIZE, SIZE), scale: int = SCALE) -> None:
        self.box = box
        self.scale = scale
        self._size = ((box[2] - box[0]) * scale, (box[3] - box[1]) * scale)
        self.image: Picture = Image.new("RGBA", self._size, (0, 0, 0, 0))

    def mask(self, path: Sequence[Point], blur: float = 0.0) -> Picture:
        """A shape as a mask; ``blur`` is the softness of its edge."""
        if blur >= _SOFT and self.scale > 1:  # nothing sharp remains: as well drawn small, and much faster
            return Layer(self.box, 1).mask(path, blur).resize(self._size, Image.Resampling.BILINEAR)
        points = [self._at(point) for point in path]
        spread = 3 * blur * self.scale + 1
        left, top = (max(0, int(min(values) - spread)) for values in zip(*points, strict=True))
        right, bottom = (int(max(values) + spread) + 1 for values in zip(*points, strict=True))
        right, bottom = min(right, self._size[0]), min(bottom, self._size[1])
        mask = Image.new("L", self._size, 0)
        if left < right and top < bottom:
            part = Image.new("L", (right - left, bottom - top), 0)
            ImageDraw.Draw(part).polygon([(x - left, y - top) for x, y in points], fill=255)
            mask.paste(part.filter(ImageFilter.GaussianBlur(blur * self.scale)) if blur else part, (left, top))
        return mask

    def fill(
        self,
        path: Sequence[Point],
        colour: Colour,
        *,
        alpha: float = 1.0,
        blur: float = 0.0,
        clip: Picture | None = None,
    ) -> None:
        """Fill a shape; ``clip`` limits the colour to another mask."""
        self.pour(self.mask(path, blur), colour, alpha=alpha, clip=clip)

    def pour(self, mask: Picture, colour: Colour, *, alpha: float = 1.0, clip: Picture | None = None) -> None:
        """Lay a colour on through a mask."""
        box = mask.getbbox()
        if box is None:
            return
        mask = mask.crop(box)
        if clip is not None:
            mask = ImageChops.multiply(mask, clip.crop(box))
        if alpha < 1:
            mask = mask.point([round(value * alpha) for value in range(256)])
        colours = Image.new("RGBA", mask.size, (*colour, 0))
        colours.putalpha(mask)
        self.image.alpha_composite(colours, box[:2])

    def gradient(self, path: Sequence[Point], start: tuple[Point, Colour], end: tuple[Point, Colour]) -> None:
        """Fills a shape with a colour that changes from one point to another."""
        (x0, y0), one = start
        (x1, y1), other = end
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2

        def share(x: Grid, y: Grid) -> Grid:
            return ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length

        self._lay(self.mask(path), share, one, other)

    def radial(
        self, path: Sequence[Point], centre: Point, radius: float, inner: Colour, outer: Colour, *, power: float = 1.0
    ) -> None:
        """Fills a shape with a colour that changes with the distance from ``centre``."""

        def share(x: Grid, y: Grid) -> Grid:
            nearness: Grid = np.minimum(np.hypot(x - centre[0], y - centre[1]) / radius, 1)
            return nearness**power

        self._lay(self.mask(path), share, inner, outer)

    def put(self, other: Layer) -> None:
        """Another layer of the same scale on top."""
        offset = ((other.box[0] - self.box[0]) * self.scale, (other.box[1] - self.box[1]) * self.scale)
        self.image.alpha_composite(other.image, (max(offset[0], 0), max(offset[1], 0)))

    def blurred(self, radius: float) -> None:
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius * self.scale))

    def _lay(self, mask: Picture, share: Callable[[Grid, Grid], Grid], one: Colour, other: Colour) -> None:
        box = mask.getbbox()
        if box is None:
            return
        rows, columns = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(np.float32) / self.scale
        shares = np.clip(share(columns + self.box[0], rows + self.box[1]), 0, 1)[..., None]
        start, end = np.array(one, np.float32), np.array(other, np.float32)
        colours = np.rint(start + (end - start) * shares).astype(np.uint8)
        rgba = np.dstack((colours, np.asarray(mask.crop(box))))
        self.image.alpha_composite(Image.fromarray(rgba), box[:2])

    def _at(self, point: Point) -> Point:
        return (point[0] - self.box[0]) * self.scale, (point[1] - self.box[1]) * self.scale
