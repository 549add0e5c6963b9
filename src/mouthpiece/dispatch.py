"""Dispatching the worker into a room: the agent's name, and the job metadata that chooses the avatar.

A dispatch (by the sender's ``POST /v1/rooms``, a token's room configuration or LiveKit's dispatch API) names the agent
and may carry metadata, a JSON object. Every key is optional; unknown keys are ignored::

    {"avatar": {"provider": "local", "id": "demo"}, "empty_timeout": 120}
"""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_AGENT_NAME: Final = "mouthpiece"
"""The default of ``AGENT_NAME``, for the worker and for the sender that dispatches it."""

LOCAL_AVATAR_ID: Final = "mouthpiece"
"""The default id of the local avatar."""

MAX_AVATAR_ID: Final = 128
"""Characters; LiveKit refuses identities of more than 256 bytes."""


class Provider(enum.StrEnum):
    """The service that renders an avatar."""

    LOCAL = "local"
    """This project's avatar server."""
    AVALUMA = "avaluma"


@dataclass(frozen=True, slots=True)
class JobMetadata:
    """The metadata of a job; None leaves the choice to the worker's settings."""

    provider: Provider | None = None
    avatar_id: str | None = None
    empty_timeout: float | None = None
    """Seconds without a viewer after which the job ends; 0 is never."""

    def dumps(self) -> str:
        """Return the metadata as JSON; an empty string if every value is None."""
        avatar = {"provider": self.provider, "id": self.avatar_id}
        value: dict[str, Any] = {
            "avatar": {key: chosen for key, chosen in avatar.items() if chosen is not None},
            "empty_timeout": self.empty_timeout,
        }
        given = {key: part for key, part in value.items() if part not in (None, {})}
        return json.dumps(given) if given else ""

    @classmethod
    def loads(cls, text: str) -> JobMetadata:
        """Parse the metadata of a job; an empty text is empty metadata.

        :raises ValueError: ``text`` is not a JSON object, or a value has the wrong type; the message is for a person.
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


@dataclass(frozen=True, slots=True)
class WantedAgent:
    """The dispatch that a viewer's token carries, in an attribute of the viewer: LiveKit shows that also after it has
    forgotten the dispatch."""

    agent_name: str
    metadata: str = ""
    """Of the job."""

    def dumps(self) -> str:
        return json.dumps({"name": self.agent_name, "metadata": self.metadata})

    @classmethod
    def loads(cls, text: str) -> WantedAgent | None:
        """Parse the attribute; None: it names no agent."""
        try:
            value = json.loads(text)
        except ValueError:
            return None
        name, metadata = (value.get("name"), value.get("metadata", "")) if isinstance(value, dict) else (None, None)
        return cls(name, metadata) if isinstance(name, str) and isinstance(metadata, str) else None


def chosen_avatar(
    metadata: JobMetadata, default_provider: Provider, default_id: str | None, avaluma_id: str | None = None
) -> tuple[Provider, str | None]:
    """Return the provider and the id of a job's avatar; the id is None where the provider has no default id.

    :param default_provider: the setting AVATAR_PROVIDER.
    :param default_id: the setting AVATAR_ID. It belongs to AVATAR_PROVIDER: a job for the other provider ignores it.
    :param avaluma_id: the setting AVALUMA_AVATAR_ID, for the jobs of its provider.
    """
    provider = metadata.provider or default_provider
    avatar_id = metadata.avatar_id or (default_id if provider is default_provider else None)
    if avatar_id is None and provider is Provider.AVALUMA:
        avatar_id = avaluma_id
    if avatar_id is None and provider is Provider.LOCAL:
        avatar_id = LOCAL_AVATAR_ID
    return provider, avatar_id


def check_avatar_id(avatar_id: str) -> str:
    """Return ``avatar_id`` if it can be the end of an identity.

    :raises ValueError: it is empty, longer than ``MAX_AVATAR_ID``, or holds spaces or unprintable characters.
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
