"""The side of a TTS that its syntheses see. Private to this package.

::

    jobs ◀── host ◀── synthesis ◀── speech ◀── base (TTS)

``base.TTS`` is the one host. It hands itself to each synthesis that it makes; the modules below it know it by this
protocol, so none of them imports it.
"""

from __future__ import annotations

from typing import Any, Protocol

from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.errors import TTSError
from mouthpiece.tts.event_manager import EventManager
from mouthpiece.tts.jobs import Jobs


class Host(Protocol):
    """Private names, where ``TTS`` does not promise them: a subclass may use any public name for its own purposes."""

    session_id: str
    provider_name: str
    events: EventManager
    first_audio_timeout: float | None
    """Seconds; None: no limit."""
    stall_timeout: float | None
    """Seconds; None: no limit."""
    buffer_seconds: float
    _jobs: Jobs
    _desired_sample_rate: int
    """Hertz."""
    _desired_channels: int
    _desired_format: AudioFormat

    def stream_audio(self, text: str, *args: Any, **kwargs: Any) -> Any:
        """The sound of ``text``, in any of the shapes that ``mouthpiece.tts.shape`` reads."""
        ...

    def _as_tts_error(self, error: Exception, *, heard: bool) -> TTSError:
        """``error`` as the package's own.

        :param heard: sound had come before the error.
        """
        ...
