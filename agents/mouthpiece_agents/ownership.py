"""Whose avatar it is that stands in the room under the identity that a job would give to its own."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping

from mouthpiece import wire


class Owner(enum.Enum):
    OURS = "ours"
    """It publishes on behalf of this job's agent, which was interrupted and has come back."""
    ANOTHERS = "another's"
    """It publishes on behalf of somebody who is in the room; two agents that restart one avatar never end."""
    NOBODYS = "nobody's"
    """Its agent is gone. It is replaced: front ends would look for its agent in vain."""


def owner(attributes: Mapping[str, str], agent_identity: str, others: Collection[str]) -> Owner:
    """:param others: the identities in the room."""
    behalf = attributes.get(wire.ATTR_PUBLISH_ON_BEHALF)
    if behalf == agent_identity:
        return Owner.OURS
    return Owner.ANOTHERS if behalf in others else Owner.NOBODYS
