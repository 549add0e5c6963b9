"""LiveKit's plugins are loaded beside the event loop, though they insist on the main thread at the end."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import create, load
from mouthpiece_sender.speech import Speech
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
    async with Speech() as speech:
        sounds = await asyncio.gather(*(speech.sound("Hello.", tts="livekit:made_up") for _ in range(2)))
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
