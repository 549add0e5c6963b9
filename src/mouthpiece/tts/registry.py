"""The providers by name. To add one, add a file in ``providers`` and a line here (docs/adding.md)."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mouthpiece.errors import ConfigurationError
from mouthpiece.extras import needs
from mouthpiece.tts.base import TTS
from mouthpiece.tts.programs import find

DEFAULT: Final = "offline"


@dataclass(frozen=True, slots=True)
class _Entry:
    module: str
    kind: str
    summary: str
    package: str | None = None
    """A module that must be importable."""
    extra: str | None = None
    """The extra of this distribution that installs ``package``."""
    command: str | None = None
    """A program that must be installed."""
    key: str | None = None
    """An environment variable that must be set, unless ``api_key`` or ``client`` is given."""


_ENTRIES: Final[Mapping[str, _Entry]] = {
    "offline": _Entry("offline", "OfflineTTS", "English, on this machine, no key", "hibari", "offline"),
    "espeak": _Entry("espeak", "EspeakTTS", "over a hundred languages, on this machine", command="espeak-ng"),
    "openai": _Entry("openai", "OpenAITTS", "OpenAI", "openai", "openai", key="OPENAI_API_KEY"),
    "elevenlabs": _Entry(
        "elevenlabs", "ElevenLabsTTS", "ElevenLabs", "elevenlabs", "elevenlabs", key="ELEVENLABS_API_KEY"
    ),
    "livekit": _Entry("livekit", "LiveKitTTS", "any LiveKit TTS plugin: livekit:NAME", "livekit.agents", "agents"),
    "vision_agents": _Entry("vision_agents", "VisionAgentsTTS", "an object of a Vision Agents TTS plugin"),
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that ``create`` knows."""

    name: str
    summary: str
    missing: str | None
    """A sentence that says what it lacks on this machine and how to get that; None: nothing."""

    @property
    def available(self) -> bool:
        return self.missing is None


def available() -> list[Provider]:
    """All providers, with what each lacks on this machine. ``livekit`` and ``vision_agents`` also need the name or the
    object of a plugin. This reads the disk: call it at a service's start, or in a thread."""
    return [Provider(name, entry.summary, _missing(name, entry, {})) for name, entry in _ENTRIES.items()]


def create(name: str = DEFAULT, **settings: Any) -> TTS:
    """Make a TTS. ``livekit:cartesia`` is short for ``livekit`` with ``plugin="cartesia"``.

    This is quick for all but ``livekit``, which imports the plugin: the others load models and SDKs with the first
    synthesis, or in ``warm``.

    :param settings: the keyword arguments of the provider's class.
    :raises ConfigurationError: there is no such provider, it lacks something, or it has no such setting.
    """
    return load(name, **settings)()


def load(name: str = DEFAULT, **settings: Any) -> Callable[[], TTS]:
    """Do the slow part of ``create``, which reads the disk and imports; return a function that makes a TTS. This may
    run in any thread; the returned function must be called on the main thread.

    :raises ConfigurationError: as ``create``; the returned function raises it too.
    """
    name, _, plugin = name.partition(":")
    entry = _ENTRIES.get(name)
    if entry is None:
        raise ConfigurationError(f"There is no voice provider {name!r}. There are: {', '.join(_ENTRIES)}.")
    if plugin:
        settings = {"plugin": plugin, **settings}
    if missing := _missing(name, entry, settings):
        raise ConfigurationError(missing)
    module = importlib.import_module(f"mouthpiece.tts.providers.{entry.module}")
    kind = getattr(module, entry.kind)
    if name == "livekit" and "plugin" not in settings:
        raise ConfigurationError("The voice livekit is a plugin's: name it, as livekit:cartesia.")
    if name == "vision_agents" and not settings:
        raise ConfigurationError("The voice vision_agents is made from a plugin's object, in Python alone.")
    try:
        inspect.signature(kind).bind(**settings)
    except TypeError as error:
        raise ConfigurationError(f"The voice {name} cannot be set up so: {error}.") from None
    if name == "livekit" and isinstance(settings["plugin"], str):
        module.preload(settings["plugin"])

    def make() -> TTS:
        made: TTS = kind(**settings)
        return made

    return make


def _missing(name: str, entry: _Entry, settings: Mapping[str, Any]) -> str | None:
    if entry.package is not None and entry.extra is not None and not _installed(entry.package):
        return needs(f"The voice {name}", entry.extra)
    if entry.command is not None and find(settings.get("command") or entry.command) is None:
        return f"The voice {name} needs the program {entry.command}: install it (apt install {entry.command})."
    given = any(settings.get(setting) for setting in ("api_key", "client"))
    if entry.key is not None and not given and not os.environ.get(entry.key):
        return f"The voice {name} needs a key: set {entry.key}."
    return None


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False
