"""A voice that fails after the first sentence of a text with two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from mouthpiece.tts import TTS, PcmData, TTSStreamCut


class BreakingVoice(TTS):
    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        if text.startswith("The second"):
            raise TTSStreamCut("The sound broke off.")
        yield PcmData.from_bytes(np.full(12_000, 5_000, "<i2").tobytes(), 24_000)

    async def stop_audio(self) -> None:
        pass
