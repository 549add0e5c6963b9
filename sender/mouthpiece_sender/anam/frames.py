"""The protocol of a sink for the avatar's picture and sound."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class FrameSink(AbstractAsyncContextManager[Any], Protocol):
    """Takes the frames of one session after another; ``async with`` starts and ends it. No method blocks.

    Frames are PyAV's, decoded from WebRTC: ``pts * time_base`` is the clock of its stream, ``arrived`` the time in
    monotonic seconds at which the frame arrived.
    """

    def begin(self) -> None:
        """Take note that a session begins, whose streams have new clocks."""
        ...

    def video(self, frame: Any, arrived: float) -> None:
        """Take a video frame."""
        ...

    def audio(self, frame: Any, arrived: float) -> None:
        """Take an audio frame: s16, stereo, 48 kHz."""
        ...
