from __future__ import annotations

from typing import Any

import pytest

from mouthpiece_sender.api.bodies.text import TextBody
from mouthpiece_sender.api.json_text import from_json
from mouthpiece_sender.api.metadata import MAX_BYTES, MAX_DEPTH, check_metadata
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import validated


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize("value", [{}, {"a": "x" * (MAX_BYTES - 8)}, {"ä": "é" * 900}, nested(MAX_DEPTH)])
def test_an_object_up_to_its_bounds_is_taken(value: dict[str, Any]) -> None:
    assert check_metadata(value) == value


@pytest.mark.parametrize("value", [{"a": "x" * (MAX_BYTES - 7)}, {"ä": "é" * 1100}, nested(MAX_DEPTH + 1)])
def test_one_beyond_them_is_refused_by_name(value: dict[str, Any]) -> None:
    with pytest.raises(ApiProblem) as refused:
        validated({"text": "Hello", "metadata": value}, TextBody)
    assert (refused.value.slug, refused.value.field) == ("bad-parameter", "metadata")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ApiProblem) as refused:
        validated(from_json(rb'{"text": "Hello", "metadata": {"a": "\ud800"}}'), TextBody)
    assert refused.value.field == "metadata"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_no_json(word: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        from_json(f'{{"metadata": {{"a": {word}}}}}'.encode())
    assert refused.value.slug == "bad-body"


@pytest.mark.parametrize("value", ["text", 1, ["a"]])
def test_anything_but_an_object_is_refused(value: Any) -> None:
    with pytest.raises(ApiProblem) as refused:
        validated({"text": "Hello", "metadata": value}, TextBody)
    assert refused.value.field == "metadata"
