"""Who is let in with which key, and into which rooms."""

from __future__ import annotations

import pytest

from mouthpiece_sender.api.callers import Callers
from mouthpiece_sender.api.problems import ApiProblem

KEYS = Callers(["whole", "part:shop-"])


@pytest.mark.parametrize("authorization", [None, "Bearer anything", "Basic x"])
def test_without_keys_everybody_may_do_everything(authorization: str | None) -> None:
    assert Callers([]).admit(authorization).may("any")


@pytest.mark.parametrize("authorization", ["Bearer whole", "bearer whole", "BEARER  whole "])
def test_a_key_opens_all_rooms(authorization: str) -> None:
    assert KEYS.admit(authorization).prefixes == ("",)


def test_the_holder_of_a_key_is_known_by_a_digest_of_it() -> None:
    one, other = KEYS.admit("Bearer whole"), KEYS.admit("Bearer part")
    assert one.holder == KEYS.admit("bearer whole").holder != other.holder
    assert "whole" not in one.holder
    assert Callers([]).admit(None).holder == ""


def test_a_key_with_a_prefix_opens_rooms_that_begin_with_it() -> None:
    caller = KEYS.admit("Bearer part")
    caller.require("shop-1")
    with pytest.raises(ApiProblem) as refused:
        caller.require("office")
    assert (refused.value.slug, refused.value.field) == ("not-this-room", "room")


@pytest.mark.parametrize("entries", [["part:shop-", "part:bar-"], ["part:bar-", "whole", "part:shop-"]])
def test_a_key_with_several_prefixes_opens_the_rooms_of_each(entries: list[str]) -> None:
    caller = Callers(entries).admit("Bearer part")
    assert [room for room in ("shop-1", "bar-1", "office", "") if caller.may(room)] == ["shop-1", "bar-1"]
    with pytest.raises(ApiProblem, match="“shop-”") as refused:
        caller.require("office")
    assert "“bar-”" in refused.value.detail


def test_a_key_that_is_there_without_a_prefix_too_opens_all_rooms() -> None:
    assert Callers(["part:shop-", "part"]).admit("Bearer part").may("office")


@pytest.mark.parametrize(
    ("authorization", "slug"),
    [
        (None, "no-key"),
        ("whole", "no-key"),
        ("Basic whole", "no-key"),
        ("Bearer", "wrong-key"),
        ("Bearer ", "wrong-key"),
        ("Bearer wrong", "wrong-key"),
        ("Bearer part:shop-", "wrong-key"),
        ("Bearer wholé", "wrong-key"),
    ],
)
def test_anything_else_is_refused_with_the_way_in(authorization: str | None, slug: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        KEYS.admit(authorization)
    assert refused.value.slug == slug
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")
    assert "whole" not in refused.value.detail
