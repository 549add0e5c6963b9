"""LiveKit's plugins are loaded beside the event loop, though they insist on the main thread at the end."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit.agents.utils import http_context

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import TTSNoSound, TTSProviderFailed, TTSUnavailable, create, load
from mouthpiece_sender.speech.voices import Voices
from tests.loopback.tts.emulators import tasks_since
from tests.unit.tts.fakes import Ear

REGISTERS = """
from livekit.agents import Plugin

from .voice import TTS


class Made(Plugin):
    def __init__(self):
        super().__init__(__name__, "1", __package__)


Plugin.register_plugin(Made())
"""
"""As LiveKit's own plugins do."""
VOICE = """
import threading
from types import SimpleNamespace

import numpy as np
from livekit.agents import tts

loaded_on = threading.current_thread().name


class Stream:
    def __init__(self):
        self.left = 3

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        data = np.full(2400, 1000, np.int16).tobytes()
        return SimpleNamespace(frame=SimpleNamespace(data=data, num_channels=1, sample_rate=24000))

    async def aclose(self):
        pass


class TTS(tts.TTS):
    def __init__(self):
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=24000, num_channels=1)

    def synthesize(self, text, *, conn_options):
        return Stream()
"""
PLAIN = """
from livekit.agents import APIConnectOptions, APIError, tts


class Stream(tts.ChunkedStream):
    async def _run(self, emitter):
        emitter.initialize(request_id="r", sample_rate=24000, num_channels=1, mime_type="audio/pcm")
        if "refused" in self._input_text:
            raise APIError("the service is busy")
        if "Hello" in self._input_text:
            emitter.push(bytes(4800))
            emitter.flush()


class TTS(tts.TTS):
    def __init__(self, pitch=1):
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=24000, num_channels=1)

    def synthesize(self, text, *, conn_options=APIConnectOptions()):
        return Stream(tts=self, input_text=text, conn_options=conn_options)
"""
"""Through livekit-agents' own stream; it gives a sound for a Hello alone."""
NOT_CLOSING = """
    async def aclose(self):
        raise RuntimeError("sk-secret")
"""
NO_KEY = """
class NoKey(Exception):
    pass


class TTS:
    def __init__(self):
        raise NoKey("sk-secret")
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of plugins that a test writes."""
    folder = tmp_path / "livekit" / "plugins"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("livekit.plugins."):
            del sys.modules[name]


def write(folder: Path, name: str, **modules: str) -> None:
    (folder / name).mkdir()
    for module, code in modules.items():
        (folder / name / f"{module}.py").write_text(code)


async def test_a_service_loads_a_plugin_in_a_thread_and_speaks_with_it(plugins: Path) -> None:
    await asyncio.to_thread(write, plugins, "made_up", __init__=REGISTERS, voice=VOICE)
    async with Voices() as voices:
        sounds = await asyncio.gather(*(voices.sound("Hello.", tts="livekit:made_up") for _ in range(2)))
        assert sys.modules["livekit.plugins.made_up.voice"].loaded_on != threading.main_thread().name
        for sound, _ in sounds:
            async with sound.open() as blocks:
                assert sum([block.frames async for block in blocks]) == 7200


async def test_on_the_main_thread_it_is_loaded_there(plugins: Path) -> None:
    await asyncio.to_thread(write, plugins, "made_up", __init__=REGISTERS, voice=VOICE)
    async with create("livekit:made_up") as tts:
        ear = Ear(tts)
        await tts.send("Hello.")
    assert ear.frames == 4800
    assert sys.modules["livekit.plugins.made_up.voice"].loaded_on == threading.main_thread().name


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module_at_all", "install livekit-plugins-broken"),
        ("raise RuntimeError('sk-secret')", r"cannot be imported \(RuntimeError\)"),
        ("raise KeyError('sk-secret')", r"cannot be imported \(KeyError\)"),
        ("no, python", r"cannot be imported \(NameError\)"),
        ("STT = 1", "has no text to speech"),
        (NO_KEY, r"cannot be made \(NoKey\): check its key"),
    ],
)
async def test_a_plugin_that_cannot_be_used_says_why(plugins: Path, code: str, said: str) -> None:
    await asyncio.to_thread(write, plugins, "broken", __init__=code)
    with pytest.raises(ConfigurationError, match=said) as caught:
        (await asyncio.to_thread(load, "livekit:broken"))()
    assert "sk-secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match=said):
        create("livekit:broken")


async def test_a_text_without_a_sound_is_as_with_every_other_voice(plugins: Path) -> None:
    await asyncio.to_thread(write, plugins, "plain", __init__=PLAIN)
    async with create("livekit:plain") as tts:
        with pytest.raises(TTSNoSound) as caught:
            await tts.send("Nothing comes.")
        assert not caught.value.retryable
        await tts.send("...")
        with pytest.raises(TTSUnavailable):
            await tts.send("It is refused.")
        ear = Ear(tts)
        await tts.send("Hello.")
        assert ear.frames > 1_500


async def test_a_session_that_cannot_be_opened_fails_the_text_and_the_next_one_tries_again(
    plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(write, plugins, "plain", __init__=PLAIN)

    def fail() -> None:
        raise OSError("no certificates")

    async with create("livekit:plain") as tts:
        tts.first_audio_timeout = None
        with monkeypatch.context() as patch:
            patch.setattr(http_context, "open", fail)
            async with asyncio.timeout(20):
                with pytest.raises(TTSUnavailable, match="not reachable") as caught:
                    await tts.send("Hello.")
        assert str(caught.value.__cause__) == "no certificates"
        ear = Ear(tts)
        await tts.send("Hello.")
        assert ear.frames > 1_500


async def test_a_plugin_that_cannot_be_closed_leaves_nothing_open_and_is_said(plugins: Path) -> None:
    await asyncio.to_thread(write, plugins, "plain", __init__=PLAIN + NOT_CLOSING)
    before = asyncio.all_tasks()
    tts = create("livekit:plain")
    await tts.send("Hello.")
    with pytest.raises(TTSProviderFailed) as caught:
        await tts.close()
    assert "sk-secret" not in str(caught.value)
    assert tasks_since(before) == set()
    await tts.close()


@pytest.mark.parametrize("settings", [{"voice": "nova"}, {"pitch": 2}, {"voice": "nova", "pitch": 2}])
async def test_settings_beside_a_plugin_object_of_ones_own_are_not_taken(
    plugins: Path, settings: dict[str, Any]
) -> None:
    await asyncio.to_thread(write, plugins, "plain", __init__=PLAIN)
    own = importlib.import_module("livekit.plugins.plain").TTS()
    with pytest.raises(ConfigurationError, match="takes no settings here: set " + ", ".join(sorted(settings))):
        create("livekit", plugin=own, **settings)


async def test_a_voice_for_a_plugin_that_has_no_such_setting_is_not_taken(plugins: Path) -> None:
    await asyncio.to_thread(write, plugins, "plain", __init__=PLAIN)
    with pytest.raises(ConfigurationError, match="no setting for a voice"):
        create("livekit:plain", voice="nova")


@pytest.mark.parametrize("plugin", [None, object(), 5])
def test_what_is_no_plugin_is_not_taken(plugin: object) -> None:
    with pytest.raises(ConfigurationError, match="livekit needs `plugin`"):
        create("livekit", plugin=plugin)
