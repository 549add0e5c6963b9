"""Speech that left the audio source and that LiveKit has not acknowledged: kept, to be said again if it was lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream


@dataclass(slots=True)
class Span:
    """Neighbouring samples of one stream (None: silence)."""

    stream: PlayoutStream | None
    samples: Samples


@dataclass(frozen=True, slots=True)
class _Piece:
    stream: PlayoutStream
    samples: Samples
    left_at: float
    """When its last sample left, in monotonic seconds."""


class Unacknowledged:
    """While held, what was taken back does not count as played (``PlayoutStream.left``)."""

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()
        self._held_at: float | None = None

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def held(self) -> bool:
        return self._held_at is not None

    def streams(self) -> list[PlayoutStream]:
        """Return the streams that something is kept of, in order."""
        return list(dict.fromkeys(piece.stream for piece in self._pieces))

    def left(self, stream: PlayoutStream, samples: Samples, now: float) -> None:
        """Samples have left the audio source."""
        self._pieces.append(_Piece(stream, samples, now))

    def acknowledge(self, until: float) -> None:
        """What left by ``until`` was taken."""
        while not self.held and self._pieces and self._pieces[0].left_at <= until:
            self._pieces.popleft()

    def forget(self, stream: PlayoutStream) -> None:
        """Nothing of ``stream`` is said again."""
        self._pieces = deque(piece for piece in self._pieces if piece.stream is not stream)

    def hold(self, now: float) -> None:
        """Nothing leaves any more, and what was not acknowledged may have been lost."""
        if not self.held:
            self._held_at = now
            for piece in self._pieces:
                piece.stream.left -= len(piece.samples)

    def resume(self, lost: float | None) -> list[Span]:
        """Return what must be said again, in order; the rest counts as played.

        :param lost: seconds before the hold from which on everything was lost; None: nothing arrived.
        """
        heard_until = float("-inf") if lost is None or self._held_at is None else self._held_at - lost
        again: list[Span] = []
        for piece in self._pieces:
            if piece.left_at <= heard_until + 0.5 / RATE:
                piece.stream.left += len(piece.samples)
            else:
                again.append(Span(piece.stream, piece.samples))
        self._pieces.clear()
        self._held_at = None
        return again
