"""Speaking from Python, without a service::

async with Speaker(room="demo") as speaker:
    segment = await speaker.play("assets/hello_world_16kHz.wav")
    await segment.finished()
    segment = await speaker.say("Hello. It is good to see you.")
    await segment.finished()
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from mouthpiece.audio.decoders import Decoders
from mouthpiece.audio.loudness import loudness_of
from mouthpiece.errors import ConfigurationError
from mouthpiece.process.env_file import environment_over
from mouthpiece.segments import Mode, OnLoss, Segment, Source, TextFormat, Until, new_segment_id
from mouthpiece.tts import TTS
from mouthpiece.wire import SENDER_NAME
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.sounds.file import FileSound
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.speech.voices import Voices, lexicon_of
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.target import SpeakRequest, Target


@dataclass(frozen=True, slots=True)
class PlayingSegment:
    """A segment that was accepted."""

    id: str
    _gateway: Gateway

    async def now(self) -> Segment:
        """Return its current value."""
        return await self._gateway.segment(self.id)

    async def wait(self, until: Until, timeout: float | None = None) -> Segment:
        """Wait until it reaches ``until``, at most ``timeout`` seconds; return its current value."""
        return await self._gateway.wait(self.id, until, timeout)

    async def finished(self, timeout: float | None = None) -> Segment:
        """Wait for its end and return it. A bad end raises nothing: read ``state``, ``receipt`` and ``error``."""
        return await self.wait("finished", timeout)

    async def interrupt(self) -> Segment:
        """Cancel it if it waits, interrupt it if it plays."""
        return await self._gateway.cancel(self.id)


class Speaker:
    """Speaks through the avatar of one room. Leaving the ``async with`` stops what plays and leaves the room.

    :raises ConfigurationError: on entering: LiveKit's address, key or secret is neither given nor in the environment;
        or the lexicon cannot be read.
    """

    def __init__(
        self,
        room: str,
        *,
        url: str | None = None,
        api_key: str | None = None,
        api_secret: str | None = None,
        avatar: str | None = None,
        identity: str | None = None,
        name: str = SENDER_NAME,
        avatar_timeout: float = 30.0,
        lexicon: Path | None = None,
        via: Target | None = None,
    ) -> None:
        """
        :param room: the room's name.
        :param url: LiveKit's address; this, key and secret default to ``LIVEKIT_*`` of the environment or .env.local.
        :param avatar: the identity of the avatar, needed where a room has several.
        :param identity: our own identity, for a receiver that is bound to a fixed one.
        :param avatar_timeout: seconds to wait for an avatar.
        :param lexicon: a file with words and how they are said; default: ``MOUTHPIECE_LEXICON``.
        :param via: a target to speak through instead of an avatar in a LiveKit room
            (``mouthpiece_sender.anam.target.AnamTarget``); LiveKit is not needed then.
        """
        self._room = room
        self._given = {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": api_key, "LIVEKIT_API_SECRET": api_secret}
        self._avatar = avatar
        self._identity = identity
        self._name = name
        self._avatar_timeout = avatar_timeout
        self._lexicon = lexicon
        self._via = via

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            target = self._via or await self._livekit(stack)
            self._decoders = await stack.enter_async_context(Decoders(processes=1))
            known = await asyncio.to_thread(environment_over, Path(".env.local"))
            lexicon = await asyncio.to_thread(lexicon_of, self._lexicon or known.get("MOUTHPIECE_LEXICON"))
            self._voices = await stack.enter_async_context(Voices(lexicon=lexicon))
            self._gateway = await stack.enter_async_context(
                Gateway(
                    target,
                    MemoryJournal(),
                    drop_queued_on_exit=True,
                    loudness=loudness_of(known.get("MOUTHPIECE_LOUDNESS")),
                )
            )
            self._gateway.expect(self._room)
            self._stack = stack.pop_all()
        return self

    async def _livekit(self, stack: AsyncExitStack) -> LiveKitTarget:
        access = await asyncio.to_thread(_access, self._given)
        known = await asyncio.to_thread(environment_over, Path(".env.local"))
        return LiveKitTarget(
            access,
            await stack.enter_async_context(LiveKitApi(access)),
            instance=secrets.token_hex(4),
            identity=self._identity,
            name=self._name,
            avatar_timeout=self._avatar_timeout,
            warm=float("inf"),
            listens=known.get("MOUTHPIECE_LISTEN", "true").strip().lower() not in ("false", "off", "no", "0"),
            waits_for_livekit=False,  # a caller that waits is better served by the reason
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def connected(self) -> bool:
        """Whether it is in the room, or has a session."""
        activity = self._gateway.activity().get(self._room)
        return activity is not None and activity.connected

    async def play(
        self,
        sound: str | Path | Sound,
        *,
        mode: Mode | str = Mode.APPEND,
        on_loss: OnLoss | str = OnLoss.DROP,
        interruptible: bool = True,
        wait_for_viewer: bool = False,
        expires_in: float | None = None,
    ) -> PlayingSegment:
        """Play a file or a sound, after what was accepted before.

        :param mode: ``append``, ``interrupt`` (stop what plays, go first) or ``ignore`` (only if nothing plays).
        :param expires_in: seconds that it may wait.
        :raises AudioError: the file cannot be read as sound.
        :raises AvatarAmbiguous: several avatars are in the room and none was named.
        :raises LiveKitUnavailable: the server cannot be reached.
        :raises LiveKitRefused: it does not accept the key and secret.
        """
        if isinstance(sound, str | Path):
            source = Source("file", Path(sound).name)
            playable: Sound = await FileSound.probe(Path(sound), self._decoders)
        else:
            source, playable = Source("live"), sound
        return await self._speak(playable, source, mode, on_loss, interruptible, wait_for_viewer, expires_in)

    async def say(
        self,
        text: str | AsyncIterable[str],
        *,
        voice: str | None = None,
        tts: str | TTS | None = None,
        text_format: TextFormat = "plain",
        mode: Mode | str = Mode.APPEND,
        on_loss: OnLoss | str = OnLoss.DROP,
        interruptible: bool = True,
        wait_for_viewer: bool = False,
        expires_in: float | None = None,
    ) -> PlayingSegment:
        """Say a text, whole or while it is still being written, sentence by sentence, after what was accepted before.

        :param text: a string, or an iterable of pieces of any length. Where a second passes without a piece, the text
            so far is said as it stands.
        :param voice: the id of a voice of ``tts`` or, without ``tts``, of any available provider.
        :param tts: a provider's name (``mouthpiece.tts.available``) or a TTS of your own, which is not closed; default:
            the offline voice.
        :param text_format: ``markdown`` reads what a language model writes as a person would read it aloud.
        :raises TTSError: the text cannot be spoken, there is no such voice, or it failed before its first sound.
        :raises ConfigurationError: no such provider is available.
        :raises AvatarAmbiguous: several avatars are in the room and none was named.
        :raises LiveKitUnavailable: the server cannot be reached.
        :raises LiveKitRefused: it does not accept the key and secret.
        """
        name = tts if isinstance(tts, str) else None
        if isinstance(tts, TTS):
            name = f"{tts.provider_name} {tts.session_id}"
            self._voices.use(name, tts)
        spoken = text if isinstance(text, str) else self._voices.read(text, text_format)
        sound, spoken_by = await self._voices.sound(spoken, voice=voice, tts=name, text_format=text_format)
        source = Source("text", text=text if isinstance(text, str) else None, voice=spoken_by)
        return await self._speak(sound, source, mode, on_loss, interruptible, wait_for_viewer, expires_in)

    async def _speak(
        self,
        sound: Sound,
        source: Source,
        mode: Mode | str,
        on_loss: OnLoss | str,
        interruptible: bool,
        wait_for_viewer: bool,
        expires_in: float | None,
    ) -> PlayingSegment:
        segment = await self._gateway.speak(
            SpeakRequest(
                self._room,
                sound,
                source,
                new_segment_id(),
                avatar=self._avatar,
                mode=Mode(mode),
                on_loss=OnLoss(on_loss),
                interruptible=interruptible,
                wait_for_viewer=wait_for_viewer,
                expires_in=expires_in,
            )
        )
        return PlayingSegment(segment.id, self._gateway)

    async def interrupt(self, *, queued: Literal["keep", "drop"] = "keep") -> list[Segment]:
        """Stop what plays; the queue goes on (``keep``) or is dropped too (``drop``)."""
        return await self._gateway.interrupt(self._room, avatar=self._avatar, queued=queued)


def _access(given: dict[str, str | None]) -> LiveKitAccess:
    known = environment_over(Path(".env.local"))
    values = {name: value or known.get(name, "") for name, value in given.items()}
    if missing := [name for name, value in values.items() if not value]:
        raise ConfigurationError(
            f"{', '.join(missing)} not set: give it to Speaker, or set it in the environment or .env.local."
        )
    return LiveKitAccess.checked(values["LIVEKIT_URL"], values["LIVEKIT_API_KEY"], values["LIVEKIT_API_SECRET"])
