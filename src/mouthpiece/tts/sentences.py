"""Text, as it comes, cut into sentences.

Where a sentence ends is decided by sentencex (Wikimedia's rules for some 300 languages: abbreviations, decimals,
initials, quotations). This module decides *when* it may be asked: a full stop is judged once the word after it is
whole, because "3." may go on as "3.50" and "U.S." as "U.S. troops". So the sentences are the same however the text
was cut into pushes.
"""

from __future__ import annotations

import re
from typing import Final

import sentencex

MAX_CHARACTERS: Final = 500
"""A longer sentence is cut at a clause, else between words: services limit a request, and a listener waits for it."""

_WIDE_END: Final = "。！？｡．"
"""Ends a sentence by itself: no space follows."""
_ENDS: Final = ".!?…" + _WIDE_END + "।॥؟۔։።"
_CLOSING: Final = "\"'”’»)]}」』）】》〉"
_CLAUSE = re.compile(r"[,;:—–，、；：،](?=\s|[^\x00-\x7f])|[，、；：]")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n$")


class SentenceSplitter:
    """``push`` gives the sentences that have become certain, ``flush`` the rest, ``clear`` forgets it.

    White space, a line's end too, comes as one space, and none around a sentence. A blank line ends a sentence; so
    does a line's end after a full stop that is none of an abbreviation.
    """

    def __init__(self, language: str = "en", longest: int = MAX_CHARACTERS) -> None:
        """``language``: a BCP 47 tag; one that sentencex does not know is split as English. ``longest``: characters."""
        self._language = language.split("-")[0].lower() or "en"
        self._longest = longest
        self._text = ""

    def push(self, text: str) -> list[str]:
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
        return self._take(len(self._text))

    def clear(self) -> None:
        self._text = ""

    def _settle(self) -> list[str]:
        """Gives all but the last sentence of what there is; the last one may go on."""
        if not any(end in self._text for end in _ENDS):
            return []
        parts = sentencex.segment(self._language, self._text)
        return self._take(len(self._text) - len(parts[-1])) if len(parts) > 1 else []

    def _ends_here(self) -> bool:
        """A sentence ends at the line's end: with a name behind it there would be two."""
        line = self._text.rstrip()
        if not line.rstrip(_CLOSING).endswith(tuple(_ENDS)):
            return False
        return len(sentencex.segment(self._language, f"{line} Smith")) > 1

    def _wide_end(self, before: str, character: str) -> bool:
        """A character after an end that no space follows; closing quotation marks still belong to the sentence."""
        return character not in _CLOSING and (before in _WIDE_END or (before in _CLOSING and not before.isascii()))

    def _take(self, length: int) -> list[str]:
        """Cuts off the first ``length`` characters, which hold whole sentences."""
        text, self._text = self._text[:length], self._text[length:].lstrip()
        if not text.strip():
            return []
        parts = (" ".join(part.split()) for part in sentencex.segment(self._language, text))
        return [part for part in parts if part]


def split(text: str, language: str = "en", longest: int = MAX_CHARACTERS) -> list[str]:
    """The sentences of a whole text."""
    splitter = SentenceSplitter(language, longest)
    return splitter.push(text) + splitter.flush()


def cut(text: str, longest: int) -> int:
    """Where to break what is longer and has no end: after a clause, else after a word, else anywhere; never in the
    first third, where it would leave a stump."""
    least = longest // 3
    clauses = [match.end() for match in _CLAUSE.finditer(text, least, longest)]
    if clauses:
        return clauses[-1]
    space = max(text.rfind(mark, least, longest) for mark in " \t\n")
    return space + 1 if space >= 0 else longest
