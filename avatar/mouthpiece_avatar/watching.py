"""Decides whether pictures are drawn: not while nobody is subscribed to them. No I/O, no clock.

LiveKit tells a publisher of the first subscription of a track alone (livekit 1.1.21, ``local_track_subscribed``). After
that it says through dynacast whether anybody is left, 5 s after the last one has gone, and 50 ms after somebody came
(livekit-server 1.13.5): the SDK then switches the encoding of the track off or on, which its statistics show.

::

    NEW ──a second of pictures is out──▶ UNSEEN ──subscribed──▶ WATCHED ⇄ UNWATCHED
     └───────────────subscribed──────────────────────────────────▶┘

A new track needs pictures of its own: LiveKit offers it to viewers once packets of it have come.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

ANNOUNCED = 1.0
"""Seconds of pictures that a new track is begun with, counted from the first one that was sent."""
LOOK_NEW = 0.25
"""Seconds between two looks at the statistics of a new track."""
LOOK_WATCHED = 1.0
"""The same while somebody is subscribed."""
LOOK_UNWATCHED = 0.08
"""The same while nobody is any more: the first picture is to be out 100 ms after a subscription."""


class Audience(enum.Enum):
    """Who sees the pictures. Written by :class:`Watching` alone."""

    NEW = "new"
    UNSEEN = "unseen"
    """Nobody has been subscribed yet."""
    WATCHED = "watched"
    UNWATCHED = "unwatched"
    """Nobody is subscribed any more, or those who are do not show it."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What the statistics of the track say."""

    active: bool
    """Somebody is subscribed, as far as LiveKit has said."""
    sent: int
    """Pictures."""


class Watching:
    """Times are monotonic seconds, passed in."""

    def __init__(self) -> None:
        self.audience = Audience.NEW
        self._first_sent: float | None = None

    @property
    def draws(self) -> bool:
        """Whether pictures are to be drawn."""
        return self.audience in (Audience.NEW, Audience.WATCHED)

    @property
    def next_look(self) -> float | None:
        """Seconds until the statistics are to be read again; None: not before something changes."""
        return {
            Audience.NEW: LOOK_NEW,
            Audience.UNSEEN: None,
            Audience.WATCHED: LOOK_WATCHED,
            Audience.UNWATCHED: LOOK_UNWATCHED,
        }[self.audience]

    def subscribed(self) -> None:
        """Somebody is subscribed."""
        self.audience = Audience.WATCHED

    def republished(self) -> None:
        """The connection was made anew, and the track with it."""
        self.audience, self._first_sent = Audience.NEW, None

    def looked(self, sending: Sending | None, now: float) -> None:
        """Take the statistics; None if there were none: then nothing changes."""
        if sending is None:
            return
        match self.audience:
            case Audience.NEW:
                if self._first_sent is None and sending.sent:
                    self._first_sent = now
                if self._first_sent is not None and now - self._first_sent >= ANNOUNCED:
                    self.audience = Audience.UNSEEN
            case Audience.WATCHED if not sending.active:
                self.audience = Audience.UNWATCHED
            case Audience.UNWATCHED if sending.active:
                self.audience = Audience.WATCHED
