"""The local avatar: start-avatar over HTTP, a face that speaks in the room; no key, no GPU.

``FaceRuntime`` is the face by itself: sound in, frames out, in the shape of bitHuman's SDK::

    from mouthpiece_avatar import FaceRuntime as AsyncBithuman
"""

from mouthpiece_avatar.face.runtime import FaceRuntime
from mouthpiece_avatar.runtime import AudioChunk, Frame, Runtime

__all__ = ["AudioChunk", "FaceRuntime", "Frame", "Runtime"]
