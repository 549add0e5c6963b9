"""Which failures of start-avatar are tried again, when, and for how long."""

import pytest

from mouthpiece.errors import AvatarStartFailed
from mouthpiece_agents.start_retries import DELAYS, StartRetries


def retries(deadline: float = 60) -> StartRetries:
    return StartRetries(deadline, secret_name="AVALUMA_LICENSE_KEY")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_and_not_tried_again(status: int) -> None:
    with pytest.raises(AvatarStartFailed, match=r"refused the licence key \(AVALUMA_LICENSE_KEY\)") as caught:
        retries().refused(status, "", None, 0)
    assert not caught.value.retryable


def test_the_error_holds_the_servers_reason_for_a_refusal() -> None:
    with pytest.raises(AvatarStartFailed, match="HTTP 403, this server may not join that LiveKit server"):
        retries().refused(403, "this server may not join that LiveKit server", None, 0)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 415, 422])
def test_a_request_that_is_wrong_is_not_tried_again(status: int) -> None:
    with pytest.raises(AvatarStartFailed, match=f"HTTP {status}, no such avatar") as caught:
        retries().refused(status, "no such avatar", None, 0)
    assert not caught.value.retryable


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again_with_growing_delays(status: int) -> None:
    tries = retries()
    assert [tries.refused(status, "", None, 0) for _ in range(len(DELAYS) + 2)] == [*DELAYS, DELAYS[-1], DELAYS[-1]]


def test_an_avatar_that_livekit_refuses_is_not_tried_again() -> None:
    problem = "urn:mouthpiece:problem:livekit-refused"
    with pytest.raises(AvatarStartFailed, match=r"LIVEKIT_API_SECRET.*HTTP 502, not accepted") as caught:
        retries().refused(502, "not accepted", None, 0, problem=problem)
    assert not caught.value.retryable


def test_the_reason_is_that_of_the_last_attempt() -> None:
    tries = retries()
    tries.unreachable("connection refused", 0)
    assert "connection refused" in tries.reason
    tries.refused(503, "loading", None, 0)
    assert "HTTP 503, loading" in tries.reason


def test_retry_after_is_waited_for_when_it_is_longer() -> None:
    tries = retries()
    assert tries.refused(429, "", "20", 0) == 20
    assert tries.refused(429, "", "0", 0) == DELAYS[1]
    assert tries.refused(503, "", "Wed, 21 Oct 2026 07:28:00 GMT", 0) == DELAYS[2]


def test_nobody_waits_past_the_deadline() -> None:
    tries = retries(60)
    with pytest.raises(AvatarStartFailed, match="HTTP 429") as caught:
        tries.refused(429, "", "300", 0)
    assert caught.value.retryable
    with pytest.raises(AvatarStartFailed, match=r"cannot be reached \(connection refused\)") as caught:
        tries.unreachable("connection refused", 59.9)
    assert caught.value.retryable


def test_a_server_that_is_not_there_yet_is_tried_again() -> None:
    tries = retries()
    assert tries.unreachable("connection refused", 0) == DELAYS[0]
    assert tries.unreachable("connection refused", 1) == DELAYS[1]
