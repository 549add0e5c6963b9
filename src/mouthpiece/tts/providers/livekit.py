"""Adapter for any LiveKit TTS plugin (`livekit-plugins-…`), by its name: dozens of services."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import inspect
import threading
from collections.abc import AsyncIterator, Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.base import TTS
from mouthpiece.tts.errors import TTSBadVoice, TTSError, TTSRefused, TTSTimeout, TTSUnavailable
from mouthpiece.tts.http_status import error_for_status
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.providers.sdk import is_of, sdk_module
from mouthpiece.tts.voice import Voice

_CONNECT_TIMEOUT: Final = 10.0
"""Seconds."""
_MOST_VOICES: Final = 16
"""Plugin objects that are kept, one per voice."""
_NO_SOUND: Final = "no audio frames were pushed"
"""The start of livekit-agents' (1.8.9) message when a plugin ended a text without sound. The error has the general type
``APIError``."""
_REFUSING_CLOSES: Final = (1003, 1007, 1008, 1009)
"""WebSocket close codes (RFC 6455, 7.4.1) by which a service refuses the data; plugins report them as a status."""


class LiveKitTTS(TTS):
    """Speaks with a LiveKit plugin.

    Make it on the main thread: a plugin registers itself when it is imported, and refuses that on another thread.
    ``preload`` does the long part of the import in any thread. In a LiveKit job, plugins take their HTTP session from
    the job; here this object keeps one open until it is closed.

    :param plugin: the name of an installed plugin (``cartesia`` of ``livekit-plugins-cartesia``), or a
        ``livekit.agents.tts.TTS`` of your own, which is not closed.
    :param voice: of a plugin that is given by name.
    :param streaming: use the plugin's streaming connection (mostly a WebSocket), not one request per text.
    :param settings: keyword arguments of the plugin's ``TTS``, if it is given by name.
    :raises ConfigurationError: the plugin is not installed, has no TTS, or does not take the settings.
    """

    first_audio_timeout = 15.0
    stall_timeout = 15.0

    def __init__(self, plugin: Any, *, voice: str | None = None, streaming: bool = False, **settings: Any) -> None:
        named = isinstance(plugin, str)
        super().__init__(f"livekit:{plugin}" if named else f"livekit:{getattr(plugin, 'provider', 'plugin')}")
        if not named:
            _check_own(plugin, settings if voice is None else {"voice": voice, **settings})
        self._settings = settings
        self._kind = _kind(plugin) if named else None
        self._default_voice = voice
        self._plugins: dict[str | None, Any] = {} if named else {None: plugin}
        try:
            made = self._plugin(voice)
        except TTSBadVoice:
            raise ConfigurationError(
                f"The voice {self.provider_name} cannot be set up so: it has no setting for a voice."
            ) from None
        if streaming and not made.capabilities.streaming:
            raise ConfigurationError(f"The voice {self.provider_name} has no streaming connection.")
        self._streaming = streaming
        self.native_sample_rate = int(made.sample_rate)
        self._context = contextvars.copy_context()
        self._session: asyncio.Task[None] | None = None
        self._session_open = asyncio.Event()
        self._leave = asyncio.Event()

    async def stream_audio(self, text: str, *_: Any, voice: str | None = None, **__: Any) -> AsyncIterator[PcmData]:
        agents = sdk_module("livekit.agents", self.provider_name, "agents")
        options = agents.APIConnectOptions(max_retry=0, timeout=_CONNECT_TIMEOUT)
        plugin = self._plugin(voice or self._default_voice)
        await self._open_session()

        def keep_answer(event: Any) -> None:
            if event.error.__cause__ is None:
                event.error.__cause__ = event.error.__context__

        heard = False
        stream = self._context.run(self._ask, plugin, text, options)
        # A plugin raises `from None`, and livekit-agents raises that again, which replaces the context: the service's
        # answer was there.
        plugin.on("error", keep_answer)
        try:
            async for audio in stream:
                frame = audio.frame
                samples = np.frombuffer(frame.data, dtype=np.int16)
                if frame.num_channels > 1:
                    samples = samples.reshape(-1, frame.num_channels).T
                heard = True
                yield PcmData(samples, frame.sample_rate, frame.num_channels)
        except agents.APIError as error:
            if heard or not error.message.startswith(_NO_SOUND):
                raise
            # The base class decides whether a text without sound is an error.
        finally:
            plugin.off("error", keep_answer)
            await stream.aclose()

    async def stop_audio(self) -> None:
        """Nothing to do: closing the stream closes the plugin's."""

    async def close(self) -> None:
        """Close the plugin objects that were made here, and the HTTP session.

        :raises TTSError: a plugin failed to close; everything else has been closed.
        """
        try:
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(self._close_session)
                if self._kind is not None:
                    made, self._plugins = self._plugins, {}
                    for plugin in made.values():
                        stack.push_async_callback(plugin.aclose)
        except Exception as error:
            raise self._as_tts_error(error, heard=False) from error

    async def voices(self) -> list[Voice]:
        plugin = self._plugin(self._default_voice)
        if not hasattr(plugin, "list_voices"):
            return []
        try:
            await self._open_session()
            listing = self._context.run(asyncio.ensure_future, plugin.list_voices())
            return [Voice(one.id, one.name, "", self.provider_name) for one in await listing]
        except Exception as error:
            raise self._as_tts_error(error, heard=False) from error

    def translate_error(self, error: Exception) -> TTSError | None:
        if not is_of(error, "livekit"):
            return None
        agents = importlib.import_module("livekit.agents")
        status = error.status_code if isinstance(error, agents.APIStatusError) else 0
        if 100 <= status < 600:
            return error_for_status(self.provider_name, status, _headers(error.__cause__))
        if isinstance(error, agents.APITimeoutError):
            return TTSTimeout(f"{self.provider_name} took too long.")
        if isinstance(error, agents.APIConnectionError):
            return TTSUnavailable(f"{self.provider_name} is not reachable.")
        if isinstance(error, agents.APIError):
            if isinstance(error.__cause__, agents.APIError):
                return self.translate_error(error.__cause__)
            if status in _REFUSING_CLOSES or not error.retryable:
                return TTSRefused(f"{self.provider_name} refused the request.")
            return TTSUnavailable(f"{self.provider_name} has a failure of its own. Try again later.")
        return None

    def _ask(self, plugin: Any, text: str, options: Any) -> Any:
        if not self._streaming:
            return plugin.synthesize(text, conn_options=options)
        stream = plugin.stream(conn_options=options)
        stream.push_text(text)
        stream.end_input()
        return stream

    def _plugin(self, voice: str | None) -> Any:
        if voice in self._plugins:
            return self._plugins[voice]
        if self._kind is None:
            raise TTSBadVoice("Give the plugin object its voice; this adapter cannot change it.")
        settings = dict(self._settings)
        if voice is not None:
            known = inspect.signature(self._kind).parameters
            parameter = next((name for name in ("voice", "voice_id") if name in known), None)
            if parameter is None or len(self._plugins) >= _MOST_VOICES:
                raise TTSBadVoice(f"{self.provider_name} cannot be given another voice here.")
            settings[parameter] = voice
        try:
            made = self._kind(**settings)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"The voice {self.provider_name} cannot be made: {error}") from error
        except Exception as error:
            raise ConfigurationError(
                f"The voice {self.provider_name} cannot be made ({type(error).__name__}): check its key and settings."
            ) from error
        self._plugins[voice] = made
        return made

    async def _open_session(self) -> None:
        """Open the HTTP session if it is not open. One task opens and closes it, in the context that the plugin's calls
        are made in. After a failure the next call tries again."""
        if self._session is None or self._session.done():
            self._leave.clear()
            self._session_open.clear()
            self._session = asyncio.create_task(self._keep_session(), name="tts-livekit-http", context=self._context)
        session = self._session
        if self._session_open.is_set():
            return
        opened = asyncio.ensure_future(self._session_open.wait())
        try:
            await asyncio.wait({session, opened}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
        if session.done():
            session.result()

    async def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None and not session.done():
            self._leave.set()
            await session

    async def _keep_session(self) -> None:
        http_context = importlib.import_module("livekit.agents.utils.http_context")
        async with http_context.open():
            self._session_open.set()
            await self._leave.wait()


def _check_own(plugin: Any, settings: Mapping[str, Any]) -> None:
    """Check a plugin object of the user's.

    :raises ConfigurationError: it is no TTS of LiveKit, or there are settings, which it could not take any more.
    """
    if not all(hasattr(plugin, name) for name in ("synthesize", "capabilities", "sample_rate", "on", "off")):
        raise ConfigurationError("livekit needs `plugin`: the name of a LiveKit plugin, or an object of its TTS class.")
    if settings:
        raise ConfigurationError(
            f"A plugin object takes no settings here: set {', '.join(sorted(settings))} when you make it."
        )


def _headers(answer: Any) -> Mapping[str, str] | None:
    """The headers in aiohttp's exception, or in one that holds httpx's response."""
    headers = getattr(answer, "headers", None) or getattr(getattr(answer, "response", None), "headers", None)
    return headers if isinstance(headers, Mapping) else None


def preload(name: str) -> None:
    """Import the plugin ``name``, in any thread. This takes seconds: most of the time that making its first
    ``LiveKitTTS`` takes.

    A plugin registers itself in the last lines of its import, and livekit-agents (1.8.9) refuses that outside the main
    thread. The import fails there, but the modules that it has loaded stay loaded, and importing again on the main
    thread is quick.

    :raises ConfigurationError: the plugin is not installed, or its import fails.
    """
    try:
        _import(name)
    except RuntimeError as error:
        if threading.current_thread() is threading.main_thread() or "main thread" not in str(error):
            raise _not_imported(name, error) from error


def _kind(name: str) -> Any:
    """The ``TTS`` class of the plugin ``name``.

    :raises ConfigurationError: the plugin is not installed, its import fails, or it has no TTS.
    """
    try:
        module = _import(name)
    except RuntimeError as error:
        raise _not_imported(name, error) from error
    kind = getattr(module, "TTS", None)
    if kind is None:
        raise ConfigurationError(f"The LiveKit plugin {name!r} has no text to speech.")
    return kind


def _import(name: str) -> ModuleType:
    """Import the plugin ``name``.

    :raises RuntimeError: from the import itself; among others because this is not the main thread.
    :raises ConfigurationError: any other failure.
    """
    if not name.replace("_", "").isalnum():
        raise ConfigurationError(f"{name!r} is not the name of a LiveKit plugin.")
    try:
        return importlib.import_module(f"livekit.plugins.{name}")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The LiveKit plugin {name!r} is not installed: install livekit-plugins-{name.replace('_', '-')}."
        ) from error
    except RuntimeError:
        raise
    except Exception as error:
        raise _not_imported(name, error) from error


def _not_imported(name: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"The LiveKit plugin {name!r} cannot be imported ({type(error).__name__}).")
