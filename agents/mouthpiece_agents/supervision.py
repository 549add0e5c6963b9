"""When the avatar is started, awaited, started again or given up: decisions without I/O.

::

    STARTING ──server agreed──▶ JOINING ──joined──▶ PRESENT
       ▲  │                        │                   │
       │  └──refused──┐   too late─┤              left─┤
       │              ▼            ▼                   ▼
       └──deadline── AWAY ◀────────┴───────────────────┘
                      │
                      └── no retry helps, or MAX_FAILURES in a row ──▶ GIVEN_UP
"""

from __future__ import annotations

import enum
import logging

from mouthpiece.errors import MouthpieceError

logger = logging.getLogger(__name__)

MAX_FAILURES = 5
"""In a row; an avatar that stayed for ``STABLE_AFTER`` seconds ends the row."""
DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before the next start, by failures in a row. In the first, a newer participant with the same identity, for
which LiveKit has just removed the avatar, can still join."""
LEFT_ON_PURPOSE_DELAY = 15.0
"""Seconds before the next start of an avatar that left because its room is about to close (``wire.ATTR_LEAVING``)."""
STABLE_AFTER = 30.0
"""Seconds after which an avatar that leaves counts as a first failure."""


class State(enum.Enum):
    STARTING = "starting"
    """The avatar server has been asked."""
    JOINING = "joining"
    """The avatar server agreed; the avatar is not in the room yet."""
    PRESENT = "present"
    AWAY = "away"
    """The avatar is not in the room; it is started at the deadline."""
    GIVEN_UP = "given up"


class AvatarSupervision:
    """Decides about the avatar of one job. Times are monotonic seconds, passed in."""

    def __init__(self, start_timeout: float) -> None:
        """:param start_timeout: seconds from the request for the avatar until it is in the room. A server may answer
        before its avatar has joined (Avaluma's), or only then (ours).
        """
        self._start_timeout = start_timeout
        self._asked_at = 0.0
        self._state = State.AWAY
        self._in_room = False
        self._joined_since_asked = False
        self._joined_at = 0.0
        self._failures = 0
        self.deadline: float | None = None
        """When ``tick`` has something to do; None while only an event can change anything."""
        self.reason = ""
        """Why the avatar was given up; empty before that."""

    @property
    def state(self) -> State:
        return self._state

    def begin(self, now: float) -> None:
        """The job starts. Its avatar may be in the room already, as after an interruption of the agent."""
        if self._state is State.AWAY:
            self.deadline = now

    def started(self, now: float) -> None:
        """The avatar server agreed."""
        if self._state is not State.STARTING:
            return
        if self._in_room:
            self._become_present(now)
        else:
            self._become(State.JOINING, max(now, self._asked_at + self._start_timeout))

    def refused(self, error: MouthpieceError, now: float) -> None:
        """The avatar server did not agree, after all retries."""
        if self._state is not State.STARTING:
            return
        if error.retryable and self._joined_since_asked:
            self._become_present(now)  # only the answer failed: another start would load the avatar again
        elif error.retryable:
            self._again(str(error), now)
        else:
            self.give_up(str(error))

    def joined(self, now: float) -> None:
        """The avatar has joined the room, perhaps before the server answered."""
        self._in_room = self._joined_since_asked = True
        if self._state in (State.JOINING, State.AWAY):
            self._become_present(now)

    def left(self, now: float, *, on_purpose: bool = False) -> None:
        """The avatar has left the room.

        :param on_purpose: because the room is about to close: that is no failure.
        """
        self._in_room = self._joined_since_asked = False
        if self._state is State.PRESENT and on_purpose:
            self._become(State.AWAY, now + LEFT_ON_PURPOSE_DELAY)
        elif self._state is State.PRESENT:
            self._gone(now, "the avatar left the room")

    def lost(self, now: float) -> None:
        """The avatar server no longer runs the avatar, though LiveKit still shows it: its process was killed."""
        if self._state is State.PRESENT:
            self._gone(now, "the avatar server has lost the avatar")

    def give_up(self, reason: str) -> None:
        """Stop starting the avatar: no start would succeed."""
        self.reason = reason
        self._become(State.GIVEN_UP, None)

    def tick(self, now: float) -> bool:
        """Return True if the avatar must be started now."""
        if self.deadline is None or now < self.deadline:
            return False
        if self._state is State.AWAY:
            self._asked_at, self._joined_since_asked = now, False
            self._become(State.STARTING, None)
            return True
        if self._state is State.JOINING:
            self._again(f"the avatar did not join within {self._start_timeout:g} s", now)
        return False

    def _gone(self, now: float, reason: str) -> None:
        if now - self._joined_at >= STABLE_AFTER:
            self._failures = 0
        self._again(reason, now)

    def _again(self, reason: str, now: float) -> None:
        self._failures += 1
        if self._failures > MAX_FAILURES:
            self.give_up(f"{reason}, {self._failures} times in a row")
            return
        delay = DELAYS[self._failures - 1]
        logger.warning("%s; starting it again in %.0f s", reason, delay)
        self._become(State.AWAY, now + delay)

    def _become_present(self, now: float) -> None:
        self._joined_at = now
        self._become(State.PRESENT, None)

    def _become(self, state: State, deadline: float | None) -> None:
        logger.debug("avatar: %s → %s", self._state.value, state.value)
        self._state, self.deadline = state, deadline
