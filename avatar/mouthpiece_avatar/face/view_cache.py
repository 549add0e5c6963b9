"""Keeps drawn faces on disk: drawing one takes seconds of processor time, reading it none.

``$XDG_CACHE_HOME/mouthpiece/faces/<face>-<width>x<height>-<key>/``, an array a file; the key is that of the drawing
code, so that a changed brush stroke draws anew. The files are mapped, so processes share what they show of them. A
folder that cannot be written or read costs the time, nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL

from mouthpiece_avatar.face import views
from mouthpiece_avatar.face.artist import Artist
from mouthpiece_avatar.face.placing import Screen
from mouthpiece_avatar.face.views import Sprites, Views

logger = logging.getLogger(__name__)

_NAMES = ("bodies", "heads", "mouths", "eyes", "left_brow", "right_brow")


def load_or_draw(artist: Artist, screen: Screen) -> Views:
    """Read or draw the views of a face; blocks while it draws."""
    folder = _faces() / f"{artist.name}-{screen.width}x{screen.height}-{_key()}"
    try:
        return _read(folder, screen)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError):
        logger.warning("the kept drawing of the face %s cannot be read: it is drawn anew", artist.name)
    drawn = views.draw(artist, screen)
    try:
        _keep(folder, drawn)
    except OSError as error:
        logger.info("the drawing of the face %s could not be kept (%s)", artist.name, error.strerror)
    return drawn


def _faces() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mouthpiece" / "faces"


def _key() -> str:
    """Return a digest of everything that a drawing may depend on."""
    digest = hashlib.sha256(f"{PIL.__version__} {np.__version__}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        if source.name not in _NOT_DRAWN:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_NOT_DRAWN = {"animator.py", "life.py", "compositor.py", "renderer.py", "registry.py", "pose.py", "backdrop.py"}
"""Files of this folder that no drawing depends on."""


def _read(folder: Path, screen: Screen) -> Views:
    boxes = np.load(folder / "boxes.npy", allow_pickle=False)
    if boxes.shape != (len(_NAMES), 4):
        raise ValueError("other boxes than expected")
    parts = []
    for name, box in zip(_NAMES, boxes.tolist(), strict=True):
        # as a plain array: each of the views of a memmap costs a microsecond more, and a picture takes twenty
        data = np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        if data.dtype != np.uint8 or data.shape[-1] != (box[2] - box[0]) * (box[3] - box[1]) * 11 // 4:
            raise ValueError(f"other {name} than expected")
        parts.append(Sprites((box[0], box[1], box[2], box[3]), data))
    bodies, heads, mouths, eyes, left, right = parts
    return Views(screen, bodies, heads, mouths, eyes, (left, right))


def _keep(folder: Path, drawn: Views) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        unfinished.mkdir(exist_ok=True)
        parts = (drawn.bodies, drawn.heads, drawn.mouths, drawn.eyes, *drawn.brows)
        boxes: npt.NDArray[np.int32] = np.array([part.box for part in parts], np.int32)
        for name, part in zip(_NAMES, parts, strict=True):
            np.save(unfinished / f"{name}.npy", part.data)
        np.save(unfinished / "boxes.npy", boxes)
        shutil.rmtree(folder, ignore_errors=True)  # one that cannot be read
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise  # else a second process has drawn it at the same time
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    for older in folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*"):
        if older != folder:
            shutil.rmtree(older, ignore_errors=True)
