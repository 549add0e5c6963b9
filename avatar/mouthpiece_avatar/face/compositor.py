"""Composes pictures of views, in I420."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mouthpiece_avatar.face.i420 import Bytes, put_bgr
from mouthpiece_avatar.face.mouths import WHOLE, Blend
from mouthpiece_avatar.face.placing import MOST_NOD
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.face.views import BREATHS, BROWS, Sprites, Views

Words = npt.NDArray[np.uint16]
_PARTS = 16
"""Into which the way from one yaw, breath or brow to the next is divided."""
_ROWS = 16
"""Into which a pixel is divided for the head's nod."""
_FINE = 4
"""Bits behind the point in the head until it is laid over the scene: a mean of ``_PARTS`` is their sum."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """What a compositor puts pictures together from; many share one."""

    views: Views
    scenes: Bytes
    """By breath: what is behind the head, I420."""
    still: int
    """Rows at the top in which no breath shows; even."""

    @classmethod
    def before(cls, backdrop: Bytes, views: Views) -> Face:
        """:param backdrop: what is behind the person: I420, as large as the screen of ``views``."""
        width, height = views.screen.width, views.screen.height
        scenes = np.stack([_laid_over(backdrop, body, width * height) for body in views.bodies.data])
        luma, chroma = scenes[:, : width * height].reshape(-1, height, width), scenes[:, width * height :]
        changed = (luma != luma[0]).any(axis=(0, 2))
        both = chroma.reshape(-1, 2, height // 2, width // 2)
        changed[::2] |= (both != both[0]).any(axis=(0, 1, 3))
        return cls(views, scenes, int(changed.argmax()) // 2 * 2 if changed.any() else height)


class Compositor:
    """Draws poses; the same pose gives the same bytes."""

    def __init__(self, face: Face) -> None:
        views = self._views = face.views
        self._face = face
        self.width, self.height = views.screen.width, views.screen.height
        self.i420: Bytes = np.zeros(face.scenes.shape[1], np.uint8)
        """The next ``compose`` draws over it."""
        size = self.width * self.height
        self._canvas = [
            self.i420[:size].reshape(self.height, self.width),
            self.i420[size : size + size // 4].reshape(self.height // 2, self.width // 2),
            self.i420[size + size // 4 :].reshape(self.height // 2, self.width // 2),
        ]
        heads = views.heads
        self._head: Words = np.empty(heads.data.shape[-1], np.uint16)
        """With ``_FINE`` bits behind the point."""
        self._words = [np.empty(max(self._head.size, self.i420.size), np.uint16) for _ in range(2)]
        whole = _Planes(heads.width, heads.height)
        self._mouth, self._eyes, self._left_brow, self._right_brow = (
            _Part(sprites, whole, self._head, heads) for sprites in (views.mouths, views.eyes, *views.brows)
        )
        self._composed: Pose | None = None

    def compose(self, pose: Pose) -> Bytes:
        """Draw ``pose``; return I420: height times width of luma, then both chroma planes at half the size."""
        if pose == self._composed:
            return self.i420
        self._composed = pose
        views = self._views
        self._put_scene(_between(pose.breath * (BREATHS - 1), BREATHS))
        count = len(views.heads.data)
        yaws = _between((pose.yaw + 1) / 2 * (count - 1), count)
        self._sum(views.heads.data, yaws, self._head, self._words[0][: self._head.size])
        self._put(self._eyes, ((pose.eyes, WHOLE),), yaws)
        for part, raised in ((self._left_brow, pose.brows[0]), (self._right_brow, pose.brows[1])):
            self._put_brow(part, raised, yaws)
        self._put(self._mouth, pose.mouth, yaws)
        self._put_head(pose.nod * views.screen.scale)
        return self.i420

    def put_bgr(self, out: Bytes) -> None:
        """Write what was composed last into ``out``, see :func:`mouthpiece_avatar.face.i420.put_bgr`."""
        put_bgr(self.i420, self.width, self.height, out)

    def _put_scene(self, parts: Blend) -> None:
        scenes, still, width = self._face.scenes, self._face.still, self.width
        self.i420[...] = scenes[parts[0][0]]
        if len(parts) == 1:
            return
        size = width * self.height
        for start, stop in (
            (still * width, size),
            (size + still * width // 4, size + size // 4),
            (size + size // 4 + still * width // 4, size + size // 2),
        ):
            self._blend(scenes[:, start:stop], parts, self.i420[start:stop])

    def _blend(self, data: Bytes, parts: Blend, out: Bytes) -> None:
        """Write the mean of one or two rows of ``data``, by weights that make up ``_PARTS``."""
        if len(parts) == 1:
            out[...] = data[parts[0][0]]
            return
        total, product = (words[: out.size] for words in self._words)
        self._sum(data, parts, total, product)
        total >>= _FINE
        np.copyto(out, total, casting="unsafe")

    def _sum(self, data: Bytes, parts: Blend, total: Words, product: Words) -> None:
        """Write the sum of one or two rows of ``data`` by their weights into ``total``."""
        (one, first), *others = parts
        np.multiply(data[one], np.uint8(first), out=total, dtype=np.uint16)
        for other, second in others:
            np.multiply(data[other], np.uint8(second), out=product, dtype=np.uint16)
            total += product

    def _mean(self, data: Bytes, parts: Blend, yaws: Blend) -> Words:
        """Return the mean over yaws and states, with ``_FINE`` bits behind the point."""
        total, product = (words[: data.shape[-1]] for words in self._words)
        target = total
        for yaw, near in yaws:
            for state, share in parts:
                np.multiply(data[yaw, state], np.uint16(near * share), out=target, dtype=np.uint16)
                if target is product:
                    total += product
                target = product
        total >>= 8 - _FINE
        return total

    def _put(self, part: _Part, parts: Blend, yaws: Blend) -> None:
        """Put a part of the head into its place."""
        for there, plane in zip(part.places, part.planes.of(self._mean(part.data, parts, yaws)), strict=True):
            there[...] = plane

    def _put_brow(self, part: _Part, raised: float, yaws: Blend) -> None:
        """Lay a brow over the head."""
        step = max(0, min(len(BROWS) - 2, bisect_right(BROWS, raised) - 1))
        along = round(min(1.0, max(0.0, (raised - BROWS[step]) / (BROWS[step + 1] - BROWS[step]))) * _PARTS)
        parts = tuple((state, share) for state, share in ((step, _PARTS - along), (step + 1, along)) if share)
        luma, keep, blueness, redness, keep_half = part.planes.of(self._mean(part.data, parts, yaws))
        keep >>= _FINE
        keep_half >>= _FINE
        _over_fine(part.places[0], luma, keep)
        _over_fine(part.places[2], blueness, keep_half)
        _over_fine(part.places[3], redness, keep_half)

    def _put_head(self, nod: float) -> None:
        """Lay the head over the canvas, lowered by pixels of the canvas."""
        heads = self._views.heads
        most = MOST_NOD * self._views.screen.scale
        nod = min(most, max(-most, nod))
        left, top, size = heads.box[0], heads.box[1], heads.width * heads.height
        for planes, half in ((self._head[: 2 * size], 1), (self._head[2 * size :], 2)):
            width, height = heads.width // half, heads.height // half
            rows, along = divmod(round(nod / half * _ROWS), _ROWS)
            lowered = self._lowered(planes, height, width, along).reshape(-1, height, width)
            keep = lowered[-1]
            for canvas, plane in zip(self._canvas[:1] if half == 1 else self._canvas[1:], lowered[:-1], strict=True):
                first = top // half + rows
                _over(canvas[first : first + height, left // half : left // half + width], plane, keep)

    def _lowered(self, planes: Words, height: int, width: int, along: int) -> Words:
        """Return planes of the head, lowered by ``along / _ROWS`` of a row, without bits behind the point.

        Their outermost rows are empty.
        """
        lowered, product = (words[: planes.size] for words in self._words)
        if not along:
            return np.right_shift(planes, _FINE, out=lowered)
        np.multiply(planes, np.uint16(_ROWS - along), out=lowered)
        np.multiply(planes[:-width], np.uint16(along), out=product[width:])
        lowered[width:] += product[width:]
        lowered >>= 8
        first = planes.reshape(-1, height, width)[:, 0]
        lowered.reshape(-1, height, width)[:, 0] = first >> _FINE
        return lowered


class _Planes:
    """The planes of a sprite: luma, its keep, both chroma planes and their keep."""

    def __init__(self, width: int, height: int) -> None:
        size, whole, half = width * height, (height, width), (height // 2, width // 2)
        self._at = (
            (slice(0, size), whole),
            (slice(size, 2 * size), whole),
            (slice(2 * size, 2 * size + size // 4), half),
            (slice(2 * size + size // 4, 2 * size + size // 2), half),
            (slice(2 * size + size // 2, None), half),
        )

    def of(self, data: Words) -> list[Words]:
        return [data[at].reshape(shape) for at, shape in self._at]


class _Part:
    """Sprites that belong into a part of the head, and where that is."""

    def __init__(self, sprites: Sprites, whole: _Planes, head: Words, heads: Sprites) -> None:
        self.data = sprites.data
        self.planes = _Planes(sprites.width, sprites.height)
        left, top = sprites.box[0] - heads.box[0], sprites.box[1] - heads.box[1]
        right, bottom = left + sprites.width, top + sprites.height
        self.places = [
            plane[top:bottom, left:right] if index < 2 else plane[top // 2 : bottom // 2, left // 2 : right // 2]
            for index, plane in enumerate(whole.of(head))
        ]


def _between(position: float, count: int) -> Blend:
    """Return the one or two of ``count`` rows that a position lies between, with weights that make up ``_PARTS``."""
    below, along = divmod(round(min(max(position, 0.0), count - 1.0) * _PARTS), _PARTS)
    return ((below, _PARTS),) if not along else ((below, _PARTS - along), (below + 1, along))


def _over_fine(under: Words, colour: Words, keep: Words) -> None:
    """Lay a premultiplied plane over another, in place; ``keep`` alone has no bits behind the point."""
    share = under >> _FINE
    share *= keep
    share += 255  # so that 255 keeps all
    share >>= 8
    share <<= _FINE
    np.add(share, colour, out=under)


def _over(under: Bytes, colour: Bytes | Words, keep: Bytes | Words) -> None:
    """Lay a premultiplied plane over another, in place."""
    share = np.multiply(under, keep, dtype=np.uint16)
    share += 255  # so that 255 keeps all
    share >>= 8
    share += colour
    np.copyto(under, share, casting="unsafe")


def _laid_over(backdrop: Bytes, body: Bytes, size: int) -> Bytes:
    """Return a sprite that covers the screen over an opaque picture."""
    scene = backdrop.copy()
    keep, half = body[size : 2 * size], body[2 * size + size // 2 :]
    chroma = body[2 * size : 2 * size + size // 2]
    _over(scene[:size], body[:size], keep)
    _over(scene[size:], chroma, np.concatenate((half, half)))
    return scene
