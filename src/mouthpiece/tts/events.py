"""What a TTS tells while it works.

A synthesis tells, in this order: one ``TTSSynthesisStartEvent``, any number of ``TTSAudioEvent`` (the last one of a
synthesis that was spoken to its end is marked final, and may be empty), then exactly one ``TTSSynthesisCompleteEvent``
or ``TTSErrorEvent``. Text is left out of every ``repr``, so that an event can be logged.
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
    """What all events carry; a handler of it gets every one."""

    type: ClassVar[str] = "tts"

    session_id: str
    """Of the TTS."""
    plugin_name: str
    """The TTS's ``provider_name``."""
    synthesis_id: str
    """The same in all events of one synthesis."""
    participant: Any = None
    """Who the sound is for, as given to ``send``."""
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
    """Synthesis ended, to its end or because it was stopped."""

    type: ClassVar[str] = "tts.synthesis_complete"

    text: str = field(repr=False)
    synthesis_time_ms: float
    """What the provider took, without the waiting for whoever takes the sound."""
    audio_duration_ms: float
    """Of the sound that was given out."""
    real_time_factor: float | None
    """``synthesis_time_ms / audio_duration_ms``; None: no sound."""
    chunk_count: int
    """``TTSAudioEvent``s of this synthesis."""
    total_audio_bytes: int
    """Of the sound that was given out, in the output format."""
    first_audio_ms: float | None
    """From the request to the provider's first sound; None: there was none."""
    interrupted: bool
    """It was stopped before its end."""


@dataclass(kw_only=True)
class TTSErrorEvent(TTSEvent):
    """Synthesis failed; ``send`` raises the same error."""

    type: ClassVar[str] = "tts.error"

    error: TTSError
    context: str = "synthesis"
    text_source: str = field(default="", repr=False)

    @property
    def error_code(self) -> str:
        """The error's stable name."""
        return self.error.slug

    @property
    def error_message(self) -> str:
        return str(self.error)

    @property
    def retryable(self) -> bool:
        return self.error.retryable
