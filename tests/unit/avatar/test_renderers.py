"""One test of the contract for every renderer: the built-in face, and runtimes behind their adapter."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

from mouthpiece.errors import AvatarError
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.face.i420 import put_bgr
from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.playout import Capture, Cut, PlayoutQueue, Wait
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.renderer import Mood, Renderer
from mouthpiece_avatar.runtimes.bithuman import BithumanRuntime
from mouthpiece_avatar.runtimes.contract import AudioChunk, Frame
from mouthpiece_avatar.runtimes.face import FaceRuntime
from mouthpiece_avatar.runtimes.renderer import RuntimeRenderer
from tests.unit.avatar.fake_bithuman import FAKE_IDLE_PICTURE, FAKE_PICTURE, fake_module
from tests.unit.avatar.manual_time import ManualTime
from tests.unit.avatar.plain_face import mouth_of, plain_face
from tests.unit.avatar.test_face_runtime import babble
from tests.unit.avatar.test_runtimes import Time, drain

FACE = plain_face()
STEP = 0.005


async def face(time: ManualTime) -> Renderer:
    return FaceRenderer(FACE)


async def face_runtime(time: ManualTime) -> Renderer:
    runtime = FaceRuntime(FACE, idle_pictures=True, clock=time.clock, sleep=time.sleep)
    return RuntimeRenderer(runtime)


async def bithuman(time: ManualTime) -> Renderer:
    module = fake_module(time.clock, time.sleep, idle_pictures=True)
    return RuntimeRenderer(await BithumanRuntime.create("a.imx", "secret", module=module))


Make = Callable[[ManualTime], Awaitable[Renderer]]
RENDERERS: list[Make] = [face, face_runtime, bithuman]


class Shown:
    """A renderer with the playout queue before it and a viewer behind it, in a time of its own."""

    def __init__(self, renderer: Renderer, time: ManualTime) -> None:
        self.renderer = renderer
        self.time = time
        self.playout = PlayoutQueue()
        self.pictures: list[np.ndarray] = []
        """One every ``1 / fps`` seconds."""
        self._next_action = self._next_picture = time.now

    def say(self, samples: np.ndarray, rate: int = 16_000) -> None:
        stream = self.playout.open("a", StreamHeader(rate, 1))
        self.playout.push(stream, samples.tobytes())
        self.playout.end(stream)
        self._next_action = self.time.now

    def clear(self) -> None:
        self.playout.clear("a")
        self._next_action = self.time.now

    async def run(self, seconds: float) -> list[np.ndarray]:
        """Let time pass; return the pictures of that time."""
        before = len(self.pictures)
        end = self.time.now + seconds
        while self.time.now < end - 1e-9:
            while self._next_action <= self.time.now + 1e-9:
                self._act()
            await self.time.advance(STEP)
            if self._next_picture <= self.time.now + 1e-9:
                self._next_picture += 1 / self.renderer.fps
                self.pictures.append(self.renderer.frame(self.playout.leaving(self.time.now)).copy())
        return self.pictures[before:]

    def _act(self) -> None:
        match self.playout.act(self.time.now):
            case Capture(samples, speech):
                self.renderer.audio_queued(self.playout.next_index - len(samples), samples, speech=speech)
            case Cut(keep):
                self.renderer.audio_cut(self.playout.next_index - len(keep))
                if len(keep):
                    self.renderer.audio_queued(self.playout.next_index - len(keep), keep, speech=True)
            case Wait(seconds):
                self._next_action = self.time.now + max(seconds, 0.001)


def mouth(picture: np.ndarray) -> int:
    """Which mouth is shown; the fake SDK shows a picture of one colour."""
    return mouth_of(bgr_of(picture)) if len(picture) > 300 else int(picture[0, 0, 0])


def bgr_of(picture: np.ndarray) -> np.ndarray:
    """A picture as BGR; the face's own are I420."""
    if picture.ndim == 3:
        return picture
    rows, width = picture.shape
    bgr = np.empty((rows * 2 // 3, width, 3), np.uint8)
    put_bgr(picture.reshape(-1), width, rows * 2 // 3, bgr)
    return bgr


@pytest.fixture(params=RENDERERS, ids=lambda make: make.__name__)
async def shown(request: pytest.FixtureRequest) -> AsyncIterator[Shown]:
    time = ManualTime()
    renderer = await request.param(time)
    running = asyncio.create_task(renderer.run())
    shown = Shown(renderer, time)
    await shown.run(1.0)
    yield shown
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await renderer.aclose()


def loud(seconds: float) -> np.ndarray:
    return babble(seconds, 16_000, seed=2)


async def test_pictures_have_the_size_and_shape_that_are_promised(shown: Shown) -> None:
    width, height = shown.renderer.size
    [*_, picture] = shown.pictures
    assert picture.shape in ((height, width, 4), (height * 3 // 2, width))
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.ndim == 2 or (picture[..., 3] == 255).all()
    assert shown.renderer.fps == 25


async def test_the_mouth_follows_what_is_said_and_comes_to_rest(shown: Shown) -> None:
    closed = {mouth(picture) for picture in await shown.run(1.0)}
    assert len(closed) == 1
    shown.say(loud(1.0))
    spoken = [mouth(picture) for picture in await shown.run(1.0)]
    assert not set(spoken) <= closed
    after = [mouth(picture) for picture in await shown.run(1.0)]
    assert set(after[8:]) == closed


async def test_it_opens_no_later_than_three_frames_after_the_sound_leaves(shown: Shown) -> None:
    [at_rest] = {mouth(picture) for picture in await shown.run(0.4)}
    shown.say(np.rint(12_000 * np.sin(2 * np.pi * 600 * np.arange(16_000) / 16_000)).astype(np.int16))
    spoken = [mouth(picture) for picture in await shown.run(0.4)]
    assert spoken[3] != at_rest


async def test_an_interrupt_closes_the_mouth(shown: Shown) -> None:
    [at_rest] = {mouth(picture) for picture in await shown.run(0.4)}
    shown.say(loud(5.0))
    await shown.run(0.6)
    shown.clear()
    assert {mouth(picture) for picture in (await shown.run(1.0))[8:]} == {at_rest}
    shown.say(loud(0.5))
    assert {mouth(picture) for picture in await shown.run(0.6)} != {at_rest}


async def test_moods_are_taken(shown: Shown) -> None:
    for mood in Mood:
        shown.renderer.set_mood(mood)
        await shown.run(0.2)


@pytest.mark.parametrize("make", RENDERERS, ids=lambda make: make.__name__)
async def test_one_that_never_ran_can_be_closed_and_twice(make: Make) -> None:
    renderer = await make(ManualTime())
    await renderer.aclose()
    await renderer.aclose()


# -- the adapter alone ------------------------------------------------------------------------------------------------


class RecordingRuntime:
    """A runtime that draws nothing, and says so by its name: it keeps what it was asked to do."""

    size, fps = (4, 2), 25

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.messages: list[str] = []
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.stopped = asyncio.Event()

    async def push_audio(
        self, audio: bytes, sample_rate: int, last_chunk: bool = False, *, message_id: str = ""
    ) -> None:
        assert sample_rate == RATE
        self.messages.append(message_id)
        self.calls.append(f"push {len(audio) // 2}")

    async def flush(self) -> None:
        self.calls.append("flush")

    def interrupt(self) -> None:
        self.calls.append("interrupt")

    async def run(self) -> AsyncIterator[object]:
        await self.stopped.wait()
        return
        yield

    async def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
async def recorded() -> AsyncIterator[tuple[RuntimeRenderer, RecordingRuntime]]:
    runtime = RecordingRuntime()
    renderer = RuntimeRenderer(runtime)  # type: ignore[arg-type]
    running = asyncio.create_task(renderer.run())
    yield renderer, runtime
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def samples(count: int) -> np.ndarray:
    return np.ones(count, np.int16)


async def calls(runtime: RecordingRuntime) -> list[str]:
    for _ in range(10):
        await asyncio.sleep(0)
    return runtime.calls


async def test_speech_is_pushed_and_flushed_once_silence_follows(
    recorded: tuple[RuntimeRenderer, RecordingRuntime],
) -> None:
    renderer, runtime = recorded
    renderer.audio_queued(0, samples(480), speech=False)
    renderer.audio_queued(480, samples(960), speech=True)
    renderer.audio_queued(1_440, samples(960), speech=True)
    renderer.audio_queued(2_400, samples(480), speech=False)
    renderer.audio_queued(2_880, samples(480), speech=False)
    assert await calls(runtime) == ["push 960", "push 960", "flush"]


async def test_cutting_silence_does_not_cut_what_is_drawn_of_the_speech_before_it(
    recorded: tuple[RuntimeRenderer, RecordingRuntime],
) -> None:
    renderer, runtime = recorded
    renderer.audio_queued(0, samples(960), speech=True)
    renderer.audio_queued(960, samples(9_600), speech=False)
    renderer.audio_cut(5_000)
    assert await calls(runtime) == ["push 960", "flush"]


async def test_cutting_speech_interrupts_and_what_is_kept_is_pushed_anew(
    recorded: tuple[RuntimeRenderer, RecordingRuntime],
) -> None:
    renderer, runtime = recorded
    renderer.audio_queued(0, samples(960), speech=True)
    assert await calls(runtime) == ["push 960"]
    renderer.audio_queued(960, samples(960), speech=True)  # still waits to be pushed when the cut comes
    renderer.audio_cut(200)
    renderer.audio_queued(200, samples(100), speech=True)
    assert await calls(runtime) == ["push 960", "interrupt", "push 100"]


async def test_after_an_interrupt_no_frame_of_what_was_cut_is_shown() -> None:
    class Late(RecordingRuntime):
        """Gives frames of a turn after it was interrupted, as an engine does that draws ahead."""

        async def run(self) -> AsyncIterator[object]:
            while True:
                yield await self.frames.get()

    runtime = Late()
    renderer = RuntimeRenderer(runtime)  # type: ignore[arg-type]
    running = asyncio.create_task(renderer.run())

    async def shown(colour: int, message: str | None) -> int:
        sound = AudioChunk(np.zeros(640, np.int16), 16_000)
        runtime.frames.put_nowait(Frame(np.full((2, 4, 3), colour, np.uint8), sound, source_message_id=message))
        await calls(runtime)
        return int(renderer.frame(0)[0, 0, 0])

    assert await shown(5, None) == 5
    renderer.audio_queued(0, samples(960), speech=True)
    await calls(runtime)
    [first] = runtime.messages
    assert await shown(9, first) == 9
    renderer.audio_cut(200)
    assert int(renderer.frame(0)[0, 0, 0]) == 5, "the mouth of what was cut stays open"
    assert await shown(9, first) == 5
    renderer.audio_queued(200, samples(960), speech=True)
    await calls(runtime)
    assert await shown(7, runtime.messages[-1]) == 7
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_runtime_that_gives_no_more_frames_fails_the_session() -> None:
    runtime = RecordingRuntime()
    renderer = RuntimeRenderer(runtime)  # type: ignore[arg-type]
    await runtime.stop()
    with pytest.raises(ExceptionGroup) as raised:
        await renderer.run()
    assert raised.group_contains(AvatarError, match="stopped giving frames")


async def test_what_is_shown_is_what_the_runtime_drew_byte_for_byte() -> None:
    sound = babble(1.5, RATE)
    direct = FaceRuntime(FACE, clock=(time := Time()).clock, sleep=time.sleep)
    await direct.push_audio(sound.tobytes(), RATE, last_chunk=True)
    drawn = [frame.bgr_image.tobytes() for frame in await drain(direct) if frame.bgr_image is not None]

    manual = ManualTime()
    renderer = RuntimeRenderer(FaceRuntime(FACE, clock=manual.clock, sleep=manual.sleep))
    running = asyncio.create_task(renderer.run())
    shown = Shown(renderer, manual)
    await shown.run(0.5)
    before = len(shown.pictures)
    shown.say(sound, RATE)
    await shown.run(2.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    seen = [np.ascontiguousarray(picture[..., :3]).tobytes() for picture in shown.pictures[before - 1 :]]
    assert [key for key, _ in itertools.groupby(seen)][1:] == [key for key, _ in itertools.groupby(drawn)]


async def test_pictures_of_another_size_than_promised_are_shown_as_they_are() -> None:
    class Larger(RecordingRuntime):
        async def run(self) -> AsyncIterator[object]:
            yield Frame(np.full((6, 8, 3), 7, np.uint8), AudioChunk(np.zeros(640, np.int16), 16_000))
            await self.stopped.wait()

    renderer = RuntimeRenderer(Larger())  # type: ignore[arg-type]
    assert renderer.frame(0).shape == (2, 4, 4)
    running = asyncio.create_task(renderer.run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert renderer.frame(0).shape == (6, 8, 4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_the_fake_sdks_pictures_differ() -> None:
    assert mouth(FAKE_PICTURE) != mouth(FAKE_IDLE_PICTURE)
