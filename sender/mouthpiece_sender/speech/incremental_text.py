"""A text as its sentences, whole or still being written; read from any sentence on, and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Final

from mouthpiece.errors import MouthpieceError
from mouthpiece.tts import SentenceSplitter, TTSBadText, check_text
from mouthpiece.tts.text import MAX_CHARACTERS, has_words

SLICE: Final = 200
"""Characters of a whole text that are cut into sentences at a time: a long one starts as quickly as a short one."""
IDLE: Final = 1.0
"""Seconds without more text after which what is there is said: somebody types, and waits to be heard."""


class Script:
    """What is to be said. ``append``, ``pause`` and ``finish`` write it, ``sentence`` reads it.

    Sentences without a word to pronounce are left out.
    """

    def __init__(self, language: str = "en") -> None:
        self._splitter = SentenceSplitter(language)
        self._sentences: list[str] = []
        self._rest = ""
        self._length = 0
        self._whole = False
        self._error: MouthpieceError | None = None
        self._changed = asyncio.Event()

    @classmethod
    def of(cls, text: str, language: str = "en") -> Script:
        """:raises TTSBadText: it is empty, too long, or holds markup or nothing that can be pronounced."""
        check_text(text)
        if not has_words(text):
            raise TTSBadText("There is nothing in the text that a voice could pronounce.")
        script = cls(language)
        script._rest = text
        script._length = len(text)
        script._whole = True
        return script

    def append(self, text: str) -> None:
        """:raises TTSBadText: with this it is too long, or this holds markup."""
        if not text.strip():
            self._keep(self._splitter.push(text))
            return
        check_text(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise TTSBadText(f"More than {MAX_CHARACTERS:,} characters cannot be spoken at once.")
        self._keep(self._splitter.push(text))

    def pause(self) -> None:
        """What was written so far is said as it stands."""
        self._keep(self._splitter.flush())

    def finish(self, error: MouthpieceError | None = None) -> None:
        """Nothing more comes; with ``error``, for that reason."""
        self._keep(self._splitter.flush())
        if error is None and not self._sentences:
            error = TTSBadText("There was nothing in the text that a voice could pronounce.")
        self._error = error
        self._whole = True
        self._changed.set()

    async def sentence(self, index: int) -> str | None:
        """The one with that number, once it is written; None: there are not so many.

        :raises MouthpieceError: the writing ended with it.
        """
        while len(self._sentences) <= index:
            if self._rest:
                piece, self._rest = self._rest[:SLICE], self._rest[SLICE:]
                self._keep(self._splitter.push(piece))
                if not self._rest:
                    self._keep(self._splitter.flush())
                await asyncio.sleep(0)  # a long text without an end of a sentence must not hold up the loop
            elif self._whole:
                if self._error is not None:
                    raise self._error
                return None
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._sentences[index]

    def _keep(self, sentences: list[str]) -> None:
        self._sentences += [sentence for sentence in sentences if has_words(sentence)]
        self._changed.set()


async def write(script: Script, pieces: AsyncIterable[str], *, idle: float = IDLE) -> None:
    """Writes ``pieces`` into ``script`` as they come, to their end; whatever goes wrong ends the script with it."""
    stream = aiter(pieces)
    coming: asyncio.Future[str | None] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(stream, None))
            done, _ = await asyncio.wait([coming], timeout=idle)
            if not done:
                script.pause()
                await asyncio.wait([coming])
            piece = coming.result()
            if piece is None:
                break
            script.append(piece)
    except MouthpieceError as error:
        script.finish(error)
    except Exception as error:
        script.finish(TTSBadText(f"The text broke off: whatever writes it failed ({type(error).__name__})."))
    else:
        script.finish()
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.wait([coming])
