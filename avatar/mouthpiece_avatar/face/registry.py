"""Who plays an avatar: the face that its id names, or the one that is set."""

from __future__ import annotations

import asyncio
import random

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face.compositor import load_sprites
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.renderer import Renderer


class FaceRegistry:
    """:raises ConfigurationError: there is no such face."""

    def __init__(self, face: str) -> None:
        if face not in FACES:
            raise ConfigurationError(
                f"MOUTHPIECE_AVATAR_FACE: there is no face {face!r}, choose one of {', '.join(sorted(FACES))}"
            )
        self._face = face

    async def __call__(self, avatar: str) -> Renderer:
        """For an avatar's id. A face that is played for the first time is drawn, which takes a few seconds."""
        face = avatar if avatar in FACES else self._face
        drawn = await asyncio.to_thread(load_sprites, face)
        return FaceRenderer(drawn, seed=random.getrandbits(32))

    async def preload(self) -> None:
        """Draws the face that is set, so that the first avatar need not wait for it."""
        await asyncio.to_thread(load_sprites, self._face)
