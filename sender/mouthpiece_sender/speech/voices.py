"""The voices of this process: which there are, and a text as a sound in one of them.

A service or a ``Speaker`` has one ``Voices``; its rooms and avatars share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import re
import time
from collections.abc import AsyncIterable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from mouthpiece.errors import ConfigurationError, MouthpieceError, TTSError
from mouthpiece.segments import TextFormat
from mouthpiece.tts import TTS, TTSBadVoice, Voice, available, create, load, split
from mouthpiece.tts.lexicon import Lexicon
from mouthpiece.tts.spoken import spoken
from mouthpiece.tts.text import has_words
from mouthpiece_sender.speech.cache import SpeechCache, SpeechKey
from mouthpiece_sender.speech.incremental_text import IncrementalText, write
from mouthpiece_sender.speech.markdown import read_markdown
from mouthpiece_sender.speech.synthesis import SentenceSound, SentenceSynthesizer, TTSPool
from mouthpiece_sender.speech.text_sound import TextSound
from mouthpiece_sender.speech.voice_catalogue import VoiceCatalogue

logger = logging.getLogger(__name__)

DEFAULT: Final = "offline"
SAMPLE_RATE: Final = 24_000
"""Hertz of a TTS without a ``native_sample_rate``."""
FIRST_SOUND_WITHIN: Final = 2.0
"""Seconds that accepting a text waits for its first sound, so that a refusal of the voice is answered at once."""
NEED_A_PLUGIN: Final = ("livekit", "vision_agents")
"""Providers that cannot be made by their name alone."""
SUGGESTED: Final = 12
"""Voices that an error names when an unknown voice is asked for."""
MISSING_FOR: Final = 30.0
"""Seconds until a provider that could not be made is tried again."""
MOST_MISSING: Final = 100
"""Names of such providers that are remembered: clients can make up any number."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ListedVoice:
    """A voice, and whether it speaks when none is named."""

    voice: Voice
    default: bool


@dataclass(slots=True)
class _Provider:
    """A provider that can be used."""

    pool: TTSPool
    default_voice: str | None
    """The id of the voice that it uses when none is named; None: it does not declare one."""
    takes_voice: bool
    """Its ``stream_audio`` has a parameter ``voice``."""
    catalogue: VoiceCatalogue


@dataclass(frozen=True, slots=True)
class _Missing:
    """A provider that could not be made."""

    reason: str
    until: float
    """The time, by ``Voices``' clock, from which it is tried again."""


class Voices:
    """The voices that text can be spoken with. Use it in ``async with``: leaving stops and closes them all.

    :param default: the provider that speaks when none is named.
    :param lexicon: how words are said.
    :param clock: seconds, monotonic.
    """

    def __init__(
        self,
        default: str = DEFAULT,
        *,
        lexicon: Lexicon | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._default = default
        self._lexicon = lexicon or Lexicon()
        self._clock = clock
        self._cache = SpeechCache()
        self._providers: dict[str, _Provider] = {}
        self._missing: dict[str, _Missing] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._discovered = False
        self._discovering = asyncio.Lock()
        self._making = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._synthesizer = await SentenceSynthesizer(self._cache).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._synthesizer.__aexit__(kind, error, trace)
        for provider in self._providers.values():
            await provider.pool.aclose()

    @property
    def cache(self) -> SpeechCache:
        """The sentences that are kept."""
        return self._cache

    async def settled(self) -> None:
        """Wait until no sentence is being made."""
        await self._synthesizer.settled()

    def warm(self) -> None:
        """Begin to load the default voice, in a task, so that the first text is as quick as later ones."""
        self._own(self._warm())

    def read(self, pieces: AsyncIterable[str], text_format: TextFormat = "plain") -> IncrementalText:
        """A text that is still being written; a task reads ``pieces`` until they end or the voices are closed."""
        text = IncrementalText(text_format)
        self._own(write(text, pieces))
        return text

    def use(self, name: str, tts: TTS) -> None:
        """Make a TTS of the caller's own available as provider ``name``. Closing the voices leaves it open."""
        if name not in self._providers:
            self._providers[name] = self._usable(name, tts, lambda: tts, own=False)

    async def list_voices(self, tts: str | None = None) -> list[ListedVoice]:
        """The voices of all providers, or of the provider ``tts``, the default first.

        Without ``tts``, providers that fail to list their voices are left out.

        :raises ConfigurationError: there is no provider ``tts``.
        :raises TTSError: the provider ``tts`` failed to list its voices.
        """
        await self._discover()
        named = {name: await self._provider(name) for name in ([tts] if tts is not None else self._in_order())}
        answers = {name: provider.catalogue.ask() for name, provider in named.items()}
        listed: list[ListedVoice] = []
        for name, answer in answers.items():
            try:
                known = await asyncio.shield(answer)
            except MouthpieceError:
                if tts is not None:
                    raise
                continue
            first = named[name].default_voice
            voices = sorted(known, key=lambda voice: voice.id != first)
            listed += [ListedVoice(voice, name == self._default and voice.id == first) for voice in voices]
        return listed

    async def choose(self, voice: str | None, tts: str | None) -> tuple[str, str | None]:
        """Choose the provider and the voice id for a text.

        :param voice: an id, a language or None, for the default voice of the provider.
        :param tts: a provider's name, or None, for the provider that has ``voice``.
        :return: the provider's name, and the voice's id or None if the provider declares no default.
        :raises ConfigurationError: there is no provider ``tts``.
        :raises TTSBadVoice: no provider has ``voice``, or ``tts`` takes none.
        """
        await self._discover()
        if tts is not None:
            provider = await self._provider(tts)
            if voice is not None and not provider.takes_voice:
                raise TTSBadVoice(f"{tts} takes no voice: its stream_audio has no parameter “voice”.")
            return tts, voice or provider.default_voice  # an unknown voice is refused by the synthesis
        if voice is None:
            return self._default, (await self._provider(self._default)).default_voice
        answers = {name: self._providers[name].catalogue.ask() for name in self._in_order()}
        known: list[tuple[str, str]] = []
        for name, answer in answers.items():
            with contextlib.suppress(MouthpieceError):
                listed = [(name, one.id) for one in await asyncio.shield(answer)]
                if (name, voice) in listed:
                    return name, voice
                known += listed
        if (found := _closest(voice, known)) is not None:
            return found
        more = f" and {len(known) - SUGGESTED} more" if len(known) > SUGGESTED else ""
        here = ", ".join(one for _, one in known[:SUGGESTED]) + more
        raise TTSBadVoice(f"There is no voice {voice!r} here. There are: {here or 'none'}.")

    async def sound(
        self,
        text: str | IncrementalText,
        *,
        voice: str | None = None,
        tts: str | None = None,
        text_format: TextFormat = "plain",
    ) -> tuple[TextSound, str | None]:
        """``text`` as a sound, with the id of the voice that speaks it.

        :param text_format: of a ``str``.

        The first sentence of a ``str`` is begun at once, and its first sound awaited for ``FIRST_SOUND_WITHIN``
        seconds, so that a refusal of the provider is raised here. It goes on being made while the segment waits, and is
        stopped when the ``TextSound`` is garbage-collected unread.

        :raises ConfigurationError: there is no provider ``tts``.
        :raises TTSError: the text cannot be spoken, there is no such voice, or the voice failed.
        """
        sentences = text if isinstance(text, IncrementalText) else IncrementalText.of(text, text_format)
        name, voice = await self.choose(voice, tts)
        provider = await self._provider(name)
        pool = provider.pool
        given = voice if provider.takes_voice else None

        english = _is_english(voice)

        def begin(sentence: str) -> SentenceSound:
            words = spoken(sentence, english=english, lexicon=self._lexicon)
            return self._synthesizer.begin(
                SpeechKey(words if has_words(words) else sentence, name, given, pool.sample_rate), pool
            )

        first = None
        if isinstance(text, str):
            sentence = await sentences.sentence(0)
            assert sentence is not None  # an empty text raises
            first = begin(sentence)
            try:
                async with asyncio.timeout(FIRST_SOUND_WITHIN):
                    await first.begun()
            except TimeoutError:
                pass  # a later failure becomes the segment's problem
            except BaseException:
                first.release()
                raise
        return TextSound(sentences, begin, pool.sample_rate, first), voice

    async def forget(self, text: str, text_format: TextFormat = "plain") -> None:
        """Drop the sound of ``text`` from the cache; what is being made of it now is not kept."""
        self._synthesizer.forget(await asyncio.to_thread(self._all_words, text, text_format))

    def _all_words(self, text: str, text_format: TextFormat) -> list[str]:
        """Its sentences, and the words that a voice may have been given for each."""
        sentences = split(read_markdown(text) if text_format == "markdown" else text)
        return sentences + [
            spoken(sentence, english=english, lexicon=self._lexicon)
            for sentence in sentences
            for english in (True, False)
        ]

    def _own(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work, name="voices")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Retrieve the exception: asyncio would log it with its message, which may quote speech. Callers that await the
        task get it too."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _discover(self) -> None:
        """Find the providers that this machine has, once."""
        async with self._discovering:
            if not self._discovered:
                found = await asyncio.to_thread(_installed)
                usable = {name: self._usable(name, example, type(example)) for name, example in found.items()}
                self._providers = usable | self._providers
                self._discovered = True

    def _in_order(self) -> list[str]:
        return sorted(self._providers, key=lambda name: (name != self._default, name))

    async def _provider(self, name: str) -> _Provider:
        """The provider ``name``, made if need be.

        :raises ConfigurationError: there is none, or it lacks something here, now or less than ``MISSING_FOR`` ago.
        """
        if name not in self._providers:
            async with self._making:  # concurrent callers get the same one
                if name not in self._providers:
                    self._providers[name] = await self._make(name)
        return self._providers[name]

    async def _make(self, name: str) -> _Provider:
        now = self._clock()
        if (missing := self._missing.get(name)) is not None and now < missing.until:
            raise ConfigurationError(missing.reason)
        try:
            make = await asyncio.to_thread(load, name)  # importing a plugin takes seconds
            return self._usable(name, make(), make)
        except ConfigurationError as error:
            self._missing = {other: known for other, known in self._missing.items() if now < known.until}
            if len(self._missing) < MOST_MISSING:
                self._missing[name] = _Missing(str(error), now + MISSING_FOR)
            raise

    def _usable(self, name: str, example: TTS, make: Callable[[], TTS], *, own: bool = True) -> _Provider:
        pool = TTSPool(name, make, example, example.native_sample_rate or SAMPLE_RATE, own=own)
        default = inspect.signature(type(example)).parameters.get("voice")
        parameters = inspect.signature(example.stream_audio).parameters.values()
        return _Provider(
            pool,
            default.default if default is not None and isinstance(default.default, str) else None,
            any(one.name == "voice" or one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters),
            VoiceCatalogue(pool, self._own, self._clock),
        )

    async def _warm(self) -> None:
        await self._discover()
        try:
            provider = await self._provider(self._default)
            async with provider.pool.acquire() as tts:
                await tts.warm()
            provider.catalogue.ask()
        except (TTSError, ConfigurationError) as error:
            logger.warning("the voice %s cannot be used: %s", self._default, error)


def lexicon_of(path: Path | str | None) -> Lexicon:
    """The words of the file that ``MOUTHPIECE_LEXICON`` names; none where it names none.

    :raises ConfigurationError: it cannot be read, or a line is wrong.
    """
    if not path:
        return Lexicon()
    try:
        return Lexicon.read(Path(path).expanduser())
    except ConfigurationError as error:
        raise ConfigurationError(f"MOUTHPIECE_LEXICON: {error}") from None


def _is_english(voice: str | None) -> bool:
    """Whether a voice speaks English, as far as its id says: one that begins with another language's tag does not."""
    tag = re.match(r"([a-z]{2,3})(?:[-_]|$)", voice or "")
    return tag is None or tag[1] == "en"


def _closest(voice: str, known: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """The provider and the id of the voice whose id is ``voice`` in letters of any case, or else of a voice for the
    language ``voice`` (``fr`` is ``fr-fr``, or else the first ``fr-…``). None: there is neither.

    :param known: pairs of a provider's name and a voice's id.
    """
    asked = voice.lower()
    same = [one for one in known if one[1].lower() == asked]
    own = [one for one in known if one[1].lower() == f"{asked}-{asked}"]
    of_language = [one for one in known if one[1].lower().startswith(f"{asked}-")]
    return next(iter(same + own + of_language), None)


def _installed() -> dict[str, TTS]:
    """A TTS of each provider that is available. Reads the disk: run it in a thread."""
    found: dict[str, TTS] = {}
    for one in available():
        if one.available and one.name not in NEED_A_PLUGIN:
            with contextlib.suppress(ConfigurationError):
                found[one.name] = create(one.name)
    return found
