"""A body that is spoken while it arrives (``?live=true``): raw samples, or a WAV of them.

Other formats need their whole file, or a decoder that waits for a stranger's network.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from mouthpiece.audio.limits import check_shape
from mouthpiece.errors import AudioTooLong, NotAudio, UnsupportedFormat
from mouthpiece.segments import Source
from mouthpiece_sender.api.bodies.kind import RequestBody
from mouthpiece_sender.api.bodies.raw_pcm import RawPcm, raw_format
from mouthpiece_sender.api.bodies.sound_file import SoundFile
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.sounds.live import LiveSound, SampleFormat

MAX_HEADER: Final = 65_536
"""Bytes within which the samples of a WAV must begin."""
COUNTABLE: Final = 1 << 30
"""Bytes; a longer length of a WAV's samples stands for “not known”."""
_FORMATS: Final[dict[tuple[int, int], SampleFormat]] = {
    (1, 16): "s16le",
    (1, 24): "s24le",
    (1, 32): "s32le",
    (3, 32): "f32le",
}
"""By a WAV's format tag and bits of a sample."""
_EXTENSIBLE: Final = 0xFFFE


@dataclass(frozen=True, slots=True)
class LiveBody:
    """A body whose format is known, and whose samples arrive."""

    sound: LiveSound
    source: Source
    samples: AsyncIterator[bytes]
    max_seconds: float

    async def arrive(self) -> None:
        """Write the samples into the sound, no faster than it is read, and end it.

        :raises AudioTooLong: it is longer than a sound may be.
        """
        async for data in self.samples:
            await self.sound.feed(data)
            if self.sound.written > self.max_seconds:
                raise AudioTooLong(f"The sound is longer than {self.max_seconds:.0f} s.")
        if not self.sound.written:
            raise NotAudio("There is nothing in it: 0 bytes of sound.")
        self.sound.end()


async def read_live(body: RequestBody, max_seconds: float) -> LiveBody:
    """Read the beginning of ``body``.

    :raises AudioError: it is no sound that can be spoken while it arrives.
    :raises ApiProblem: its media type or a parameter of it is not spoken here.
    """
    source = Source("live", body.name)
    if RawPcm().takes(body.media_type):
        encoding, rate, channels = raw_format(body)
        sample_format: SampleFormat = "s16be" if encoding == "s16be" else "s16le"
        return LiveBody(LiveSound(rate, channels, sample_format), source, body.chunks, max_seconds)
    if not SoundFile().takes(body.media_type):
        raise ApiProblem("unsupported-format", f"{_WHAT} “{body.media_type}” is not.", field="Content-Type")
    head = b""
    async for chunk in body.chunks:
        head += chunk
        if (found := _wav(head)) is not None:
            sound, begin, length = found
            return LiveBody(sound, source, _within(head[begin:], body.chunks, length), max_seconds)
        if len(head) > MAX_HEADER:
            raise NotAudio("The samples of the WAV do not begin in its first 64 kB.")
    raise NotAudio("There is no sound in it: it ends in its header.")


_WHAT: Final = "With live=true raw samples (audio/pcm;rate=16000;channels=1) or a WAV of them are spoken;"


def _wav(head: bytes) -> tuple[LiveSound, int, int | None] | None:
    """The sound of a WAV that begins with ``head``, where its samples begin, and their bytes, None: to the end of the
    body. None: more of it is needed.

    Nothing behind the samples can be looked at, so a length is believed where it can have been counted: it is whole
    frames below 1 GB, and the length in the file's first chunk agrees with it.

    :raises UnsupportedFormat: it is no WAV, or its samples are not spoken here.
    """
    if len(head) < 12:
        return None
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise UnsupportedFormat(f"{_WHAT} this is neither. Without live=true any sound file is taken.")
    outer = 8 + int.from_bytes(head[4:8], "little")
    at, sound, frame = 12, None, 1
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            if sound is None:
                raise NotAudio("The WAV file does not say what format its samples have.")
            counted = 0 < length < COUNTABLE and length % frame == 0 and outer >= at + length
            return sound, at, length if counted else None
        if name == b"fmt ":
            if at + length > len(head):
                return None
            sound, frame = _sound(head[at : at + length])
        at += length + length % 2
    return None


def _sound(format: bytes) -> tuple[LiveSound, int]:
    """The sound that a ``fmt`` chunk describes, and the bytes of a frame."""
    if len(format) < 16:
        raise NotAudio("The WAV file does not say what format its samples have.")
    tag, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", format[:16])
    if tag == _EXTENSIBLE and len(format) >= 26:
        tag = int.from_bytes(format[24:26], "little")
    sample_format = _FORMATS.get((tag, bits))
    if sample_format is None or frame != channels * bits // 8:
        raise UnsupportedFormat(f"{_WHAT} the WAV's samples must be PCM of 16, 24 or 32 bits, or float.")
    check_shape(rate, channels, 1)
    return LiveSound(rate, channels, sample_format), frame


async def _within(first: bytes, rest: AsyncIterator[bytes], length: int | None) -> AsyncIterator[bytes]:
    """The first ``length`` bytes; what follows them is read and dropped."""
    yield first[:length]
    left = None if length is None else length - len(first[:length])
    async for chunk in rest:
        if left is None:
            yield chunk
        elif left:
            yield chunk[:left]
            left -= len(chunk[:left])
