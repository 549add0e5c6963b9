"""What may be spoken."""

from __future__ import annotations

import pytest

from mouthpiece.tts import TTSBadText, check_text
from mouthpiece.tts.text import MAX_CHARACTERS


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "I <3 you",
        "a < b and b > c",
        "if x<y then y>x",
        "use List<String> here",
        "mail me <me@example.com>",
        "x<p and y>q",
        "press <Enter> to go on",
        "one\ttwo\r\nthree",
        "x",
        "y" * MAX_CHARACTERS,
    ],
)
def test_text_is_passed(text: str) -> None:
    check_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "<speak>Hello</speak>",
        '<?xml version="1.0"?><speak/>',
        "Wait <break time='1s'/> here",
        "Wait <BREAK/> here",
        "say <say-as interpret-as='date'>1.2.</say-as>",
        "<p>one</p>",
        '<mstts:express-as style="sad">oh</mstts:express-as>',
        "only the end </prosody>",
        "<speak version='1.0' and no end",
        "<b>Bold</b>",
        "a line<br/>and another",
        '<div class="note">Hi</div>',
        "<!-- not said --> Hi",
    ],
)
def test_markup_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(TTSBadText, match="tags") as caught:
        check_text(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x7f", "\x9b", "\ud800"])
def test_what_no_voice_pronounces_and_no_encoding_carries_is_refused(letter: str) -> None:
    with pytest.raises(TTSBadText, match="control characters"):
        check_text(f"Hello{letter} there")


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(TTSBadText, match=r"has 200,001 characters; at most 200,000"):
        check_text("y" * (MAX_CHARACTERS + 1))
