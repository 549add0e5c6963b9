"""The worker's settings: read once from the environment, in ``main``, and passed down.

A job runs in a process of its own and gets this object with its entrypoint (a ``functools.partial``, pickled over a
pipe). If it read the environment again, a changed ``.env.local`` would give one worker two configurations.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mouthpiece.dispatch import DEFAULT_AGENT_NAME, Provider, check_avatar_id
from mouthpiece.errors import ConfigurationError
from mouthpiece.process.json_logs import LogFormat
from mouthpiece.process.settings import HttpUrl, LiveKitUrl, read_settings

AvatarId = Annotated[str, AfterValidator(check_avatar_id)]


class Settings(BaseSettings):
    """Each field names its environment variable; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    livekit_url: LiveKitUrl = Field(validation_alias="LIVEKIT_URL")
    livekit_api_key: str = Field(validation_alias="LIVEKIT_API_KEY")
    livekit_api_secret: SecretStr = Field(validation_alias="LIVEKIT_API_SECRET")

    log_format: LogFormat = Field(LogFormat.TEXT, validation_alias="MOUTHPIECE_LOG_FORMAT")
    """``text`` or ``json``."""

    agent_name: str = Field(DEFAULT_AGENT_NAME, validation_alias="AGENT_NAME")
    """Jobs are dispatched to this name only: no room gets an avatar without a dispatch."""
    avatar_provider: Provider = Field(Provider.LOCAL, validation_alias="AVATAR_PROVIDER")
    """For jobs whose metadata names none."""
    avatar_id: AvatarId | None = Field(None, validation_alias="AVATAR_ID")
    """For jobs whose metadata names none; the local provider has a default of its own, Avaluma has none."""

    avatar_url: HttpUrl = Field("http://127.0.0.1:8080", validation_alias="MOUTHPIECE_AVATAR_URL")
    """The local avatar server."""
    avatar_secret: SecretStr = Field(SecretStr("mouthpiece"), validation_alias="MOUTHPIECE_AVATAR_SECRET")
    """Its ``api-secret``; on loopback the server accepts any."""
    avatar_server_url: HttpUrl = Field("https://api.avaluma.ai", validation_alias="AVATAR_SERVER_URL")
    """Avaluma's avatar server, theirs or your own."""
    avaluma_license_key: SecretStr | None = Field(None, validation_alias="AVALUMA_LICENSE_KEY")
    avatar_livekit_url: LiveKitUrl | None = Field(None, validation_alias="MOUTHPIECE_LIVEKIT_URL_FOR_AVATAR")
    """The LiveKit address that the avatar server joins, where it is not the worker's own."""
    avaluma_avatar_id: AvatarId | None = Field(None, validation_alias="AVALUMA_AVATAR_ID")
    """Avaluma's name for the avatar of jobs that have its provider and name none."""
    avaluma_api_key: SecretStr | None = Field(None, validation_alias="AVALUMA_API_KEY")
    """The licence key, as Avaluma's plugin calls it."""
    avaluma_api_url: HttpUrl | None = Field(None, validation_alias="AVALUMA_API_URL")
    """Avaluma's avatar server, as its plugin calls it."""
    avaluma_avatar_server_url: HttpUrl | None = Field(None, validation_alias="AVALUMA_AVATAR_SERVER_URL")
    """The same, as LiveKit's documentation of the plugin calls it."""
    avatar_start_timeout: float = Field(60, gt=0, validation_alias="MOUTHPIECE_AVATAR_START_TIMEOUT")
    """Seconds for one start of the avatar, from the request until it is in the room, retries included."""

    empty_room_timeout: float = Field(300, ge=0, validation_alias="MOUTHPIECE_EMPTY_ROOM_TIMEOUT")
    """Seconds without a viewer after which a job ends; 0 is never (LiveKit's own time-outs still close the room).

    The default is LiveKit's default for a room that nobody has joined yet: with a shorter one the avatar would leave
    before an invited viewer opens the page.
    """
    host: str = Field("127.0.0.1", validation_alias="MOUTHPIECE_AGENTS_HOST")
    port: int = Field(8081, ge=0, le=65_535, validation_alias="MOUTHPIECE_AGENTS_PORT")
    """Of the health check; 0 takes a free port."""
    idle_processes: int = Field(1, ge=0, le=16, validation_alias="MOUTHPIECE_AGENTS_IDLE_PROCESSES")
    """Processes kept warm for the next job; with 0 each job waits a second or two for its process."""
    max_jobs: int = Field(50, ge=1, validation_alias="MOUTHPIECE_AGENTS_MAX_JOBS")
    """Rooms at a time; jobs beyond that are left to other workers."""
    drain_timeout: float = Field(0, ge=0, validation_alias="MOUTHPIECE_AGENTS_DRAIN_TIMEOUT")
    """Seconds that running jobs may go on after SIGTERM, whatever they do."""
    drain: float = Field(20, ge=0, validation_alias="MOUTHPIECE_DRAIN")
    """Seconds that the local avatar may go on speaking, once its job ends with the worker; 0 cuts it off."""

    def require_license_key(self) -> str:
        """Return Avaluma's licence key.

        :raises ConfigurationError: the key is not set.
        """
        if self.avaluma_license_key is None:
            raise ConfigurationError(
                "AVALUMA_LICENSE_KEY is not set: the provider avaluma needs your licence key, "
                "in the environment or in .env.local"
            )
        return self.avaluma_license_key.get_secret_value()


def _in_one_name(settings: Settings) -> Settings:
    """Return the settings with each of Avaluma's under our name for it, whichever of its names it was given by.

    :raises ConfigurationError: two names of one setting have different values.
    """
    names = (
        ("avaluma_license_key", "avaluma_api_key"),
        ("avatar_server_url", "avaluma_api_url", "avaluma_avatar_server_url"),
        ("avaluma_avatar_id", "avatar_id") if settings.avatar_provider is Provider.AVALUMA else ("avaluma_avatar_id",),
    )
    changes = {}
    for fields in names:
        given = [name for name in fields if name in settings.model_fields_set and getattr(settings, name) is not None]
        for other in given[1:]:
            if getattr(settings, other) != getattr(settings, given[0]):
                one, two = (Settings.model_fields[name].validation_alias for name in (given[0], other))
                raise ConfigurationError(f"{one} and {two} are two names of one setting and differ: set one of them")
        if given:
            changes[fields[0]] = getattr(settings, given[0])
    return settings.model_copy(update=changes)


def load_settings() -> Settings:
    """Read the settings from the environment, complete for the provider that jobs get by default.

    :raises ConfigurationError: a setting is missing or wrong; the message names it, and never its value.
    """
    settings = _in_one_name(read_settings(Settings))
    if settings.avatar_provider is Provider.AVALUMA:
        settings.require_license_key()
        if settings.avaluma_avatar_id is None:
            raise ConfigurationError(
                "AVATAR_ID is not set: the provider avaluma needs the name of your .hvia file, without the extension"
            )
    return settings
