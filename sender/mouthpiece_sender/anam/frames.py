"""What is done with the avatar's picture and sound as they come."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class FrameSink(AbstractAsyncContextManager[Any], Protocol):
    """Takes frames of one session after another; ``async with`` starts and ends it. None of these may block.

    Frames are PyAV's, decoded from WebRTC: ``pts * time_base`` is a clock of each stream's own, ``arrived`` is the
    monotonic time in seconds at which a frame came to us.
    """

    def begin(self) -> None:
        """A session begins: the clocks of its streams are new."""
        ...

    def video(self, frame: Any, arrived: float) -> None: ...

    def audio(self, frame: Any, arrived: float) -> None:
        """s16, stereo, 48 kHz."""
        ...
