"""The local avatar: start-avatar over HTTP, a face that speaks in the room; no key, no GPU.

``FaceRuntime`` is the face by itself: sound in, frames out, in the shape of bitHuman's SDK::

    from mouthpiece_avatar import FaceRuntime as AsyncBithuman
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mouthpiece_avatar.runtimes.contract import AudioChunk, Frame, Runtime
    from mouthpiece_avatar.runtimes.face import FaceRuntime

__all__ = ["AudioChunk", "FaceRuntime", "Frame", "Runtime"]


def __getattr__(name: str) -> Any:
    """Import a name on first use (PEP 562): ``__main__`` must handle Ctrl-C before anything slow is imported."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mouthpiece_avatar.runtimes import contract
    from mouthpiece_avatar.runtimes.face import FaceRuntime

    return FaceRuntime if name == "FaceRuntime" else getattr(contract, name)
