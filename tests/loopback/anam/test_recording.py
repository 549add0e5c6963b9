"""The recording plays, and its picture and sound are in sync. The emulated avatar is white while it speaks."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from mouthpiece.segments import State
from mouthpiece_sender.anam.recorder import Recorder
from tests.loopback.anam.conftest import Sound, outcome, play
from tests.loopback.anam.emulated_avatar import HEIGHT, WIDTH
from tests.loopback.anam.emulator import Faults, engine
from tests.loopback.anam.test_pushing import Heard, begun, speaking
from tests.sounds import Tone

pytestmark = pytest.mark.timed

BEEPS = (0.31, 1.02, 1.77, 2.43, 3.19)
"""Seconds; each at another phase of a frame."""
Floats = npt.NDArray[np.float64]


def decoded(path: Path) -> tuple[Floats, Floats, Floats]:
    """Return the times of the pictures in seconds, their brightness, and the sound at 48 kHz from time 0 on."""
    times, bright = [], []
    with av.open(str(path)) as file:
        for picture in file.decode(video=0):
            assert (picture.width, picture.height) == (WIDTH, HEIGHT)
            assert picture.time is not None
            times.append(picture.time)
            bright.append(float(picture.to_ndarray(format="gray")[5:80].mean()))
    with av.open(str(path)) as file:
        sound = [np.asarray(block.to_ndarray())[0] for block in file.decode(audio=0)]
    return np.array(times), np.array(bright), np.concatenate(sound).astype(float)


def begins(values: Floats, threshold: float, apart: int) -> list[int]:
    """Return the indices at which ``values`` exceed ``threshold`` after at least ``apart`` values below it."""
    above = np.flatnonzero(values > threshold)
    return [
        int(at)
        for at, before in zip(above, np.concatenate([[-apart - 1], above[:-1]]), strict=True)
        if at - before > apart
    ]


async def recorded(tmp_path: Path, file: Path, *arguments: str) -> tuple[Path, int]:
    path = tmp_path / "out.mp4"
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(file), "--record", str(path), *arguments) as process:
            code, _, err = await outcome(process)
        assert err == ""
    return path, code


async def test_picture_and_sound_of_the_recording_are_in_sync(sound: Sound, tmp_path: Path) -> None:
    path, code = await recorded(tmp_path, sound(3.5, beeps=BEEPS))
    assert code == 0
    times, bright, samples = await asyncio.to_thread(decoded, path)
    assert len(times) > 60
    assert np.all(np.diff(times) > 0)
    shown = [times[at] for at in begins(bright, 160, 3)]
    heard = [at / 48_000 for at in begins(np.abs(samples), 0.1, 4_800)]
    assert len(shown) == len(heard) == len(BEEPS)
    assert np.diff(heard) == pytest.approx(np.diff(BEEPS), abs=0.03)
    # A picture is white if sound begins anywhere in its 40 ms: on average 20 ms before the sound.
    apart = float(np.mean(np.array(heard) - np.array(shown))) - 0.02
    assert abs(apart) < 0.04, f"the sound is {apart * 1000:.0f} ms behind the picture"


async def test_a_recording_that_is_stopped_in_the_middle_plays(sound: Sound, tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    arguments = (str(sound(20.0)), "--record", str(path))
    async with engine() as emulated, play(emulated, tmp_path, *arguments) as process:
        await begun(emulated)
        await asyncio.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert (await outcome(process))[0] == 130
    times, _, samples = await asyncio.to_thread(decoded, path)
    assert times[-1] > 0.8
    assert np.abs(samples).max() > 0.1


async def test_a_recording_goes_on_over_a_drop_into_the_next_session(tmp_path: Path) -> None:
    path, heard = tmp_path / "out.mp4", Heard()
    async with engine(Faults(end_session_after=1.5)) as emulated:
        async with speaking(emulated, Recorder(path), heard) as speaker:
            first = await speaker.play(Tone(4.0))
            assert (await first.finished(30)).state is State.UNKNOWN
            emulated.faults.end_session_after = None
            before = heard.loud
            await asyncio.sleep(1.0)  # a pause that must show in the recording
            second = await speaker.play(Tone(0.5))
            assert (await second.finished(30)).state is State.FINISHED
            await heard.heard(loud=before + 0.4, quiet=0.4)
        pushed = [session.ready_at + session.pushes[0].at for session in emulated.sessions if session.ready_at]
    times, bright, samples = await asyncio.to_thread(decoded, path)
    assert np.all(np.diff(times) > 0)
    shown = [times[at] for at in begins(bright, 160, 3)]
    sounds = [at / 48_000 for at in begins(np.abs(samples), 0.1, 4_800)]
    assert len(shown) == len(sounds) == 2
    assert np.array(sounds) - shown == pytest.approx(0.02, abs=0.1)
    assert np.diff(sounds) == pytest.approx(np.diff(pushed), abs=0.3)


async def test_a_folder_that_is_not_there_opens_no_session(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated:
        file = str(tmp_path / "nowhere" / "out.mp4")
        async with play(emulated, tmp_path, str(sound()), "--record", file) as process:
            code, _, err = await outcome(process)
        assert (code, emulated.sessions) == (2, [])
        assert "cannot be written" in err
