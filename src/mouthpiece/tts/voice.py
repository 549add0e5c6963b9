"""A voice that text can be spoken with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a provider."""

    id: str
    """The value of ``voice=`` in ``send``, ``synthesize`` and ``speak``."""
    name: str
    """The name to show."""
    language: str
    """BCP 47 tag; empty: the voice speaks several languages, or the service does not state one."""
    provider: str
    """The provider's name, as ``mouthpiece.tts.create`` takes it."""
