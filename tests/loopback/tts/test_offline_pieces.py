"""What the offline voice does with text that is no prose: in pieces, so that nobody waits and no memory is taken."""

from __future__ import annotations

from typing import Any

import pytest

from mouthpiece.tts import create
from mouthpiece.tts.providers import offline

HARD = {
    "no stop": "people are walking to the market and " * 13,
    "no space": "ABCDEFGHIJ" * 50,
    "numbers": "1,234 " * 80,
    "prices": "$9,999,999.99 " * 35,
    "signs": "<a" * 250,
}


@pytest.mark.parametrize("what", HARD)
async def test_the_model_is_given_little_at_a_time_and_all_of_it(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    spoken: list[str] = []
    phonemes, spoke = offline._phonemes, offline._spoken

    def noted_phonemes(model: Any, piece: str) -> list[str]:
        asked.append(piece)
        return phonemes(model, piece)

    def noted_spoken(model: Any, sounds: str, speed: float, seed: int) -> Any:
        spoken.append(sounds)
        return spoke(model, sounds, speed, seed)

    monkeypatch.setattr(offline, "_phonemes", noted_phonemes)
    monkeypatch.setattr(offline, "_spoken", noted_spoken)
    async with create("offline") as tts, tts.synthesize(HARD[what]) as synthesis:
        chunks = [chunk async for chunk in synthesis]
    assert len(chunks) >= len(spoken) > 1
    assert max(len(piece) for piece in asked) <= 200
    assert max(len(sounds) for sounds in spoken) <= 250
    assert "".join("".join(asked).split()) == "".join(HARD[what].split())


async def test_a_number_that_has_no_name_is_said_digit_by_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    phonemes = offline._phonemes

    def noted(model: Any, piece: str) -> list[str]:
        asked.append(piece)
        return phonemes(model, piece)

    monkeypatch.setattr(offline, "_phonemes", noted)
    async with create("offline") as tts:
        for number in ("7" * 60, "1,000" + ",000" * 20, "$" + "9" * 80, "1" + "0" * 36 + ".5"):
            asked.clear()
            async with tts.synthesize(f"It is {number}. Thanks.") as synthesis:
                seconds = sum([chunk.duration async for chunk in synthesis])
            assert seconds > 0.2 * sum(letter.isdigit() for letter in number)
            assert asked[-1] == "Thanks."


async def test_an_ordinary_number_is_left_to_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def phonemes(model: Any, piece: str) -> Any:
        asked.append(piece)
        return model.phonemize(piece)

    monkeypatch.setattr(offline, "_phonemes", phonemes)
    async with create("offline") as tts, tts.synthesize("It is 1,234,567 or 20261121.") as synthesis:
        assert [chunk async for chunk in synthesis]
    assert asked == ["It is 1,234,567 or 20261121."]
