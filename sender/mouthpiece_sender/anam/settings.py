"""Settings for Anam's target.

Read without pydantic, whose import costs a second: ``mouthpiece play`` needs nothing else of it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mouthpiece.errors import ConfigurationError

DEFAULT_AVATAR: Final = "071b0286-4cce-4808-bee2-e642f1062de3"
"""Liv, an avatar that every account of Anam has."""
DEFAULT_URL: Final = "https://api.anam.ai"
READY_TIMEOUT: Final = 30.0
LINGER: Final = 5.0
TTS: Final = "elevenlabs"
"""The voice that Anam's own recipe for passthrough uses, at 24 kHz; its default voice and model are the recipe's."""


class Via(enum.StrEnum):
    """The target: an avatar in a LiveKit room, or Anam's engine without one."""

    LIVEKIT = "livekit"
    ANAM = "anam"


@dataclass(frozen=True, slots=True)
class AnamSettings:
    """Built once from the environment by :func:`anam_settings`, and passed down."""

    api_key: str = field(repr=False)
    avatar_id: str = DEFAULT_AVATAR
    api_url: str = DEFAULT_URL
    ready_timeout: float = READY_TIMEOUT
    """Seconds to wait for the connection, and again for the avatar to be ready."""
    linger: float = LINGER
    """Seconds that the session stays open after the last sound, in which the avatar returns to its neutral pose."""


def anam_settings(environment: Mapping[str, str], *, ready_timeout: float = READY_TIMEOUT) -> AnamSettings:
    """Read the settings from ``environment``.

    :raises ConfigurationError: the key is missing, or a value is wrong; the message names the variable.
    """
    key = environment.get("ANAM_API_KEY", "").strip()
    if not key:
        raise ConfigurationError(
            "ANAM_API_KEY not set: put a key from lab.anam.ai into the environment or into .env.local."
        )
    if not key.isprintable() or " " in key:
        raise ConfigurationError("ANAM_API_KEY is no key: it contains a space or a line break.")
    url = environment.get("ANAM_API_URL", DEFAULT_URL).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError("ANAM_API_URL must begin with http:// or https://.")
    linger = environment.get("MOUTHPIECE_ANAM_LINGER", "")
    try:
        seconds = float(linger) if linger else LINGER
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 600:
        raise ConfigurationError("MOUTHPIECE_ANAM_LINGER must be a number of seconds, 0 to 600.")
    return AnamSettings(key, environment.get("ANAM_AVATAR_ID") or DEFAULT_AVATAR, url, ready_timeout, seconds)


def target_from_environment(environment: Mapping[str, str]) -> Via:
    """Return the target that ``MOUTHPIECE_TARGET`` names; LiveKit if it is not set.

    :raises ConfigurationError: it names no target.
    """
    try:
        return Via(environment.get("MOUTHPIECE_TARGET") or Via.LIVEKIT)
    except ValueError:
        raise ConfigurationError(f"MOUTHPIECE_TARGET must be one of: {', '.join(Via)}.") from None


def default_tts_for_anam(environment: Mapping[str, str]) -> str:
    """Return the provider for a text that names none: ElevenLabs if its key is set, else the offline voice."""
    from mouthpiece.tts.registry import DEFAULT as OFFLINE  # costs a second, which `play` need not spend

    return TTS if environment.get("ELEVENLABS_API_KEY") else OFFLINE
