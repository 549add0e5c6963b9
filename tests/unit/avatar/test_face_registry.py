"""Which face an avatar id gets, and which ids there are."""

from __future__ import annotations

import pytest

from mouthpiece.errors import AvatarNotFound, ConfigurationError
from mouthpiece_avatar.face import registry
from mouthpiece_avatar.face.compositor import Face
from mouthpiece_avatar.face.faces import FACES, Look
from mouthpiece_avatar.face.placing import Screen
from mouthpiece_avatar.face.registry import FaceRegistry
from tests.unit.avatar.plain_face import plain_face

LOOK = Look(Screen(512, 512), "#102030")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Look | None]]:
    """The faces that were loaded."""
    faces: list[tuple[str, Look | None]] = []

    def load_face(name: str, look: Look | None) -> Face:
        faces.append((name, look))
        return plain_face()

    monkeypatch.setattr(registry, "load_face", load_face)
    return faces


async def test_an_id_that_is_a_faces_name_gets_that_face(loaded: list[tuple[str, Look | None]]) -> None:
    for name in FACES:
        await FaceRegistry("noah", LOOK)(name)
    assert loaded == [(name, LOOK) for name in FACES]


async def test_an_avatar_for_which_none_was_chosen_gets_the_face_that_is_set(
    loaded: list[tuple[str, Look | None]],
) -> None:
    await FaceRegistry("kofi", LOOK)("mouthpiece")
    assert loaded == [("kofi", LOOK)]


async def test_an_avatar_of_avalumas_gets_the_face_that_is_set(loaded: list[tuple[str, Look | None]]) -> None:
    """The document's worker is unchanged, but for the server's address."""
    await FaceRegistry("kofi", LOOK)("260218-Avaluma_Avatar_Kadda_v5")
    assert loaded == [("kofi", LOOK)]


@pytest.mark.parametrize("avatar", ["bob", "Mia", "mia ", ""])
async def test_another_id_is_refused_with_the_list(loaded: list[tuple[str, Look | None]], avatar: str) -> None:
    with pytest.raises(AvatarNotFound, match="mia, noah"):
        await FaceRegistry("mia")(avatar)
    assert loaded == []


def test_a_face_that_is_set_and_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="MOUTHPIECE_AVATAR_FACE"):
        FaceRegistry("bob")
