"""What was synthesised, kept for the next time the same is said: in memory, bounded, gone with the process.

Not on disk: what was said would outlive the service there, and a voice makes most sentences quicker than a request
takes. The bound is what a busy service may hold for it, and greetings and prompts, which are what is said again, are
short.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mouthpiece.audio.pcm import Pcm

MAX_BYTES: Final = 8_000_000
"""Nearly three minutes at 24 kHz."""
MAX_ENTRIES: Final = 500


@dataclass(frozen=True, slots=True)
class SpeechKey:
    """One sentence in one voice; equal keys sound the same."""

    text: str
    tts: str
    """The provider and its settings."""
    voice: str | None
    sample_rate: int
    """Hertz."""


class SpeechCache:
    """Least recently used goes first. A sentence longer than an eighth of the cache is not kept."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._kept: OrderedDict[SpeechKey, Pcm] = OrderedDict()
        self._bytes = 0

    @property
    def size(self) -> int:
        """Bytes of sound."""
        return self._bytes

    def __iter__(self) -> Iterator[SpeechKey]:
        """Least recently used first."""
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: SpeechKey) -> Pcm | None:
        sound = self._kept.get(key)
        if sound is not None:
            self._kept.move_to_end(key)
        return sound

    def put(self, key: SpeechKey, sound: Pcm) -> None:
        """The whole of it."""
        self._drop(key)
        if sound.samples.nbytes * 8 > self._max_bytes:
            return
        self._kept[key] = sound
        self._bytes += sound.samples.nbytes
        while self._bytes > self._max_bytes or len(self._kept) > self._max_entries:
            self._drop(next(iter(self._kept)))

    def forget(self, texts: Iterable[str]) -> None:
        """These sentences, in all voices."""
        gone = set(texts)
        for key in [key for key in self._kept if key.text in gone]:
            self._drop(key)

    def _drop(self, key: SpeechKey) -> None:
        if (sound := self._kept.pop(key, None)) is not None:
            self._bytes -= sound.samples.nbytes
