"""What a dispatch tells the worker: the agent's name, and the job metadata that chooses the avatar.

Whoever opens a room (the sender's ``POST /v1/rooms``, a token's room configuration, LiveKit's dispatch API) names
the agent and may give it metadata, a JSON object; every key is optional, keys that are not known are ignored::

    {"avatar": {"provider": "local", "id": "demo"}, "empty_timeout": 120}
"""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_AGENT_NAME: Final = "mouthpiece"
"""What ``AGENT_NAME`` is where nobody set it, for the worker and for whoever dispatches it."""

LOCAL_AVATAR_ID: Final = "mouthpiece"
"""The local avatar when nobody names one."""

MAX_AVATAR_ID: Final = 128
"""Characters; LiveKit refuses identities of more than 256 bytes."""


class Provider(enum.StrEnum):
    """Who renders the avatar."""

    LOCAL = "local"
    """This project's avatar server."""
    AVALUMA = "avaluma"


@dataclass(frozen=True, slots=True)
class JobMetadata:
    """What the metadata of a job says; None leaves the choice to the worker's settings."""

    provider: Provider | None = None
    avatar_id: str | None = None
    empty_timeout: float | None = None
    """Seconds without a viewer after which the job ends; 0 is never."""

    def dumps(self) -> str:
        """The metadata to dispatch with; an empty string when it says nothing."""
        avatar = {"provider": self.provider, "id": self.avatar_id}
        value: dict[str, Any] = {
            "avatar": {key: chosen for key, chosen in avatar.items() if chosen is not None},
            "empty_timeout": self.empty_timeout,
        }
        said = {key: part for key, part in value.items() if part not in (None, {})}
        return json.dumps(said) if said else ""

    @classmethod
    def loads(cls, text: str) -> JobMetadata:
        """An empty text says nothing.

        :raises ValueError: not a JSON object, or a value is of the wrong kind; the message is for a person.
        """
        if not text.strip():
            return cls()
        try:
            value = json.loads(text)
        except ValueError:
            raise ValueError('the job metadata is not JSON; expected e.g. {"avatar": {"id": "demo"}}') from None
        if not isinstance(value, dict):
            raise ValueError("the job metadata must be a JSON object")
        avatar = value.get("avatar")
        if avatar is None:
            avatar = {}
        if not isinstance(avatar, dict):
            raise ValueError('"avatar" in the job metadata must be an object with "provider" and "id"')
        return cls(_provider(avatar.get("provider")), _avatar_id(avatar.get("id")), _seconds(value))


def chosen_avatar(
    metadata: JobMetadata, default_provider: Provider, default_id: str | None
) -> tuple[Provider, str | None]:
    """Who renders the avatar of a job and which one it is, from its metadata and the settings AVATAR_PROVIDER and
    AVATAR_ID; no id where the provider has no default of its own.

    AVATAR_ID belongs to AVATAR_PROVIDER: a job that asks for the other provider must not get its name.
    """
    provider = metadata.provider or default_provider
    avatar_id = metadata.avatar_id or (default_id if provider is default_provider else None)
    if avatar_id is None and provider is Provider.LOCAL:
        avatar_id = LOCAL_AVATAR_ID
    return provider, avatar_id


def check_avatar_id(avatar_id: str) -> str:
    """Returns the id if it can be the end of an identity.

    :raises ValueError: it is empty, too long, or holds spaces or control characters.
    """
    if not avatar_id or len(avatar_id) > MAX_AVATAR_ID or not avatar_id.isprintable() or " " in avatar_id:
        raise ValueError(f"an avatar id is 1 to {MAX_AVATAR_ID} printable characters without spaces")
    return avatar_id


def _provider(value: object) -> Provider | None:
    if value is None:
        return None
    if isinstance(value, str) and value in set(Provider):
        return Provider(value)
    raise ValueError(f'"avatar.provider" in the job metadata must be one of: {", ".join(Provider)}')


def _avatar_id(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError('"avatar.id" in the job metadata must be a string')
    return check_avatar_id(value)


def _seconds(value: dict[str, Any]) -> float | None:
    seconds = value.get("empty_timeout")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError('"empty_timeout" in the job metadata must be a number of seconds, 0 or more')
    return float(seconds)
