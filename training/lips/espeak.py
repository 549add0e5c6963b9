"""espeak-ng through its C API: phoneme events carry positions in the sound."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from training.lips.phones import Segment
from training.lips.speech import Utterance, at_rate

_PHONEME, _SYNCHRONOUS, _EVENTS_IPA, _UTF8 = 7, 2, 3, 1
_SILENT = 0.004
"""Of full scale: what a closure reaches at most."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library may be initialised once in a process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        self._rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _EVENTS_IPA)
        self._blocks: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        self._events: list[tuple[str, int]] = []
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, *, speed: int = 165, pitch: int = 50) -> Utterance:
        self._blocks, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        self._library.espeak_SetParameter(1, speed, 0)
        self._library.espeak_SetParameter(3, pitch, 0)
        spoken = text.encode() + b"\0"
        self._library.espeak_Synth(spoken, len(spoken), 0, 1, 0, _UTF8, None, None)
        sound = np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.int16)
        marks = [*self._events, ("_", len(sound))]
        segments = [
            Segment(phone or "_", begin / self._rate, end / self._rate)
            for (phone, begin), (_, end) in pairwise(marks)
            if end > begin
        ]
        return Utterance(f"espeak:{voice}", at_rate(sound, self._rate), list(_closures(segments, sound, self._rate)))

    def phonemes(self, text: str, voice: str) -> str:
        """Return the IPA of a text, with its stress marks."""
        self._library.espeak_SetVoiceByName(voice.encode())
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        left = ctypes.c_char_p(text.encode())
        clauses = []
        while left.value:
            clauses.append(self._library.espeak_TextToPhonemes(ctypes.byref(left), _UTF8, 2).decode())
        return ", ".join(clauses) + "."

    def _take(self, sound: object, count: int, events: object) -> int:
        if sound and count > 0:
            self._blocks.append(np.ctypeslib.as_array(sound, (count,)).copy())
        at = 0
        while events[at].type != 0:  # type: ignore[index]
            event = events[at]  # type: ignore[index]
            if event.type == _PHONEME:
                self._events.append((event.id.string.decode("utf-8", "ignore"), event.sample))
            at += 1
        return 0


def _closures(
    segments: list[Segment], sound: np.ndarray[tuple[int], np.dtype[np.int16]], rate: int
) -> Iterator[Segment]:
    """Voiceless stops are stamped at the burst: their start moves back over the silence before it, to 90 ms."""
    moved = list(segments)
    for at in range(1, len(moved)):
        if moved[at].phone not in ("p", "t", "k", "tʃ", "ts"):
            continue
        first = int(moved[at].begin * rate)
        earliest = max(int(moved[at - 1].begin * rate) + rate // 100, first - int(0.09 * rate))
        begin = first
        step = rate // 500
        while begin - step >= earliest and np.abs(sound[begin - step : begin]).max(initial=0) < 32768 * _SILENT:
            begin -= step
        moved[at] = Segment(moved[at].phone, begin / rate, moved[at].end)
        before = moved[at - 1]
        moved[at - 1] = Segment(before.phone, before.begin, begin / rate)
    yield from moved
