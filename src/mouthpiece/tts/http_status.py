"""Translation of HTTP statuses and of HTTP clients' exceptions to ``TTSError``, the same for all services."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mouthpiece.tts.errors import (
    TTSAuthError,
    TTSBadText,
    TTSBadVoice,
    TTSError,
    TTSQuotaExceeded,
    TTSRateLimited,
    TTSRefused,
    TTSTimeout,
    TTSUnavailable,
)


def error_for_status(service: str, status: int, headers: Mapping[str, str] | None = None) -> TTSError:
    """The error for an HTTP status of 400 and above (RFC 9110; 429 is of RFC 6585).

    :param service: its name in the message.
    :param headers: of the response; ``Retry-After`` is read.
    """
    if status in (401, 403):
        return TTSAuthError(f"{service} does not accept the key (HTTP {status}). Check it.")
    if status == 402:
        return quota_exceeded(service)
    if status == 404:
        return TTSBadVoice(f"{service} does not know this voice or model (HTTP 404).")
    if status in (408, 504):
        return TTSTimeout(f"{service} took too long (HTTP {status}).")
    if status == 413:
        return TTSBadText(f"The text is too long for {service} (HTTP 413).")
    if status == 429:
        wait = retry_after(headers or {})
        hint = "Try again later." if wait is None else f"Try again in {wait:g} s."
        return TTSRateLimited(f"{service} had too many requests. {hint}", wait)
    if status >= 500:
        return TTSUnavailable(f"{service} has a failure of its own (HTTP {status}). Try again later.")
    return TTSRefused(f"{service} refused the request (HTTP {status}).")


def quota_exceeded(service: str) -> TTSQuotaExceeded:
    """The error for an account without quota."""
    return TTSQuotaExceeded(f"The account at {service} has no quota left.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds in ``Retry-After``, which is a number or a date (RFC 9110, 10.2.3); None: it is absent or neither.

    :param headers: of any HTTP library; a value that is not a ``str`` is ignored.
    """
    values: Iterator[Any] = (value for name, value in headers.items() if str(name).lower() == "retry-after")
    value = next(values, None)
    if not isinstance(value, str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return seconds if 0 <= seconds < math.inf else None
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def error_for_transport(service: str, error: BaseException) -> TTSError | None:
    """The error for an exception of an HTTP client (httpx, its successor httpx2, aiohttp) that received no complete
    response; None: ``error`` is none of theirs. Compares names of classes, so that no client need be installed."""
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.partition(".")[0] in _HTTP_CLIENTS}
    if names & {"TimeoutException", "ServerTimeoutError"}:
        return TTSTimeout(f"{service} took too long.")
    if names & {"TransportError", "StreamError", "ClientError"}:
        return TTSUnavailable(f"{service} is not reachable ({type(error).__name__}).")
    return None


def error_by_shape(service: str, error: BaseException) -> TTSError | None:
    """The error for an exception of an unknown library, by its HTTP status and headers or its class's name: most SDKs
    use the same few names. None: ``error`` has none of them."""
    status = next((value for name in _STATUS if isinstance(value := getattr(error, name, None), int)), 0)
    if status >= 400:
        headers = getattr(error, "headers", None) or getattr(getattr(error, "response", None), "headers", None)
        return error_for_status(service, status, headers if isinstance(headers, Mapping) else None)
    names = {kind.__name__ for kind in type(error).__mro__}
    if "APITimeoutError" in names:
        return TTSTimeout(f"{service} took too long.")
    if "APIConnectionError" in names:
        return TTSUnavailable(f"{service} is not reachable ({type(error).__name__}).")
    return error_for_transport(service, error)


_HTTP_CLIENTS = ("httpx", "httpx2", "aiohttp")
_STATUS = ("status_code", "status")
