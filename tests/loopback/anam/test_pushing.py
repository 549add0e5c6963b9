"""The audio that reaches Anam's engine: every byte, in order, once it is ready; and the end of turns and sessions."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mouthpiece.audio.pcm import Pcm
from mouthpiece.playback.pacing import LEAD
from mouthpiece.segments import AudioInfo, Mode, State
from mouthpiece_sender.anam.frames import FrameSink
from mouthpiece_sender.anam.session import AnamSession, PassthroughStream
from mouthpiece_sender.anam.settings import AnamSettings
from mouthpiece_sender.anam.target import ROOM, AnamTarget
from mouthpiece_sender.speaker import Speaker
from tests.loopback.anam.conftest import Sound, outcome, play
from tests.loopback.anam.emulator import KEY, Engine, Faults, engine
from tests.sounds import Tone


def settings(emulated: Engine) -> AnamSettings:
    return AnamSettings(KEY, api_url=emulated.url, ready_timeout=10)


@asynccontextmanager
async def speaking(emulated: Engine, *sinks: FrameSink) -> AsyncIterator[Speaker]:
    async with AnamTarget(settings(emulated), sinks=sinks) as target, Speaker(ROOM, via=target) as speaker:
        yield speaker


async def test_every_byte_of_a_file_arrives_in_order_after_the_avatar_is_ready_and_none_before(
    sound: Sound, tmp_path: Path
) -> None:
    file = sound(2.3)
    async with engine(Faults(ready_after=0.8)) as emulated:
        async with play(emulated, tmp_path, str(file), "--json") as process:
            code, out, err = await outcome(process)
        session = emulated.session
        assert (code, err) == (0, "")
        segment = json.loads(out)
        assert (segment["state"], segment["receipt"], segment["profile"]) == ("finished", "estimated", "anam")
        assert segment["position"] == pytest.approx(2.3)

        samples, _ = soundfile.read(file, dtype="int16")
        assert session.sound == samples.tobytes()
        assert session.too_early == 0
        assert all(push.at >= 0 for push in session.pushes)
        assert [push.sequence for push in session.pushes] == list(range(5))
        assert [len(push.data) for push in session.pushes] == [24_000] * 4 + [14_400]
        assert {(push.encoding, push.sample_rate, push.channels) for push in session.pushes} == {
            ("pcm_s16le", 24_000, 1)
        }
        assert len(session.ends) == 1
        assert session.ends[0] > session.pushes[-1].at
        assert session.interrupts == 0
        assert session.end_sessions == 1


async def test_an_avatar_that_is_ready_before_the_connection_gets_the_whole_sound() -> None:
    async with engine(Faults(ready_first=True)) as emulated, speaking(emulated) as speaker:
        segment = await (await speaker.play(Tone(0.6))).finished(30)
        assert (segment.state, emulated.session.sound) == (State.FINISHED, Tone(0.6).samples.tobytes())


async def test_the_persona_is_an_avatar_for_passthrough_and_nothing_else(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound(0.3)), ANAM_AVATAR_ID="mine") as process:
            assert (await outcome(process))[0] == 0
        assert emulated.session.request["personaConfig"] == {"avatarId": "mine", "enableAudioPassthrough": True}


async def test_the_session_stays_for_a_while_after_the_sound(sound: Sound, tmp_path: Path) -> None:
    file = str(sound(1.0))
    async with engine() as emulated, play(emulated, tmp_path, file, MOUTHPIECE_ANAM_LINGER="1.5") as process:
        await begun(emulated)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await emulated.session.closed.wait()
        assert loop.time() - began >= 2.4
        assert (await outcome(process))[0] == 0


@pytest.mark.parametrize(
    ("rate", "weights"),
    [(16_000, [1.0]), (44_100, [0.5, 0.5]), (48_000, [0.5, 0.5, 0.5**0.5])],  # left, right, centre: ITU-R BS.775-3
    ids=["mono", "stereo", "with-a-centre"],
)
async def test_rates_that_anam_takes_are_sent_unchanged_and_channels_are_mixed(
    tmp_path: Path, rate: int, weights: list[float]
) -> None:
    file = tmp_path / "file.wav"
    different = [Tone(0.6, sample_rate=rate, hertz=440.0 * (n + 1)).samples // (n + 1) for n in range(len(weights))]
    soundfile.write(file, np.stack(different, axis=1), rate)
    async with engine() as emulated, speaking(emulated) as speaker:
        segment = await (await speaker.play(str(file))).finished()
        session = emulated.session
        assert segment.state is State.FINISHED
        mixed = np.rint(np.average(different, axis=0, weights=weights) * sum(weights)).astype(int)
        assert np.abs(np.frombuffer(session.sound, np.int16) - mixed).max() <= 1
        assert {push.sample_rate for push in session.pushes} == {rate}


@pytest.mark.parametrize("rate", [8_000, 96_000])
async def test_rates_that_anam_does_not_take_are_resampled_to_the_one_it_advises(
    sound: Sound, tmp_path: Path, rate: int
) -> None:
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound(1.0, rate=rate))) as process:
            code, _, err = await outcome(process)
        session = emulated.session
        assert (code, err, session.refused_rate) == (0, "", None)
        assert {push.sample_rate for push in session.pushes} == {24_000}
        assert len(session.sound) == 48_000
        spectrum = np.abs(np.fft.rfft(np.frombuffer(session.sound, np.int16).astype(float)))
        assert int(spectrum.argmax()) == 440


async def test_the_emulated_engine_refuses_a_rate_that_is_out_of_range() -> None:
    """Without this the test above would prove nothing."""
    async with engine() as emulated, AnamSession(settings(emulated)) as session:
        stream = await PassthroughStream(session, 8_000).open()
        await stream.write(bytes(800))
        assert await session.lost_within(10)
        assert emulated.session.refused_rate == 8_000


class BeingMade:
    """A sound of unknown length; each half second of it is made once the engine has the one before."""

    info = AudioInfo(24_000, 1, None)

    def __init__(self, emulated: Engine) -> None:
        self._engine = emulated

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        yield self._blocks()

    async def _blocks(self) -> AsyncIterator[Pcm]:
        for number in range(4):
            async with asyncio.timeout(20):
                while len(self._engine.session.pushes) < number:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            yield Pcm(np.full(12_000, number + 1, np.int16), 24_000)


async def test_a_sound_that_is_still_being_made_is_sent_as_it_is_made() -> None:
    async with engine() as emulated, speaking(emulated) as speaker:
        segment = await (await speaker.play(BeingMade(emulated))).finished()
        session = emulated.session
        assert np.frombuffer(session.sound, np.int16)[::12_000].tolist() == [1, 2, 3, 4]
        assert (segment.state, segment.position, len(session.ends)) == (State.FINISHED, 2.0, 1)


async def test_segments_are_said_one_after_the_other_in_one_session() -> None:
    async with engine() as emulated, speaking(emulated) as speaker:
        first = await speaker.play(Tone(0.6))
        second = await speaker.play(Tone(0.3, hertz=880))
        assert (await second.now()).state is State.QUEUED
        assert [(await segment.finished()).state for segment in (first, second)] == [State.FINISHED] * 2
        session = emulated.session
        assert session.sound == Tone(0.6).samples.tobytes() + Tone(0.3, hertz=880).samples.tobytes()
        assert len(session.ends) == 2


async def test_a_long_sound_is_sent_along_with_its_playout() -> None:
    """So an interrupt has little to drop, and a sound of ten minutes is not held in memory."""
    async with engine() as emulated, speaking(emulated) as speaker:
        await speaker.play(Tone(60.0))
        await begun(emulated)
        await asyncio.sleep(3)
        assert 3.0 <= len(emulated.session.sound) / 48_000 <= 3.0 + LEAD + 1.5


async def test_an_interrupt_ends_the_turn_and_the_next_segment_is_said() -> None:
    async with engine() as emulated, speaking(emulated) as speaker:
        first = await speaker.play(Tone(20.0))
        waiting = await speaker.play(Tone(0.4))
        await begun(emulated)
        urgent = await speaker.play(Tone(0.3), mode=Mode.INTERRUPT)
        stopped = await first.finished()
        assert (stopped.state, stopped.interrupted) == (State.INTERRUPTED, True)
        assert 0 <= stopped.position < 10
        assert (await waiting.now()).state is State.QUEUED
        assert (await urgent.finished()).state is State.FINISHED
        assert (await waiting.finished()).state is State.FINISHED
        assert (emulated.session.interrupts, len(emulated.session.ends)) == (1, 3)


class Heard(AbstractAsyncContextManager[Any]):
    """A sink that measures how long the avatar was loud and quiet."""

    def __init__(self) -> None:
        self.loud = 0.0
        """Seconds."""
        self.quiet = 0.0
        """Seconds since it was last loud."""

    async def __aexit__(self, *_: object) -> None:
        pass

    def begin(self) -> None:
        pass

    def video(self, frame: Any, arrived: float) -> None:
        pass

    def audio(self, frame: Any, arrived: float) -> None:
        if np.abs(frame.to_ndarray()).max() > 1_000:
            self.loud, self.quiet = self.loud + 0.02, 0.0
        else:
            self.quiet += 0.02

    async def heard(self, *, loud: float = 0.0, quiet: float = 0.0) -> None:
        async with asyncio.timeout(20):
            while self.loud < loud or self.quiet < quiet:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_an_interrupt_comes_after_the_end_of_the_turn_and_silences_the_avatar() -> None:
    heard = Heard()
    async with engine() as emulated:
        async with speaking(emulated, heard) as speaker:
            segment = await speaker.play(Tone(20.0))
            await heard.heard(loud=0.5)
            await speaker.interrupt()
            assert (await segment.finished()).state is State.INTERRUPTED
            await heard.heard(quiet=1.0)
        session = emulated.session
        await asyncio.wait_for(session.closed.wait(), 5)
        assert session.log == ["push"] * len(session.pushes) + ["end", "interrupt"]
        assert heard.loud < len(session.sound) / 32_000 - LEAD / 4


async def test_a_segment_that_may_not_be_interrupted_plays_on() -> None:
    async with engine() as emulated, speaking(emulated) as speaker:
        first = await speaker.play(Tone(1.5), interruptible=False)
        await begun(emulated)
        await speaker.interrupt()
        assert (await first.finished()).state is State.FINISHED
        assert emulated.session.interrupts == 0


async def test_a_segment_that_must_not_wait_is_ignored_while_another_plays() -> None:
    async with engine() as emulated, speaking(emulated) as speaker:
        await speaker.play(Tone(0.5))
        second = await speaker.play(Tone(0.3), mode=Mode.IGNORE)
        assert (await second.finished()).state is State.IGNORED


async def test_a_session_that_was_lost_is_opened_anew_for_the_next_segment() -> None:
    async with engine(Faults(end_session_after=0.2)) as emulated, speaking(emulated) as speaker:
        first = await speaker.play(Tone(2.0))
        assert (await first.finished()).state is State.UNKNOWN
        emulated.faults.end_session_after = None
        second = await speaker.play(Tone(0.3))
        assert (await second.finished()).state is State.FINISHED
        lost, anew = emulated.sessions
        assert lost.log == ["push"] * len(lost.pushes) + ["drop"]
        assert anew.log == ["push", "end"]
        assert (lost.sockets, anew.sockets) == (1, 1)


async def test_with_replay_a_lost_segment_is_played_again_in_the_next_session() -> None:
    async with engine(Faults(end_session_after=0.6)) as emulated, speaking(emulated) as speaker:
        segment = await speaker.play(Tone(2.0), on_loss="replay")
        await begun(emulated)
        async with asyncio.timeout(20):
            while len(emulated.sessions) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        emulated.faults.end_session_after = None
        ended = await segment.finished()
        assert (ended.state, len(emulated.sessions)) == (State.FINISHED, 2)
        assert emulated.sessions[1].sound == Tone(2.0).samples.tobytes()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_interrupts_the_avatar_and_closes_the_session(
    sound: Sound, tmp_path: Path, stop: signal.Signals
) -> None:
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound(20.0))) as process:
            await begun(emulated)
            process.send_signal(stop)
            code, _, err = await outcome(process)
        session = emulated.session
        await asyncio.wait_for(session.closed.wait(), 5)
        await asyncio.wait_for(session.interrupted.wait(), 5)
        assert (code, err) == (130, "")
        assert (session.interrupts, len(session.ends), session.end_sessions) == (1, 1, 1)


async def test_ctrl_c_while_the_avatar_is_awaited_closes_the_session(sound: Sound, tmp_path: Path) -> None:
    async with engine(Faults(never_ready=True)) as emulated:
        async with play(emulated, tmp_path, str(sound(1.0))) as process:
            await asyncio.wait_for(emulated.opened.wait(), 30)
            await asyncio.sleep(1)
            process.send_signal(signal.SIGINT)
            code, _, err = await outcome(process)
        await asyncio.wait_for(emulated.session.closed.wait(), 5)
        assert (code, err, emulated.session.pushes) == (130, "", [])
        assert emulated.session.end_sessions == 1


async def begun(emulated: Engine) -> None:
    async with asyncio.timeout(30):
        await emulated.opened.wait()
        await emulated.session.pushed.wait()


async def test_a_bug_in_mid_segment_ends_it_and_the_next_one_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: AnamSession) -> bool:
        raise ValueError("a fault of ours")

    async with engine() as emulated, speaking(emulated) as speaker:
        first = await speaker.play(Tone(20.0))
        waiting = await speaker.play(Tone(0.3))
        await begun(emulated)
        with monkeypatch.context() as patched:
            patched.setattr(AnamSession, "interrupt", broken)
            await speaker.interrupt()
            ended = await first.finished(10)
        assert ended.state is State.INTERRUPTED
        failed = await waiting.finished(10)
        assert failed.state is State.FAILED
        assert failed.error is not None
        assert failed.error.type == "internal"
        assert (await (await speaker.play(Tone(0.3))).finished(20)).state is State.FINISHED
        assert [session.end_sessions for session in emulated.sessions][:1] == [1]
