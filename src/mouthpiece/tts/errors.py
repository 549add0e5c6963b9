"""What goes wrong when text is spoken.

::

    TTSError
    ├── TTSAuthError          the service does not take the key
    ├── TTSQuotaExceeded      the account has nothing left
    ├── TTSRateLimited        too many requests; ``retry_after`` says when again     retry
    ├── TTSUnavailable        the service is not reachable, or it failed             retry
    │   └── TTSTimeout        it gave no sound in time                               retry
    ├── TTSStreamCut          the sound broke off in the middle                      retry
    ├── TTSBadText            nothing to speak, too long, or markup
    ├── TTSBadVoice           the service has no such voice
    ├── TTSRefused            the service refused the request for another reason
    ├── TTSNoSound            the voice gave no sound for this text
    ├── TTSProviderFailed     the provider's own code failed
    └── TTSClosed             the TTS was closed before

``retryable`` says whether the same call may succeed later. No message holds the text that was to be spoken, nor
what a service wrote back: that may quote the text or the key. The original exception is the ``__cause__``.
"""

from __future__ import annotations

from mouthpiece.errors import TTSError

__all__ = [
    "TTSAuthError",
    "TTSBadText",
    "TTSBadVoice",
    "TTSClosed",
    "TTSError",
    "TTSNoSound",
    "TTSProviderFailed",
    "TTSQuotaExceeded",
    "TTSRateLimited",
    "TTSRefused",
    "TTSStreamCut",
    "TTSTimeout",
    "TTSUnavailable",
]


class TTSAuthError(TTSError):
    slug = "tts-auth"


class TTSQuotaExceeded(TTSError):
    slug = "tts-quota-exceeded"


class TTSRateLimited(TTSError):
    slug = "tts-rate-limited"
    retryable = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the service asked to wait; None: it did not say."""


class TTSUnavailable(TTSError):
    slug = "tts-unavailable"
    retryable = True


class TTSTimeout(TTSUnavailable):
    slug = "tts-timeout"


class TTSStreamCut(TTSError):
    slug = "tts-stream-cut"
    retryable = True


class TTSBadText(TTSError):
    slug = "tts-bad-text"


class TTSBadVoice(TTSError):
    slug = "tts-bad-voice"


class TTSRefused(TTSError):
    slug = "tts-refused"


class TTSNoSound(TTSError):
    slug = "tts-no-sound"


class TTSProviderFailed(TTSError):
    slug = "tts-provider-failed"


class TTSClosed(TTSError):
    slug = "tts-closed"
