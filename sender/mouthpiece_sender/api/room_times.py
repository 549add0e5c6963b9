"""How long a room that is opened stays there without a viewer. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_sender.api.problems import ApiProblem


@dataclass(frozen=True, slots=True)
class RoomTimes:
    """Seconds until LiveKit closes a room: ``empty`` if no viewer joins, ``departure`` after the last one left."""

    empty: int
    departure: int

    def asked(self, empty: int | None, departure: int | None, limit: int | None = None) -> RoomTimes:
        """Return what a caller gets whose defaults these are: a room that nobody looks at has an avatar all the same,
        which draws, and may cost by the minute.

        :param empty: what the caller asks for; None: the default. It counts for both where only it is given.
        :param departure: likewise.
        :param limit: seconds that one key may ask for; None: any. It bounds the defaults too.
        :raises ApiProblem: the caller asks for more.
        """
        for field, value in (("empty_timeout", empty), ("departure_timeout", departure)):
            if limit is not None and value is not None and value > limit:
                raise ApiProblem(
                    "bad-parameter",
                    f"A room may stay open for {limit} s without a viewer at most (MOUTHPIECE_KEY_EMPTY_TIMEOUT).",
                    field=field,
                )
        times = RoomTimes(empty or self.empty, departure or empty or self.departure)
        return times if limit is None else RoomTimes(min(times.empty, limit), min(times.departure, limit))
