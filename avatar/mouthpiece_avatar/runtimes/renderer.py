"""Any push-and-drain runtime as a renderer: a session shows what the runtime draws.

The sound that viewers hear does not pass through the runtime: it leaves by the playout queue, so that interrupts and
receipts are as exact as with the built-in face. The runtime is given the same samples at the moment they are queued,
which at the onset of speech is the moment they leave, and the newest frame that it has drained is the one that is
shown. So the lips follow the voice by what the runtime takes to draw, and at most one frame more.
"""

from __future__ import annotations

import asyncio

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece.errors import AvatarError
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.renderer import Image, Mood
from mouthpiece_avatar.runtimes.contract import Runtime


class RuntimeRenderer:
    """See :class:`mouthpiece_avatar.renderer.Renderer`. Owns ``runtime``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._work: asyncio.Queue[Samples | None] = asyncio.Queue()
        """Samples to push; None: flush."""
        self._in_turn = False
        """Speech was queued that has not been flushed."""
        self._speech_end = 0
        """Index of the sample after the last one of speech."""
        self._image = _black(self.size)

    @property
    def size(self) -> tuple[int, int]:
        return self._runtime.size

    @property
    def fps(self) -> int:
        return self._runtime.fps

    def audio_queued(self, index: int, samples: Samples, *, speech: bool) -> None:
        if speech:
            self._in_turn = True
            self._speech_end = index + len(samples)
            self._work.put_nowait(samples)
        elif self._in_turn:
            self._in_turn = False
            self._work.put_nowait(None)

    def audio_cut(self, index: int) -> None:
        if index >= self._speech_end:
            return  # only silence was cut; the runtime may still be drawing the end of what was said before it
        self._speech_end = index
        self._in_turn = False
        while not self._work.empty():
            self._work.get_nowait()
        self._runtime.interrupt()

    def frame(self, index: int) -> Image:
        return self._image

    def set_mood(self, mood: Mood) -> None:
        """Runtimes have no moods."""

    async def run(self) -> None:
        """Push and drain.

        :raises AvatarError: (in a group) the runtime has stopped giving frames.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._push())
            tasks.create_task(self._drain())

    async def aclose(self) -> None:
        await self._runtime.stop()

    async def _push(self) -> None:
        while True:
            samples = await self._work.get()
            if samples is None:
                await self._runtime.flush()
            else:
                await self._runtime.push_audio(samples.astype("<i2", copy=False).tobytes(), RATE)

    async def _drain(self) -> None:
        async for frame in self._runtime.run():
            if frame.bgr_image is not None:
                self._show(frame.bgr_image)
        raise AvatarError("the runtime has stopped giving frames")

    def _show(self, bgr: Image) -> None:
        height, width = bgr.shape[:2]
        if self._image.shape[:2] != (height, width):
            self._image = _black((width, height))
        self._image[..., :3] = bgr


def _black(size: tuple[int, int]) -> Image:
    width, height = size
    image = np.zeros((height, width, 4), np.uint8)
    image[..., 3] = 255
    return image
