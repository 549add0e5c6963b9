"""A text as its sentences, whole or while it is still being written; any sentence can be read, also again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Final

from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import TextFormat
from mouthpiece.tts import SentenceSplitter, TTSBadText, check_text
from mouthpiece.tts.spoken import spoken
from mouthpiece.tts.text import MAX_CHARACTERS, check_characters, has_words
from mouthpiece_sender.speech.markdown import MarkdownReader

SLICE: Final = 200
"""Characters of a whole text that are split into sentences at a time, so that a long text starts as quickly as a short
one."""
IDLE: Final = 1.0
"""Seconds without a further piece after which the text so far is spoken: a person who types waits to be heard."""


class IncrementalText:
    """A text to speak. ``append``, ``pause`` and ``finish`` write it, ``sentence`` reads it.

    Sentences without a word to pronounce are left out.

    :param text_format: ``markdown``: it is read as a person would read it aloud, and tags are left out.
    :param language: BCP 47 tag; it decides where sentences end.
    """

    def __init__(self, text_format: TextFormat = "plain", language: str = "en") -> None:
        self._splitter = SentenceSplitter(language)
        self._markdown = MarkdownReader() if text_format == "markdown" else None
        self._sentences: list[str] = []
        self._rest = ""
        """Of a whole text: the characters that are not split yet."""
        self._length = 0
        self._whole = False
        self._error: MouthpieceError | None = None
        self._changed = asyncio.Event()

    @classmethod
    def of(cls, whole: str, text_format: TextFormat = "plain", language: str = "en") -> IncrementalText:
        """A text that is complete; nothing can be appended.

        :raises TTSBadText: ``whole`` is empty, too long, or holds markup or no word.
        """
        text = cls(text_format, language)
        text._check(whole)
        if not has_words(whole):
            whole = spoken(whole)  # signs alone have names
            if not has_words(whole):
                raise _nothing()
        text._rest = whole
        text._length = len(whole)
        text._whole = True
        return text

    def append(self, piece: str) -> None:
        """Add ``piece``, which may break off anywhere.

        :raises TTSBadText: the text is too long with ``piece``, or ``piece`` holds markup.
        """
        if piece.strip():
            self._check(piece)
            self._length += len(piece)
            if self._length > MAX_CHARACTERS:
                raise TTSBadText(f"More than {MAX_CHARACTERS:,} characters cannot be spoken at once.")
        self._push(piece)

    def pause(self) -> None:
        """End the sentence here: what was written so far can be read as it stands."""
        if self._markdown is not None:
            self._add(self._splitter.push(self._markdown.pause()))
        self._add(self._splitter.flush())

    def finish(self, error: MouthpieceError | None = None) -> None:
        """End the text; with ``error``, reading beyond its last sentence raises that."""
        self._flush()
        if error is None and not self._sentences:
            error = _nothing()
        self._error = error
        self._whole = True
        self._changed.set()

    async def sentence(self, index: int) -> str | None:
        """Wait until sentence ``index`` (from 0) is written, and return it; None if the text ends before.

        :raises MouthpieceError: the text ended before, with this error.
        """
        while len(self._sentences) <= index:
            if self._rest:
                piece, self._rest = self._rest[:SLICE], self._rest[SLICE:]
                self._push(piece)
                if not self._rest:
                    self._flush()
                    if not self._sentences:
                        self._error = _nothing()
                await asyncio.sleep(0)  # a long text without an end of a sentence must not block the loop
            elif self._whole:
                if self._error is not None:
                    raise self._error
                return None
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._sentences[index]

    def _check(self, piece: str) -> None:
        """:raises TTSBadText: ``piece`` cannot be spoken."""
        if self._markdown is None:
            check_text(piece)
        else:
            check_characters(piece)

    def _push(self, piece: str) -> None:
        self._add(self._splitter.push(piece if self._markdown is None else self._markdown.push(piece)))

    def _flush(self) -> None:
        if self._markdown is not None:
            self._add(self._splitter.push(self._markdown.flush()))
        self._add(self._splitter.flush())

    def _add(self, sentences: list[str]) -> None:
        self._sentences += [sentence for sentence in sentences if has_words(sentence)]
        self._changed.set()


def _nothing() -> TTSBadText:
    return TTSBadText("There is nothing in the text that a voice could pronounce.")


async def write(text: IncrementalText, pieces: AsyncIterable[str], *, idle: float = IDLE) -> None:
    """Append ``pieces`` to ``text`` as they come, then finish it.

    An error, also one that ``pieces`` raises, ends the text and is raised to its reader, not here.

    :param idle: seconds without a piece after which the text so far is spoken as it stands.
    """
    stream = aiter(pieces)
    coming: asyncio.Future[str | None] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(stream, None))
            done, _ = await asyncio.wait([coming], timeout=idle)
            if not done:
                text.pause()
                await asyncio.wait([coming])
            piece = coming.result()
            if piece is None:
                break
            text.append(piece)
    except MouthpieceError as error:
        text.finish(error)
    except Exception as error:
        text.finish(TTSBadText(f"The text broke off: its source failed ({type(error).__name__})."))
    else:
        text.finish()
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.wait([coming])
