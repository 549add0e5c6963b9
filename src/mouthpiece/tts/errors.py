"""Errors of speech synthesis.

::

    TTSError
    ├── TTSAuthError          the service does not accept the key
    ├── TTSQuotaExceeded      the account has no quota left
    ├── TTSRateLimited        too many requests; see ``retry_after``                 retry
    ├── TTSUnavailable        the service is not reachable, or failed                retry
    │   └── TTSTimeout        the service gave no sound in time                      retry
    ├── TTSStreamCut          the sound broke off in the middle                      retry
    ├── TTSBadText            the text is empty, too long, or holds markup
    ├── TTSBadVoice           the service has no such voice
    ├── TTSRefused            the service refused the request for another reason
    ├── TTSNoSound            the voice gave no sound for this text
    ├── TTSProviderFailed     the provider's code failed
    └── TTSClosed             the TTS was closed or stopped before

``retryable`` says whether the same call may succeed later. No message holds the text to be spoken, nor a service's
answer, which may quote the text or the key. The original exception is the ``__cause__``.
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
        """Seconds that the service asked to wait; None: it did not ask."""


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
