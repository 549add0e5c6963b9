"""The request of a job: its metadata, and the worker's settings for what the metadata leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from mouthpiece import wire
from mouthpiece.dispatch import JobMetadata, Provider, chosen_avatar
from mouthpiece.errors import ConfigurationError
from mouthpiece_agents.settings import Settings


@dataclass(frozen=True, slots=True)
class JobRequest:
    """The avatar that a job asks for, and how long the job stays in a room without viewers.

    Not livekit-agents' class of this name, which is a job that the worker may still reject.
    """

    provider: Provider
    avatar_id: str
    server_url: str
    secret: SecretStr
    livekit_url: str
    """The LiveKit address that the avatar server joins."""
    empty_timeout: float
    """Seconds without a viewer after which the job ends; 0 is never."""

    @property
    def identity(self) -> str:
        """The avatar's identity in the room."""
        return wire.avatar_identity(self.avatar_id)


def read_job_request(metadata: str, settings: Settings) -> JobRequest:
    """Read the metadata of a job; ``settings`` give what it does not say.

    :raises ConfigurationError: the metadata is malformed, or asks for an avatar that the settings lack a key or an id
        for.
    """
    try:
        read = JobMetadata.loads(metadata)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    provider, avatar_id = chosen_avatar(read, settings.avatar_provider, settings.avatar_id, settings.avaluma_avatar_id)
    server_url, secret = avatar_server(provider, settings)
    if avatar_id is None:
        raise ConfigurationError(
            'the job asks for the provider avaluma and names no avatar: give it {"avatar": {"id": …}}, '
            "the name of your .hvia file without the extension"
        )
    return JobRequest(
        provider=provider,
        avatar_id=avatar_id,
        server_url=server_url,
        secret=secret,
        livekit_url=settings.avatar_livekit_url or settings.livekit_url,
        empty_timeout=settings.empty_room_timeout if read.empty_timeout is None else read.empty_timeout,
    )


def avatar_server(provider: Provider, settings: Settings) -> tuple[str, SecretStr]:
    """Return the address of the avatar server of ``provider``, and its ``api-secret``.

    :raises ConfigurationError: the settings lack the key.
    """
    match provider:  # without a default: mypy reports a provider that is missing here
        case Provider.LOCAL:
            return settings.avatar_url, settings.avatar_secret
        case Provider.AVALUMA:
            return settings.avatar_server_url, SecretStr(settings.require_license_key())
