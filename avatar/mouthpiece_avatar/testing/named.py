"""Faults by name, as a command line and a table of tests write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from mouthpiece_avatar.testing.combined import FirstStreams, Together
from mouthpiece_avatar.testing.fault import Fault
from mouthpiece_avatar.testing.receipt_faults import (
    ReceiptDoubled,
    ReceiptEarly,
    ReceiptLate,
    ReceiptMissing,
    ReceiptOtherParticipant,
    ReceiptOtherSegment,
    ReceiptShort,
)
from mouthpiece_avatar.testing.receiver_faults import (
    BoundElsewhere,
    DeafAfter,
    Dies,
    JoinsLate,
    LostTrailer,
    Rejects,
    Silent,
    SlowRpc,
    Stalls,
)
from mouthpiece_avatar.testing.track_faults import Noise, OtherSpeech

SYNTAX: Final = "NAME[:VALUE][@STREAMS], several with + between them"
"""``@`` limits a fault to the first so many streams."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault that can be named."""

    make: Callable[..., Fault]
    line: str
    """What it does, in one line."""
    not_ours: str = ""
    """Why our avatar server does not offer it; empty: it does."""


KINDS: Final[Mapping[str, Kind]] = {
    "receipt-missing": Kind(ReceiptMissing, "reports starts, and never an end"),
    "receipt-early": Kind(ReceiptEarly, "reports the end once all sound has come, while it still plays"),
    "receipt-late": Kind(ReceiptLate, "reports an end VALUE (3) seconds late"),
    "receipt-doubled": Kind(ReceiptDoubled, "reports each end twice, VALUE (0.5) seconds apart"),
    "receipt-short": Kind(ReceiptShort, "plays all, and reports VALUE (0.5) of its length as the position"),
    "receipt-other-segment": Kind(
        ReceiptOtherSegment, "names the segment VALUE (seg_of_nobody) in mouthpiece.playback, which stock avatars lack"
    ),
    "receipt-other-participant": Kind(
        ReceiptOtherParticipant,
        "the participant VALUE (bystander) reports the ends in its place",
        "start-avatar brings a token for one participant; the scripted receiver makes its own",
    ),
    "deaf-after": Kind(DeafAfter, "hears VALUE (1) streams and then none, and answers calls as before"),
    "silent": Kind(Silent, "reports all as if it had played it, and makes no sound"),
    "bound-elsewhere": Kind(
        BoundElsewhere, "hears the identity VALUE (external-audio-sender) alone; for others it has no methods"
    ),
    "rejects": Kind(Rejects, "hears the identity VALUE (agent-elsewhere) alone, and answers others' clear with reject"),
    "slow-rpc": Kind(SlowRpc, "answers each call VALUE (0.7) seconds late"),
    "lost-trailer": Kind(LostTrailer, "notices the end of a stream VALUE (10) seconds late, or by the next stream"),
    "stalls": Kind(Stalls, "stops after VALUE (1) seconds of a stream and reports nothing, until the next or a clear"),
    "dies": Kind(Dies, "leaves the room after VALUE (1) seconds of a stream, without a word"),
    "joins-late": Kind(JoinsLate, "comes into its room VALUE (5) seconds late, at most 15"),
    "noise": Kind(Noise, "white noise of VALUE (-40) dB of full scale on its track"),
    "other-speech": Kind(OtherSpeech, "another's speech of VALUE (-22) dB of full scale on its track"),
}


def parse(text: str) -> Fault:
    """Make the fault that ``text`` names, in the form of ``SYNTAX``.

    :raises ValueError: there is no such fault, or its value is none; it says what would do.
    """
    faults = [_one(part.strip()) for part in text.split("+")]
    return faults[0] if len(faults) == 1 else Together(*faults)


def names(text: str) -> list[str]:
    """Return the names of the faults in ``text``, without looking for them."""
    return [part.strip().partition("@")[0].partition(":")[0] for part in text.split("+")]


def _one(text: str) -> Fault:
    limited, at, streams = text.partition("@")
    name, colon, value = limited.partition(":")
    if (kind := KINDS.get(name)) is None:
        raise ValueError(f"there is no fault {name!r}: one of {', '.join(KINDS)}")
    fault = kind.make(*([_value(name, kind.make, value)] if colon else []))
    if not at:
        return fault
    if not (streams.isascii() and streams.isdigit()):
        raise ValueError(f"{text!r}: after @ comes a number of streams")
    return FirstStreams(fault, int(streams))


def _value(name: str, make: Callable[..., Fault], text: str) -> Any:
    parameters = fields(make) if is_dataclass(make) else ()
    if not parameters:
        raise ValueError(f"{name} takes no value")
    default = parameters[0].default
    try:
        return type(default)(text)
    except ValueError:
        raise ValueError(f"{name} takes a number, not {text!r}") from None
