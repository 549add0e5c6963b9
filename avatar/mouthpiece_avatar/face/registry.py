"""Which built-in face an avatar has: the one that its id names, or the one that is set."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Final

from mouthpiece.dispatch import LOCAL_AVATAR_ID
from mouthpiece.errors import AvatarNotFound, ConfigurationError
from mouthpiece_avatar.face.faces import FACES, Look, load_face
from mouthpiece_avatar.face.renderer import FaceRenderer

AVALUMAS: Final = re.compile(r"\d{6}-\w")
"""How an id of Avaluma's begins (in the document: ``260218-Avaluma_Avatar_Kadda_v5``): it gets the face that is set, so
that the document's files run as they are."""


class FaceRegistry:
    """See :class:`mouthpiece_avatar.renderer.Renderers`."""

    def __init__(self, face: str, look: Look | None = None) -> None:
        """:raises ConfigurationError: there is no such face."""
        if face not in FACES:
            raise ConfigurationError(
                f"MOUTHPIECE_AVATAR_FACE: there is no face {face!r}, choose one of {', '.join(FACES)}"
            )
        self._face = face
        self._look = look

    async def __call__(self, avatar: str) -> FaceRenderer:
        """Make the renderer of an avatar. A face that is shown for the first time is drawn, for a few seconds.

        :raises AvatarNotFound: the id is no face's, none of Avaluma's, and not that of an avatar without a choice.
        """
        if avatar not in FACES and avatar != LOCAL_AVATAR_ID and not AVALUMAS.match(avatar):
            raise AvatarNotFound(
                f"there is no avatar {avatar!r} here: AVATAR_ID, or the avatar's id of a room, is one of "
                f"{', '.join(FACES)}, or {LOCAL_AVATAR_ID} for the one that MOUTHPIECE_AVATAR_FACE names"
            )
        face = await asyncio.to_thread(load_face, avatar if avatar in FACES else self._face, self._look)
        return FaceRenderer(face, seed=random.getrandbits(32))

    async def preload(self) -> None:
        """Draw the face that is set, so that the first avatar need not wait for it."""
        await asyncio.to_thread(load_face, self._face, self._look)
