"""The settings of the avatar server: read once, in ``main``, from the environment and ``.env.local``."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.env_file import load_env_file
from mouthpiece.process.json_logs import LogFormat
from mouthpiece.process.settings import SHORTEST_SECRET, CommaList, check_length, read_settings
from mouthpiece.process.sockets import is_loopback
from mouthpiece_avatar.livekit_address import LiveKitAddress

ENV_FILE = Path(".env.local")


class RuntimeName(enum.StrEnum):
    """A way to draw the avatars."""

    FACE = "face"
    """The built-in faces."""
    BITHUMAN = "bithuman"
    """bitHuman's SDK."""


def _address(url: str) -> str:
    LiveKitAddress.parse(url)
    return url


class Settings(BaseSettings):
    """Each field says which environment variable it comes from; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True)

    host: str = Field(default="127.0.0.1", validation_alias="MOUTHPIECE_AVATAR_HOST")
    """Address to listen on."""
    port: int = Field(default=8080, ge=0, le=65_535, validation_alias="MOUTHPIECE_AVATAR_PORT")
    """0 takes a free one."""
    log_format: LogFormat = Field(default=LogFormat.TEXT, validation_alias="MOUTHPIECE_LOG_FORMAT")
    """``text`` or ``json``."""
    livekit_url: Annotated[str, AfterValidator(_address)] | None = Field(default=None, validation_alias="LIVEKIT_URL")
    """The LiveKit server that avatars may join, unless ``livekit_urls`` names others."""
    livekit_urls: CommaList[str] = Field(default_factory=list, validation_alias="MOUTHPIECE_AVATAR_LIVEKIT_URLS")
    """The LiveKit servers that avatars may join."""
    secrets: CommaList[SecretStr] = Field(default_factory=list, validation_alias="MOUTHPIECE_AVATAR_SECRETS")
    """The ``api-secret`` values that are let in; on loopback any is when this is empty."""
    runtime: RuntimeName = Field(default=RuntimeName.FACE, validation_alias="MOUTHPIECE_AVATAR_RUNTIME")
    """The runtime that draws the avatars."""
    face: str = Field(default="mia", validation_alias="MOUTHPIECE_AVATAR_FACE")
    """Of the runtime ``face``: for avatars for which none was chosen."""
    size: str = Field(default="512", validation_alias="MOUTHPIECE_AVATAR_SIZE")
    """Of the runtime ``face``: lines of a square picture, or width and lines, as ``1280x720``; 256 to 1080 lines."""
    background: str | None = Field(default=None, validation_alias="MOUTHPIECE_AVATAR_BACKGROUND")
    """Of the runtime ``face``: a colour as ``#rrggbb``, or the path of a picture; a room of the face's own without."""
    bithuman_secret: SecretStr | None = Field(default=None, validation_alias="BITHUMAN_API_SECRET")
    """Of the runtime ``bithuman``: bitHuman's API secret."""
    bithuman_model: Path | None = Field(default=None, validation_alias="BITHUMAN_MODEL_PATH")
    """Of the runtime ``bithuman``: the ``.imx`` file of the avatar."""
    max_sessions: int = Field(default=20, ge=1, validation_alias="MOUTHPIECE_AVATAR_MAX_SESSIONS")
    """Rooms at a time; what comes beyond that is answered with 503."""
    processes: int | None = Field(default=None, ge=1, validation_alias="MOUTHPIECE_AVATAR_PROCESSES")
    """That run sessions, at most; None: as many as this process may use cores. With 1 the server runs some itself."""
    alone: float = Field(default=60, ge=0, allow_inf_nan=False, validation_alias="MOUTHPIECE_AVATAR_ALONE")
    """Seconds after which an avatar leaves a room in which nobody else is; 0 is never."""

    def processes_at_most(self) -> int:
        """Return how many processes may run sessions."""
        return min(self.processes or usable_cores(), self.max_sessions)

    def allowed(self) -> list[LiveKitAddress] | None:
        """Return the servers that avatars may join; None: those on this machine.

        :raises ConfigurationError: one of them is not an address.
        """
        urls = self.livekit_urls or ([self.livekit_url] if self.livekit_url else [])
        try:
            return [LiveKitAddress.parse(url) for url in urls] or None
        except ValueError as error:
            raise ConfigurationError(f"MOUTHPIECE_AVATAR_LIVEKIT_URLS: {error}") from None

    def check(self) -> None:
        """:raises ConfigurationError: what was set cannot work together; it says what to do."""
        if not is_loopback(self.host) and not self.secrets:
            raise ConfigurationError(
                f"listening on {self.host} needs MOUTHPIECE_AVATAR_SECRETS: without a secret anybody who reaches "
                "this address could start avatars. Set it, or listen on 127.0.0.1"
            )
        if not is_loopback(self.host):
            for secret in self.secrets:
                check_length("MOUTHPIECE_AVATAR_SECRETS", secret.get_secret_value(), SHORTEST_SECRET)
        if not is_loopback(self.host) and not (self.livekit_urls or self.livekit_url):
            raise ConfigurationError(
                "LIVEKIT_URL is not set (nor MOUTHPIECE_AVATAR_LIVEKIT_URLS): avatars must know which LiveKit "
                "server they may join"
            )
        self.allowed()


def load_settings(**given: Any) -> Settings:
    """Read the settings from the environment and ``.env.local``; ``given`` (a command line's options) overrides both.

    :raises ConfigurationError: settings are wrong; it names each one, and never says a value.
    """
    load_env_file(ENV_FILE)
    settings = read_settings(Settings, **given)
    settings.check()
    return settings


def read_own_settings() -> Settings:
    """Read the settings as the server did; where it listens does not matter to a process that runs its sessions.

    :raises ConfigurationError: settings are wrong.
    """
    load_env_file(ENV_FILE)
    return read_settings(Settings, host="127.0.0.1", port=0)


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
