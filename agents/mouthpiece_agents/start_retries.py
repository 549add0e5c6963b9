"""Whether and when a failed start-avatar call is made again: a decision without I/O."""

from __future__ import annotations

from collections.abc import Iterator

from mouthpiece.errors import AvatarStartFailed, LiveKitRefused

RETRIED_STATUSES = frozenset({408, 409, 425, 429})
"""Beside 5xx. 409: the server may not have noticed yet that the avatar has left (Avaluma's server specification)."""
DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts; the last one repeats."""


class StartRetries:
    """The attempts of one start. Times are monotonic seconds, passed in."""

    def __init__(self, deadline: float, *, secret_name: str) -> None:
        """:param secret_name: the setting that holds the ``api-secret``, for messages."""
        self._deadline = deadline
        self._secret_name = secret_name
        self._delays = _delays()
        self.reason = ""
        """Why the last attempt failed."""

    def unreachable(self, reason: str, now: float) -> float:
        """Return the seconds until the next attempt, after one without an answer.

        :raises AvatarStartFailed: no time is left for another attempt.
        """
        return self._again(f"the avatar server cannot be reached ({reason}): is it running?", None, now)

    def refused(self, status: int, detail: str, retry_after: str | None, now: float, *, problem: str = "") -> float:
        """Return the seconds until the next attempt, after one that was answered with an error.

        :param detail: the server's explanation, or empty.
        :param retry_after: the header ``Retry-After``; only seconds are read, a date counts as absent.
        :param problem: the ``type`` of our server's problem+json, or empty.
        :raises AvatarStartFailed: another attempt would not help, or no time is left for one.
        """
        answer = f"HTTP {status}" + (f", {detail}" if detail else "")
        if status == 401 or (status == 403 and not detail):
            raise AvatarStartFailed(f"the avatar server refused the licence key ({self._secret_name}): {answer}")
        if status == 403:  # our server's answer for a LiveKit server that it may not join
            raise AvatarStartFailed(f"the avatar server refused this, or the key ({self._secret_name}): {answer}")
        if problem.endswith(LiveKitRefused.slug):
            raise AvatarStartFailed(
                "LiveKit does not let the avatar in, LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be a pair that the "
                f"server which the avatar joins knows: {answer}"
            )
        if status < 500 and status not in RETRIED_STATUSES:
            raise AvatarStartFailed(f"the avatar server does not accept the request: {answer}")
        return self._again(f"the avatar server could not start the avatar: {answer}", retry_after, now)

    def _again(self, message: str, retry_after: str | None, now: float) -> float:
        delay = next(self._delays)
        if retry_after is not None and retry_after.strip().isdigit():
            delay = max(delay, float(retry_after))
        self.reason = message
        if now + delay >= self._deadline:
            error = AvatarStartFailed(message)
            error.retryable = True
            raise error
        return delay


def _delays() -> Iterator[float]:
    yield from DELAYS
    while True:
        yield DELAYS[-1]
