"""The names of bitHuman's SDK as it has them today (bithuman 2.12.9), over the built-in faces: a program that was
written for it runs with its import changed::

    from mouthpiece_avatar.as_bithuman import AsyncBithuman, AudioChunk, VideoControl

Here ``push_audio`` ends a turn unless it is told otherwise, and the frames' sound is at 16 kHz, as there.
``mouthpiece_avatar.FaceRuntime`` has the shape of their older documentation. Accounts, tokens and billing mean nothing
here: what sets them does nothing, and the errors about them are never raised.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from mouthpiece.errors import ConfigurationError, MouthpieceError
from mouthpiece_avatar.face.compositor import Compositor
from mouthpiece_avatar.face.faces import Look
from mouthpiece_avatar.runtimes.contract import AudioChunk as FrameSound
from mouthpiece_avatar.runtimes.contract import Frame as VideoFrame
from mouthpiece_avatar.runtimes.face import FaceRuntime, load_model

__all__ = [
    "AccountStatusError",
    "AsyncBithuman",
    "AudioChunk",
    "BithumanError",
    "Emotion",
    "EmotionPrediction",
    "ModelError",
    "ModelLoadError",
    "ModelNotFoundError",
    "ModelSecurityError",
    "RuntimeNotReadyError",
    "TokenError",
    "TokenExpiredError",
    "TokenRequestError",
    "TokenValidationError",
    "VideoControl",
    "VideoFrame",
]

BithumanError = MouthpieceError
ModelError = ConfigurationError
ModelNotFoundError = ConfigurationError
"""There is no such face."""
SAMPLE_RATE: Final = 16_000


class TokenError(BithumanError):
    """Never raised, nor are those below."""


class TokenExpiredError(TokenError): ...


class TokenValidationError(TokenError): ...


class TokenRequestError(TokenError): ...


class AccountStatusError(TokenError): ...


class ModelLoadError(ModelError): ...


class ModelSecurityError(ModelError): ...


class RuntimeNotReadyError(BithumanError): ...


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk(FrameSound):
    """Sound to push: int16 samples, their bytes, or floating point up to 1."""

    def __post_init__(self) -> None:
        data = self.data
        if isinstance(data, bytes):
            data = np.frombuffer(data, "<i2").astype(np.int16, copy=False)
        elif data.dtype in (np.float32, np.float64):
            data = (data * 32_767).astype(np.int16)
        if data.dtype != np.int16:
            raise ValueError(f"sound is int16, or floating point up to 1, and not {data.dtype}")
        object.__setattr__(self, "data", data)

    @classmethod
    def from_bytes(cls, audio_bytes: bytes, sample_rate: int, last_chunk: bool = True) -> Self:
        return cls(np.frombuffer(audio_bytes, "<i2"), sample_rate, last_chunk)


class Emotion(enum.StrEnum):
    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    JOY = "joy"
    NEUTRAL = "neutral"
    SADNESS = "sadness"
    SURPRISE = "surprise"


@dataclass
class EmotionPrediction:
    emotion: Emotion
    score: float


@dataclass
class VideoControl:
    """What is pushed at once: sound, or the end of a turn. Actions and emotions mean nothing to these faces."""

    audio: AudioChunk | None = None
    text: str | None = None
    target_video: str | None = None
    action: str | Sequence[str] | None = None
    emotion_preds: Sequence[EmotionPrediction] | None = None
    message_id: Hashable = field(default_factory=lambda: str(uuid.uuid4()))
    """Comes back as ``source_message_id`` of the frames."""
    end_of_speech: bool = False
    force_action: bool = False
    stop_on_user_speech: bool | None = None
    stop_on_agent_speech: bool | None = None

    @property
    def is_speaking(self) -> bool:
        return self.audio is not None

    @property
    def is_idle(self) -> bool:
        return self.audio is None and self.target_video is None and not self.action and not self.emotion_preds

    @classmethod
    def from_audio(
        cls, audio: bytes | npt.NDArray[np.int16], sample_rate: int, last_chunk: bool = True
    ) -> VideoControl:
        sound = np.frombuffer(audio, "<i2") if isinstance(audio, bytes) else audio
        return cls(AudioChunk(sound, sample_rate, last_chunk))


class AsyncBithuman(FaceRuntime):
    """``create`` makes one."""

    video_graph = None
    """As in their SDK, which has none any more."""

    def __init__(self, *args: Any, output_sample_rate: int = SAMPLE_RATE, **kwargs: Any) -> None:
        super().__init__(*args, output_sample_rate=output_sample_rate, **kwargs)
        self.transaction_id = uuid.uuid4().hex
        self.settings = SimpleNamespace(FPS=self.fps, INPUT_SAMPLE_RATE=SAMPLE_RATE)

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

    async def set_model(self, model_path: str) -> None:
        """Show another face from the next frame on.

        :raises ModelNotFoundError: there is no such face.
        """
        self._face = await load_model(model_path, Look(self._face.views.screen))
        self._compositor = Compositor(self._face)

    def cleanup(self) -> None:
        """End ``run``."""
        self._stopped = True

    def set_agent_code(self, agent_code: str) -> None:
        """Do nothing, nor do those below."""

    def set_billing_type(self, billing_type: str) -> None: ...

    def set_identity(self, identity: str) -> None: ...

    def start_token_refresh(self, **_: object) -> bool:
        return True

    def stop_token_refresh(self) -> None: ...

    def is_token_refresh_running(self) -> bool:
        return False
