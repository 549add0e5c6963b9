"""A voice that text can be spoken with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    id: str
    """What a call is given as ``voice``."""
    name: str
    """For a person."""
    language: str
    """BCP 47 tag; empty: the voice speaks many, or the service does not say."""
    provider: str
    """The name that ``mouthpiece.tts.create`` makes it by."""
