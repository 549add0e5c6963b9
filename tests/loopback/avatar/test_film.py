"""``python -m mouthpiece_avatar render`` and ``… sheet``: sound files in, films and pictures out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from mouthpiece_avatar.face.faces import Look, load_face
from mouthpiece_avatar.face.mouths import MOUTHS
from mouthpiece_avatar.face.placing import Screen
from mouthpiece_avatar.film.render_command import main as render
from mouthpiece_avatar.film.sheet_command import main as sheet
from mouthpiece_avatar.film.sound import RATE, read_sound
from mouthpiece_avatar.film.talking_face import TalkingFace
from mouthpiece_avatar.lips.mouth import Shape
from tests.product_source import ROOT

SPEECH = ROOT / "tests/unit/avatar/speech/bob_and_pam_slt.flac"
SMALL = ["--size", "256"]


def look(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Pictures (RGB) and sound of a film, and the seconds by which the sound begins later than the pictures."""
    pictures, sounds = [], []
    starts: dict[str, float | None] = {}
    with av.open(str(path)) as film:
        for frame in film.decode(video=0, audio=0):
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame.to_ndarray(format="rgb24"))
                starts.setdefault("video", frame.time)
            else:
                assert isinstance(frame, av.AudioFrame)
                sounds.append(frame.to_ndarray().reshape(-1))
                starts.setdefault("audio", frame.time)
    return np.stack(pictures), np.concatenate(sounds), (starts["audio"] or 0) - (starts["video"] or 0)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_a_film_has_a_picture_every_40_ms_and_the_whole_sound(tmp_path: Path, name: str) -> None:
    said, rate = soundfile.read(SPEECH)
    assert render([str(SPEECH), str(tmp_path / name), "--face", "robo", *SMALL]) == 0
    pictures, sound, later = look(tmp_path / name)
    assert pictures.shape == (int(np.ceil(len(said) / rate * 25)), 256, 256, 3)
    assert len(sound) / RATE == pytest.approx(len(said) / rate, abs=0.06)
    assert abs(later) < 0.03
    loudness = [
        np.sqrt((part.astype(float) ** 2).mean())
        for part in (said / np.abs(said).max(), sound / max(1e-9, float(np.abs(sound).max())))
    ]
    assert loudness[1] == pytest.approx(loudness[0], rel=0.1)
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing else is left"


def test_its_mouth_is_open_where_the_sound_is(tmp_path: Path) -> None:
    """Half a second of silence, speech, silence: the mouth moves in the middle alone."""
    said, rate = soundfile.read(SPEECH, dtype="int16")
    silence = np.zeros(rate // 2, np.int16)
    soundfile.write(tmp_path / "speech.wav", np.concatenate((silence, said, silence)), rate)
    face = load_face("kofi", Look(Screen(256, 256)))
    shapes = [shown.mouth.shape for shown in TalkingFace(face, read_sound(tmp_path / "speech.wav")).show()]
    assert set(shapes[:12]) == set(shapes[-10:]) == {Shape.REST}
    assert {Shape.PBM, Shape.OPEN, Shape.ROUND} <= set(shapes[12:-10])


def test_the_same_sound_and_seed_give_the_same_pictures() -> None:
    face, sound = load_face("mia", Look(Screen(256, 256))), read_sound(SPEECH)
    one, again, other = (
        [shown.i420.tobytes() for shown in TalkingFace(face, sound, seed=seed).show()] for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_any_format_that_the_decoders_read(tmp_path: Path) -> None:
    for sound in ("assets/greeting_24kHz.mp3", "assets/greeting_48kHz.ogg", "assets/greeting_44kHz_stereo.wav"):
        samples = read_sound(ROOT / sound)
        assert len(samples) / RATE == pytest.approx(7.3, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.wav", "film.mp4"], "nowhere.wav cannot be read"),
        (["text.txt", "film.mp4"], "no sound that can be read"),
        (["empty.wav", "film.mp4"], "sound"),
        ([str(SPEECH), "film.txt"], ".mp4"),
        ([str(SPEECH), "nowhere/film.mp4"], "no folder"),
        ([str(SPEECH), "film.mp4", "--face", "bob"], "mia, noah"),
        ([str(SPEECH), "film.mp4", "--size", "12"], "256 to 1080 lines"),
        ([str(SPEECH), "film.mp4", "--background", "nowhere.png"], "nowhere.png"),
    ],
)
def test_what_cannot_be_filmed_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("no sound")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.int16), 16_000)
    before = set(tmp_path.iterdir())
    assert render(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert set(tmp_path.iterdir()) == before


def test_a_film_that_breaks_off_leaves_the_one_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"an older film")
    real = TalkingFace.show

    def broken(talking: TalkingFace):  # type: ignore[no-untyped-def]
        for number, shown in enumerate(real(talking)):
            if number == 5:
                raise KeyboardInterrupt
            yield shown

    monkeypatch.setattr(TalkingFace, "show", broken)
    with pytest.raises(KeyboardInterrupt):
        render([str(SPEECH), str(film), "--face", "robo", *SMALL])
    assert film.read_bytes() == b"an older film"
    assert list(tmp_path.iterdir()) == [film]


def test_a_sheet_shows_every_shape(tmp_path: Path) -> None:
    assert sheet(["yuki", str(tmp_path / "yuki.png"), "--columns", "10", *SMALL]) == 0
    with Image.open(tmp_path / "yuki.png") as picture:
        assert picture.width == 2560
        assert picture.height >= -(-len(MOUTHS) // 10) * 256


def test_a_strip_shows_the_pictures_of_a_sound(tmp_path: Path) -> None:
    arguments = ["robo", str(tmp_path / "strip.png"), "--sound", str(SPEECH), "--first", "0.4", "--last", "0.8"]
    assert sheet([*arguments, "--columns", "20", *SMALL]) == 0
    with Image.open(tmp_path / "strip.png") as picture:
        assert picture.width == 11 * 256


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["robo", "sheet.gif"], ".png"),
        (["bob", "sheet.png"], "mia, noah"),
        (["robo", "nowhere/sheet.png"], "cannot be written"),
        (["robo", "sheet.png", "--sound", str(SPEECH), "--first", "9"], "no picture between"),
        (["robo", "sheet.png", "--columns", "0"], "at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sheet([*arguments, *SMALL]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["render", "sheet"])
def test_help_teaches(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mouthpiece_avatar", command, "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert f"python -m mouthpiece_avatar {command}" in done.stdout.split("try it:")[1]
    assert "robo" in done.stdout
