"""Drawn faces on disk: what is read is what was drawn, and nothing on the disk can keep a face from being shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mouthpiece_avatar.face import view_cache, views
from mouthpiece_avatar.face.compositor import Compositor, Face
from mouthpiece_avatar.face.faces import FACES
from mouthpiece_avatar.face.mouths import WHOLE
from mouthpiece_avatar.face.placing import Screen
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.face.views import Views
from tests.unit.avatar.plain_face import plain_face

MIA, SCREEN = FACES["mia"], Screen(512, 512)
POSES = [Pose(), Pose(-0.7, 2, 0.3, ((5, WHOLE),), 4), Pose(1, 3.3, 0.8, ((12, 9), (13, 7)), 7, (1, -0.3))]
BEHIND = np.full(512 * 512 * 3 // 2, 90, np.uint8)


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The faces that were drawn, and not read."""
    drawn: list[str] = []

    def draw(artist: object, screen: Screen) -> Views:
        drawn.append(artist.name)  # type: ignore[attr-defined]
        return plain_face().views

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(views, "draw", draw)
    return drawn


def painted(kept: Views) -> list[bytes]:
    face = Face.before(BEHIND, kept)
    return [Compositor(face).compose(pose).tobytes() for pose in POSES]


PLAIN = painted(plain_face().views)


def test_a_face_is_drawn_once_and_read_the_same(drawings: list[str]) -> None:
    first, second = view_cache.load_or_draw(MIA, SCREEN), view_cache.load_or_draw(MIA, SCREEN)
    assert drawings == ["mia"]
    assert painted(first) == painted(second) == PLAIN


def test_another_size_is_another_drawing(drawings: list[str]) -> None:
    view_cache.load_or_draw(MIA, SCREEN)
    view_cache.load_or_draw(MIA, Screen(640, 512))
    view_cache.load_or_draw(MIA, SCREEN)
    assert drawings == ["mia", "mia"]


def test_other_drawing_code_draws_anew_and_the_old_drawing_goes(
    drawings: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    view_cache.load_or_draw(MIA, SCREEN)
    view_cache.load_or_draw(FACES["noah"], SCREEN)
    monkeypatch.setattr(view_cache, "_key", lambda: "other")
    view_cache.load_or_draw(MIA, SCREEN)
    assert drawings == ["mia", "noah", "mia"]
    names = sorted(path.name for path in (tmp_path / "mouthpiece" / "faces").iterdir())
    assert names[0] == "mia-512x512-other"
    assert len(names) == 2


@pytest.mark.parametrize("name", ["boxes.npy", "mouths.npy", "bodies.npy"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", bytes(1_000)])
def test_a_damaged_drawing_is_drawn_anew(drawings: list[str], tmp_path: Path, name: str, content: bytes) -> None:
    view_cache.load_or_draw(MIA, SCREEN)
    [kept] = (tmp_path / "mouthpiece" / "faces").iterdir()
    (kept / name).write_bytes(content)
    assert painted(view_cache.load_or_draw(MIA, SCREEN)) == PLAIN
    assert drawings == ["mia", "mia"]
    view_cache.load_or_draw(MIA, SCREEN)
    assert drawings == ["mia", "mia"], "what was drawn anew is kept"


def test_a_folder_that_cannot_be_used_costs_time_only(
    drawings: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        assert painted(view_cache.load_or_draw(MIA, SCREEN)) == PLAIN
    assert drawings == ["mia", "mia"]
