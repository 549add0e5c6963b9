"""The sender: a service and a command that speak through the avatar in a LiveKit room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mouthpiece_sender.speaker import PlayingSegment, Speaker

__all__ = ["PlayingSegment", "Speaker"]


def __getattr__(name: str) -> Any:
    """Imported when it is asked for (PEP 562): ``mouthpiece --help`` needs no LiveKit."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mouthpiece_sender import speaker

    return getattr(speaker, name)
