"""The tree of Mouthpiece's errors.

::

    MouthpieceError
    ├── AudioError                    the caller's sound
    │   ├── NotAudio                  in no known format
    │   ├── UnsupportedFormat         a format that Mouthpiece does not read
    │   ├── TruncatedAudio            less sound than its header promises
    │   ├── DamagedAudio              the decoder failed on it
    │   ├── AudioTooLong              more seconds than the limit
    │   └── AudioTooLarge             more bytes than the limit
    ├── RoomError                     LiveKit
    │   ├── LiveKitUnavailable        not reachable                              retry
    │   ├── LiveKitRefused            key or secret not accepted
    │   │   └── MayNotPublish         our right to publish data was taken
    │   ├── DuplicateIdentity         another participant joined under our identity
    │   └── RoomClosed                the room ended                             retry
    ├── AvatarError                   the avatar
    │   ├── AvatarTimeout             none came in time                          retry
    │   ├── AvatarBoundElsewhere      it is bound to another sender
    │   ├── AvatarAmbiguous           several in the room, and none was named
    │   ├── AvatarLeft                it left while it spoke                     retry
    │   ├── AvatarSilent              it never reported the end                  retry
    │   ├── AvatarUnheard             nothing came on its audio track
    │   ├── AvatarNotFound            the avatar server has none of that id
    │   └── AvatarStartFailed         the avatar server did not start it
    ├── SenderRestarted               the sender ended before the segment did    retry
    ├── RequestTimeout                a request's body stalled                   retry
    ├── BodyTooLarge                  a request's body
    ├── HeaderTooLarge                a request's header
    ├── TooMuchInFlight               requests hold too much memory together     retry
    ├── DecodersBusy                  no decoder process is free, or none starts retry
    ├── QueueFull                     too many segments wait                     retry
    ├── RoomsFull                     the sender is in too many rooms            retry
    ├── KeyLimitReached               the key has its share                      retry
    ├── SenderStopping                the sender is about to end                 retry
    ├── StoreError                    the store cannot be written                retry
    │   └── StoreFull                 no space left on its disk                   retry
    ├── SegmentNotFound               no such segment
    ├── SoundNotKept                  the sound of an ended segment is no longer stored
    ├── IdempotencyConflict           the key's first request is still being accepted         retry
    ├── UrlError                      a URL that a caller gave
    │   ├── UrlRefused                it may not be asked
    │   └── UrlUnavailable            it did not answer, or broke off            retry
    ├── TTSError                      text to speech (its leaves are in mouthpiece.tts.errors)
    └── ConfigurationError            a setting is missing or wrong

``slug`` is the stable name of a class: the ``type`` of a problem in the HTTP API. ``retryable`` (``retry`` above) says
whether the same call may succeed later without being changed.
"""

from __future__ import annotations

from typing import ClassVar


class MouthpieceError(Exception):
    """Base of the tree. Its message says what a person can do, and never holds a spoken text or a secret."""

    slug: ClassVar[str] = "internal"
    retryable: bool = False


class AudioError(MouthpieceError):
    slug = "bad-audio"


class NotAudio(AudioError):
    slug = "not-audio"


class UnsupportedFormat(AudioError):
    slug = "unsupported-format"


class TruncatedAudio(AudioError):
    slug = "truncated-audio"


class DamagedAudio(AudioError):
    slug = "damaged-audio"


class AudioTooLong(AudioError):
    slug = "too-long"


class AudioTooLarge(AudioError):
    slug = "too-large"


class RoomError(MouthpieceError):
    slug = "room"


class LiveKitUnavailable(RoomError):
    slug = "livekit-unavailable"
    retryable = True


class LiveKitRefused(RoomError):
    slug = "livekit-refused"


class MayNotPublish(LiveKitRefused):
    """It took our right to publish data, which every sound needs."""

    def __init__(
        self,
        detail: str = "Our right to publish data in the room was taken (canPublishData): an app takes it from those "
        "who join. It must leave out the sender: its identity begins with “external-audio-sender” unless another was "
        "chosen.",
    ) -> None:
        super().__init__(detail)


class DuplicateIdentity(RoomError):
    slug = "duplicate-identity"


class RoomClosed(RoomError):
    slug = "room-closed"
    retryable = True


class AvatarError(MouthpieceError):
    slug = "avatar"


class AvatarTimeout(AvatarError):
    slug = "avatar-timeout"
    retryable = True


class AvatarBoundElsewhere(AvatarError):
    slug = "avatar-bound-elsewhere"


class AvatarAmbiguous(AvatarError):
    slug = "avatar-ambiguous"


class AvatarLeft(AvatarError):
    slug = "avatar-left"
    retryable = True


class AvatarSilent(AvatarError):
    slug = "avatar-silent"
    retryable = True


class AvatarUnheard(AvatarError):
    slug = "avatar-unheard"


class AvatarNotFound(AvatarError):
    slug = "avatar-not-found"


class AvatarStartFailed(AvatarError):
    slug = "avatar-start-failed"


class SenderRestarted(MouthpieceError):
    slug = "restarted"
    retryable = True


class RequestTimeout(MouthpieceError):
    slug = "request-timeout"
    retryable = True


class BodyTooLarge(MouthpieceError):
    slug = "too-large"


class HeaderTooLarge(MouthpieceError):
    slug = "header-too-large"


class TooMuchInFlight(MouthpieceError):
    slug = "too-much-in-flight"
    retryable = True


class DecodersBusy(MouthpieceError):
    slug = "decoders-busy"
    retryable = True


class QueueFull(MouthpieceError):
    slug = "queue-full"
    retryable = True


class RoomsFull(MouthpieceError):
    slug = "rooms-full"
    retryable = True


class KeyLimitReached(MouthpieceError):
    """:param retry_after: seconds; None: when something of the key has been said."""

    slug = "key-limit"
    retryable = True

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SenderStopping(MouthpieceError):
    slug = "stopping"
    retryable = True


class StoreError(MouthpieceError):
    slug = "store"
    retryable = True


class StoreFull(StoreError):
    slug = "store-full"


class SegmentNotFound(MouthpieceError):
    slug = "segment-not-found"


class SoundNotKept(MouthpieceError):
    slug = "sound-not-kept"


class IdempotencyConflict(MouthpieceError):
    slug = "idempotency-conflict"
    retryable = True


class UrlError(MouthpieceError):
    slug = "url"


class UrlRefused(UrlError):
    slug = "url-refused"


class UrlUnavailable(UrlError):
    slug = "url-unavailable"
    retryable = True


class TTSError(MouthpieceError):
    slug = "tts"


class ConfigurationError(MouthpieceError):
    slug = "configuration"
