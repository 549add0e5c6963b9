"""The drawn faces: complete, distinct, and put together without seams."""

from __future__ import annotations

import numpy as np
import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face.animator import Pose
from mouthpiece_avatar.face.compositor import Compositor, load_sprites
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.drawing import SIZE
from mouthpiece_avatar.face.mouths import MOUTHS, SHUT, WHOLE, Blend
from mouthpiece_avatar.face.sprites import BREATHS, EYES, MAX_NOD, YAW_STEPS, Sprites

AHEAD = Pose(yaw=YAW_STEPS // 2, breath=0, nod=0, mouth=SHUT, eyes=0)


@pytest.fixture(params=sorted(FACES))
def drawn(request: pytest.FixtureRequest) -> Sprites:
    return load_sprites(request.param)


def painted(drawn: Sprites, **changes: int | Blend) -> np.ndarray:
    pose = Pose(**{name: getattr(AHEAD, name) for name in Pose.__slots__} | changes)
    return Compositor(drawn).compose(pose).copy()


def test_there_are_two_and_they_differ() -> None:
    assert set(FACES) == {"mia", "noah"}
    mia, noah = (painted(load_sprites(name)) for name in ("mia", "noah"))
    assert (np.abs(mia.astype(int) - noah).max(axis=2) > 30).mean() > 0.3


def test_every_state_is_seen(drawn: Sprites) -> None:
    for part, count in (("yaw", YAW_STEPS), ("mouth", len(MOUTHS)), ("eyes", len(EYES)), ("breath", BREATHS)):
        states = [((state, WHOLE),) if part == "mouth" else state for state in range(count)]
        pictures = {painted(drawn, **{part: state}).tobytes() for state in states}
        assert len(pictures) == count, f"two states of {part} look the same"


def test_a_pose_is_painted_the_same_whatever_was_painted_before(drawn: Sprites) -> None:
    compositor = Compositor(drawn)
    random = np.random.default_rng(7)
    for _ in range(30):
        pose = Pose(
            yaw=int(random.integers(YAW_STEPS)),
            breath=int(random.integers(BREATHS)),
            nod=int(random.integers(MAX_NOD + 1)),
            mouth=((int(random.integers(len(MOUTHS))), 6), (int(random.integers(len(MOUTHS))), WHOLE - 6)),
            eyes=int(random.integers(len(EYES))),
        )
        assert compositor.compose(pose).tobytes() == Compositor(drawn).compose(pose).tobytes()


def test_pictures_are_opaque_and_whole(drawn: Sprites) -> None:
    picture = painted(drawn, nod=MAX_NOD, yaw=0)
    assert picture.shape == (SIZE, SIZE, 4)
    assert (picture[..., 3] == 255).all()
    assert picture[..., :3].std() > 25


def test_a_mouth_changes_nothing_but_the_lower_face(drawn: Sprites) -> None:
    for yaw in (0, YAW_STEPS // 2, YAW_STEPS - 1):
        closed = painted(drawn, yaw=yaw).astype(int)
        for mouth in range(1, len(MOUTHS)):
            changed = np.abs(painted(drawn, yaw=yaw, mouth=((mouth, WHOLE),)).astype(int) - closed).max(axis=2) > 0
            rows, columns = np.nonzero(changed)
            assert rows.min() > 260
            assert rows.max() < 400
            assert columns.min() > 150
            assert columns.max() < 362


def test_a_blend_lies_between_its_mouths(drawn: Sprites) -> None:
    one, other = (painted(drawn, mouth=((mouth, WHOLE),)).astype(int) for mouth in (8, 16))
    half = painted(drawn, mouth=((8, WHOLE // 2), (16, WHOLE // 2))).astype(int)
    assert np.abs(half - (one + other) / 2).max() <= 1


def test_a_seam_does_not_show(drawn: Sprites) -> None:
    """Beside the border of a patch the step is no larger than the drawing's own."""
    picture = painted(drawn).astype(int)
    patch = drawn.mouths[AHEAD.yaw][0]
    middle = slice(patch.left + patch.width // 3, patch.left + 2 * patch.width // 3)
    step = np.abs(picture[patch.top, middle] - picture[patch.top - 1, middle]).max()
    assert step <= 12


def test_an_unknown_face_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mia, noah"):
        load_sprites("bob")
