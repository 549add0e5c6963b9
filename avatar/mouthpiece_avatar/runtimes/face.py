"""The built-in face as a runtime: what bitHuman's canonical loop drives."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePath
from typing import Self

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Samples
from mouthpiece.errors import QueueFull
from mouthpiece.receiving.inbound_streams import MAX_BACKLOG
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.face.animator import FaceAnimator
from mouthpiece_avatar.face.compositor import Compositor, Face
from mouthpiece_avatar.face.faces import DEFAULT_FACE, FACES, Look, load_face, read_size
from mouthpiece_avatar.lips.features import HOP
from mouthpiece_avatar.lips.model import LipModel, load
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth, MouthTrack
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from mouthpiece_avatar.runtimes.contract import FPS, AudioChunk, Frame

logger = logging.getLogger(__name__)

MEANINGLESS = frozenset(
    (
        *("token", "api_url", "tags", "insecure", "input_buffer_size", "output_buffer_size", "num_threads"),
        *("verbose", "batch_workers", "quality", "identity", "billing_type", "fingerprint"),
    )
)
"""Parameters of ``AsyncBithuman.create`` (bithuman 2.12.9) that mean nothing here."""
_WEIGHTS = load(look_ahead=False)  # at import: the event loop waits for no disk
_CATCH_UP = 0.5
"""Seconds that a consumer may be late and still gets every frame at once; after that the beat starts anew."""


@dataclass(slots=True)
class _Part:
    """Sound of one sample rate. A turn consists of one or more parts."""

    sound: PlayoutStream
    last: bool = False
    """The turn ends with this part."""
    pushed: int = 0
    """Bytes."""
    messages: deque[tuple[int, Hashable | None]] = field(default_factory=deque)
    """From which byte on it is the sound of which message."""

    def message(self, share: Fraction) -> Hashable | None:
        """Return the message of the sound that is taken next.

        :param share: samples that were pushed for each that is taken.
        """
        at = 2 * int(self.sound.taken * share)
        while len(self.messages) > 1 and self.messages[1][0] <= at:
            self.messages.popleft()
        return self.messages[0][1] if self.messages else None


async def load_model(model_path: str | None, look: Look | None) -> Face:
    """Return the face that a program of bitHuman's names, see :meth:`FaceRuntime.create`.

    :raises ConfigurationError: there is none.
    """
    path = PurePath(model_path or DEFAULT_FACE)
    face = path.stem
    if face not in FACES and path.suffix == ".imx":
        logger.info("%s is not read: the built-in face %s takes its place", path.name, DEFAULT_FACE)
        face = DEFAULT_FACE
    return await asyncio.to_thread(load_face, face, look)


class FaceRuntime:
    """A :class:`mouthpiece_avatar.runtimes.contract.Runtime`. ``create`` makes one.

    The same sound gives the same speech frames, byte for byte, however it was cut into pushes and however many fillers
    came between: a frame is drawn from its own and earlier sound, and what the face does by itself is counted in
    frames that have a picture.
    """

    fps = FPS

    def __init__(
        self,
        face: Face,
        *,
        seed: int = 1,
        idle_pictures: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        output_sample_rate: int = RATE,
    ) -> None:
        """
        :param idle_pictures: fillers have a picture too: the face waits, breathes and blinks. What it does in the
            next turn then depends on how long it waited.
        :param output_sample_rate: hertz of the frames' sound: 16,000 or more, a multiple of 400. Sound that is pushed
            at this rate comes out sample for sample.
        :raises ValueError: it is another one.
        """
        if output_sample_rate < 16_000 or output_sample_rate % 400:
            raise ValueError(f"the output's rate must be a multiple of 400 from 16,000 on, not {output_sample_rate}")
        self.sample_rate = output_sample_rate
        self._samples = output_sample_rate // FPS
        self._face = face
        self._compositor = Compositor(face)
        self._animator = FaceAnimator(seed)
        self._model = LipModel(output_sample_rate, look_ahead=False, weights=_WEIGHTS)
        self._track = MouthTrack(look_ahead=False)
        self._hops = self._model.first_hop
        self._frames = 0  # of the turn
        self._idle_pictures = idle_pictures
        self._clock = clock
        self._sleep = sleep
        self._parts: deque[_Part] = deque()
        self._stopped = False
        self._in_turn = False  # a frame of the turn has been drained
        self._cut = False  # a turn was interrupted, and its end has not been drained

    @classmethod
    async def create(
        cls,
        model_path: str | None = None,
        api_secret: str | None = None,
        agent_code: str | None = None,
        *,
        seed: int = 1,
        idle_pictures: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        output_sample_rate: int = RATE,
        output_size: tuple[int, int] | None = None,
        **others: object,
    ) -> Self:
        """
        :param model_path: the name of a face, or a file with that name. Any other ``.imx`` file, a model of
            bitHuman's, gets the default face: a program written for their SDK runs as it is.
        :param api_secret: not needed, nor is ``agent_code``; accepted because their SDK takes them.
        :param output_size: width and height of the pictures; 512 by 512 without.
        :param others: of their SDK, without a meaning here (:data:`MEANINGLESS`).
        :raises ConfigurationError: there is no such face, or none of this size.
        :raises TypeError: there is no such parameter, here or there.
        :raises ValueError: ``output_sample_rate`` cannot be had.
        """
        if unknown := set(others) - MEANINGLESS:
            raise TypeError(f"create() got an unexpected keyword argument {min(unknown)!r}")
        look = None if output_size is None else Look(read_size("{}x{}".format(*output_size)))
        return cls(
            await load_model(model_path, look),
            seed=seed,
            idle_pictures=idle_pictures,
            clock=clock,
            sleep=sleep,
            output_sample_rate=output_sample_rate,
        )

    @property
    def size(self) -> tuple[int, int]:
        return self._compositor.width, self._compositor.height

    async def push_audio(
        self,
        audio: bytes | None = None,
        sample_rate: int = 0,
        last_chunk: bool | None = None,
        *,
        data: bytes | None = None,
        message_id: Hashable | None = None,
    ) -> None:
        """See :class:`mouthpiece_avatar.runtimes.contract.Runtime`.

        :param data: the name of ``audio`` in bitHuman's SDK 2.12, where ``last_chunk`` is true unless said otherwise.
        """
        pushed = audio if data is None else data
        if pushed is None or (audio is not None and data is not None):
            raise TypeError("push_audio() takes the sound once, as audio or as data")
        last = data is not None if last_chunk is None else last_chunk
        await self._push(pushed, sample_rate, last, message_id)

    async def _push(self, audio: bytes, sample_rate: int, last_chunk: bool, message_id: Hashable | None) -> None:
        newest = self._newest()
        sound = newest.sound if newest is not None else None
        if sound is None or sound.header.sample_rate != sample_rate:  # a turn may change its rate
            sound = PlayoutStream("", StreamHeader(sample_rate, 1), rate=self.sample_rate)
        if sum(part.sound.backlog for part in self._parts) + len(audio) / (2 * sample_rate) > MAX_BACKLOG:
            raise QueueFull("half an hour of sound waits already: drain frames, or push along with them")
        if newest is None or newest.sound is not sound:
            if newest is not None:
                newest.sound.end()
            newest = _Part(sound)
            self._parts.append(newest)
        if not newest.messages or newest.messages[-1][1] != message_id:
            newest.messages.append((newest.pushed, message_id))
        newest.pushed += len(audio)
        sound.push(audio)
        if last_chunk:
            await self.flush()

    async def flush(self) -> None:
        newest = self._newest()
        if newest is not None:
            newest.sound.end()
            newest.last = True

    def interrupt(self) -> None:
        self._cut = self._cut or self._in_turn or bool(self._parts)
        self._parts.clear()
        self._end_turn()

    async def run(self) -> AsyncIterator[Frame]:
        due = self._clock()
        while not self._stopped:
            yield self._next()
            due += 1 / FPS
            wait = due - self._clock()
            if wait > 0:
                await self._sleep(wait)
            elif wait < -_CATCH_UP:
                due = self._clock()

    async def stop(self) -> None:
        self._stopped = True

    async def start(self, **_: object) -> None:
        """Do nothing, as in bitHuman's SDK: all is ready, and ``run`` begins it."""

    async def shutdown(self) -> None:
        """Stop; bitHuman's SDK also closes a metered session."""
        await self.stop()

    def get_first_frame(self) -> npt.NDArray[np.uint8]:
        """Return a picture of the face at rest, BGR: programs read the size from it. No frame is taken from ``run``."""
        at_rest = Compositor(self._face)
        at_rest.compose(FaceAnimator().step(AT_REST))
        picture = np.empty((at_rest.height, at_rest.width, 3), np.uint8)
        at_rest.put_bgr(picture)
        return picture

    @property
    def frame_width(self) -> int:
        return self.size[0]

    @property
    def frame_height(self) -> int:
        return self.size[1]

    @property
    def samples_per_tick(self) -> int:
        """Samples of the sound of a frame."""
        return self._samples

    def _newest(self) -> _Part | None:
        """Return the newest part of the turn that has not been flushed, or None."""
        newest = self._parts[-1] if self._parts else None
        return None if newest is None or newest.last else newest

    def _next(self) -> Frame:
        if self._cut:
            self._cut = False
            return self._filler(end_of_speech=True)
        ready, ended = self._ready()
        if not ready or not (ended or ready > self._samples):
            if ended:
                self._drop_turn()
            return self._filler(end_of_speech=ended)
        first = next(part for part in self._parts if part.sound.ready(1))
        message_id = first.message(Fraction(first.sound.header.sample_rate, self.sample_rate))
        samples = self._take(min(ready, self._samples))
        self._in_turn = not ended
        image = self._picture(self._heard(samples))
        number = self._frames - 1
        if ended:
            self._drop_turn()
            self._end_turn()
        return Frame(image, AudioChunk(samples, self.sample_rate, ended), ended, number, message_id)

    def _ready(self) -> tuple[int, bool]:
        """Return how many samples of the turn are there, up to one more than a frame, and whether they are its last.

        A frame is not drained before there is one sample beyond it, or the end: it could not know that it is the last.
        """
        ready = 0
        for part in self._parts:
            ready += part.sound.ready(self._samples + 1 - ready)
            if ready > self._samples:
                return ready, False
            if part.last:
                return ready, True
        return ready, False

    def _take(self, count: int) -> Samples:
        """Take the next samples of the turn, padded with silence to a frame."""
        frame = np.zeros(self._samples, np.int16)
        filled = 0
        while filled < count:
            block = self._parts[0].sound.take(count - filled)
            frame[filled : filled + len(block)] = block
            filled += len(block)
            if filled < count:
                self._parts.popleft()
        return frame

    def _drop_turn(self) -> None:
        while not self._parts.popleft().last:
            pass

    def _end_turn(self) -> None:
        self._in_turn = False
        self._model.clear()
        self._track.clear()
        self._hops, self._frames = self._model.first_hop, 0

    def _heard(self, samples: Samples) -> Mouth:
        """Return the mouth of a frame, from its sound and earlier sound alone."""
        for hop in self._model.push(samples):
            self._track.add((self._hops + 0.5) * HOP, hop)
            self._hops += 1
        self._frames += 1
        return self._track.mouth(self._frames / FPS)

    def _filler(self, *, end_of_speech: bool) -> Frame:
        if end_of_speech:
            self._end_turn()
        image = self._picture(AT_REST) if self._idle_pictures else None
        return Frame(image, AudioChunk(np.zeros(self._samples, np.int16), self.sample_rate), end_of_speech)

    def _picture(self, heard: Mouth) -> npt.NDArray[np.uint8]:
        self._compositor.compose(self._animator.step(heard))
        picture = np.empty((self._compositor.height, self._compositor.width, 3), np.uint8)
        self._compositor.put_bgr(picture)
        return picture
