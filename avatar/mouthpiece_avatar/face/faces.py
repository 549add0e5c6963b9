"""The faces that there are, and their views."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from mouthpiece.dispatch import LOCAL_AVATAR_ID
from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face.artist import Artist, PersonArtist
from mouthpiece_avatar.face.backdrop import backdrop
from mouthpiece_avatar.face.compositor import Face
from mouthpiece_avatar.face.drawing import SIZE
from mouthpiece_avatar.face.people.elena import ELENA
from mouthpiece_avatar.face.people.kofi import KOFI
from mouthpiece_avatar.face.people.mia import MIA
from mouthpiece_avatar.face.people.noah import NOAH
from mouthpiece_avatar.face.people.yuki import YUKI
from mouthpiece_avatar.face.placing import Screen
from mouthpiece_avatar.face.robot import RobotArtist
from mouthpiece_avatar.face.view_cache import load_or_draw

_ARTISTS: tuple[Artist, ...] = (*(PersonArtist(design) for design in (MIA, NOAH, ELENA, KOFI, YUKI)), RobotArtist())
FACES: Final = {artist.name: artist for artist in _ARTISTS}
AVATARS: Final = (*FACES, LOCAL_AVATAR_ID)
"""The ids of avatars: the last one has the face that is set."""
DEFAULT_FACE: Final = "mia"
LINES: Final = (256, 1080)
"""The fewest and the most that a picture may have."""
_MOST_WIDTH = 1920


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown of a face."""

    screen: Screen = field(default_factory=lambda: Screen(SIZE, SIZE))
    background: str | None = None
    """A colour as ``#rrggbb``, the path of a picture, or None for the face's own."""


_loaded: dict[tuple[str, Look], Face] = {}
_drawing = threading.Lock()


def read_size(text: str) -> Screen:
    """Return the size that a text gives: ``720``, lines of a square picture, or ``1280x720``.

    :raises ConfigurationError: it is no size that faces are shown at.
    """
    width, _, height = text.strip().lower().rpartition("x")
    if not height.isascii() or not height.isdigit() or (width and not (width.isascii() and width.isdigit())):
        raise ConfigurationError(f"{text!r} is no size: give lines, as 512, or width and lines, as 1280x720")
    screen = Screen(int(width or height), int(height))
    least, most = LINES
    if not (least <= screen.height <= most and least <= screen.width <= _MOST_WIDTH):
        raise ConfigurationError(
            f"a picture of {screen.width}x{screen.height} cannot be drawn: {least} to {most} lines, "
            f"{least} to {_MOST_WIDTH} pixels wide"
        )
    if screen.width % 2 or screen.height % 2:
        raise ConfigurationError(f"a picture of {screen.width}x{screen.height} cannot be sent: both must be even")
    return screen


def load_face(name: str, look: Look | None = None) -> Face:
    """Return a face, shared by the process. The first call may draw it for seconds.

    :raises ConfigurationError: there is no such face, or its background cannot be shown.
    """
    look = look or Look()
    if name not in FACES:
        raise ConfigurationError(f"there is no face {name!r}: choose one of {', '.join(FACES)}")
    with _drawing:
        if (name, look) not in _loaded:
            artist = FACES[name]
            behind = backdrop(artist.wall, look.screen, look.background)
            _loaded[name, look] = Face.before(behind, load_or_draw(artist, look.screen))
        return _loaded[name, look]
