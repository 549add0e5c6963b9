"""Which built-in face an avatar has: the one that its id names, or the one that is set."""

from __future__ import annotations

import asyncio
import random

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face.compositor import load_sprites
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.renderer import FaceRenderer


class FaceRegistry:
    """See :class:`mouthpiece_avatar.renderer.Renderers`."""

    def __init__(self, face: str) -> None:
        """:raises ConfigurationError: there is no such face."""
        if face not in FACES:
            raise ConfigurationError(
                f"MOUTHPIECE_AVATAR_FACE: there is no face {face!r}, choose one of {', '.join(sorted(FACES))}"
            )
        self._face = face

    async def __call__(self, avatar: str) -> FaceRenderer:
        """Make the renderer of an avatar. A face that is shown for the first time is drawn, for a few seconds."""
        face = avatar if avatar in FACES else self._face
        sprites = await asyncio.to_thread(load_sprites, face)
        return FaceRenderer(sprites, seed=random.getrandbits(32))

    async def preload(self) -> None:
        """Draw the face that is set, so that the first avatar need not wait for it."""
        await asyncio.to_thread(load_sprites, self._face)
