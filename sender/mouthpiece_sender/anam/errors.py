"""Errors of Anam's target: leaves of the tree in ``mouthpiece.errors``."""

from __future__ import annotations

from mouthpiece.errors import AvatarStartFailed, MouthpieceError


class AnamRefused(AvatarStartFailed):
    """Anam refuses the session because of the key, the avatar or the account's plan."""

    slug = "anam-refused"


class AnamBusy(AvatarStartFailed):
    """Anam has no session now: a limit of the account or of Anam is reached."""

    slug = "anam-busy"
    retryable = True


class AnamUnavailable(AvatarStartFailed):
    """Anam cannot be reached, or the answer is not Anam's."""

    slug = "anam-unavailable"
    retryable = True


class NotThroughAnam(MouthpieceError):
    """The request has no meaning without LiveKit."""

    slug = "not-through-anam"


class RecordingFailed(MouthpieceError):
    """The recording ended early, or could not be written."""

    slug = "recording-failed"
