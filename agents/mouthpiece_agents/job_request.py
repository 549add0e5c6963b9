"""What one job is to do: its metadata over the worker's settings."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from mouthpiece import wire
from mouthpiece.dispatch import JobMetadata, Provider, chosen_avatar
from mouthpiece.errors import ConfigurationError
from mouthpiece_agents.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """Which avatar, from where, and how long without viewers."""

    provider: Provider
    avatar_id: str
    server_url: str
    secret: SecretStr
    livekit_url: str
    """The address that the avatar server is told to join."""
    empty_timeout: float
    """Seconds; 0 is never."""

    @property
    def identity(self) -> str:
        return wire.avatar_identity(self.avatar_id)


def plan(metadata: str, settings: Settings) -> Plan:
    """Decides what the job with this metadata does.

    :raises ConfigurationError: the metadata cannot be read, or what it asks for is not configured.
    """
    try:
        said = JobMetadata.loads(metadata)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    provider, avatar_id = chosen_avatar(said, settings.avatar_provider, settings.avatar_id)
    if provider is Provider.AVALUMA:
        secret, server_url = SecretStr(settings.require_license_key()), settings.avatar_server_url
    else:
        secret, server_url = settings.avatar_secret, settings.avatar_url
    if avatar_id is None:
        raise ConfigurationError(
            'the job asks for the provider avaluma and names no avatar: give it {"avatar": {"id": …}}, '
            "the name of your .hvia file without the extension"
        )
    return Plan(
        provider=provider,
        avatar_id=avatar_id,
        server_url=server_url,
        secret=secret,
        livekit_url=settings.avatar_livekit_url or settings.livekit_url,
        empty_timeout=settings.empty_room_timeout if said.empty_timeout is None else said.empty_timeout,
    )
