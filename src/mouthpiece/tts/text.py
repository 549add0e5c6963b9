"""Checks of a text that is to be spoken: plain words, no markup."""

from __future__ import annotations

import re
from typing import Final

from mouthpiece.tts.errors import TTSBadText

MAX_CHARACTERS: Final = 200_000
"""Characters of one text at most: about four hours of speech."""

_SSML_ELEMENTS = (
    "speak|lexicon|lookup|meta|metadata|p|s|token|w|phoneme|say-as|sub|lang|voice|prosody|emphasis|break|audio|mark"
    "|desc"
)
"""W3C, Speech Synthesis Markup Language 1.1, section 3."""
_HTML_ELEMENTS = (
    "a|b|i|u|em|strong|small|sup|code|pre|br|hr|span|div|h[1-6]|ul|ol|li|table|thead|tbody|tr|td|th|img|font|blockquote"
    "|html|head|body|script|style|title|section|article|header|footer|nav|main|button|form|input|label|iframe|svg"
)
"""The HTML elements that text from a web page or a language model is likely to hold."""
_MARKUP = re.compile(
    rf"""<\?xml\b | <!-- | <!doctype\b | <speak\s
       | </?(?:{_SSML_ELEMENTS}|{_HTML_ELEMENTS})(?:\s+[\w:-]+\s*=[^<>]*|\s*/?)>
       | </?(?!mailto:|tel:|https?:|urn:)[A-Za-z][\w.-]*:[A-Za-z][\w.-]*(?:\s[^<>]*|/?)>  # mstts:express-as
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TAG_NAME: Final = re.compile(r"[A-Za-z][\w-]*")
_WHITE: Final = "\t\n\r\v\f\x85"
"""The control characters that are allowed: they are white space."""


def check_text(text: str) -> None:
    """Accept a text of plain words that can be spoken.

    :raises TTSBadText: see ``check_characters``; or it holds markup (SSML, HTML), which voices would read aloud.
    """
    check_characters(text)
    if _MARKUP.search(text):
        raise TTSBadText(
            "The text holds tags (SSML or HTML). Send the words alone, or text_format=markdown, which leaves tags out."
        )


def check_characters(text: str) -> None:
    """
    :raises TTSBadText: ``text`` is empty, longer than ``MAX_CHARACTERS``, or holds control characters.
    """
    if not isinstance(text, str):
        raise TTSBadText(f"A text is a str, not {type(text).__name__}.")
    if not text.strip():
        raise TTSBadText("There is no text to speak.")
    if len(text) > MAX_CHARACTERS:
        raise TTSBadText(f"The text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be spoken at once.")
    if any(not letter.isprintable() and letter not in _WHITE and _forbidden(letter) for letter in text):
        raise TTSBadText("The text holds control characters: send words alone.")


def name_tags(text: str) -> str:
    """``text`` with the name in the place of each tag that it writes about: one made of entities or in code, since
    others are refused or left out before."""
    return _MARKUP.sub(lambda tag: " ".join(_TAG_NAME.findall(tag[0])[:1]), text)


def has_words(text: str) -> bool:
    """Whether ``text`` holds a letter or a digit, not punctuation alone."""
    return any(character.isalnum() for character in text)


def _forbidden(letter: str) -> bool:
    """Whether ``letter`` is a C0 or C1 control, or half of a surrogate pair, which UTF-8 cannot encode."""
    return ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 or 0xD800 <= ord(letter) < 0xE000
