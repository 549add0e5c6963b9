"""The settings of the avatar server: read once, in ``main``, from the environment and ``.env.local``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from dotenv import load_dotenv
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.sockets import is_loopback
from mouthpiece_avatar.livekit_address import LiveKitAddress

ENV_FILE = Path(".env.local")


def _listed(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _address(url: str) -> str:
    LiveKitAddress.parse(url)
    return url


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """Each field says which environment variable it comes from; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True)

    host: str = Field(default="127.0.0.1", validation_alias="MOUTHPIECE_AVATAR_HOST")
    """Address to listen on."""
    port: int = Field(default=8080, ge=0, le=65_535, validation_alias="MOUTHPIECE_AVATAR_PORT")
    """0 takes a free one."""
    livekit_url: Annotated[str, AfterValidator(_address)] | None = Field(default=None, validation_alias="LIVEKIT_URL")
    """The LiveKit server that avatars may join, unless ``livekit_urls`` names others."""
    livekit_urls: CommaList = Field(default_factory=list, validation_alias="MOUTHPIECE_AVATAR_LIVEKIT_URLS")
    """The LiveKit servers that avatars may join."""
    secrets: Annotated[list[SecretStr], NoDecode, BeforeValidator(_listed)] = Field(
        default_factory=list, validation_alias="MOUTHPIECE_AVATAR_SECRETS"
    )
    """The ``api-secret`` values that are let in; on loopback any is when this is empty."""
    face: str = Field(default="mia", validation_alias="MOUTHPIECE_AVATAR_FACE")
    """For avatars whose id is not the name of a face."""
    max_sessions: int = Field(default=20, ge=1, validation_alias="MOUTHPIECE_AVATAR_MAX_SESSIONS")
    """Rooms at a time; what comes beyond that is answered with 503."""

    def allowed(self) -> list[LiveKitAddress] | None:
        """The servers that avatars may join; None: those on this machine.

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
        if not is_loopback(self.host) and not (self.livekit_urls or self.livekit_url):
            raise ConfigurationError(
                "LIVEKIT_URL is not set (nor MOUTHPIECE_AVATAR_LIVEKIT_URLS): avatars must know which LiveKit "
                "server they may join"
            )
        self.allowed()


def load_settings(**given: Any) -> Settings:
    """From the environment and ``.env.local``; what is ``given`` (a command line's options) goes first.

    :raises ConfigurationError: a setting is wrong; it says which, and never its value.
    """
    load_dotenv(ENV_FILE)
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        sentences = [f"{_variable(p['loc'][0])}: {p['msg'].removeprefix('Value error, ')}" for p in problems]
        raise ConfigurationError("\n".join(sentences)) from None
    settings.check()
    return settings


def _variable(name: int | str) -> str:
    """Of a field that was given by its own name."""
    field = Settings.model_fields.get(str(name))
    return str(field.validation_alias if field is not None else name)
