"""The kinds of body that can be spoken, one file each; ``KINDS`` in ``registry`` lists them."""

from mouthpiece_sender.api.bodies.kind import Spoken
from mouthpiece_sender.api.bodies.registry import ACCEPTED, Bodies

__all__ = ["ACCEPTED", "Bodies", "Spoken"]
