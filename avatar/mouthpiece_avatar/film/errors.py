"""What keeps a film from being made."""

from __future__ import annotations

from mouthpiece.errors import MouthpieceError


class FilmError(MouthpieceError):
    """The message says what a person can do."""

    slug = "film"
