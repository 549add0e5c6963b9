"""Raw 16-bit samples: ``audio/pcm`` (little-endian) and ``audio/L16``.

``audio/L16`` is big-endian by its registration (RFC 2586). Google's voices send ``audio/L16;codec=pcm;rate=24000`` for
little-endian samples, so with ``codec=pcm`` it is that. A parameter that this module does not know may change what the
samples mean, so it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mouthpiece.audio.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, check_duration
from mouthpiece.segments import Encoding, Source
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.bodies.sound_file import BINARY
from mouthpiece_sender.api.media_types import clean_name
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.sounds.file import PcmFileSound, pcm_info

RATES: Final = (MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
"""Hertz, lowest and highest."""
CHANNELS: Final = (1, MAX_CHANNELS)
DIGITS: Final = re.compile("[0-9]{1,6}")
"""At most six: ``int`` raises on a number of thousands of digits."""


ENDIAN: Final = ("endian", "endianness", "byte-order", "byteorder")
SAME: Final[Mapping[Encoding, tuple[str, ...]]] = {
    "s16le": ("s16le", "pcm_s16le", "signed-integer", "s16", "linear16", "pcm", "lpcm", "int16"),
    "s16be": ("s16be", "pcm_s16be", "signed-integer", "s16", "int16"),
}
BITS: Final = ("bits", "bitdepth", "bit-depth", "bits-per-sample", "width", "sample-size")
TAKEN_FOR_GRANTED: Final[Mapping[str, tuple[str, ...]]] = dict.fromkeys(BITS, ("16",)) | {
    "signed": ("true", "1", "yes"),
    "interleaved": ("true", "1", "yes"),
}
"""Values that change nothing."""


def _described(order: str) -> dict[str, Any]:
    meaning = (
        f"Signed 16-bit samples, {order}, interleaved. The Content-Type says their format: `;rate=16000;channels=1`."
    )
    return {"schema": BINARY["schema"] | {"description": meaning}}


class RawPcm:
    """Samples without a header: the media type's parameters are their format."""

    content: Final[dict[str, Any]] = {
        "audio/L16": _described("big-endian (RFC 2586)"),
        "audio/pcm": _described("little-endian"),
    }

    def takes(self, media_type: str) -> bool:
        return media_type in ("audio/l16", "audio/pcm")

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        encoding, rate, channels = raw_format(body)
        stored = await resources.store(body.chunks)
        info = pcm_info(stored.size, rate, channels)
        check_duration(info, resources.max_seconds)
        return ParsedBody(
            PcmFileSound(stored.path, info, big_endian=encoding == "s16be"),
            Source("file", body.name, encoding=encoding),
            {"samples": stored.digest, "encoding": encoding, "rate": rate, "channels": channels},
        )


def raw_format(body: RequestBody) -> tuple[Encoding, int, int]:
    """The byte order, sample rate (hertz) and channels of a body of raw samples.

    :raises ApiProblem: its Content-Type does not say them, or says something that is not spoken here.
    """
    return (
        _encoding(body),
        _number(body.parameters, "rate", RATES, None),
        _number(body.parameters, "channels", CHANNELS, 1),
    )


def _encoding(body: RequestBody) -> Encoding:
    """
    :raises ApiProblem: a parameter has a value that is not spoken here, or is not known.
    """
    encoding: Encoding = "s16be" if body.media_type == "audio/l16" else "s16le"
    for name, value in body.parameters.items():
        text = value.strip().lower()
        if name in ("rate", "channels", "charset"):
            continue
        if name == "codec" and text in ("pcm", "pcm_s16le", "s16le"):
            encoding = "s16le"
        elif name in ENDIAN and text.replace("_", "-") in ("little", "little-endian", "le", "big", "big-endian", "be"):
            encoding = "s16le" if text.startswith("l") else "s16be"
        elif text not in TAKEN_FOR_GRANTED.get(name, SAME[encoding] if name in ("encoding", "format") else ()):
            raise ApiProblem(
                "bad-parameter",
                f"Raw samples with “{clean_name(name)}” of that value are not spoken here: they are signed, of 16 bits "
                "and interleaved, with “rate”, “channels” and “endianness”: audio/pcm;rate=16000;channels=1. Another "
                "kind of samples can be sent as a WAV.",
                field="Content-Type",
            )
    return encoding


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
