"""The recording, made of frames that nobody sent: white pictures while a tone sounds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.anam import recorder as module
from mouthpiece_sender.anam.errors import RecordingFailed
from mouthpiece_sender.anam.recorder import Recorder
from mouthpiece_sender.anam.recording import MAX_HOLD, MAX_PAUSE

OLD = b"an earlier recording"
NEAR = 0.003
"""Seconds."""
AUDIO_AFTER = 0.04
"""Seconds that aiortc keeps sound; a figure of its own, to hold the one of the recorder."""


def picture(at: float, white: bool) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 255 if white else 0, np.uint8), format="bgr24")
    frame.pts, frame.time_base = round(at * 90_000), Fraction(1, 90_000)
    return frame


def block(at: float, loud: bool) -> av.AudioFrame:
    tone = np.rint(12_000 * np.cos(2 * np.pi * 500 * np.arange(960) / 48_000)) * loud
    frame = av.AudioFrame.from_ndarray(np.repeat(tone.astype(np.int16), 2)[None], format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, round(at * 48_000), Fraction(1, 48_000)
    return frame


async def drained(recorder: Recorder) -> None:
    while True:
        if recorder._queue.empty():
            return
        await asyncio.sleep(0.002)


async def session(
    recorder: Recorder,
    start: float,
    seconds: float = 2.0,
    *,
    begins: bool = True,
    active_at: float | None = None,
    pictures: bool = True,
    silent: tuple[float, float] = (0.0, 0.0),
    jump: float = 0.0,
) -> None:
    """Frames as aiortc gives them: white and loud for half a second, each stream with its own clock.

    :param active_at: when; a second before the end.
    :param silent: from when to when no sound comes.
    :param jump: how far the clocks leap in the middle.
    """
    if active_at is None:
        active_at = seconds - 1.0
    if begins:
        recorder.begin()
    for k in range(round(seconds * 50)):
        at = k / 50
        active = active_at <= at < active_at + 0.5
        leap = jump if at > seconds / 2 else 0.0
        if not silent[0] <= at < silent[1]:
            recorder.audio(block(at + 7 + leap, active), start + at + AUDIO_AFTER)
        if pictures and k % 2 == 0:
            recorder.video(picture(at + 3 + leap, active), start + at)
        if k % 20 == 0:
            await drained(recorder)


def runs(times: list[float], apart: float) -> list[float]:
    """Where each run of moments begins."""
    return [at for at, before in zip(times, [-1e9, *times], strict=False) if at - before > apart]


def found(path: Path) -> tuple[list[float], list[float]]:
    """When the picture turns white, and when sound begins, in seconds."""
    with av.open(str(path)) as file:
        white = [float(p.time or 0) for p in file.decode(video=0) if p.to_ndarray(format="gray").mean() > 128]
    with av.open(str(path)) as file:
        samples = np.concatenate([np.asarray(b.to_ndarray())[0] for b in file.decode(audio=0)])
    loud = (np.flatnonzero(np.abs(samples) > 0.1) / 48_000).tolist()
    return runs(white, 0.1), runs(loud, 0.1)


def is_old(path: Path) -> bool:
    return path.read_bytes() == OLD


async def look(path: Path) -> tuple[list[float], list[float]]:
    return await asyncio.to_thread(found, path)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Nothing is left beside it."""
    path = tmp_path / "out.mp4"
    path.write_bytes(OLD)
    yield path
    assert list(tmp_path.iterdir()) == [path]


async def test_sound_that_aiortc_kept_longer_is_in_step(path: Path) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0)
    white, loud = await look(path)
    assert white == pytest.approx([1.0], abs=NEAR)
    assert loud == pytest.approx([1.0], abs=NEAR)


@pytest.mark.parametrize("pause", [5.0, 29.0, 31.0, 120.0, 5000.0])
async def test_sessions_after_a_pause_are_in_step_and_a_long_pause_becomes_shorter(path: Path, pause: float) -> None:
    async with Recorder(path) as recorder:
        for start in (1000.0, 1002.0 + pause, 1010.0 + pause):
            await session(recorder, start)
    white, loud = await look(path)
    second = 3.0 + min(pause, MAX_PAUSE)
    assert white == pytest.approx([1.0, second, second + 8.0], abs=0.045)  # a pause is counted from the last frame
    assert loud == pytest.approx(white, abs=0.021)


async def test_sound_that_stays_away_for_long_is_in_step_when_it_comes_back(path: Path) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0, 40.0, silent=(1.0, 36.0))
        await session(recorder, 1041.0)
    white, loud = await look(path)
    assert white == pytest.approx([39.0, 42.0], abs=NEAR)
    assert loud == pytest.approx(white, abs=0.021)


async def test_sound_that_begins_late_is_in_step(path: Path) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0, 3.0, silent=(0.0, 1.5))
    white, loud = await look(path)
    assert white == pytest.approx([2.0], abs=NEAR)
    assert loud == pytest.approx([2.0], abs=NEAR)


@pytest.mark.parametrize("jump", [-20.0, 3600.0])
async def test_clocks_that_jump_are_laid_anew(path: Path, jump: float) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0, 4.0, jump=jump)
    white, loud = await look(path)
    assert white == pytest.approx([3.0], abs=NEAR)
    assert loud == pytest.approx([3.0], abs=0.021)


async def test_a_first_session_without_a_picture_leaves_the_others_theirs(path: Path) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0, 0.3, pictures=False)
        await session(recorder, 1005.0)
    white, loud = await look(path)
    assert white == pytest.approx([1.0], abs=NEAR)
    assert loud == pytest.approx(white, abs=NEAR)


async def test_a_later_session_without_a_picture_is_heard(path: Path) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0)
        await session(recorder, 1002.0, MAX_HOLD + 3.0, active_at=1.0, pictures=False)
        await session(recorder, 1012.0, 0.9, active_at=0.0, pictures=False)
    white, loud = await look(path)
    assert white == pytest.approx([1.0], abs=NEAR)
    assert loud == pytest.approx([1.0, 3.0, 12.0], abs=0.021)


async def test_of_sound_alone_no_more_than_a_few_seconds_are_held(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0, 60.0, pictures=False)
    with av.open(str(path)) as file:
        assert [stream.type for stream in file.streams] == ["audio"]
        assert file.duration is not None
        assert file.duration / 1e6 == pytest.approx(MAX_HOLD, abs=0.1)
    assert "no picture arrived" in caplog.text


async def test_a_session_that_begins_while_the_queue_is_full_has_its_own_clocks(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE", 90)
    recorder = Recorder(path)
    recorder.begin()
    for k in range(100):
        recorder.audio(block(k / 50, False), 1000.0 + k / 50 + AUDIO_AFTER)
        if k % 2 == 0:
            recorder.video(picture(k / 50, False), 1000.0 + k / 50)
    recorder.begin()
    async with recorder:
        await drained(recorder)
        await session(recorder, 1010.0, begins=False)
    white, loud = await look(path)
    assert white == pytest.approx([11.0], abs=NEAR)
    assert loud == pytest.approx(white, abs=0.021)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == ["35 pictures and 0.50 s of sound are missing in the recording: this machine is too slow"]


async def test_nothing_recorded_leaves_an_earlier_recording(path: Path) -> None:
    async with Recorder(path) as recorder:
        recorder.begin()
    assert is_old(path)
    with pytest.raises(KeyError):
        async with Recorder(path):
            raise KeyError
    assert is_old(path)


async def test_an_earlier_recording_stays_until_there_is_another(path: Path) -> None:
    async with Recorder(path) as recorder:
        await session(recorder, 1000.0)
        assert is_old(path)
    assert (await look(path))[0]


def test_what_was_private_stays_private(path: Path) -> None:
    async def record() -> None:
        async with Recorder(path) as recorder:
            await session(recorder, 1000.0)

    path.chmod(0o600)
    asyncio.run(record())
    assert not is_old(path)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_link_stays_one(path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("links") / "link.mp4"
    link.symlink_to(path)
    async with Recorder(link) as recorder:
        await session(recorder, 1000.0)
    assert link.is_symlink()
    assert (await look(path))[0]


@pytest.mark.parametrize("name", ["nowhere/out.mp4", "folder", "device"])
async def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/full")
    with pytest.raises(ConfigurationError, match="written"):
        async with Recorder(tmp_path / name):
            pass
    assert await asyncio.to_thread(lambda: {entry.name for entry in tmp_path.iterdir()}) == {"device", "folder"}


async def test_a_full_disk_is_one_sentence_and_an_earlier_recording_stays(path: Path) -> None:
    path.with_name("out.mp4.part").symlink_to("/dev/full")
    with pytest.raises(RecordingFailed, match=r"out\.mp4 was not written: No space left on device\.$"):
        async with Recorder(path) as recorder:
            await session(recorder, 1000.0, 4.0)
    assert is_old(path)


async def test_a_disk_that_is_full_for_the_last_bytes_alone(path: Path) -> None:
    """So short that everything is written on leaving."""
    path.with_name("out.mp4.part").symlink_to("/dev/full")
    with pytest.raises(RecordingFailed, match="No space left"):
        async with Recorder(path) as recorder:
            await session(recorder, 1000.0, 0.2)
    assert is_old(path)


class Broken:
    """A picture that the encoder cannot take."""

    pts, time_base = 0, Fraction(1, 90_000)

    def reformat(self, **_: Any) -> Any:
        raise RuntimeError("no such format")


async def test_what_came_before_the_encoder_failed_is_kept(path: Path) -> None:
    async def record() -> None:
        async with Recorder(path) as recorder:
            await session(recorder, 1000.0)
            recorder.video(Broken(), 1002.0)
            await session(recorder, 1004.0)

    with pytest.raises(RecordingFailed, match=r"ends early: RuntimeError: no such format\.$"):
        await record()
    white, loud = await look(path)
    assert white == pytest.approx([1.0], abs=NEAR)
    assert loud == pytest.approx(white, abs=NEAR)


@pytest.mark.parametrize("way", ["from within", "stack closed by hand", "entered later"])
@pytest.mark.parametrize("other", [KeyError, asyncio.CancelledError])
async def test_another_error_goes_first(
    path: Path, caplog: pytest.LogCaptureFixture, way: str, other: type[BaseException]
) -> None:
    async def fail() -> None:
        raise other

    async def record() -> None:
        async with AsyncExitStack() as stack:
            inner = await stack.enter_async_context(AsyncExitStack())
            if way == "stack closed by hand":
                inner = AsyncExitStack()
                stack.push_async_exit(lambda *_: inner.aclose())
            recorder = await inner.enter_async_context(Recorder(path))
            await session(recorder, 1000.0)
            if way != "entered later":
                raise other
            inner.push_async_callback(fail)

    path.with_name("out.mp4.part").symlink_to("/dev/full")
    with pytest.raises(other):
        await record()
    assert "was not written: No space left" in caplog.text
