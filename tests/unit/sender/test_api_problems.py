"""What errors look like as answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mouthpiece import errors
from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.api.problems import KINDS, MEDIA_TYPE, ApiProblem, answer_to
from mouthpiece_sender.livekit import tokens

NEVER_ANSWERED = {
    *("internal", "configuration", "service"),
    *("avatar-silent", "avatar-unheard", "restarted"),
    "avatar-not-found",
}
"""Faults of this process, errors of the commands, ends of a segment, and what the avatar server alone answers: no
request is refused with one."""


def leaves(kind: type[MouthpieceError] = MouthpieceError) -> Iterator[type[MouthpieceError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from leaves(below)


@pytest.mark.parametrize("kind", [kind for kind in leaves() if kind.__module__ in (errors.__name__, tokens.__name__)])
def test_every_error_of_the_tree_has_its_status(kind: type[MouthpieceError]) -> None:
    assert kind.slug in KINDS or kind.slug in NEVER_ANSWERED


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.NotAudio, 400),
        (errors.TruncatedAudio, 400),
        (errors.DamagedAudio, 400),
        (errors.UnsupportedFormat, 415),
        (errors.AudioTooLong, 413),
        (errors.SegmentNotFound, 404),
        (errors.AvatarAmbiguous, 409),
        (errors.QueueFull, 429),
        (errors.KeyLimitReached, 429),
        (errors.RoomsFull, 503),
        (errors.AvatarStartFailed, 502),
        (errors.LiveKitUnavailable, 503),
        (errors.LiveKitRefused, 503),
        (errors.StoreFull, 507),
        (tokens.ReservedIdentity, 400),
    ],
)
def test_the_table_of_the_api(kind: type[MouthpieceError], status: int) -> None:
    response = answer_to(kind("What to do."))
    body = json.loads(bytes(response.body))
    assert response.status_code == status
    assert response.media_type == MEDIA_TYPE
    title, retryable = KINDS[kind.slug].title, kind.retryable
    assert body == {
        "type": kind.slug,
        "title": title,
        "status": status,
        "detail": "What to do.",
        "retryable": retryable,
    }


@pytest.mark.parametrize("kind", [kind for kind in leaves() if kind.slug in KINDS], ids=lambda kind: kind.__name__)
def test_an_error_is_retryable_in_an_answer_where_it_is_in_a_segment_and_then_says_when(
    kind: type[MouthpieceError],
) -> None:
    response = answer_to(kind("What to do."))
    assert json.loads(bytes(response.body))["retryable"] is kind.retryable
    assert ("Retry-After" in response.headers) is kind.retryable


@pytest.mark.parametrize("slug", ["queue-full", "livekit-unavailable", "store-full", "stopping"])
def test_what_may_succeed_later_says_when(slug: str) -> None:
    assert int(answer_to(ApiProblem(slug, "Later.")).headers["Retry-After"]) > 0


def test_the_field_at_fault_is_named() -> None:
    response = answer_to(ApiProblem("bad-parameter", "No.", field="wait", headers={"X-More": "1"}))
    assert json.loads(bytes(response.body))["field"] == "wait"
    assert response.headers["X-More"] == "1"


@pytest.mark.parametrize(
    "error", [RuntimeError("secret"), errors.ConfigurationError("secret"), MouthpieceError("secret")]
)
def test_a_fault_of_ours_says_nothing_of_itself(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    response = answer_to(error)
    assert response.status_code == 500
    assert b"secret" not in response.body
    assert "secret" in caplog.text
