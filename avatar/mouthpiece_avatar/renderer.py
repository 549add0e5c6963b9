"""The contract between the publisher and a renderer, which draws the pictures."""

from __future__ import annotations

import enum
from collections.abc import Awaitable
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Samples

Image = npt.NDArray[np.uint8]
"""BGRA, (height, width, 4), or I420, (height * 3 / 2, width) with both figures even; contiguous."""


class Mood(enum.Enum):
    """What the others in the room are doing, as far as the worker reports it."""

    IDLE = "idle"
    ATTENTIVE = "attentive"
    """Somebody speaks to the avatar."""
    THINKING = "thinking"
    """The agent is making an answer."""


BITS_PER_PIXEL: Final = 1_200_000 / (512 * 512 * 25)
"""Of one picture: 1.2 Mbit/s for 512x512 at 25 pictures a second."""
DRAWN_BITS_PER_PIXEL: Final = BITS_PER_PIXEL / 3
"""Of a face of ours: VP8 codes it with a quantizer of 8 then, of 0 to 127. Three times as many bits make that 2, and
the encoder takes half as long again."""


class Renderer(Protocol):
    """Draws one avatar. A sample index counts everything that was put into the audio source, mono at 48 kHz."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures in pixels."""

    @property
    def fps(self) -> int:
        """Pictures a second."""

    @property
    def bits_per_pixel(self) -> float:
        """That a picture may take on its way to viewers, at most."""

    def audio_queued(self, index: int, samples: Samples, *, speech: bool) -> None:
        """These samples were put into the source.

        :param index: of the first of them.
        :param speech: they are of a stream; otherwise they are the silence between streams.
        """

    def audio_cut(self, index: int) -> None:
        """What was put into the source from ``index`` on has been removed from it."""

    def frame(self, index: int) -> Image:
        """Return the next picture, for the moment at which sample ``index`` leaves the source.

        It may be drawn over by the next call.
        """

    def set_mood(self, mood: Mood) -> None:
        """Set what the face shows while it does not speak."""

    async def run(self) -> None:
        """Do the work that the renderer has beside these calls, until it is cancelled. May return at once."""

    async def aclose(self) -> None:
        """Release what it holds, whether it ever ran or not; more than once does no harm."""


class Renderers(Protocol):
    """Makes the renderer of each avatar."""

    def __call__(self, avatar: str) -> Awaitable[Renderer]:
        """Make the renderer of the avatar with this id.

        :raises AvatarNotFound: there is no such avatar.
        :raises AvatarStartFailed: it cannot be made.
        """

    async def preload(self) -> None:
        """Do ahead what would delay the first avatar."""
