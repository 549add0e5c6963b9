"""Keeps drawn faces on disk: drawing one takes seconds of processor time, reading it a fifth of one.

``$XDG_CACHE_HOME/mouthpiece/faces/<face>-<key>.npz``; the key is that of the drawing code, so that a changed brush
stroke draws anew. A folder that cannot be written or read costs the time, nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL

from mouthpiece_avatar.face import body, design, drawing, eyes, geometry, head, mouth, mouths, sprites
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.sprites import Sprite, Sprites

logger = logging.getLogger(__name__)

Arrays = dict[str, npt.NDArray[np.generic]]


def load_or_draw(face: str) -> Sprites:
    """Read or draw the sprites of a known face; blocks while it draws."""
    path = _folder() / f"{face}-{_key()}.npz"
    try:
        return _unpacked(_read(path))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        logger.warning("the kept drawing of the face %s cannot be read: it is drawn anew", face)
    drawn = sprites.draw(FACES[face])
    try:
        _keep(path, _packed(drawn))
    except OSError as error:
        logger.info("the drawing of the face %s could not be kept (%s)", face, error.strerror)
    return drawn


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mouthpiece" / "faces"


def _key() -> str:
    """Return a digest of everything that a drawing depends on."""
    digest = hashlib.sha256(f"{PIL.__version__} {np.__version__}".encode())
    for module in (body, design, drawing, eyes, geometry, head, mouth, mouths, sprites):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


def _read(path: Path) -> Arrays:
    with path.open("rb") as file:  # given a path, numpy leaves a damaged file open
        kept = np.load(file, allow_pickle=False)
        if not isinstance(kept, Mapping):
            raise ValueError("one array, where several were expected")
        return dict(kept)


def _keep(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}-{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(unfinished, path)  # a second process that draws at the same time does no harm
    finally:
        unfinished.unlink(missing_ok=True)
    for older in path.parent.glob(f"{path.stem.split('-')[0]}-*.npz"):
        if older != path:
            older.unlink(missing_ok=True)


def _packed(drawn: Sprites) -> Arrays:
    arrays: Arrays = {"scenes": np.stack(drawn.scenes)}
    groups = {"head": [drawn.heads], "mouth": drawn.mouths, "eyes": drawn.eyes}
    for name, rows in groups.items():
        first = rows[0][0]
        arrays[name] = np.stack([[sprite.bgra for sprite in row] for row in rows])
        arrays[f"{name}_at"] = np.array([first.left, first.top])  # all sprites of a group cover the same box
    return arrays


def _unpacked(arrays: Arrays) -> Sprites:
    def group(name: str) -> list[list[Sprite]]:
        left, top = (int(value) for value in arrays[f"{name}_at"])
        return [[Sprite(bgra, left, top) for bgra in row] for row in arrays[name].astype(np.uint8, copy=False)]

    scenes = arrays["scenes"].astype(np.uint32, copy=False)
    return Sprites(list(scenes), group("head")[0], group("mouth"), group("eyes"))
