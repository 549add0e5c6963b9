"""Whether the avatar is started, awaited, started again or given up: a decision without I/O.

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
"""Seconds before the next start, by failures in a row. The first also lets a participant that was thrown out by a
newer one of the same identity be followed by that one."""
JOIN_TIMEOUT = 30.0
"""Seconds between the server's yes and the avatar in the room: Avaluma's answers before it has joined."""
STABLE_AFTER = 30.0
"""Seconds."""


class State(enum.Enum):
    STARTING = "starting"
    """The avatar server has been asked."""
    JOINING = "joining"
    """It agreed; the avatar is not in the room yet."""
    PRESENT = "present"
    AWAY = "away"
    """It is started again at the deadline."""
    GIVEN_UP = "given up"


class Keeper:
    """The avatar of one job. Times are monotonic seconds, passed in."""

    def __init__(self) -> None:
        self._state = State.AWAY
        self._in_room = False
        self._joined_at = 0.0
        self._failures = 0
        self.deadline: float | None = None
        """When ``tick`` has something to do; None while only an event can change anything."""
        self.reason = ""
        """Why it was given up."""

    @property
    def state(self) -> State:
        return self._state

    def begin(self, now: float) -> None:
        """The job starts; an avatar of its own may have joined already."""
        if self._state is State.AWAY:
            self.deadline = now

    def started(self, now: float) -> None:
        """The avatar server agreed."""
        if self._state is not State.STARTING:
            return
        if self._in_room:
            self._become_present(now)
        else:
            self._become(State.JOINING, now + JOIN_TIMEOUT)

    def refused(self, error: MouthpieceError, now: float) -> None:
        """The avatar server did not agree, its retries included."""
        if self._state is not State.STARTING:
            return
        if error.retryable:
            self._again(str(error), now)
        else:
            self.give_up(str(error))

    def joined(self, now: float) -> None:
        """The avatar is in the room. It may be there before the server has answered."""
        self._in_room = True
        if self._state in (State.JOINING, State.AWAY):
            self._become_present(now)

    def left(self, now: float) -> None:
        """The avatar is no longer in the room."""
        self._in_room = False
        if self._state is State.PRESENT:
            self._fell(now, "the avatar left the room")

    def lost(self, now: float) -> None:
        """The avatar server no longer runs it, though LiveKit still shows it: its process was killed."""
        if self._state is State.PRESENT:
            self._fell(now, "the avatar server has lost the avatar")

    def give_up(self, reason: str) -> None:
        """Nothing will bring the avatar back."""
        self.reason = reason
        self._become(State.GIVEN_UP, None)

    def tick(self, now: float) -> bool:
        """Time has passed; True when the avatar is to be started now."""
        if self.deadline is None or now < self.deadline:
            return False
        if self._state is State.AWAY:
            self._become(State.STARTING, None)
            return True
        if self._state is State.JOINING:
            self._again(f"the avatar did not join within {JOIN_TIMEOUT:.0f} s", now)
        return False

    def _fell(self, now: float, reason: str) -> None:
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
