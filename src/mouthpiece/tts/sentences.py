"""Splits text into sentences while it is being written.

sentencex decides where a sentence ends (Wikimedia's rules for some 300 languages: abbreviations, decimals, initials,
quotations). This module decides *when* to ask it: a full stop is judged once the word after it is complete, because
"3." may go on as "3.50" and "U.S." as "U.S. troops". So the sentences are the same however the text was cut into
pushes.
"""

from __future__ import annotations

import re
from typing import Final

import sentencex

MAX_CHARACTERS: Final = 500
"""A longer sentence is cut at a clause, or else between words: services limit the length of a request, and no sound
comes before a sentence is complete."""

_WIDE_END: Final = "。！？｡．"
"""Characters that end a sentence without a space after them."""
_ENDS: Final = ".!?…" + _WIDE_END + "।॥؟۔։።"
_CLOSING: Final = "\"'”’»)]}」』）】》〉"
_CLAUSE = re.compile(r"[,;:—–，、；：،](?=\s|[^\x00-\x7f])|[，、；：]")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n$")


class SentenceSplitter:
    """Splits text that comes in pieces.

    Each run of white space, including line ends, becomes one space, and none is left around a sentence. A blank line
    ends a sentence; so does a line end after a full stop, unless that belongs to an abbreviation.

    :param language: a BCP 47 tag; a language that sentencex does not know is split as English.
    :param longest: characters; a longer sentence is cut.
    """

    def __init__(self, language: str = "en", longest: int = MAX_CHARACTERS) -> None:
        self._language = language.split("-")[0].lower() or "en"
        self._longest = longest
        self._text = ""

    def push(self, text: str) -> list[str]:
        """Add ``text``; return the sentences whose end is certain now."""
        out: list[str] = []
        for character in text:
            before = self._text[-1:]
            self._text += character
            if character == "\n" and (_BLANK_LINE.search(self._text) or self._ends_here()):
                out += self._take(len(self._text))
            elif character.isspace() or (before and self._wide_end(before, character)):
                out += self._settle()
            if len(self._text) > self._longest:
                out += self._take(cut(self._text, self._longest))
        return out

    def flush(self) -> list[str]:
        """End the text; return its remaining sentences."""
        return self._take(len(self._text))

    def clear(self) -> None:
        """Drop the text that is not a complete sentence yet."""
        self._text = ""

    def _settle(self) -> list[str]:
        """Return all sentences but the last, which may go on."""
        if not any(end in self._text for end in _ENDS):
            return []
        parts = sentencex.segment(self._language, self._text)
        return self._take(len(self._text) - len(parts[-1])) if len(parts) > 1 else []

    def _ends_here(self) -> bool:
        """Whether a sentence ends at this line end: with a name after it there would be two sentences."""
        line = self._text.rstrip()
        if not line.rstrip(_CLOSING).endswith(tuple(_ENDS)):
            return False
        return len(sentencex.segment(self._language, f"{line} Smith")) > 1

    def _wide_end(self, before: str, character: str) -> bool:
        """Whether a sentence of a script without spaces ended before ``character``. Closing quotation marks still
        belong to it."""
        return character not in _CLOSING and (before in _WIDE_END or (before in _CLOSING and not before.isascii()))

    def _take(self, length: int) -> list[str]:
        """Remove the first ``length`` characters, which hold complete sentences, and return these."""
        text, self._text = self._text[:length], self._text[length:].lstrip()
        if not text.strip():
            return []
        parts = (" ".join(part.split()) for part in sentencex.segment(self._language, text))
        return [part for part in parts if part]


def split(text: str, language: str = "en", longest: int = MAX_CHARACTERS) -> list[str]:
    """Split a complete text; the parameters are those of ``SentenceSplitter``."""
    splitter = SentenceSplitter(language, longest)
    return splitter.push(text) + splitter.flush()


def cut(text: str, longest: int) -> int:
    """The index at which to cut a sentence of more than ``longest`` characters: after a clause, else after a word, else
    anywhere; never in its first third, which would be too short a piece."""
    least = longest // 3
    clauses = [match.end() for match in _CLAUSE.finditer(text, least, longest)]
    if clauses:
        return clauses[-1]
    space = max(text.rfind(mark, least, longest) for mark in " \t\n")
    return space + 1 if space >= 0 else longest
