"""eSpeak NG: small, quick, and more than a hundred languages.

eSpeak NG is licensed under the GPL, version 3. This runs the program that a system installs (`apt install espeak-ng`,
`brew install espeak-ng`) as a process, over its command line and pipes; nothing of it is linked, loaded or shipped. The
text goes through stdin: every user of a machine can read a process's arguments.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from typing import Any, Final

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.base import TTS
from mouthpiece.tts.errors import TTSBadVoice, TTSProviderFailed, TTSUnavailable
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.programs import find
from mouthpiece.tts.voice import Voice

COMMAND: Final = "espeak-ng"
_HEADER: Final = 44
"""Bytes of the WAV header that it writes first; the lengths in it are wrong, because it writes to a pipe."""
_BLOCK: Final = 8_820
"""Bytes per chunk: 200 ms."""
_REST: Final = 65_536
"""Bytes that are read and dropped at a time, after a stop."""
_SLOWEST: Final = 80
_FASTEST: Final = 450
"""Words per minute (espeak-ng, ``speak_lib.h``, ``espeakRATE``)."""
_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_-]*(/[A-Za-z0-9][A-Za-z0-9+_-]*)*")


class EspeakTTS(TTS):
    """Speaks with the program espeak-ng.

    :param voice: a language (``en-us``, ``de``, ``ja``) or another name that ``espeak-ng -v`` takes, optionally with a
        variant (``en-us+f3``).
    :param rate: words per minute, 80 to 450.
    :param command: the program's name or path.
    :raises ConfigurationError: espeak-ng is not installed, or ``rate`` is out of range.
    """

    native_sample_rate = 22_050

    def __init__(self, voice: str = "en-us", *, rate: int = 175, command: str | None = None) -> None:
        super().__init__("espeak")
        if not isinstance(rate, int) or not _SLOWEST <= rate <= _FASTEST:
            raise ConfigurationError(f"espeak speaks from {_SLOWEST} to {_FASTEST} words a minute, not {rate!r}.")
        found = find(command or COMMAND)
        if found is None:
            raise ConfigurationError(
                "The voice espeak needs the program espeak-ng: install it (apt install espeak-ng)."
            )
        self._command, self._voice, self._rate = found, voice, rate

    async def stream_audio(self, text: str, *_: Any, voice: str | None = None, **__: Any) -> AsyncIterator[PcmData]:
        voice = voice or self._voice
        if not _VOICE.fullmatch(voice):
            raise TTSBadVoice(f"espeak has no voice {voice!r}.")
        process = await self._run("--stdin", "--stdout", "-b", "1", "-v", voice, "-s", str(self._rate))
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        assert stdin is not None and stdout is not None and stderr is not None  # noqa: PT018
        try:
            stdin.write(re.sub(r"\[(?=\[)", "[ ", text).encode())  # "[[" would begin phoneme codes
            try:
                await stdin.drain()
                stdin.close()
                header = await stdout.readexactly(_HEADER)
            except (ConnectionError, asyncio.IncompleteReadError):
                raise self._failed(voice, await stderr.read()) from None
            sample_rate = _sample_rate(header)
            while block := await stdout.read(_BLOCK):
                yield PcmData.from_bytes(block, sample_rate)
            if await process.wait():
                raise TTSUnavailable(f"espeak-ng ended with the code {process.returncode}.")
        finally:
            if process.returncode is None:
                process.kill()
            stdin.close()
            # CPython 3.11's `wait` returns when every pipe has ended, which an unread one does not: it is paused.
            for pipe in (stdout, stderr):
                while await pipe.read(_REST):
                    pass
            await process.wait()

    async def stop_audio(self) -> None:
        """Nothing to do: closing the stream ends the process."""

    async def voices(self) -> list[Voice]:
        process = await self._run("--voices")
        out, _ = await process.communicate()
        return parse_voices(out.decode(errors="replace"))

    async def _run(self, *args: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(self._command, *args, stdin=pipe, stdout=pipe, stderr=pipe)

    def _failed(self, voice: str, said: bytes) -> TTSBadVoice | TTSProviderFailed:
        if b"voice does not exist" in said:
            return TTSBadVoice(f"espeak has no voice {voice!r}; `espeak-ng --voices` lists them.")
        return TTSProviderFailed("espeak-ng gave no sound.")


def parse_voices(table: str) -> list[Voice]:
    """Parse the table of ``espeak-ng --voices``: priority, language, age/gender, name, file, other languages. The first
    voice of a language is the one that ``-v LANGUAGE`` selects."""
    voices: dict[str, Voice] = {}
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 5:
            language, name = columns[1], columns[3].replace("_", " ")
            voices.setdefault(language, Voice(language, name, language, "espeak"))
    return list(voices.values())


def _sample_rate(header: bytes) -> int:
    """The sample rate (hertz) in a canonical WAV header.

    :raises TTSProviderFailed: it is no WAV header.
    """
    if header[:4] != b"RIFF" or header[8:12] != b"WAVE":
        raise TTSProviderFailed("espeak-ng answered with something that is not sound.")
    rate: int = struct.unpack_from("<I", header, 24)[0]
    return rate
