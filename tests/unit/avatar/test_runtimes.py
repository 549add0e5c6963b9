"""One test of the contract for every runtime: push and drain, turns, interrupts, the beat of 25 frames a second."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from mouthpiece.errors import AvatarError, AvatarStartFailed, ConfigurationError, QueueFull
from mouthpiece_avatar.runtimes.bithuman import BithumanRenderers, BithumanRuntime
from mouthpiece_avatar.runtimes.contract import Frame, Runtime
from mouthpiece_avatar.runtimes.face import FaceRuntime
from tests.unit.avatar.fake_bithuman import (
    FakeAsyncBithuman,
    FakeBithumanError,
    FakeModelError,
    FakeTokenError,
    fake_module,
)
from tests.unit.avatar.plain_face import plain_face

RATE = 16_000


class Time:
    """Time that passes when a task sleeps."""

    def __init__(self) -> None:
        self.now = 50.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def face(time: Time) -> Runtime:
    return FaceRuntime(plain_face(), clock=time.clock, sleep=time.sleep)


async def face_with_idle_pictures(time: Time) -> Runtime:
    return FaceRuntime(plain_face(), idle_pictures=True, clock=time.clock, sleep=time.sleep)


async def bithuman(time: Time) -> Runtime:
    return await BithumanRuntime.create("a.imx", "secret", module=fake_module(time.clock, time.sleep))


async def bithuman_with_idle_pictures(time: Time) -> Runtime:
    return await BithumanRuntime.create(
        "a.imx", "secret", module=fake_module(time.clock, time.sleep, idle_pictures=True)
    )


Make = Callable[[Time], Awaitable[Runtime]]
RUNTIMES: list[Make] = [face, face_with_idle_pictures, bithuman, bithuman_with_idle_pictures]


@pytest.fixture(params=RUNTIMES, ids=lambda make: make.__name__)
async def made(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Runtime, Time]]:
    time = Time()
    runtime = await request.param(time)
    yield runtime, time
    await runtime.stop()


def tone(seconds: float, rate: int = RATE) -> bytes:
    wave: np.ndarray = 9_000 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate)) / rate)
    return wave.round().astype("<i2").tobytes()


async def drain(runtime: Runtime, frames: int = 10_000) -> list[Frame]:
    """Frames up to an end of speech, or that many."""
    drained: list[Frame] = []
    async for frame in runtime.run():
        drained.append(frame)
        if frame.end_of_speech or len(drained) == frames:
            break
    return drained


def loud(frame: Frame) -> bool:
    return bool(np.abs(frame.audio_chunk.array.astype(int)).max() > 500)


async def test_a_turn_comes_out_whole_and_ends_once(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(1.01), RATE)
    await runtime.flush()
    frames = await drain(runtime)
    assert len(frames) == 26, "1.01 s is 25 frames and a quarter"
    assert [frame.end_of_speech for frame in frames] == [False] * 25 + [True]
    assert all(frame.has_image and loud(frame) for frame in frames)
    assert sum(frame.audio_chunk.duration for frame in frames) == pytest.approx(26 * 0.04)
    last = frames[-1].audio_chunk
    assert not last.array[len(last.array) // 2 :].any(), "the last frame is padded with silence"


async def test_the_first_frame_is_not_waited_for_and_the_rest_keep_the_beat(made: tuple[Runtime, Time]) -> None:
    runtime, time = made
    await runtime.push_audio(tone(0.5), RATE)
    started = time.now
    times = []
    async for _ in runtime.run():
        times.append(time.now - started)
        if len(times) == 50:
            break
    assert times == pytest.approx([index / runtime.fps for index in range(50)])


async def test_between_turns_there_are_fillers(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    frames = await drain(runtime, 10)
    assert not any(frame.end_of_speech or loud(frame) for frame in frames)
    assert all(frame.audio_chunk.duration == pytest.approx(0.04) for frame in frames)


async def test_images_have_the_shape_that_is_promised(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(0.2), RATE, last_chunk=True)
    for frame in await drain(runtime):
        assert frame.bgr_image is not None
        assert frame.bgr_image.dtype == np.uint8
        assert frame.bgr_image.shape == (runtime.size[1], runtime.size[0], 3)
        assert frame.audio_chunk.array.dtype == np.int16
        assert frame.audio_chunk.bytes == frame.audio_chunk.array.tobytes()


async def test_two_turns_end_twice(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(0.2), RATE, last_chunk=True)
    await runtime.push_audio(tone(0.1), RATE, last_chunk=True)
    assert len(await drain(runtime)) == 5
    assert len(await drain(runtime)) == 3


async def test_an_interrupt_drops_the_rest_and_ends_the_turn(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(2), RATE)
    assert len(await drain(runtime, 5)) == 5
    runtime.interrupt()
    [frame] = await drain(runtime)
    assert frame.end_of_speech
    assert not loud(frame)
    await runtime.push_audio(tone(0.08), RATE, last_chunk=True)
    assert len(await drain(runtime)) == 2


async def test_a_second_interrupt_before_the_next_frame_does_not_lose_the_end(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(2), RATE)
    assert len(await drain(runtime, 5)) == 5
    runtime.interrupt()
    runtime.interrupt()
    [frame] = await drain(runtime, 1)
    assert frame.end_of_speech


async def test_an_interrupt_while_nothing_is_said_ends_nothing(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    runtime.interrupt()
    assert not any(frame.end_of_speech for frame in await drain(runtime, 5))


async def test_sound_of_other_rates_keeps_its_length(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    for rate in (8_000, 22_050, 44_100, 48_000):
        await runtime.push_audio(tone(0.4, rate), rate, last_chunk=True)
        assert len(await drain(runtime)) == 10


async def test_a_turn_that_waits_for_its_end_gets_fillers_meanwhile(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(0.03), RATE)
    assert not any(loud(frame) for frame in await drain(runtime, 3))
    await runtime.flush()
    [frame] = await drain(runtime)
    assert loud(frame)


async def test_half_an_hour_is_the_limit(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    for _ in range(30):
        await runtime.push_audio(bytes(2 * 4_000 * 60), 4_000)
    with pytest.raises(QueueFull):
        await runtime.push_audio(tone(0.1), RATE)


TOO_MUCH = bytes(2 * 8_000 * 60 * 31)


@pytest.mark.parametrize(
    ("refused", "rate", "error"),
    [(b"\1\0", 0, ValueError), (b"\1\0", -1, ValueError), (TOO_MUCH, 8_000, QueueFull)],
    ids=["no rate", "negative rate", "too much"],
)
async def test_a_push_that_is_refused_loses_nothing_of_the_turn(
    made: tuple[Runtime, Time], refused: bytes, rate: int, error: type[Exception]
) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(0.2), RATE)
    with pytest.raises(error):
        await runtime.push_audio(refused, rate)
    await runtime.push_audio(tone(0.2), RATE, last_chunk=True)
    frames = await drain(runtime)
    assert len(frames) == 10
    assert all(loud(frame) for frame in frames)


async def test_stop_ends_the_frames(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    frames = 0
    async for _ in runtime.run():
        frames += 1
        if frames == 3:
            await runtime.stop()
    assert frames == 3


async def test_without_its_sdk_or_its_secret_bithuman_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BITHUMAN_API_SECRET", raising=False)
    monkeypatch.setitem(sys.modules, "bithuman", None)  # as if it were not installed
    with pytest.raises(ConfigurationError, match="--extra bithuman"):
        await BithumanRuntime.create("a.imx", "secret")
    with pytest.raises(ConfigurationError, match="BITHUMAN_API_SECRET"):
        await BithumanRuntime.create("a.imx", module=fake_module())


async def test_bithumans_secret_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITHUMAN_API_SECRET", "of the environment")
    module, given = fake_module(), []

    class AsyncBithuman:
        @classmethod
        async def create(cls, *, model_path: str, api_secret: str) -> AsyncBithuman:
            given.append(api_secret)
            return cls()

    module.AsyncBithuman = AsyncBithuman  # type: ignore[attr-defined]
    await BithumanRuntime.create("a.imx", module=module)
    await BithumanRuntime.create("a.imx", "of the caller", module=module)
    assert given == ["of the environment", "of the caller"]


@pytest.mark.parametrize(
    "refusal", [ValueError("no model"), RuntimeError("no network"), FakeBithumanError("account refused")]
)
async def test_a_refusal_of_the_sdk_is_one_error_of_ours(refusal: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AvatarStartFailed, match=type(refusal).__name__) as raised:
        await BithumanRuntime.create("a.imx", "the secret", module=fake_module(refuses_with=refusal))
    assert str(refusal) in caplog.text
    assert "the secret" not in caplog.text + str(raised.value)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [(FakeTokenError("402"), "BITHUMAN_API_SECRET"), (FakeModelError("damaged"), "BITHUMAN_MODEL_PATH")],
)
async def test_a_refusal_says_which_setting_is_at_fault_at_the_start_and_later(
    refusal: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AvatarStartFailed, match=said):
        await BithumanRuntime.create("a.imx", "the secret", module=fake_module(refuses_with=refusal))
    sdk = FakeAsyncBithuman(Time().clock, Time().sleep)
    sdk.fails_with = refusal
    with pytest.raises(AvatarError, match=said):
        await drain(BithumanRuntime(sdk, fake_module()), 1)
    assert str(refusal) in caplog.text


async def test_a_message_comes_back_in_its_frames_and_in_no_filler(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    await runtime.push_audio(tone(0.2), RATE, last_chunk=True, message_id="one")
    assert {frame.source_message_id for frame in await drain(runtime)} == {"one"}
    await runtime.push_audio(tone(0.2), RATE, last_chunk=True, message_id="two")
    frames = await drain(runtime)
    assert [(frame.source_message_id, frame.has_image) for frame in frames] == [("two", True)] * 5
    assert [frame.source_message_id for frame in await drain(runtime, 3)] == [None] * 3


async def test_samples_may_be_cut_in_two(made: tuple[Runtime, Time]) -> None:
    runtime, _ = made
    sound = tone(0.2)
    await runtime.push_audio(sound[:1_001], RATE)
    await runtime.push_audio(sound[1_001:], RATE, last_chunk=True)
    frames = await drain(runtime)
    assert len(frames) == 5
    assert all(loud(frame) for frame in frames)


async def test_stopping_ends_the_metered_session_too() -> None:
    sdk = FakeAsyncBithuman(Time().clock, Time().sleep)
    runtime = BithumanRuntime(sdk, fake_module())
    await runtime.stop()
    await runtime.stop()
    assert sdk.released


async def test_size_and_rate_are_the_sdks_where_it_says_them() -> None:
    sdk = FakeAsyncBithuman(Time().clock, Time().sleep)
    sdk.fps, sdk.frame_width, sdk.frame_height = 20, None, None
    assert BithumanRuntime(sdk, fake_module()).size == (1280, 720)
    assert BithumanRuntime(sdk, fake_module()).fps == 20
    async for frame in BithumanRuntime(sdk, fake_module()).run():
        assert frame.audio_chunk.duration == pytest.approx(1 / 20)
        break


def test_everything_that_bithuman_lacks_is_named_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as raised:
        BithumanRenderers(None, None)
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    for word, line in zip(("--extra bithuman", "BITHUMAN_API_SECRET", "BITHUMAN_MODEL_PATH"), lines, strict=True):
        assert word in line


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"BITHUMAN_MODEL_PATH: there is no file .*nobody\.imx"):
        BithumanRenderers(tmp_path / "nobody.imx", "secret", module=fake_module())


@pytest.fixture
def renderers(tmp_path: Path) -> BithumanRenderers:
    model = tmp_path / "ann.imx"
    model.write_bytes(b"a model")
    return BithumanRenderers(model, "secret", module=fake_module())


async def test_each_avatar_gets_a_runtime_of_its_own(renderers: BithumanRenderers) -> None:
    one, other = await renderers("mia"), await renderers("noah")
    assert one is not other
    assert one.size == (16, 16)
    await one.aclose()
    await other.aclose()
