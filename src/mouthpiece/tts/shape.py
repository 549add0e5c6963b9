"""Turns each shape of result that ``stream_audio`` may have into an async generator of ``PcmData``.

The shapes are a ``PcmData``, an iterator and an async iterator of them, from a function, a coroutine function, a
generator or an async generator.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from typing import Any

from mouthpiece.audio.pcm import Pcm
from mouthpiece.tts.errors import TTSProviderFailed
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.thread_pull import pull


async def settled(answer: Any) -> Any:
    """Await ``answer`` if it is awaitable, else return it."""
    return await answer if inspect.isawaitable(answer) else answer


async def one_shape(answer: Any) -> AsyncGenerator[PcmData, None]:
    """Iterate over the sound in ``answer``, which is no awaitable. Closing this closes the iterator inside.

    A blocking iterator is read in a thread; a list or a tuple is not.

    :raises TTSProviderFailed: ``answer`` has none of the shapes.
    """
    if isinstance(answer, PcmData | Pcm):
        yield _chunk(answer)
        return
    if isinstance(answer, list | tuple):
        for item in answer:
            yield _chunk(item)
        return
    stream: AsyncIterator[Any]
    if isinstance(answer, AsyncIterable):
        stream = aiter(answer)
    elif isinstance(answer, Iterable) and not isinstance(answer, str | bytes | bytearray | memoryview):
        stream = pull(iter(answer))
    else:
        raise TTSProviderFailed(_complaint(answer))
    try:
        async for item in stream:
            yield _chunk(item)
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


def is_single(answer: Any) -> bool:
    """Whether ``answer`` is the whole sound in one block."""
    return isinstance(answer, PcmData | Pcm)


def _chunk(item: Any) -> PcmData:
    if isinstance(item, PcmData):
        return item
    if isinstance(item, Pcm):
        return PcmData.from_pcm(item)
    raise TTSProviderFailed(_complaint(item))


def _complaint(item: Any) -> str:
    return (
        f"stream_audio must give PcmData or an iterator of them, not {type(item).__name__}; "
        "PcmData.from_bytes makes one from bytes"
    )
