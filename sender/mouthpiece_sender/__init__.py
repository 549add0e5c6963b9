"""The sender: a service and a command that speak through the avatar in a LiveKit room."""

from mouthpiece_sender.speaker import PlayingSegment, Speaker

__all__ = ["PlayingSegment", "Speaker"]
