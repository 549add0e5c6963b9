"""Any push-and-drain runtime as a renderer: a session shows what the runtime draws.

The sound that viewers hear does not pass through the runtime: it leaves by the playout queue, so that interrupts and
receipts are as exact as with the built-in face. The runtime is given the same samples at the moment they are queued,
which at the onset of speech is the moment they leave, and the newest frame that it has drained is the one that is
shown. So the lips follow the voice by what the runtime takes to draw, and at most one frame more. After an interrupt
the picture from before the turn is shown at once, and no frame of a turn that was cut: each has a ``message_id``.
"""

from __future__ import annotations

import asyncio

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece.errors import AvatarError
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.renderer import BITS_PER_PIXEL, Image, Mood
from mouthpiece_avatar.runtimes.contract import Frame, Runtime


class RuntimeRenderer:
    """See :class:`mouthpiece_avatar.renderer.Renderer`. Owns ``runtime``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._work: asyncio.Queue[tuple[int, Samples] | None] = asyncio.Queue()
        """Samples to push, and of which turn; None: flush."""
        self._in_turn = False
        """Speech was queued that has not been flushed."""
        self._speech_end = 0
        """Index of the sample after the last one of speech."""
        self._image = _black(self.size)
        self._at_rest = self._image
        """The last picture before the turn."""
        self._turn = 0
        """Number of the newest turn."""
        self._cut = 0
        """Number of the newest turn that was interrupted."""

    @property
    def size(self) -> tuple[int, int]:
        return self._runtime.size

    @property
    def fps(self) -> int:
        return self._runtime.fps

    @property
    def bits_per_pixel(self) -> float:
        return BITS_PER_PIXEL

    def audio_queued(self, index: int, samples: Samples, *, speech: bool) -> None:
        if speech:
            if not self._in_turn:
                self._turn += 1
                self._at_rest = self._image.copy()
            self._in_turn = True
            self._speech_end = index + len(samples)
            self._work.put_nowait((self._turn, samples))
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
        self._cut = self._turn
        self._image = self._at_rest.copy()
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
            work = await self._work.get()
            if work is None:
                await self._runtime.flush()
            else:
                turn, samples = work
                data = samples.astype("<i2", copy=False).tobytes()
                await self._runtime.push_audio(data, RATE, message_id=str(turn))

    async def _drain(self) -> None:
        async for frame in self._runtime.run():
            if frame.bgr_image is not None and not self._was_cut(frame):
                self._show(frame.bgr_image)
        raise AvatarError("the runtime has stopped giving frames")

    def _was_cut(self, frame: Frame) -> bool:
        message = frame.source_message_id
        return isinstance(message, str) and message.isdecimal() and int(message) <= self._cut

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
