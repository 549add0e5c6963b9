"""Any number of channels to mono, by the standard weights of their places, without cancellation and without clipping.

The weights are those of ITU-R BS.775-3, annex 4 (to stereo: front 1, centre 1/√2, surround 1/√2, no LFE), and the mean
of the two sides. The channels' places are those of a WAV's channel mask (Microsoft, WAVEFORMATEXTENSIBLE).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Pcm, Samples

WINDOW: Final = 0.02
"""Seconds; energies and peaks are taken over windows of this length, counted from the start of the sound."""
SMOOTHING: Final = 0.8
"""Share of the earlier windows in the smoothed energies."""
CANCELLED: Final = 0.1
"""The mix counts as cancelled below this share of the energy that it would have if its channels were unrelated."""
RESTORED: Final = 0.3
"""It counts as sound again above this share."""
QUIET: Final = 1.0
"""Mean square, in steps of int16, below which a window decides nothing."""
FULL_SCALE: Final = 32_768.0

_SURROUND: Final = 0.5**1.5
_CENTRE: Final = 0.5**0.5
_PLACES: Final = (
    *(0.5, 0.5, _CENTRE, 0.0),  # front left, right, centre, LFE
    *(_SURROUND, _SURROUND),  # back left, right
    *(0.5, 0.5),  # left and right of the centre
    0.5,  # back centre
    *(_SURROUND, _SURROUND),  # side left, right
    *(_SURROUND,) * 7,  # top
)
"""The weight of each bit of a channel mask."""
_MASKS: Final = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""The usual places of a number of channels where a file names none: those of FLAC (RFC 9639, 9.1.3)."""


def weights(channels: int, mask: int = 0) -> tuple[float, ...]:
    """The weights of ``channels`` channels at the places in ``mask``, a WAV's channel mask; the usual places if it
    names another number of them."""
    places = [bit for bit in range(len(_PLACES)) if mask >> bit & 1]
    if len(places) != channels:
        usual = _MASKS.get(channels, 0)
        places = [bit for bit in range(len(_PLACES)) if usual >> bit & 1]
    if len(places) != channels or not any(_PLACES[bit] for bit in places):
        return (1 / channels,) * channels
    if channels == 1:
        return (1.0,)
    return tuple(_PLACES[bit] for bit in places)


class MixDown:
    """A transform to mono; it holds back at most two windows. Mono passes at once, unchanged.

    Where the channels cancel each other out (one is the other upside down) the strongest of them is heard alone. Where
    the sum is over full scale it is turned down, smoothly, by what it is over.

    :param given: the weight of each channel; without it ``weights`` of their number.
    """

    def __init__(self, given: Sequence[float] | None = None) -> None:
        self._given = given
        self._rate = 0
        self._held: Samples | None = None
        self._energy: npt.NDArray[np.float64] | None = None
        self._mixed_energy = 0.0
        self._share = 1.0
        """Of the mix in what comes out; the rest is the channel ``_alone``."""
        self._alone = 0
        self._pending: npt.NDArray[np.float32] | None = None
        self._gain = self._next_gain = 1.0
        """At the start of ``_pending``, and the highest that it may have."""

    def push(self, pcm: Pcm) -> list[Pcm]:
        if pcm.channels == 1:
            return [Pcm(pcm.samples.reshape(-1), pcm.sample_rate)]
        self._rate = pcm.sample_rate
        joined = pcm.samples if self._held is None else np.concatenate([self._held, pcm.samples], axis=1)
        size = max(1, round(WINDOW * pcm.sample_rate))
        whole = joined.shape[1] - joined.shape[1] % size
        out = [block for at in range(0, whole, size) for block in self._take(joined[:, at : at + size])]
        self._held = joined[:, whole:]
        return self._joined(out)

    def flush(self) -> list[Pcm]:
        out: list[Samples] = []
        if self._held is not None and self._held.shape[1]:
            out += self._take(self._held)
        if self._pending is not None:
            out.append(_scaled(self._pending, self._gain, self._next_gain))
        blocks = self._joined(out)
        self.clear()
        return blocks

    def clear(self) -> None:
        self._held = self._energy = self._pending = None
        self._mixed_energy, self._share, self._gain, self._next_gain = 0.0, 1.0, 1.0, 1.0

    def _take(self, window: Samples) -> list[Samples]:
        """Mix ``window``; return the one before it, whose gain is known now."""
        mixed = self._mix(window.astype(np.float32))
        gain = min(1.0, FULL_SCALE / max(float(np.abs(mixed).max()), 1.0))
        out: list[Samples] = []
        if self._pending is None:
            self._gain = gain
        else:
            end = min(self._next_gain, gain)
            out.append(_scaled(self._pending, self._gain, end))
            self._gain = end
        self._pending, self._next_gain = mixed, gain
        return out

    def _mix(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        by = np.array(self._given or weights(len(window)), dtype=np.float32)
        mixed: npt.NDArray[np.float32] = by @ window
        energy = np.mean(np.square(window, dtype=np.float64), axis=1)
        mixed_energy = float(np.mean(np.square(mixed, dtype=np.float64)))
        first = self._energy is None
        if self._energy is None:
            self._energy, self._mixed_energy = energy, mixed_energy
        else:
            self._energy = SMOOTHING * self._energy + (1 - SMOOTHING) * energy
            self._mixed_energy = SMOOTHING * self._mixed_energy + (1 - SMOOTHING) * mixed_energy
        unrelated = float(np.square(by, dtype=np.float64) @ self._energy)
        before = self._share
        if unrelated > QUIET:
            if self._share and self._mixed_energy < CANCELLED * unrelated:
                self._share, self._alone = 0.0, int(np.argmax(self._energy * by))
            elif self._mixed_energy > RESTORED * unrelated:
                self._share = 1.0
        if first:
            before = self._share
        if before == self._share == 1:
            return mixed
        share = np.linspace(before, self._share, len(mixed), dtype=np.float32)
        blended: npt.NDArray[np.float32] = mixed * share + window[self._alone] * (1 - share)
        return blended

    def _joined(self, blocks: list[Samples]) -> list[Pcm]:
        return [Pcm(np.concatenate(blocks), self._rate)] if blocks else []


def _scaled(block: npt.NDArray[np.float32], start: float, end: float) -> Samples:
    if min(start, end) < 1:
        block = block * np.linspace(start, end, len(block), dtype=np.float32)
    return np.clip(np.rint(block), -32_768, 32_767).astype(np.int16)


class Remix:
    """Any number of channels to ``channels``: unchanged if it is the same, else their mix on each channel."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._down = MixDown()

    def push(self, pcm: Pcm) -> list[Pcm]:
        return [pcm] if pcm.channels == self._channels else self._spread(self._down.push(pcm))

    def flush(self) -> list[Pcm]:
        return self._spread(self._down.flush())

    def clear(self) -> None:
        self._down.clear()

    def _spread(self, blocks: list[Pcm]) -> list[Pcm]:
        if self._channels == 1:
            return blocks
        return [Pcm(np.tile(block.samples, (self._channels, 1)), block.sample_rate) for block in blocks]
