"""The drawn faces: people of their own, complete at any size, and put together without seams."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face import views
from mouthpiece_avatar.face.artist import Artist, PersonArtist
from mouthpiece_avatar.face.backdrop import backdrop
from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.compositor import Compositor, Face
from mouthpiece_avatar.face.faces import FACES, Look, load_face, read_size
from mouthpiece_avatar.face.i420 import Bytes
from mouthpiece_avatar.face.mouth import MouthShape
from mouthpiece_avatar.face.mouths import CLOSED, MOUTHS, WHOLE, blend_of
from mouthpiece_avatar.face.placing import MOST_NOD, Screen
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.face.views import BREATHS, EYES
from mouthpiece_avatar.lips.mouth import Mouth

SMALL = Look(Screen(256, 256))


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> Face:
    return load_face(request.param, SMALL)


def painted(face: Face, pose: Pose | None = None) -> Bytes:
    """BGR."""
    compositor = Compositor(face)
    compositor.compose(pose or Pose())
    picture = np.empty((compositor.height, compositor.width, 3), np.uint8)
    compositor.put_bgr(picture)
    return picture


def test_there_are_five_people_and_one_that_is_none() -> None:
    people = [name for name, artist in FACES.items() if isinstance(artist, PersonArtist)]
    assert {"mia", "noah"} < set(people)
    assert len(people) >= 5
    assert len(FACES) > len(people)


def test_no_two_people_share_their_bones() -> None:
    people = [artist.bones for artist in FACES.values() if isinstance(artist, PersonArtist)]
    for one, other in itertools.combinations(people, 2):
        figures = [name for name in Bones.__slots__ if getattr(one, name) != getattr(other, name)]
        assert len(figures) > len(Bones.__slots__) / 2
        widths = [abs(one.half_width(y) - other.half_width(y)) for y in range(150, 320, 10)]
        assert max(widths) > 2, "two heads of one shape"


def test_every_state_is_seen(face: Face) -> None:
    poses = [Pose(mouth=((mouth, WHOLE),)) for mouth in range(len(MOUTHS))]
    poses += [Pose(eyes=eyes) for eyes in range(1, len(EYES))]
    poses += [Pose(yaw=yaw) for yaw in np.linspace(-1, 1, 30).tolist()]
    poses += [Pose(breath=breath / BREATHS) for breath in range(1, BREATHS)]
    poses += [Pose(brows=(raised, 0)) for raised in (-0.7, 0.3, 1)] + [
        Pose(brows=(0, raised)) for raised in (-0.7, 0.3, 1)
    ]
    poses += [Pose(nod=nod) for nod in (-4, -0.5, 0.5, 4)]
    pictures = {painted(face, pose).tobytes() for pose in poses}
    assert len(pictures) == len(poses)


def test_a_pose_is_painted_the_same_whatever_was_painted_before(face: Face) -> None:
    compositor = Compositor(face)
    random = np.random.default_rng(7)
    pose = Pose()
    for _ in range(40):
        anew: dict[str, Any] = {
            "yaw": float(random.uniform(-1, 1)),
            "nod": float(random.uniform(-MOST_NOD, MOST_NOD)),
            "breath": float(random.random()),
            "mouth": blend_of(Mouth(*random.uniform(0, 1, 7).tolist())),
            "eyes": int(random.integers(len(EYES))),
            "brows": (float(random.uniform(-0.7, 1)), float(random.uniform(-0.7, 1))),
        }
        changing = [name for name in anew if random.random() < 0.4]  # what stays is not drawn anew
        pose = dataclasses.replace(pose, **{name: anew[name] for name in changing})
        assert compositor.compose(pose).tobytes() == Compositor(face).compose(pose).tobytes(), changing


def test_a_mouth_changes_nothing_but_the_lower_face(face: Face) -> None:
    left, top, right, bottom = face.views.mouths.box
    for yaw in (-1.0, 0.0, 1.0):
        closed = painted(face, Pose(yaw=yaw)).astype(int)
        for mouth in range(1, len(MOUTHS)):
            spoken = painted(face, Pose(yaw=yaw, mouth=((mouth, WHOLE),))).astype(int)
            changed = np.abs(spoken - closed).max(axis=2) > 0
            changed[top:bottom, left:right] = False
            assert not changed.any()


def test_an_open_mouth_leaves_no_seam(face: Face) -> None:
    """Along the border of its patch the step is hardly larger than that of the closed mouth."""
    left, top, right, bottom = face.views.mouths.box
    closed = painted(face).astype(int)
    spoken = painted(face, Pose(mouth=blend_of(Mouth(jaw=1, width=0.3)))).astype(int)
    for before, inside in (
        ((slice(top - 1, top), slice(left, right)), (slice(top, top + 1), slice(left, right))),
        ((slice(top, bottom), slice(left - 1, left)), (slice(top, bottom), slice(left, left + 1))),
        ((slice(top, bottom), slice(right, right + 1)), (slice(top, bottom), slice(right - 1, right))),
    ):
        steps = [np.abs(picture[inside] - picture[before]) for picture in (closed, spoken)]
        assert np.abs(steps[1] - steps[0]).max() <= 12


def lips(artist: Artist, shape: MouthShape) -> tuple[float, float]:
    """Width and height of lips and what is between them, in pixels of the drawing."""
    layer = artist.mouth(shape)
    rows, columns = np.nonzero(np.asarray(layer.image)[..., 3] >= 250)
    return float(np.ptp(columns)) / layer.scale, float(np.ptp(rows)) / layer.scale


@pytest.mark.parametrize("name", FACES)
def test_lips_close_for_p_b_and_m(name: str) -> None:
    """They are pressed to less than at rest, where nothing is between them, and all that opens is higher by far."""
    [(pressed, whole)] = blend_of(Mouth(closure=1.0))
    assert whole == WHOLE
    artist = FACES[name]
    rest = lips(artist, MOUTHS[CLOSED])[1]
    assert lips(artist, MOUTHS[pressed])[1] < 0.8 * rest
    for wide in (0.9, 0.0, -1.0):
        assert lips(artist, MouthShape(0.28, wide))[1] > 1.2 * rest


@pytest.mark.parametrize("name", FACES)
def test_lips_are_rounded_for_u_and_spread_for_i(name: str) -> None:
    (spread, _), (rounded, high) = (lips(FACES[name], MouthShape(0.28, wide)) for wide in (0.9, -1.0))
    assert rounded < 0.65 * spread
    assert rounded < 2.1 * high, "an oval, not a slit"


def test_a_head_that_moves_by_a_part_of_a_pixel_lies_between_the_pixels(face: Face) -> None:
    screen = face.views.screen

    def luma(nod: float) -> np.ndarray:
        composed = Compositor(face).compose(Pose(nod=nod / screen.scale))
        return composed[: screen.width * screen.height].astype(float)

    one, half, other = luma(1), luma(1.5), luma(2)
    assert np.abs(half - (one + other) / 2).max() <= 2
    assert np.abs(half - one).max() > 10


@pytest.mark.parametrize(("name", "lines"), [(name, 1080 if name == "mia" else 512) for name in FACES])
def test_every_face_is_drawn_large_as_at_256_lines(name: str, lines: int) -> None:
    screen = Screen(lines, lines)
    face = Face.before(backdrop(FACES[name].wall, screen), views.draw(FACES[name], screen, yaws=1))
    picture = painted(face, Pose(nod=2, mouth=((CLOSED, WHOLE),)))
    assert picture.shape == (lines, lines, 3)
    small = np.asarray(Image.fromarray(picture).resize((256, 256), Image.Resampling.BOX)).astype(int)
    assert np.abs(small - painted(load_face(name, SMALL), Pose(nod=2))).mean() < 4, "another picture than the small one"


def test_behind_a_face_is_the_colour_that_was_chosen() -> None:
    picture = painted(load_face("kofi", Look(Screen(256, 256), "#3060c0")))
    assert np.abs(picture[4, 4].astype(int) - (0xC0, 0x60, 0x30)).max() <= 3


def test_behind_a_face_is_the_picture_that_was_chosen(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (200, 40, 40)).save(tmp_path / "red.png")
    picture = painted(load_face("robo", Look(Screen(320, 256), str(tmp_path / "red.png"))))
    assert picture.shape == (256, 320, 3)
    assert np.abs(picture[4, 4].astype(int) - (40, 40, 200)).max() <= 3


@pytest.mark.parametrize("background", ["#12", "#gggggg", "nowhere.png", __file__])
def test_a_background_that_cannot_be_shown_is_refused(background: str) -> None:
    with pytest.raises(ConfigurationError, match="background"):
        load_face("mia", Look(Screen(256, 256), background))


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", (512, 512)), ("1280x720", (1280, 720)), (" 256X256 ", (256, 256)), ("1080", (1080, 1080))],
)
def test_a_size_is_lines_or_width_and_lines(text: str, size: tuple[int, int]) -> None:
    screen = read_size(text)
    assert (screen.width, screen.height) == size


@pytest.mark.parametrize(
    "text", ["", "x", "big", "254", "1082", "513", "128x512", "4000x1000", "-512", "512x", "x512x"]
)
def test_a_size_that_cannot_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_size(text)


def test_an_unknown_face_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mia, noah"):
        load_face("bob")


def test_no_two_heads_cover_the_same() -> None:
    outlines = []
    for name in FACES:
        heads = load_face(name, SMALL).views.heads
        covered = np.zeros((256, 256), bool)
        left, top, right, bottom = heads.box
        size = heads.width * heads.height
        keep = heads.data[len(heads.data) // 2, size : 2 * size].reshape(heads.height, heads.width)
        covered[top:bottom, left:right] = keep < 128
        outlines.append(covered)
    for one, other in itertools.combinations(outlines, 2):
        assert (one ^ other).sum() > 0.04 * (one | other).sum()
