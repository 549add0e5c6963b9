"""The names of bitHuman's SDK as it has them today (bithuman 2.12.9), over the built-in faces: a program that was
written for it runs with its import changed::

    from mouthpiece_avatar.as_bithuman import AsyncBithuman, AudioChunk, VideoControl

Here ``push_audio`` ends a turn unless it is told otherwise, and the frames' sound is at 16 kHz, as there.
``mouthpiece_avatar.FaceRuntime`` has the shape of their older documentation.
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mouthpiece.errors import ConfigurationError, MouthpieceError
from mouthpiece_avatar.runtimes.contract import AudioChunk
from mouthpiece_avatar.runtimes.contract import Frame as VideoFrame
from mouthpiece_avatar.runtimes.face import FaceRuntime

__all__ = ["AsyncBithuman", "AudioChunk", "BithumanError", "ModelNotFoundError", "VideoControl", "VideoFrame"]

BithumanError = MouthpieceError
ModelNotFoundError = ConfigurationError
"""There is no such face."""
SAMPLE_RATE = 16_000


@dataclass
class VideoControl:
    """What is pushed at once: sound, or the end of a turn. Actions and emotions mean nothing to these faces."""

    audio: AudioChunk | None = None
    text: str | None = None
    target_video: str | None = None
    action: str | Sequence[str] | None = None
    emotion_preds: Sequence[Any] | None = None
    message_id: Hashable = field(default_factory=lambda: str(uuid.uuid4()))
    """Comes back as ``source_message_id`` of the frames."""
    end_of_speech: bool = False
    force_action: bool = False
    stop_on_user_speech: bool | None = None
    stop_on_agent_speech: bool | None = None

    @classmethod
    def from_audio(
        cls, audio: bytes | npt.NDArray[np.int16], sample_rate: int, last_chunk: bool = True
    ) -> VideoControl:
        samples = np.frombuffer(audio, "<i2") if isinstance(audio, bytes) else audio
        return cls(AudioChunk(samples.astype(np.int16, copy=False), sample_rate, last_chunk))


class AsyncBithuman(FaceRuntime):
    """``create`` makes one."""

    def __init__(self, *args: Any, output_sample_rate: int = SAMPLE_RATE, **kwargs: Any) -> None:
        super().__init__(*args, output_sample_rate=output_sample_rate, **kwargs)

    @classmethod
    async def create(cls, *, output_sample_rate: int = SAMPLE_RATE, **options: Any) -> AsyncBithuman:  # type: ignore[override]
        """See :meth:`FaceRuntime.create`."""
        return await super().create(output_sample_rate=output_sample_rate, **options)

    async def push_audio(  # type: ignore[override]
        self, data: bytes, sample_rate: int, last_chunk: bool = True
    ) -> None:
        await self._push(data, sample_rate, last_chunk, None)

    async def push(self, control: VideoControl) -> None:
        if control.audio is not None:
            last = control.audio.last_chunk or control.end_of_speech
            await self._push(control.audio.bytes, control.audio.sample_rate, last, control.message_id)
        elif control.end_of_speech:
            await self.flush()
