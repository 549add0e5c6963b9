"""Raw 16-bit samples: ``audio/L16`` (big-endian, RFC 2586) and ``audio/pcm`` (little-endian)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mouthpiece.audio.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, check_duration
from mouthpiece.segments import Encoding, Source
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.bodies.sound_file import BINARY
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.sounds.file import PcmFileSound, pcm_info

RATES: Final = (MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
"""Hertz, lowest and highest."""
CHANNELS: Final = (1, MAX_CHANNELS)
DIGITS: Final = re.compile("[0-9]{1,6}")
"""At most six: ``int`` raises on a number of thousands of digits."""


class RawPcm:
    """Samples without a header: the media type's parameters are their format."""

    content: Final[dict[str, Any]] = {
        "audio/L16;rate=16000;channels=1": BINARY,
        "audio/pcm;rate=16000;channels=1": BINARY,
    }

    def takes(self, media_type: str) -> bool:
        return media_type in ("audio/l16", "audio/pcm")

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        rate = _number(body.parameters, "rate", RATES, None)
        channels = _number(body.parameters, "channels", CHANNELS, 1)
        stored = await resources.store(body.chunks)
        info = pcm_info(stored.size, rate, channels)
        check_duration(info, resources.max_seconds)
        encoding: Encoding = "s16be" if body.media_type == "audio/l16" else "s16le"
        return ParsedBody(
            PcmFileSound(stored.path, info, big_endian=encoding == "s16be"),
            Source("file", body.name, encoding=encoding),
            {"samples": stored.digest, "encoding": encoding, "rate": rate, "channels": channels},
        )


def _number(parameters: Mapping[str, str], name: str, limits: tuple[int, int], default: int | None) -> int:
    lowest, highest = limits
    text = parameters.get(name)
    if text is None and default is not None:
        return default
    number = int(text) if text and DIGITS.fullmatch(text) else 0
    if not lowest <= number <= highest:
        raise ApiProblem(
            "bad-parameter",
            f"Raw samples need “{name}” in their Content-Type, a whole number from {lowest} to {highest}: "
            "audio/pcm;rate=16000;channels=1.",
            field="Content-Type",
        )
    return number
