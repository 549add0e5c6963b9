"""How words are said, after a list of one's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from mouthpiece.errors import ConfigurationError

MAX_BYTES: Final = 1_000_000
MAX_ENTRIES: Final = 10_000
MAX_CHARACTERS: Final = 200
"""Of a word, and of what is said for it."""


class Lexicon:
    """Words, and how each is said.

    A word in small letters stands for itself however it is written (``sql``: SQL, Sql, sql); one with a capital letter
    for that spelling alone (``US``, not us), which goes before the other. A word is found where it stands by itself,
    not within a longer one; it may hold spaces, and the longest that fits is taken. What is said for a word is not
    looked up again.

    :param entries: what is said, by the word.
    """

    def __init__(self, entries: Mapping[str, str] | None = None) -> None:
        entries = entries or {}
        self._exact = {word: said for word, said in entries.items() if word != word.lower()}
        self._any = {word: said for word, said in entries.items() if word == word.lower()}
        self._exact_pattern = _pattern(self._exact, 0)
        self._any_pattern = _pattern(self._any, re.IGNORECASE)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file: UTF-8, one word a line, ``word = how it is said``; empty lines and lines that begin with ``#``
        are left out.

        :raises ConfigurationError: it cannot be read, or a line is wrong; the message names the line.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
        if len(data) > MAX_BYTES:
            raise ConfigurationError(f"{path} is longer than {MAX_BYTES} bytes")
        try:
            return cls.parse(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConfigurationError(f"{path}, line {line}: it is not UTF-8") from None
        except ValueError as error:
            raise ConfigurationError(f"{path}, {error}") from None

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        :raises ValueError: a line is wrong; the message names it.
        """
        entries: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            word, equals, said = (part.strip() for part in unicodedata.normalize("NFC", line).partition("="))
            if not equals or not word or not said:
                raise ValueError(f"line {number}: write it as “word = how it is said”")
            if max(len(word), len(said)) > MAX_CHARACTERS:
                raise ValueError(f"line {number}: it is longer than {MAX_CHARACTERS} characters")
            if not any(letter.isalnum() for letter in said):
                raise ValueError(f"line {number}: there is no word behind the “=”")
            if word in entries:
                raise ValueError(f"line {number}: “{word}” is there twice")
            if len(entries) == MAX_ENTRIES:
                raise ValueError(f"line {number}: there are more than {MAX_ENTRIES} words")
            entries[word] = said
        return cls(entries)

    def apply(self, text: str) -> str:
        """``text`` with its words as they are said."""
        if self._exact_pattern is None and self._any_pattern is None:
            return text
        out: list[str] = []
        at = 0
        while found := self._next(text, at):
            begin, end, said = found
            out += (text[at:begin], said)
            at = end
        return "".join((*out, text[at:]))

    def _next(self, text: str, at: int) -> tuple[int, int, str] | None:
        """Where the next word begins and ends, and what is said for it: the first; of two, the longer; then the exact
        one."""
        found: list[tuple[int, int, str]] = []
        if self._exact_pattern and (match := self._exact_pattern.search(text, at)):
            found.append((match.start(), match.end(), self._exact[match[0]]))
        if self._any_pattern and (match := self._any_pattern.search(text, at)):
            folded = unicodedata.normalize("NFKC", match[0]).lower()  # the Kelvin sign matches k too
            found.append((match.start(), match.end(), self._any.get(folded, match[0])))
        return min(found, key=lambda one: (one[0], -one[1]), default=None)


def _pattern(words: Mapping[str, str], flags: int) -> re.Pattern[str] | None:
    if not words:
        return None
    return re.compile("|".join(map(_alone, sorted(words, key=len, reverse=True))), flags)


def _alone(word: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    after = r"(?!\w)" if re.search(r"\w$", word) else ""
    return f"{before}{re.escape(word)}{after}"
