"""What a service's answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from mouthpiece.tts import errors
from mouthpiece.tts.http_status import error_by_shape, error_for_status, error_for_transport, retry_after


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.TTSRefused),
        (401, errors.TTSAuthError),
        (402, errors.TTSQuotaExceeded),
        (403, errors.TTSAuthError),
        (404, errors.TTSBadVoice),
        (408, errors.TTSTimeout),
        (413, errors.TTSBadText),
        (422, errors.TTSRefused),
        (429, errors.TTSRateLimited),
        (500, errors.TTSUnavailable),
        (503, errors.TTSUnavailable),
        (504, errors.TTSTimeout),
    ],
)
def test_a_status_has_one_meaning(status: int, kind: type[errors.TTSError]) -> None:
    error = error_for_status("Vendor", status)
    assert type(error) is kind
    assert "Vendor" in str(error)


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    assert retry_after({"Retry-After": "2.5"}) == 2.5
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    assert retry_after({"Retry-After": in_a_minute}) == pytest.approx(60, abs=5)


@pytest.mark.parametrize(
    "value", ["-3", "inf", "-inf", "nan", "1e999", "Mon, 99999999999999999999 Jan 2030 00:00:00 GMT", 5, b"5", None]
)
def test_a_retry_after_that_is_no_time_to_wait_is_passed_over(value: Any) -> None:
    assert retry_after({"Retry-After": value}) is None
    error = error_for_status("Vendor", 429, {"Retry-After": value})
    assert isinstance(error, errors.TTSRateLimited)
    assert error.retry_after is None


def test_a_header_whose_name_is_no_string_is_passed_over() -> None:
    headers: Any = {b"retry-after": "1", None: "2", "Retry-After": "3"}
    assert retry_after(headers) == 3


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ReadTimeout("x"), errors.TTSTimeout),
        (httpx.ConnectError("x"), errors.TTSUnavailable),
        (httpx.RemoteProtocolError("x"), errors.TTSUnavailable),
    ],
)
def test_an_http_clients_exception_is_known_by_its_name(error: Exception, kind: type[errors.TTSError]) -> None:
    assert type(error_for_transport("Vendor", error)) is kind


def test_an_exception_that_is_not_known_is_left() -> None:
    assert error_by_shape("Vendor", ValueError()) is None
    assert error_for_transport("Vendor", TimeoutError()) is None
