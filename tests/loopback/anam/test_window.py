"""``--view``: a real window on a virtual display, whose pixels are read; and machines that lack something for it.

The screenshot is left in the test's folder, as ``window.png``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from mouthpiece_sender.anam.viewer import MESSAGES
from tests.loopback.anam.conftest import Sound, outcome, play
from tests.loopback.anam.emulated_avatar import BOX, GROUND
from tests.loopback.anam.emulator import engine
from tests.loopback.anam.test_pushing import begun

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Display:
    name: str
    framebuffer: Path

    def picture(self) -> Picture:
        """Read the screen as BGR from the framebuffer's file, in the format of xwd (X11/XWDFile.h)."""
        data = self.framebuffer.read_bytes()
        header = struct.unpack(">25I", data[:100])
        size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
        rows = np.frombuffer(data, np.uint8, line * height, size + colours * 12).reshape(height, line)
        return rows[:, : width * 4].reshape(height, width, 4)[:, :, :3]


def share(picture: Picture, colour: tuple[int, int, int]) -> int:
    """Count the pixels with about this colour; VP8 changes it a little."""
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 40).sum())


@pytest.fixture
async def display(tmp_path: Path) -> AsyncIterator[Display]:
    if shutil.which("Xvfb") is None:
        reason = "Xvfb is not installed (apt install xvfb): the window is not looked at"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    read, write = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *("Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-fbdir", str(tmp_path), "-nolisten", "tcp"),
        pass_fds=[write],
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(write)
    try:
        number = await asyncio.to_thread(os.read, read, 16)
        yield Display(f":{number.decode().strip()}", tmp_path / "Xvfb_screen0")
    finally:
        os.close(read)
        process.terminate()
        await process.wait()


async def seen(display: Display) -> Picture:
    """Wait until the avatar's box is on the display; return the screen."""
    async with asyncio.timeout(30):
        while True:
            picture = await asyncio.to_thread(display.picture)
            if share(picture, BOX) > 2_000:
                return picture
            await asyncio.sleep(0.1)


def box_at(picture: Picture) -> float:
    """Return the horizontal position of the box in pixels."""
    return float(np.flatnonzero((np.abs(picture.astype(int) - BOX).max(axis=2) < 40).any(axis=0)).mean())


def save(picture: Picture, path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
    frame.to_image().save(path)  # type: ignore[no-untyped-call]


def press(display: Display, key: str) -> None:
    """Type a key into the only window."""
    from Xlib import XK, X
    from Xlib.display import Display as Connection
    from Xlib.ext import xtest

    connection: Any = Connection(display.name)
    (window,) = (
        child
        for child in connection.screen().root.query_tree().children
        if child.get_attributes().map_state == X.IsViewable
    )
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    code = connection.keysym_to_keycode(XK.string_to_keysym(key))
    for event in (X.KeyPress, X.KeyRelease):
        xtest.fake_input(connection, event, code)
    connection.sync()
    connection.close()


async def test_the_avatar_is_seen_moving_in_a_window_until_the_sound_has_ended(
    sound: Sound, tmp_path: Path, display: Display
) -> None:
    file = str(sound(5.0, beeps=(4.5,)))
    async with engine() as emulated, play(emulated, tmp_path, file, "--view", DISPLAY=display.name) as process:
        await begun(emulated)
        picture = await seen(display)
        await asyncio.to_thread(save, picture, tmp_path / "window.png")
        assert share(picture, GROUND) > 30_000
        await asyncio.sleep(0.5)
        later = await seen(display)
        assert abs(box_at(later) - box_at(picture)) > 10
        code, _, err = await outcome(process)
        assert code == 0
        assert "window" not in err
        gone = await asyncio.to_thread(display.picture)
        assert share(gone, BOX) == 0


async def test_q_in_the_window_interrupts_and_ends(sound: Sound, tmp_path: Path, display: Display) -> None:
    file = str(sound(30.0))
    async with engine() as emulated, play(emulated, tmp_path, file, "--view", DISPLAY=display.name) as process:
        await begun(emulated)
        await seen(display)
        await asyncio.to_thread(press, display, "q")
        code, _, err = await outcome(process)
        assert code == 5
        assert "interrupted" in err
        await asyncio.wait_for(emulated.session.interrupted.wait(), 5)
        assert (emulated.session.interrupts, len(emulated.session.ends)) == (1, 1)


@pytest.mark.parametrize("display_name", ["", ":987"], ids=["none", "not there"])
async def test_without_a_display_it_says_so_and_goes_on(sound: Sound, tmp_path: Path, display_name: str) -> None:
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound(1.0)), "--view", DISPLAY=display_name) as process:
            code, out, err = await outcome(process)
        assert code == 0
        assert "no window" in err if not display_name else "the window ended" in err
        assert "finished" in out
        assert len(emulated.session.sound) == 48_000


@pytest.mark.parametrize("missing", ["cv2", "sounddevice"])
async def test_without_the_extra_it_says_what_to_install_and_goes_on(
    sound: Sound, tmp_path: Path, display: Display, missing: str
) -> None:
    """The window's process cannot import the package."""
    hidden = tmp_path / "hidden" / missing
    await asyncio.to_thread(hidden.mkdir, parents=True)
    await asyncio.to_thread((hidden / "__init__.py").write_text, f"raise ModuleNotFoundError(name={missing!r})")
    async with (
        engine() as emulated,
        play(
            emulated, tmp_path, str(sound(1.0)), "--view", DISPLAY=display.name, PYTHONPATH=str(hidden.parent)
        ) as process,
    ):
        code, _, err = await outcome(process)
    assert code == 0
    assert MESSAGES["no-opencv" if missing == "cv2" else "no-sounddevice"] in err


async def test_the_avatars_sound_is_played(sound: Sound, tmp_path: Path) -> None:
    """By a fake sounddevice, since test machines have no speakers. Needs no display."""
    modules = tmp_path / "modules"
    heard = modules / "heard.raw"
    await asyncio.to_thread(modules.mkdir)
    await asyncio.to_thread(shutil.copy, Path(__file__).with_name("fake_sounddevice.py"), modules / "sounddevice.py")
    async with (
        engine() as emulated,
        play(emulated, tmp_path, str(sound(2.0)), "--view", PYTHONPATH=str(modules)) as process,
    ):
        code, _, err = await outcome(process)
    assert code == 0
    assert "no sound" not in err
    samples = np.frombuffer(await asyncio.to_thread(heard.read_bytes), np.int16)[::2].astype(float)
    loud = np.flatnonzero(np.abs(samples) > 3_000)
    assert 1.7 < (loud[-1] - loud[0]) / 48_000 < 2.3
    spectrum = np.abs(np.fft.rfft(samples[loud[0] : loud[0] + 48_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 2
