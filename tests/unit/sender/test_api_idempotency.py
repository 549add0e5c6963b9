"""Idempotency keys: how they are read, what is compared, and who waits."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from mouthpiece_sender.api.callers import Callers
from mouthpiece_sender.api.idempotency import Claims, fingerprint, read_key, refuse_key, scope
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import SpeakQuery

UUID = "8e03978e-40d5-43e8-bc93-6894a57f9324"

DEFAULTS = SpeakQuery.model_validate({})


def request(*keys: str) -> Request:
    return Request({"type": "http", "headers": [(b"idempotency-key", key.encode("latin-1")) for key in keys]})


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (UUID, UUID),
        (f'"{UUID}"', UUID),
        ("  order-12\t", "order-12"),
        ('"order 12, again"', "order 12, again"),
        (r'"a \"quoted\" \\ one"', r'a "quoted" \ one'),
        ("a" * 255, "a" * 255),
        ("msg:12/3;x=1", "msg:12/3;x=1"),
    ],
)
def test_a_key_is_quoted_or_bare(header: str, key: str) -> None:
    assert read_key(request(header)) == key


def test_a_request_without_one_has_none() -> None:
    assert read_key(request()) is None


@pytest.mark.parametrize(
    "headers",
    [
        [""],
        ['""'],
        ['"open'],
        ['half"'],
        ['"a" "b"'],
        ["two words"],
        ["a,b"],
        ['"a", "b"'],
        [r'"\a"'],
        ["a" * 256],
        ["schlüssel"],
        ["a\x01"],
        ["one", "two"],
        ["same", "same"],
    ],
)
def test_a_malformed_key_is_refused_by_name(headers: list[str]) -> None:
    with pytest.raises(ApiProblem) as refused:
        read_key(request(*headers))
    assert (refused.value.slug, refused.value.field) == ("bad-parameter", "Idempotency-Key")


def test_a_call_that_takes_no_key_refuses_one() -> None:
    refuse_key(request())
    with pytest.raises(ApiProblem) as refused:
        refuse_key(request("key"))
    assert refused.value.field == "Idempotency-Key"


def test_a_key_is_its_holders_and_its_routes() -> None:
    callers = Callers(["one", "two"])
    one, two = callers.admit("Bearer one"), callers.admit("Bearer two")
    scopes = {scope(caller, f"POST /v1/rooms/{room}/segments") for caller in (one, two) for room in ("a", "b")}
    assert len(scopes) == 4
    assert not any("one" in name for name in scopes)


def test_compared_is_what_decides_and_not_when_to_answer() -> None:
    body = {"content": {"text": "Hello"}, "metadata": {"a": 1, "b": 2}}
    plain = fingerprint(body, DEFAULTS.decisive)
    assert plain == fingerprint(
        body, SpeakQuery.model_validate({"wait": "finished", "timeout": 3, "mode": "append"}).decisive
    )
    assert DEFAULTS.decisive == {}  # or a new parameter would make every living key another request's
    assert plain == fingerprint({"metadata": {"b": 2, "a": 1}, "content": {"text": "Hello"}}, DEFAULTS.decisive)
    others = [
        fingerprint({"content": {"text": "Hallo"}, "metadata": {"a": 1, "b": 2}}, DEFAULTS.decisive),
        fingerprint({"content": {"text": "Hello"}, "metadata": {"a": 1}}, DEFAULTS.decisive),
        *(
            fingerprint(body, SpeakQuery.model_validate(changed).decisive)
            for changed in (
                {"mode": "interrupt"},
                {"tag": "x"},
                {"avatar": "avatar-mia"},
                {"expires_in": 5},
                {"on_loss": "replay"},
                {"interruptible": False},
                {"wait_for_viewer": True},
            )
        ),
    ]
    assert len({plain, *others}) == len(others) + 1


def test_a_claimed_key_conflicts_until_it_is_left() -> None:
    claims = Claims()
    with claims.claimed("scope", "key"):
        with claims.claimed("scope", "other"), claims.claimed("elsewhere", "key"):
            pass
        with pytest.raises(ApiProblem) as refused, claims.claimed("scope", "key"):
            pass
        assert refused.value.slug == "idempotency-conflict"
    with pytest.raises(ZeroDivisionError), claims.claimed("scope", "key"):
        raise ZeroDivisionError
    with claims.claimed("scope", "key"):
        pass
