"""Drawn faces on disk: what is read is what was drawn, and nothing on the disk can keep a face from being shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mouthpiece_avatar.face import sprite_cache, sprites
from mouthpiece_avatar.face.animator import Pose
from mouthpiece_avatar.face.compositor import Compositor
from mouthpiece_avatar.face.mouths import SHUT
from mouthpiece_avatar.face.sprites import Sprites
from tests.unit.avatar.plain_sprites import plain_sprites

POSES = [Pose(0, 0, 0, SHUT, 0), Pose(3, 2, 1, ((5, 16),), 4), Pose(14, 6, 5, ((12, 9), (13, 7)), 7)]


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The faces that were drawn, and not read."""
    drawn: list[str] = []

    def draw(design: object) -> Sprites:
        drawn.append(design.name)  # type: ignore[attr-defined]
        return plain_sprites()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sprites, "draw", draw)
    return drawn


def painted(kept: Sprites) -> list[bytes]:
    return [Compositor(kept).compose(pose).tobytes() for pose in POSES]


def test_a_face_is_drawn_once_and_read_the_same(drawings: list[str]) -> None:
    first, second = sprite_cache.load_or_draw("mia"), sprite_cache.load_or_draw("mia")
    assert drawings == ["mia"]
    assert painted(first) == painted(second) == painted(plain_sprites())


def test_other_drawing_code_draws_anew_and_the_old_drawing_goes(
    drawings: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sprite_cache.load_or_draw("mia")
    sprite_cache.load_or_draw("noah")
    monkeypatch.setattr(sprite_cache, "_key", lambda: "other")
    sprite_cache.load_or_draw("mia")
    assert drawings == ["mia", "noah", "mia"]
    names = sorted(path.name for path in (tmp_path / "mouthpiece" / "faces").iterdir())
    assert names[0] == "mia-other.npz"
    assert len(names) == 2


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and then nothing", b"\x93NUMPY", bytes(1_000)])
def test_a_damaged_drawing_is_drawn_anew(drawings: list[str], tmp_path: Path, content: bytes) -> None:
    sprite_cache.load_or_draw("mia")
    [kept] = (tmp_path / "mouthpiece" / "faces").iterdir()
    kept.write_bytes(content)
    assert painted(sprite_cache.load_or_draw("mia")) == painted(plain_sprites())
    assert drawings == ["mia", "mia"]
    sprite_cache.load_or_draw("mia")
    assert drawings == ["mia", "mia"], "what was drawn anew is kept"


def test_a_folder_that_cannot_be_used_costs_time_only(
    drawings: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        assert painted(sprite_cache.load_or_draw("mia")) == painted(plain_sprites())
    assert drawings == ["mia", "mia"]
