"""Faces that were drawn ahead are read, and not drawn again."""

from __future__ import annotations

import pytest

from mouthpiece_avatar import draw_faces
from mouthpiece_avatar.face import view_cache, views
from mouthpiece_avatar.face.faces import FACES, Look
from mouthpiece_avatar.face.views import Views
from tests.unit.avatar.plain_face import plain_face


def test_each_face_is_kept_where_the_server_looks_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    drawn: list[str] = []
    plain = plain_face().views

    def draw(artist: object, _: object) -> Views:
        drawn.append(getattr(artist, "name", ""))
        return plain

    monkeypatch.setattr(views, "draw", draw)
    assert draw_faces.main() == 0
    assert drawn == capsys.readouterr().out.split() == list(FACES)
    for artist in FACES.values():
        view_cache.load_or_draw(artist, Look().screen)
    assert len(drawn) == len(FACES), "a face was drawn anew"


def test_only_those_that_are_named_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(draw_faces, "load_or_draw", lambda artist, _: drawn.append(artist.name))
    assert draw_faces.main(["noah", "robo"]) == 0
    assert drawn == ["noah", "robo"]


def test_a_name_that_there_is_not_is_answered_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw_faces.main(["mia", "bob"]) == 2
    assert capsys.readouterr().err == f"there is no face 'bob'; there are {', '.join(FACES)}\n"
