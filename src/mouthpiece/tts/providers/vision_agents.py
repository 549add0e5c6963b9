"""Adapter for an object of a real Vision Agents TTS plugin.

It uses only the documented methods of that class (``stream_audio``, ``stop_audio``, ``close``) and recognises sound by
its attributes, so the package itself is not imported here.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

import numpy as np

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.base import TTS
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.shape import settled


class VisionAgentsTTS(TTS):
    """Speaks with a Vision Agents plugin.

    :param plugin: an object of its TTS class; it is closed with this one.
    :raises ConfigurationError: ``plugin`` is no TTS of Vision Agents.
    """

    def __init__(self, plugin: Any) -> None:
        if not all(inspect.isroutine(getattr(plugin, name, None)) for name in ("stream_audio", "stop_audio", "close")):
            raise ConfigurationError("vision_agents needs `plugin`: an object of a Vision Agents TTS class.")
        super().__init__(f"vision_agents:{getattr(plugin, 'provider_name', type(plugin).__name__)}")
        self._plugin = plugin

    async def stream_audio(self, text: str, *args: Any, **kwargs: Any) -> Any:
        answer = await settled(self._plugin.stream_audio(text, *args, **kwargs))
        if _is_sound(answer):
            return _ours(answer)
        if isinstance(answer, AsyncIterable):
            return _each(answer)
        if isinstance(answer, Iterable):
            return (_ours(item) for item in answer)
        return answer

    async def stop_audio(self) -> None:
        await self._plugin.stop_audio()

    async def close(self) -> None:
        await self._plugin.close()


async def _each(answer: AsyncIterable[Any]) -> AsyncIterator[PcmData]:
    stream = aiter(answer)
    try:
        async for item in stream:
            yield _ours(item)
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


def _is_sound(item: Any) -> bool:
    return isinstance(getattr(item, "samples", None), np.ndarray) and hasattr(item, "sample_rate")


def _ours(item: Any) -> Any:
    """Convert getstream's ``PcmData`` to ours; return anything else as it is, for the base class to refuse."""
    if not _is_sound(item):
        return item
    samples = item.samples
    format = AudioFormat.F32 if np.issubdtype(samples.dtype, np.floating) else AudioFormat.S16
    channels = 1 if samples.ndim == 1 else int(samples.shape[0])
    return PcmData(samples, int(item.sample_rate), channels, format)
