"""What each kind of avatar can do and be trusted with: one table, and how a participant is recognised.

The ledger takes a profile, and every promise in the documentation names the profiles that it holds for.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mouthpiece import wire


class Readiness(enum.Enum):
    """How a sender learns that the avatar listens to it."""

    ATTRIBUTE = "attribute"
    """Its attribute ``mouthpiece.avatar`` is there."""
    PROBE = "probe"
    """``lk.clear_buffer`` while idle answers ``ok``; ``reject`` means that it is bound to somebody else."""
    PROBE_OR_GRACE = "probe-or-grace"
    """As ``PROBE``, or the method stayed unsupported for ``PROBE_GRACE`` seconds."""
    SESSION = "session"
    """The vendor's own session says so: no LiveKit room is between us."""


PROBE_GRACE = 3.0
"""Seconds."""


class TrackCheck(enum.Enum):
    """How far a sender listens to the avatar's audio track."""

    NEVER = "never"
    """There is none that it could listen to."""
    AT_TIMES = "at-times"
    """Until the track sounds, and again from time to time: its reports are exact, and the track may be silent all the
    same."""
    ALWAYS = "always"
    """Its reports prove little."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of avatar."""

    name: str
    readiness: Readiness
    segment_ids: bool
    """Its receipts name the segment."""
    outstanding: int
    """Segments that may have been sent and not yet been reported as played."""
    sample_rate: int | None
    """Hertz it is sent; None: the source's own, up to ``max_sample_rate``."""
    max_sample_rate: int = 48_000
    """Hertz."""
    trusts_position: bool = False
    """The position in its receipts is what left its audio source."""
    paced: bool = True
    """Audio is sent along with the playout clock, not as fast as the network takes it."""
    receipts: bool = True
    """It may report what was played; False: the playout clock alone decides."""
    track_check: TrackCheck = TrackCheck.NEVER
    status: bool = False
    """It answers ``mouthpiece.status``."""

    def sample_rate_for(self, source: int) -> int:
        """The rate to send a source of ``source`` hertz at."""
        return self.sample_rate or min(source, self.max_sample_rate)


MOUTHPIECE = Profile(
    "mouthpiece",
    Readiness.ATTRIBUTE,
    True,
    2,
    None,
    trusts_position=True,
    track_check=TrackCheck.AT_TIMES,
    status=True,
)
AVALUMA = Profile("avaluma", Readiness.PROBE_OR_GRACE, False, 1, 16_000, track_check=TrackCheck.ALWAYS)
STOCK = Profile("stock", Readiness.PROBE, False, 1, 24_000, track_check=TrackCheck.ALWAYS)
ANAM = Profile("anam", Readiness.SESSION, False, 1, None, receipts=False)
"""Anam's engine, spoken to without LiveKit."""


STOCK_SAMPLE_RATES: Mapping[str, int] = {
    "anam-avatar-agent": 24_000,
    "bithuman-avatar-agent": 16_000,
    "keyframe-avatar-agent": 24_000,
    "lemonslice-avatar-agent": 16_000,
    "liveavatar-avatar-agent": 24_000,
    "simli-avatar-agent": 16_000,
    "tavus-avatar-agent": 24_000,
}
"""Hertz that the vendors' LiveKit plugins send, by the identity they give their avatar."""


def recognise(identity: str, attributes: Mapping[str, str], is_agent: bool) -> Profile | None:
    """The profile of a participant, or None if it is no avatar.

    Our own attribute goes first: an avatar of ours also carries the identity ``avatar-…`` and, like every avatar,
    ``lk.publish_on_behalf``. A participant that publishes on behalf of itself is a sender, not an avatar.
    """
    if not is_agent or identity.startswith(wire.SENDER_IDENTITY_PREFIX):
        return None
    if wire.ATTR_AVATAR in attributes:
        return MOUTHPIECE
    if identity.startswith(wire.AVATAR_IDENTITY_PREFIX):
        return AVALUMA
    behalf = attributes.get(wire.ATTR_PUBLISH_ON_BEHALF)
    if behalf and behalf != identity:
        rate = STOCK_SAMPLE_RATES.get(identity, STOCK.sample_rate)
        return replace(STOCK, sample_rate=rate)
    return None
