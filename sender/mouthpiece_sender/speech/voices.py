"""The voices of this process: which there are, and a text in one of them as a sound.

One for a service or a ``Speaker``; rooms and avatars share its voices, its cache and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import time
from collections.abc import AsyncIterable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from mouthpiece.errors import ConfigurationError, MouthpieceError, TTSError
from mouthpiece.tts import TTS, TTSBadVoice, Voice, available, create, load, split
from mouthpiece_sender.speech.cache import SpeechCache, SpeechKey
from mouthpiece_sender.speech.incremental_text import Script, write
from mouthpiece_sender.speech.synthesis import SentenceMaker, VoicePool
from mouthpiece_sender.speech.text_sound import TextSound
from mouthpiece_sender.speech.voice_catalogue import VoiceList

logger = logging.getLogger(__name__)

DEFAULT: Final = "offline"
SAMPLE_RATE: Final = 24_000
"""Hertz of a voice that does not say its own."""
FIRST_SOUND_WITHIN: Final = 2.0
"""Seconds that an acceptance waits for the first sound, so that a voice which refuses is told of at once."""
UNNAMED: Final = ("livekit", "vision_agents")
"""Providers that need a plugin's name or object beside their own."""
NAMED: Final = 12
"""Voices that are named where one is asked for that is not here."""
MISSING_FOR: Final = 30.0
"""Seconds until a provider that could not be made is tried again."""
MOST_MISSING: Final = 100
"""Names of such that are remembered: anybody can make some up."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ListedVoice:
    """A voice that text can be spoken with."""

    voice: Voice
    default: bool
    """The one that speaks when none is named."""


@dataclass(slots=True)
class _Provider:
    pool: VoicePool
    default_voice: str | None
    takes_voice: bool
    voices: VoiceList


@dataclass(frozen=True, slots=True)
class _Missing:
    """A provider that could not be made."""

    why: str
    until: float
    """By the clock."""


class Speech:
    """``async with Speech() as speech:``; leaving stops and closes all voices.

    :param default: the provider that speaks when none is named.
    """

    def __init__(self, default: str = DEFAULT, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._default = default
        self._clock = clock
        self._cache = SpeechCache()
        self._providers: dict[str, _Provider] = {}
        self._missing: dict[str, _Missing] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._looked = False
        self._looking = asyncio.Lock()
        self._making = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._maker = await SentenceMaker(self._cache).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._maker.__aexit__(kind, error, trace)
        for provider in self._providers.values():
            await provider.pool.aclose()

    @property
    def cache(self) -> SpeechCache:
        return self._cache

    async def settled(self) -> None:
        """Returns once no sentence is being made."""
        await self._maker.settled()

    def warm(self) -> None:
        """Loads the default voice beside everything else, so that the first text is as quick as the next ones."""
        self._own(self._warm())

    def script(self, pieces: AsyncIterable[str]) -> Script:
        """A text that is still being written; read by a task of ours, to its end or to ours."""
        script = Script()
        self._own(write(script, pieces))
        return script

    def use(self, name: str, tts: TTS) -> None:
        """Makes somebody's own TTS known as ``name``. It stays open."""
        if name not in self._providers:
            self._providers[name] = self._known(name, tts, lambda: tts, own=False)

    async def voices(self, tts: str | None = None) -> list[ListedVoice]:
        """What can be spoken with, the default first; of all providers, or of one.

        :raises ConfigurationError: no such provider here. :raises TTSError: the one that was named does not tell.
        """
        await self._look()
        named = {name: await self._provider(name) for name in ([tts] if tts is not None else self._in_order())}
        answers = {name: provider.voices.ask() for name, provider in named.items()}
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
        """The provider and the voice for a text; each may be left out.

        :raises ConfigurationError: no such provider here.
        :raises TTSBadVoice: none of the providers has that voice.
        """
        await self._look()
        if tts is not None:
            provider = await self._provider(tts)
            if voice is not None and not provider.takes_voice:
                raise TTSBadVoice(f"{tts} takes no voice: its stream_audio has no parameter “voice”.")
            return tts, voice or provider.default_voice  # whether it has that voice, it says itself
        if voice is None:
            return self._default, (await self._provider(self._default)).default_voice
        answers = {name: self._providers[name].voices.ask() for name in self._in_order()}
        known: list[tuple[str, str]] = []
        for name, answer in answers.items():
            with contextlib.suppress(MouthpieceError):
                listed = [(name, one.id) for one in await asyncio.shield(answer)]
                if (name, voice) in listed:
                    return name, voice
                known += listed
        if (found := _nearly(voice, known)) is not None:
            return found
        here = ", ".join(one for _, one in known[:NAMED]) + (f" and {len(known) - NAMED} more" * (len(known) > NAMED))
        raise TTSBadVoice(f"There is no voice {voice!r} here. There are: {here or 'none'}.")

    async def sound(
        self, text: str | Script, *, voice: str | None = None, tts: str | None = None
    ) -> tuple[TextSound, str | None]:
        """``text`` as a sound, and the id of the voice that says it.

        The first sentence of a whole text is begun at once, and its first sound awaited for ``FIRST_SOUND_WITHIN``
        seconds: what a provider refuses is raised here. It is made on while the text waits for its turn, and is stopped
        when nobody holds the ``TextSound`` any more.

        :raises ConfigurationError: no such provider here.
        :raises TTSError: the text cannot be spoken, there is no such voice, or the voice failed.
        """
        script = text if isinstance(text, Script) else Script.of(text)
        name, voice = await self.choose(voice, tts)
        provider = await self._provider(name)
        pool = provider.pool
        given = voice if provider.takes_voice else None

        def key(sentence: str) -> SpeechKey:
            return SpeechKey(sentence, name, given, pool.sample_rate)

        first = None
        if isinstance(text, str):
            sentence = await script.sentence(0)
            assert sentence is not None
            first = self._maker.begin(key(sentence), pool)
            try:
                async with asyncio.timeout(FIRST_SOUND_WITHIN):
                    await first.begun()
            except TimeoutError:
                pass  # the segment tells how it goes on
            except BaseException:
                first.release()
                raise
        sound = TextSound(script, lambda one: self._maker.begin(key(one), pool), pool.sample_rate, first)
        return sound, voice

    async def forget(self, text: str) -> None:
        """Drops what was kept of a text's sound; nor is any of it kept that is being made."""
        self._maker.forget(await asyncio.to_thread(split, text))

    def _own(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work, name="speech")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """An error has been told to whoever still waited for it; asyncio would log the others, message and all."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _look(self) -> None:
        """What is here, found out once, with the first text."""
        async with self._looking:
            if not self._looked:
                here = await asyncio.to_thread(_those_here)
                made = {name: self._known(name, example, type(example)) for name, example in here.items()}
                self._providers = made | self._providers
                self._looked = True

    def _in_order(self) -> list[str]:
        return sorted(self._providers, key=lambda name: (name != self._default, name))

    async def _provider(self, name: str) -> _Provider:
        """:raises ConfigurationError: no such provider, or it lacks something here, by now or a moment ago."""
        if name not in self._providers:
            async with self._making:  # two that ask at once get one and the same
                if name not in self._providers:
                    self._providers[name] = await self._make(name)
        return self._providers[name]

    async def _make(self, name: str) -> _Provider:
        now = self._clock()
        if (missing := self._missing.get(name)) is not None and now < missing.until:
            raise ConfigurationError(missing.why)
        try:
            make = await asyncio.to_thread(load, name)  # a plugin is seconds of reading files
            return self._known(name, make(), make)
        except ConfigurationError as error:
            self._missing = {other: known for other, known in self._missing.items() if now < known.until}
            if len(self._missing) < MOST_MISSING:
                self._missing[name] = _Missing(str(error), now + MISSING_FOR)
            raise

    def _known(self, name: str, example: TTS, make: Callable[[], TTS], *, own: bool = True) -> _Provider:
        pool = VoicePool(name, make, example, example.native_sample_rate or SAMPLE_RATE, own=own)
        default = inspect.signature(type(example)).parameters.get("voice")
        asked = inspect.signature(example.stream_audio).parameters.values()
        return _Provider(
            pool,
            default.default if default is not None and isinstance(default.default, str) else None,
            any(one.name == "voice" or one.kind is inspect.Parameter.VAR_KEYWORD for one in asked),
            VoiceList(pool, self._own, self._clock),
        )

    async def _warm(self) -> None:
        await self._look()
        try:
            provider = await self._provider(self._default)
            async with provider.pool.voice() as tts:
                await tts.warm()
            provider.voices.ask()
        except (TTSError, ConfigurationError) as error:
            logger.warning("the voice %s cannot be used: %s", self._default, error)


def _nearly(voice: str, known: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """The provider and the id of a voice of that name, whatever the case of its letters, else of the first one of a
    language (``fr`` is ``fr-fr``, or else ``fr-be``)."""
    asked = voice.lower()
    same = [one for one in known if one[1].lower() == asked]
    own = [one for one in known if one[1].lower() == f"{asked}-{asked}"]
    of_language = [one for one in known if one[1].lower().startswith(f"{asked}-")]
    return next(iter(same + own + of_language), None)


def _those_here() -> dict[str, TTS]:
    """One of each: what they need is looked for on the disk now, in a thread, and not again."""
    found: dict[str, TTS] = {}
    for one in available():
        if one.available and one.name not in UNNAMED:
            with contextlib.suppress(ConfigurationError):
                found[one.name] = create(one.name)
    return found
