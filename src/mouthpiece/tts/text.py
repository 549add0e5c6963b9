"""What may be spoken: text for a voice, not markup."""

from __future__ import annotations

import re
from typing import Final

from mouthpiece.tts.errors import TTSBadText

MAX_CHARACTERS: Final = 200_000
"""Of one text: about four hours of speech."""

_SSML_ELEMENTS = (
    "speak|lexicon|lookup|meta|metadata|p|s|token|w|phoneme|say-as|sub|lang|voice|prosody|emphasis|break|audio|mark"
    "|desc"
)
"""W3C, Speech Synthesis Markup Language 1.1, section 3."""
_SSML = re.compile(
    rf"""<\?xml\b
       | </?(?:{_SSML_ELEMENTS})(?:\s[^<>]*)?/?>
       | </?[A-Za-z][\w.-]*:[A-Za-z][\w.-]*(?:\s[^<>]*)?/?>   # a vendor's, such as mstts:express-as
    """,
    re.VERBOSE | re.IGNORECASE,
)


def check_text(text: str) -> None:
    """Passes what can be spoken.

    :raises TTSBadText: it is empty, over ``MAX_CHARACTERS``, or holds SSML, which voices would read out as text.
    """
    if not text.strip():
        raise TTSBadText("There is no text to speak.")
    if len(text) > MAX_CHARACTERS:
        raise TTSBadText(f"The text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be spoken at once.")
    if _SSML.search(text):
        raise TTSBadText("The text holds SSML tags. They are not supported: send the words alone.")


def has_words(text: str) -> bool:
    """There is something in it that a voice pronounces, not punctuation alone."""
    return any(character.isalnum() for character in text)
