"""Composes pictures of views, in I420. What does not depend on the pose of the head, the scene, is blended ahead."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mouthpiece_avatar.face.i420 import Bytes, put_bgr
from mouthpiece_avatar.face.mouths import WHOLE, Blend
from mouthpiece_avatar.face.placing import MOST_NOD
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.face.views import BROWS, Sprites, Views

Words = npt.NDArray[np.uint16]
_Number = TypeVar("_Number", np.uint8, np.uint16)
_PARTS = 16
"""What the weights of neighbouring drawings make up."""
_YAWS = 8
"""Steps from one yaw to the next: 0.15 pixels of 512 lines each. In half of the pictures of speech the head turns by
none, and is not summed anew."""
_BREATHS = 4
"""Steps from one breath to the next, likewise."""
_ROWS = 16
"""Into which a pixel is divided for the head's nod."""
_FINE = 4
"""Bits behind the point in the head until it is laid over the scene: a mean of ``_PARTS`` is their sum."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """What a compositor puts pictures together from; many share one."""

    views: Views
    scene: Bytes
    """What is behind the head, breathed out; I420."""
    breaths: Bytes
    """What a breath changes of it, by breath: those rows of luma, then of both chroma planes."""
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
        still = int(changed.argmax()) // 2 * 2 if changed.any() else height
        moving = np.concatenate([scenes[:, part] for part in _below(still, width, height)], axis=1)
        return cls(views, scenes[0].copy(), np.stack(list(_between_each(moving))), still)


class Compositor:
    """Draws poses; the same pose gives the same bytes."""

    def __init__(self, face: Face) -> None:
        views = self._views = face.views
        self._face = face
        self.width, self.height = views.screen.width, views.screen.height
        self.i420: Bytes = np.zeros(face.scene.size, np.uint8)
        """The next ``compose`` draws over it."""
        size = self.width * self.height
        self._canvas = (
            self.i420[:size].reshape(1, self.height, self.width),
            self.i420[size:].reshape(2, self.height // 2, self.width // 2),
        )
        self._breathing = [self.i420[part] for part in _below(face.still, self.width, self.height)]
        heads = views.heads
        length = heads.data.shape[-1]
        self._head: Words = np.empty(length, np.uint16)
        """With ``_FINE`` bits behind the point."""
        self._mouth, self._eyes, *self._brows = (
            _Part(sprites, heads, self._head) for sprites in (views.mouths, views.eyes, *views.brows)
        )
        self._words: Words = np.empty(
            (2, max(length, *(each.data.shape[-1] for each in (views.mouths, views.eyes)))), np.uint16
        )
        self._turned, self._lowered, self._product = (
            _planes(words[:length], heads.width, heads.height) for words in (self._head, *self._words)
        )
        self._plain = [[planes.copy() for planes in brow.places] for brow in self._brows]
        """What is below the brows, of the yaw that is shown."""
        self._yaws: Blend = ()
        self._upper: tuple[int, Blend, Blend] | None = None
        """Eyes and brows that are shown."""
        self._lips: Blend = ()
        self._lowered_by: list[int | None] = [None, None]
        """Parts of a row, of luma and of chroma."""
        self._composed: Pose | None = None

    def compose(self, pose: Pose) -> Bytes:
        """Draw ``pose``; return I420: height times width of luma, then both chroma planes at half the size."""
        if pose == self._composed:
            return self.i420
        self._composed = pose
        self._put_scene(pose.breath)
        changed = self._put_together(pose)
        self._put_head(min(MOST_NOD, max(-MOST_NOD, pose.nod)) * self._views.screen.scale, changed)
        return self.i420

    def put_bgr(self, out: Bytes) -> None:
        """Write what was composed last into ``out``, see :func:`mouthpiece_avatar.face.i420.put_bgr`."""
        put_bgr(self.i420, self.width, self.height, out)

    def _put_scene(self, breath: float) -> None:
        self.i420[...] = self._face.scene
        breaths, at = self._face.breaths, 0
        moving = breaths[round(min(1.0, max(0.0, breath)) * (len(breaths) - 1))]
        for there in self._breathing:
            there[...] = moving[at : at + there.size]
            at += there.size

    def _put_together(self, pose: Pose) -> bool:
        """Put the head together, as far as it changes; return whether it does."""
        count = len(self._views.heads.data)
        yaws = _between((pose.yaw + 1) / 2 * (count - 1), count)
        turned = yaws != self._yaws
        if turned:
            self._turn(yaws)
        upper = (pose.eyes, _raised(pose.brows[0]), _raised(pose.brows[1]))
        looks = turned or upper != self._upper
        if looks:
            for brow, plain in zip(self._brows, self._plain, strict=True):
                for there, planes in zip(brow.places, plain, strict=True):
                    there[...] = planes
            self._put(self._eyes, ((pose.eyes, WHOLE),), yaws)
            for brow, raised in zip(self._brows, upper[1:], strict=True):
                self._put_brow(brow, raised, yaws)
        speaks = turned or pose.mouth != self._lips
        if speaks:
            self._put(self._mouth, pose.mouth, yaws)
        self._upper, self._lips = upper, pose.mouth
        return looks or speaks

    def _turn(self, yaws: Blend) -> None:
        """Make the mean of one or two heads."""
        self._yaws = yaws
        heads, product = self._views.heads.data, self._words[1, : self._head.size]
        (one, first), *others = yaws
        np.multiply(heads[one], np.uint8(first), out=self._head, dtype=np.uint16)
        for other, second in others:
            np.multiply(heads[other], np.uint8(second), out=product, dtype=np.uint16)
            self._head += product
        for brow, plain in zip(self._brows, self._plain, strict=True):
            for there, planes in zip(plain, brow.places, strict=True):
                there[...] = planes

    def _mean(self, data: Bytes, parts: Blend, yaws: Blend) -> Words:
        """Return the mean over yaws and states, with ``_FINE`` bits behind the point."""
        total: Words = self._words[0, : data.shape[-1]]
        product: Words = self._words[1, : data.shape[-1]]
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
        mean = _planes(self._mean(part.data, parts, yaws), part.width, part.height)
        for there, planes in zip(part.places, mean, strict=True):
            there[...] = planes

    def _put_brow(self, part: _Part, parts: Blend, yaws: Blend) -> None:
        """Lay a brow over the head."""
        mean = _planes(self._mean(part.data, parts, yaws), part.width, part.height)
        for there, planes in zip(part.places, mean, strict=True):
            _over_fine(there[:-1], planes[:-1], planes[-1] >> _FINE)

    def _put_head(self, nod: float, changed: bool) -> None:
        """Lay the head over the canvas, lowered by pixels of the canvas."""
        left, top, right, bottom = self._views.heads.box
        for at, canvas in enumerate(self._canvas):
            half, lowered, product = 1 + at, self._lowered[at], self._product[at]
            rows, along = divmod(round(nod / half * _ROWS), _ROWS)
            if changed or along != self._lowered_by[at]:
                _lower(self._turned[at], along, lowered, product)
                self._lowered_by[at] = along
            under = canvas[:, top // half + rows : bottom // half + rows, left // half : right // half]
            _over(under, lowered[:-1], lowered[-1], product[:-1])


class _Part:
    """Sprites that belong into a part of the head, and where that is."""

    def __init__(self, sprites: Sprites, heads: Sprites, head: Words) -> None:
        self.data, self.width, self.height = sprites.data, sprites.width, sprites.height
        left, top = sprites.box[0] - heads.box[0], sprites.box[1] - heads.box[1]
        self.places = [
            planes[:, top // half : (top + self.height) // half, left // half : (left + self.width) // half]
            for half, planes in enumerate(_planes(head, heads.width, heads.height), 1)
        ]


def _lower(head: Words, along: int, lowered: Words, product: Words) -> None:
    """Write planes of the head, lowered by ``along / _ROWS`` of a row, without bits behind the point.

    Their outermost rows are empty.
    """
    if not along:
        np.right_shift(head, _FINE, out=lowered)
        return
    np.multiply(head, np.uint16(_ROWS - along), out=lowered)
    np.multiply(head[:, :-1], np.uint16(along), out=product[:, 1:])
    lowered[:, 1:] += product[:, 1:]
    lowered >>= 8
    np.right_shift(head[:, 0], _FINE, out=lowered[:, 0])


def _planes(data: npt.NDArray[_Number], width: int, height: int) -> tuple[npt.NDArray[_Number], npt.NDArray[_Number]]:
    """Return the planes of a sprite: luma and its keep, (2, height, width), both chroma planes and theirs, at half."""
    size = 2 * width * height
    return data[:size].reshape(2, height, width), data[size:].reshape(3, height // 2, width // 2)


def _below(still: int, width: int, height: int) -> list[slice]:
    """Return where the rows from ``still`` on lie in a picture: of luma, and of both chroma planes."""
    size = width * height
    return [
        slice(still * width, size),
        slice(size + still * width // 4, size + size // 4),
        slice(size + size // 4 + still * width // 4, size + size // 2),
    ]


def _between_each(scenes: Bytes) -> Iterator[Bytes]:
    """Yield each of some pictures, with ``_BREATHS - 1`` means before the next one."""
    for one, other in itertools.pairwise(scenes):
        for step in range(_BREATHS):
            mean = one * np.uint16(_BREATHS - step) + other * np.uint16(step)
            yield (mean // _BREATHS).astype(np.uint8)
    yield scenes[-1]


def _raised(brow: float) -> Blend:
    """Return the one or two states that a brow lies between, with weights that make up ``_PARTS``."""
    step = max(0, min(len(BROWS) - 2, bisect_right(BROWS, brow) - 1))
    along = round(min(1.0, max(0.0, (brow - BROWS[step]) / (BROWS[step + 1] - BROWS[step]))) * _PARTS)
    return tuple((state, share) for state, share in ((step, _PARTS - along), (step + 1, along)) if share)


def _between(position: float, count: int) -> Blend:
    """Return the one or two of ``count`` heads that a position lies between, with weights that make up ``_PARTS``."""
    steps = _PARTS // _YAWS
    below, along = divmod(round(min(max(position, 0.0), count - 1.0) * _YAWS) * steps, _PARTS)
    return ((below, _PARTS),) if not along else ((below, _PARTS - along), (below + 1, along))


def _over_fine(under: Words, colour: Words, keep: Words) -> None:
    """Lay premultiplied planes over others, in place; ``keep`` alone has no bits behind the point."""
    share = under >> _FINE
    share *= keep
    share += 255  # so that 255 keeps all
    share >>= 8
    share <<= _FINE
    np.add(share, colour, out=under)


def _over(under: Bytes, colour: Bytes | Words, keep: Bytes | Words, share: Words | None = None) -> None:
    """Lay premultiplied planes over others, in place.

    :param share: words to work with.
    """
    share = np.multiply(under, keep, out=share, dtype=np.uint16)
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
