"""The messages and exit codes of the command for each fault of Anam's engine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.loopback.anam.conftest import Sound, outcome, play
from tests.loopback.anam.emulator import Faults, engine

DROPS = [Faults(end_session_after=0.6), Faults(close_after=0.6), Faults(abort_after=0.6)]
ENDED = "Anam's session ended while the avatar spoke."


async def test_an_avatar_that_never_becomes_ready_is_given_up_and_nothing_is_sent(sound: Sound, tmp_path: Path) -> None:
    async with engine(Faults(never_ready=True)) as emulated:
        async with play(emulated, tmp_path, str(sound()), "--avatar-timeout", "6", "--json") as process:
            code, out, _ = await outcome(process)
        segment = json.loads(out)
        assert (code, segment["state"], segment["error"]["type"]) == (3, "failed", "avatar-timeout")
        assert "did not become ready within 6 s" in segment["error"]["detail"]
        assert (emulated.session.pushes, emulated.session.too_early, emulated.session.ends) == ([], 0, [])
        assert emulated.session.end_sessions == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Faults(no_answer=True), "did not connect within 3 s"),
        (Faults(no_path=True), "did not connect within 3 s"),
        (Faults(refuse_socket=True), "cannot be reached"),
    ],
    ids=["no answer", "no path", "no socket"],
)
async def test_a_connection_that_never_stands_is_reported_and_nothing_is_sent(
    sound: Sound, tmp_path: Path, fault: Faults, said: str
) -> None:
    async with engine(fault) as emulated:
        async with play(emulated, tmp_path, str(sound()), "--avatar-timeout", "3") as process:
            code, out, err = await outcome(process)
        assert (code, out) == (1 if fault.refuse_socket else 3, "")
        assert said in err
        session = emulated.session
        if not fault.refuse_socket:
            await asyncio.wait_for(session.closed.wait(), 5)
            assert (session.sockets, session.end_sessions) == (1, 1)
        assert (session.log, session.too_early) == ([], 0)


@pytest.mark.parametrize("fault", DROPS, ids=["ended", "closed", "aborted"])
async def test_a_session_that_ends_in_the_middle_leaves_the_segment_unknown(
    sound: Sound, tmp_path: Path, fault: Faults
) -> None:
    async with engine(fault) as emulated:
        async with play(emulated, tmp_path, str(sound(5.0)), "--json") as process:
            code, out, _ = await outcome(process)
        segment = json.loads(out)
        assert (code, segment["state"], segment["receipt"]) == (4, "unknown", "unknown")
        assert (segment["error"]["type"], segment["error"]["detail"]) == ("avatar-left", ENDED)
        assert 0.2 < segment["position"] < 4.5
        session = emulated.session
        assert session.log == ["push"] * len(session.pushes) + ["drop"]
        # After a break the SDK connects again within 0.1 s, unless it is closed by then.
        assert session.sockets <= (2 if fault.abort_after else 1)


async def test_a_session_that_ends_in_the_middle_is_reported_in_a_sentence(sound: Sound, tmp_path: Path) -> None:
    fault = Faults(close_after=0.6)
    async with engine(fault) as emulated, play(emulated, tmp_path, str(sound(5.0))) as process:
        code, out, err = await outcome(process)
    assert (code, out) == (4, "")
    assert err.startswith("mouthpiece: tone.wav: unknown, ")
    assert ENDED in err


async def test_a_sound_that_the_engine_refuses_is_reported(sound: Sound, tmp_path: Path) -> None:
    async with engine(Faults(refuse_sound="Sample rate 24000 is not supported")) as emulated:
        async with play(emulated, tmp_path, str(sound(5.0))) as process:
            code, out, err = await outcome(process)
        assert (code, out) == (4, "")
        assert ENDED in err
        assert (emulated.session.log[0], len(emulated.sessions)) == ("drop", 1)
        assert not emulated.session.pushes


async def test_a_session_that_ends_before_it_is_ready_has_failed(sound: Sound, tmp_path: Path) -> None:
    async with engine(Faults(end_before_ready=True)) as emulated:
        async with play(emulated, tmp_path, str(sound())) as process:
            code, _, err = await outcome(process)
        assert code == 1
        assert "ended the session before its avatar was ready" in err
        assert emulated.session.pushes == []


async def test_a_wrong_key_is_named_by_its_variable_and_not_by_its_value(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound()), ANAM_API_KEY="not-the-key") as process:
            code, out, err = await outcome(process)
        assert code == 1
        assert "check ANAM_API_KEY" in err
        assert "not-the-key" not in out + err


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, "check ANAM_AVATAR_ID"), (402, "no active plan"), (429, "a limit"), (503, "no session free")],
)
async def test_a_refused_session_is_reported_with_its_reason(
    sound: Sound, tmp_path: Path, status: int, said: str
) -> None:
    fault = Faults(status=status, error="Spend cap reached")
    async with engine(fault) as emulated, play(emulated, tmp_path, str(sound())) as process:
        code, _, err = await outcome(process)
    assert code == 1
    assert said in err


async def test_something_else_at_that_address_is_reported(sound: Sound, tmp_path: Path) -> None:
    async with engine(Faults(not_ours=True)) as emulated, play(emulated, tmp_path, str(sound())) as process:
        code, _, err = await outcome(process)
    assert code == 1
    assert "does not answer as Anam does; check ANAM_API_URL" in err


async def test_nobody_at_that_address_is_reported(sound: Sound, tmp_path: Path) -> None:
    async with engine() as emulated:
        pass
    async with play(emulated, tmp_path, str(sound())) as process:
        code, _, err = await outcome(process)
    assert code == 1
    assert "cannot be reached" in err


async def test_no_key_is_wrong_usage(sound: Sound, tmp_path: Path) -> None:
    async with play(None, tmp_path, str(sound())) as process:
        code, _, err = await outcome(process)
    assert code == 2
    assert "ANAM_API_KEY not set" in err


async def test_a_file_without_sound_opens_no_session(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    await asyncio.to_thread(file.write_text, "not a sound")
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(file)) as process:
            code, _, err = await outcome(process)
        assert (code, emulated.sessions) == (1, [])
        assert err.startswith("mouthpiece: ")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--room", "demo"), "--room"),
        (("--identity", "me"), "--identity"),
        (("--url", "ws://h"), "--url"),
        (("--wait-for-viewer",), "--wait-for-viewer"),
        (("--service", "http://127.0.0.1:1"), "--via"),
        (("--record", "out.avi"), "--record"),
    ],
)
async def test_options_without_a_meaning_are_refused_by_name(
    sound: Sound, tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound()), *arguments) as process:
            code, _, err = await outcome(process)
        assert (code, emulated.sessions) == (2, [])
        assert named in err


async def test_the_target_is_read_from_env_local(sound: Sound, tmp_path: Path) -> None:
    file, settings = str(sound(0.3)), "MOUTHPIECE_TARGET=anam\nMOUTHPIECE_ROOM=demo\n"
    await asyncio.to_thread((tmp_path / ".env.local").write_text, settings)
    async with engine() as emulated:
        async with play(emulated, tmp_path, file, via=()) as process:
            code, _, err = await outcome(process)
        assert (code, err, len(emulated.sessions)) == (0, "", 1)


async def test_loop_plays_again_and_again_in_one_session(sound: Sound, tmp_path: Path) -> None:
    arguments = ("--interval", "0.2", "--times", "3")
    async with engine() as emulated:
        async with play(emulated, tmp_path, str(sound(0.3)), *arguments, command="loop") as process:
            code, out, err = await outcome(process)
        assert (code, err, out.count("finished")) == (0, "", 3)
        assert (len(emulated.sessions), len(emulated.session.ends)) == (1, 3)
