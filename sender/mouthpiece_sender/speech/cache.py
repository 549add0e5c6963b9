"""Synthesised sentences, kept in memory for the next time that the same is said.

Not on disk: speech would outlive the service there, and most sentences are synthesised faster than a request takes.
Greetings and prompts, the sentences that are said again, are short, so a small bound is enough.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mouthpiece.audio.pcm import Pcm

MAX_BYTES: Final = 8_000_000
"""Bytes of sound: nearly three minutes at 24 kHz, mono."""
MAX_ENTRIES: Final = 500


@dataclass(frozen=True, slots=True)
class SpeechKey:
    """One sentence in one voice; sentences with equal keys sound the same."""

    text: str
    tts: str
    """The name that ``Voices`` knows the provider by."""
    voice: str | None
    """The id of the voice; None: the provider takes none, or uses its default."""
    sample_rate: int
    """Hertz."""


class SpeechCache:
    """A cache that drops the least recently used sentence first, and keeps none longer than an eighth of its size.

    :param max_bytes: of sound.
    :param max_entries: sentences.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._kept: OrderedDict[SpeechKey, Pcm] = OrderedDict()
        self._bytes = 0

    @property
    def size(self) -> int:
        """Bytes of sound that are kept."""
        return self._bytes

    def __iter__(self) -> Iterator[SpeechKey]:
        """The keys, least recently used first."""
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: SpeechKey) -> Pcm | None:
        """The whole sentence's sound, which counts as used now; None: it is not kept."""
        sound = self._kept.get(key)
        if sound is not None:
            self._kept.move_to_end(key)
        return sound

    def put(self, key: SpeechKey, sound: Pcm) -> None:
        """Keep ``sound``, the whole sentence, in place of what was kept under ``key``."""
        self._drop(key)
        if sound.samples.nbytes * 8 > self._max_bytes:
            return
        self._kept[key] = sound
        self._bytes += sound.samples.nbytes
        while self._bytes > self._max_bytes or len(self._kept) > self._max_entries:
            self._drop(next(iter(self._kept)))

    def forget(self, texts: Iterable[str]) -> None:
        """Drop the sentences ``texts``, in all voices."""
        gone = set(texts)
        for key in [key for key in self._kept if key.text in gone]:
            self._drop(key)

    def _drop(self, key: SpeechKey) -> None:
        if (sound := self._kept.pop(key, None)) is not None:
            self._bytes -= sound.samples.nbytes
