"""Encodings of a sample."""

from __future__ import annotations

import enum
from typing import Final

import numpy as np
import numpy.typing as npt


class AudioFormat(enum.StrEnum):
    """The encoding of a sample. ``PCM_S16`` is another name of ``S16``."""

    S16 = "s16"
    """Signed 16-bit integer."""
    F32 = "f32"
    """32-bit float; full scale is 1.0."""
    PCM_S16 = "s16"

    @property
    def dtype(self) -> npt.DTypeLike:
        """The numpy dtype of samples in memory."""
        return np.int16 if self is AudioFormat.S16 else np.float32

    @property
    def wire_dtype(self) -> str:
        """The numpy dtype of samples as bytes: little-endian."""
        return "<i2" if self is AudioFormat.S16 else "<f4"

    @property
    def width(self) -> int:
        """Bytes per sample."""
        return 2 if self is AudioFormat.S16 else 4


FULL_SCALE: Final = 32768.0
"""The value in ``S16`` of 1.0 in ``F32``."""
