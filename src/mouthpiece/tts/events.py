"""The events of a TTS.

A synthesis emits, in this order: one ``TTSSynthesisStartEvent``; any number of ``TTSAudioEvent``, of which the last is
marked final, and may be empty, if the text was spoken to its end; exactly one ``TTSSynthesisCompleteEvent`` or
``TTSErrorEvent``. The ``repr`` of an event leaves the text out, so that events can be logged.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from mouthpiece.errors import TTSError
from mouthpiece.tts.pcm_data import PcmData


@dataclass(kw_only=True)
class TTSEvent:
    """The fields of every event. A handler of this class receives all events."""

    type: ClassVar[str] = "tts"

    session_id: str
    """The TTS's ``session_id``."""
    plugin_name: str
    """The TTS's ``provider_name``."""
    synthesis_id: str
    """The same in all events of one synthesis."""
    participant: Any = None
    """The ``participant`` that ``send`` was called with."""
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(kw_only=True)
class TTSSynthesisStartEvent(TTSEvent):
    """Synthesis begins."""

    type: ClassVar[str] = "tts.synthesis_start"

    text: str = field(repr=False)


@dataclass(kw_only=True)
class TTSAudioEvent(TTSEvent):
    """A chunk of sound, in the output format."""

    type: ClassVar[str] = "tts.audio"

    data: PcmData
    chunk_index: int
    """From 0."""
    is_final_chunk: bool
    text_source: str = field(repr=False)
    """The text of the whole synthesis."""


@dataclass(kw_only=True)
class TTSSynthesisCompleteEvent(TTSEvent):
    """The synthesis was completed, or stopped."""

    type: ClassVar[str] = "tts.synthesis_complete"

    text: str = field(repr=False)
    synthesis_time_ms: float
    """Milliseconds that the provider took, without the time that it waited for the consumer."""
    audio_duration_ms: float
    """Milliseconds of sound that the consumer received."""
    real_time_factor: float | None
    """``synthesis_time_ms / audio_duration_ms``; None: no sound."""
    chunk_count: int
    """Chunks of sound that the consumer received."""
    total_audio_bytes: int
    """Bytes of sound that the consumer received, in the output format."""
    first_audio_ms: float | None
    """Milliseconds from the request to the provider's first sound; None: there was none."""
    interrupted: bool
    """It was stopped before its end."""


@dataclass(kw_only=True)
class TTSErrorEvent(TTSEvent):
    """The synthesis failed; ``send`` raises the same error."""

    type: ClassVar[str] = "tts.error"

    error: TTSError
    context: str = "synthesis"
    text_source: str = field(default="", repr=False)

    @property
    def error_code(self) -> str:
        """The error's slug, which does not change between releases."""
        return self.error.slug

    @property
    def error_message(self) -> str:
        return str(self.error)

    @property
    def retryable(self) -> bool:
        return self.error.retryable
