"""Request bodies that become a segment, one file per kind; ``KINDS`` in ``registry`` lists the kinds."""

from mouthpiece_sender.api.bodies.kind import ParsedBody
from mouthpiece_sender.api.bodies.registry import ACCEPTED, BodyReader
from mouthpiece_sender.api.bodies.resources import Media

__all__ = ["ACCEPTED", "BodyReader", "Media", "ParsedBody"]
