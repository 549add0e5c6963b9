"""How samples are stored."""

from __future__ import annotations

import enum
from typing import Final

import numpy as np
import numpy.typing as npt


class AudioFormat(enum.StrEnum):
    """A sample's encoding. ``PCM_S16`` is another name of ``S16``."""

    S16 = "s16"
    """Signed 16 bit."""
    F32 = "f32"
    """Float, full scale is 1.0."""
    PCM_S16 = "s16"

    @property
    def dtype(self) -> npt.DTypeLike:
        """Of samples in memory."""
        return np.int16 if self is AudioFormat.S16 else np.float32

    @property
    def wire_dtype(self) -> str:
        """Of samples as bytes: little-endian."""
        return "<i2" if self is AudioFormat.S16 else "<f4"

    @property
    def width(self) -> int:
        """Bytes a sample."""
        return 2 if self is AudioFormat.S16 else 4


FULL_SCALE: Final = 32768.0
"""What 1.0 of ``F32`` is in ``S16``."""
