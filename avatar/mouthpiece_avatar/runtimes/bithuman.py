"""bitHuman's SDK as a runtime: a thin adapter. The SDK is commercial, needs a model and a secret, and is not installed
with the avatar: ``uv sync --inexact --extra bithuman``.

What the adapter evens out (bithuman 2.12.9, read in the installed wheel):

- ``VideoFrame.audio_chunk`` is None while nothing is said, and nothing bounds the SDK's backlog.
- ``stop()`` ends the frames but keeps the metered session; ``shutdown()`` ends both.
- ``create()`` raises ``ValueError``, ``BithumanError`` (``TokenError``: secret or account; ``ModelError``: the file)
  or, when bitHuman's service cannot be reached, ``RuntimeError``; it looks for the model before it looks for the
  secret. A refusal may also come while frames are drained.
- ``push_audio`` takes no ``message_id``; ``push(VideoControl(…))`` does, and frames say it as ``source_message_id``.
- An odd number of bytes is refused; here what is left of a sample waits for the next push.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import AsyncIterator, Hashable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mouthpiece.errors import AvatarError, AvatarStartFailed, ConfigurationError, QueueFull
from mouthpiece.extras import needs
from mouthpiece.receiving.inbound_streams import MAX_BACKLOG
from mouthpiece_avatar.runtimes.contract import AudioChunk, Frame
from mouthpiece_avatar.runtimes.renderer import RuntimeRenderer

logger = logging.getLogger(__name__)

SAMPLE_RATE = 16_000
"""Hertz that the SDK works at."""
OUTPUT_SIZE = (1280, 720)
"""Pixels of the SDK's pictures where it does not say otherwise (the default of ``output_size``)."""

_NOT_INSTALLED = needs("the runtime bithuman", "bithuman", checkout="uv sync --inexact --extra bithuman")
_NO_SECRET = "BITHUMAN_API_SECRET is not set: bitHuman's SDK renders nothing without it"


class BithumanRuntime:
    """A :class:`mouthpiece_avatar.runtimes.contract.Runtime`. ``create`` makes one."""

    def __init__(self, sdk: Any, module: ModuleType) -> None:
        """
        :param sdk: a ``bithuman.AsyncBithuman``.
        :param module: ``bithuman``.
        """
        self._sdk = sdk
        self._module = module
        self._incomplete = b""
        self._backlog = 0.0

    @classmethod
    async def create(
        cls, model_path: str, api_secret: str | None = None, *, module: ModuleType | None = None
    ) -> BithumanRuntime:
        """Load a model, and open a metered session at bitHuman's service.

        :param model_path: an ``.imx`` file.
        :param api_secret: bitHuman's; without it the environment's ``BITHUMAN_API_SECRET``.
        :param module: in place of the installed ``bithuman``.
        :raises ConfigurationError: the SDK is not installed, or there is no secret.
        :raises AvatarStartFailed: the SDK refused; the log says why.
        """
        secret = api_secret or os.environ.get("BITHUMAN_API_SECRET")
        if not secret:
            raise ConfigurationError(_NO_SECRET)
        sdk = module or _installed()
        try:
            return cls(await sdk.AsyncBithuman.create(model_path=model_path, api_secret=secret), sdk)
        except (ValueError, RuntimeError, sdk.BithumanError) as error:
            logger.error("bitHuman's SDK did not start: %s: %s", type(error).__name__, error)
            raise AvatarStartFailed(
                f"{_fault(error, sdk)} ({type(error).__name__}): the log of the avatar server says why"
            ) from error

    @property
    def size(self) -> tuple[int, int]:
        return self._sdk.frame_width or OUTPUT_SIZE[0], self._sdk.frame_height or OUTPUT_SIZE[1]

    @property
    def fps(self) -> int:
        """25, or 20 with a model of the family Expression 2."""
        return int(self._sdk.fps)

    async def push_audio(
        self, audio: bytes, sample_rate: int, last_chunk: bool = False, *, message_id: Hashable | None = None
    ) -> None:
        if sample_rate <= 0:
            raise ValueError(f"a sample rate is a positive number of hertz, not {sample_rate}")
        seconds = len(audio) / (2 * sample_rate)
        if self._backlog + seconds > MAX_BACKLOG:
            raise QueueFull("half an hour of sound waits already: drain frames, or push along with them")
        self._backlog += seconds
        audio = self._incomplete + audio
        whole = len(audio) - len(audio) % 2
        self._incomplete = b"" if last_chunk else audio[whole:]
        if message_id is None:
            await self._sdk.push_audio(audio[:whole], sample_rate, last_chunk=last_chunk)
            return
        chunk = self._module.AudioChunk(np.frombuffer(audio[:whole], np.int16), sample_rate, last_chunk)
        await self._sdk.push(self._module.VideoControl(audio=chunk, message_id=message_id))

    async def flush(self) -> None:
        self._incomplete = b""
        await self._sdk.flush()

    def interrupt(self) -> None:
        self._backlog = 0.0
        self._incomplete = b""
        self._sdk.interrupt()

    async def run(self) -> AsyncIterator[Frame]:
        """See :class:`Runtime`.

        :raises AvatarError: the SDK failed; the log says why.
        """
        try:
            async for frame in self._frames():
                yield frame
        except self._module.BithumanError as error:
            logger.error("bitHuman's SDK failed: %s: %s", type(error).__name__, error)
            raise AvatarError(f"{_fault(error, self._module)} ({type(error).__name__})") from error

    async def _frames(self) -> AsyncIterator[Frame]:
        async for frame in self._sdk.run():
            chunk = frame.audio_chunk
            if chunk is None:
                sound = AudioChunk(np.zeros(SAMPLE_RATE // self.fps, np.int16), SAMPLE_RATE)
            else:
                sound = AudioChunk(np.asarray(chunk.array, np.int16), chunk.sample_rate)
                self._backlog = max(0.0, self._backlog - sound.duration)
            if frame.end_of_speech:
                self._backlog = 0.0
            yield Frame(frame.bgr_image, sound, frame.end_of_speech, frame.frame_index, frame.source_message_id)

    async def stop(self) -> None:
        await self._sdk.shutdown()


class BithumanRenderers:
    """See :class:`mouthpiece_avatar.renderer.Renderers`: each avatar is the same model, with a session of its own."""

    def __init__(self, model_path: Path | None, api_secret: str | None, *, module: ModuleType | None = None) -> None:
        """
        :param module: in place of the installed ``bithuman``.
        :raises ConfigurationError: the SDK, the secret or the model is missing; a line names each that is.
        """
        missing = []
        if module is None and importlib.util.find_spec("bithuman") is None:
            missing.append(_NOT_INSTALLED)
        if not api_secret:
            missing.append(_NO_SECRET)
        if model_path is None:
            missing.append("BITHUMAN_MODEL_PATH is not set: the runtime bithuman needs the .imx file of an avatar")
        elif not model_path.is_file():
            missing.append(f"BITHUMAN_MODEL_PATH: there is no file {model_path}")
        if missing:
            raise ConfigurationError("\n".join(missing))
        self._model_path = str(model_path)
        self._api_secret = api_secret
        self._module = module

    async def __call__(self, avatar: str) -> RuntimeRenderer:
        """Make the renderer of an avatar.

        :raises AvatarStartFailed: the SDK refused.
        """
        return RuntimeRenderer(await BithumanRuntime.create(self._model_path, self._api_secret, module=self._module))

    async def preload(self) -> None:
        """The SDK loads a model for each session."""


def _fault(error: Exception, sdk: ModuleType) -> str:
    """Return whose fault an error of the SDK is."""
    if isinstance(error, sdk.TokenError):
        return "bitHuman does not accept BITHUMAN_API_SECRET, or its account"
    if isinstance(error, sdk.ModelError):
        return "bitHuman's SDK cannot use the model BITHUMAN_MODEL_PATH"
    return "bitHuman's SDK did not start, or stopped"


def _installed() -> ModuleType:
    try:
        import bithuman
    except ImportError:
        raise ConfigurationError(_NOT_INSTALLED) from None
    module: ModuleType = bithuman
    return module
