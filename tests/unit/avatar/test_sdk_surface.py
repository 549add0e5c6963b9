"""What a program may name of bitHuman's SDK is there under the same name and takes the same arguments.

Source: bithuman 2.12.9, what ``inspect.signature`` says of ``AsyncBithuman`` and of the classes beside it. Without the
pacing by a sink (``sync_to``) and ``generator``, a way to a private part of an older version.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from mouthpiece_avatar import as_bithuman
from mouthpiece_avatar.as_bithuman import (
    AccountStatusError,
    AsyncBithuman,
    AudioChunk,
    BithumanError,
    Emotion,
    EmotionPrediction,
    ModelError,
    ModelNotFoundError,
    TokenError,
    VideoControl,
    VideoFrame,
)
from mouthpiece_avatar.face import faces
from tests.unit.avatar.plain_face import plain_face
from tests.unit.avatar.test_face_runtime import babble
from tests.unit.avatar.test_runtimes import Time

CREATE = (
    *("model_path", "token", "api_secret", "api_url", "tags", "insecure", "input_buffer_size", "output_buffer_size"),
    *("num_threads", "verbose", "batch_workers", "quality", "identity", "billing_type", "agent_code", "fingerprint"),
)
COROUTINES = {
    "flush": "",
    "push": "control",
    "push_audio": "data sample_rate last_chunk",
    "set_model": "model_path",
    "shutdown": "",
    "start": "",
    "stop": "",
}
FUNCTIONS = {
    "cleanup": "",
    "get_first_frame": "",
    "interrupt": "",
    "is_token_refresh_running": "",
    "run": "",
    "set_agent_code": "agent_code",
    "set_billing_type": "billing_type",
    "set_identity": "identity",
    "start_token_refresh": "",
    "stop_token_refresh": "",
}
PROPERTIES = (
    *("fps", "frame_height", "frame_width", "sample_rate", "samples_per_tick", "settings", "transaction_id"),
    "video_graph",
)
ERRORS = {
    "AccountStatusError": "TokenError",
    "ModelError": "BithumanError",
    "ModelLoadError": "ModelError",
    "ModelNotFoundError": "ModelError",
    "ModelSecurityError": "ModelError",
    "RuntimeNotReadyError": "BithumanError",
    "TokenError": "BithumanError",
    "TokenExpiredError": "TokenError",
    "TokenRequestError": "TokenError",
    "TokenValidationError": "TokenError",
}


@pytest.fixture(autouse=True)
def face(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mia", "noah"):
        monkeypatch.setitem(faces._loaded, (name, faces.Look()), plain_face())


async def made(**options: Any) -> AsyncBithuman:
    time = Time()
    return await AsyncBithuman.create(clock=time.clock, sleep=time.sleep, **options)


@pytest.mark.parametrize(("name", "parameters"), [*COROUTINES.items(), *FUNCTIONS.items()])
def test_each_method_takes_what_the_sdks_does(name: str, parameters: str) -> None:
    method = getattr(AsyncBithuman, name)
    taken = [each for each, parameter in inspect.signature(method).parameters.items() if parameter.kind != 4]
    assert taken == ["self", *parameters.split()]
    assert inspect.iscoroutinefunction(method) is (name in COROUTINES)


async def test_everything_that_create_takes_there_is_taken() -> None:
    runtime = await made(**dict.fromkeys(CREATE), output_size=(512, 512))
    for name in PROPERTIES:
        assert hasattr(runtime, name), name


@pytest.mark.parametrize(("name", "base"), ERRORS.items())
def test_the_errors_are_a_tree_as_there(name: str, base: str) -> None:
    assert issubclass(getattr(as_bithuman, name), getattr(as_bithuman, base))
    assert issubclass(BithumanError, Exception)


async def test_a_face_that_is_not_there_is_the_error_of_a_missing_model() -> None:
    for caught in (ModelNotFoundError, ModelError, BithumanError):
        with pytest.raises(caught) as raised:
            await AsyncBithuman.create(model_path="bob")
        assert not isinstance(raised.value, (TokenError, AccountStatusError))


def test_values_are_made_and_asked_as_there() -> None:
    sound = np.array([1, -2, 3], np.int16)
    for given in (sound, sound.tobytes()):
        control = VideoControl.from_audio(given, 16_000, last_chunk=False)
        assert control.audio is not None
        assert np.array_equal(control.audio.data, sound)
        assert (control.audio.last_chunk, control.is_speaking, control.is_idle) == (False, True, False)
    assert np.array_equal(AudioChunk.from_bytes(sound.tobytes(), 8_000).array, sound)
    assert np.array_equal(AudioChunk(np.array([0.5, -1.0], np.float32), 8_000).array, [16_383, -32_767])
    with pytest.raises(ValueError, match="int32"):
        AudioChunk(np.zeros(3, np.int32), 8_000)
    assert VideoControl().is_idle
    joy = VideoControl(emotion_preds=[EmotionPrediction(Emotion("joy"), 0.9)])
    assert not joy.is_idle
    frame = VideoFrame(bgr_image=None, audio_chunk=AudioChunk(sound, 16_000))
    assert (frame.has_image, frame.rgb_image, frame.end_of_speech) == (False, None, False)


async def test_another_face_is_shown_from_the_next_frame_on(monkeypatch: pytest.MonkeyPatch) -> None:
    other = plain_face()
    other.breaths[:, :1024] = 200
    monkeypatch.setitem(faces._loaded, ("noah", faces.Look()), other)
    runtime = await made(model_path="mia")
    assert runtime.get_first_frame()[0, 0, 0] < 200
    await runtime.set_model("noah")
    assert runtime.get_first_frame()[0, 0, 0] > 200
    with pytest.raises(ModelNotFoundError):
        await runtime.set_model("bob")


class GeneratorOfLiveKitsPlugin:
    """What ``BithumanGenerator`` of livekit-plugins-bithuman 1.8.10 calls, in its order."""

    def __init__(self, runtime: AsyncBithuman) -> None:
        self._runtime = runtime

    @property
    def video_resolution(self) -> tuple[int, int]:
        frame = self._runtime.get_first_frame()
        return frame.shape[1], frame.shape[0]

    @property
    def rates(self) -> tuple[int, int]:
        return self._runtime.settings.FPS, self._runtime.settings.INPUT_SAMPLE_RATE

    async def push_audio(self, data: bytearray | None, sample_rate: int = 0) -> None:
        if data is None:
            await self._runtime.flush()
            return
        await self._runtime.push_audio(bytes(data), sample_rate, last_chunk=False)

    def clear_buffer(self) -> None:
        self._runtime.interrupt()

    async def stream(self) -> AsyncIterator[tuple[str, int]]:
        async for frame in self._runtime.run():
            if frame.bgr_image is not None:
                yield "picture", frame.bgr_image[:, :, ::-1].nbytes
            audio_chunk = frame.audio_chunk
            if audio_chunk is not None:
                yield "sound", len(audio_chunk.bytes) // 2 * 16_000 // audio_chunk.sample_rate
            if frame.end_of_speech:
                yield "end", 0


async def test_livekits_plugin_gets_turns_whole_and_cut() -> None:
    generator = GeneratorOfLiveKitsPlugin(await made(model_path="mia"))
    assert (generator.video_resolution, generator.rates) == ((512, 512), (25, 16_000))
    sound = bytearray(babble(0.4, 16_000).tobytes())

    async def until_end() -> list[str]:
        kinds = []
        async for kind, amount in generator.stream():
            assert amount == {"picture": 512 * 512 * 3, "sound": 640, "end": 0}[kind]
            kinds.append(kind)
            if kind == "end" or len(kinds) == 6:
                break
        return kinds

    await generator.push_audio(sound, 16_000)
    await generator.push_audio(sound[:1_280], 16_000)
    assert (await until_end()).count("picture") == 3
    generator.clear_buffer()
    assert await until_end() == ["sound", "end"], "a cut turn ends without a picture"
    await generator.push_audio(sound[:2_560], 16_000)
    await generator.push_audio(None)
    assert await until_end() == ["picture", "sound", "picture", "sound", "end"]
