"""What can go wrong with Anam, as leaves of ``mouthpiece.errors.AvatarError``."""

from __future__ import annotations

from mouthpiece.errors import AvatarStartFailed, MouthpieceError


class AnamRefused(AvatarStartFailed):
    """Anam does not give us a session: the key, the avatar, the plan."""

    slug = "anam-refused"


class AnamBusy(AvatarStartFailed):
    """No session now: a limit of the account, or of Anam."""

    slug = "anam-busy"
    retryable = True


class AnamUnavailable(AvatarStartFailed):
    """Anam cannot be reached, or answers what is not Anam's."""

    slug = "anam-unavailable"
    retryable = True


class NotThroughAnam(MouthpieceError):
    """What was asked for has no meaning without LiveKit."""

    slug = "not-through-anam"


class RecordingFailed(MouthpieceError):
    """The recording that was asked for broke off, or could not be kept."""

    slug = "recording-failed"
