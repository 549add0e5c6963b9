"""Decoders as processes: several at once, killed, hung, left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from mouthpiece.audio.decoders import BLOCK, FIRST_BLOCK, Decoders
from mouthpiece.errors import DamagedAudio, DecodersBusy
from mouthpiece_sender.sounds.file import FileSound
from tests.loopback.decode.making import Samples, chirp, decoder_processes

pytestmark = pytest.mark.usefixtures("processes_start_anew")

RATE = 16_000


@pytest.fixture
def wav(tmp_path: Path) -> Callable[[float], Path]:
    def write(seconds: float) -> Path:
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, chirp(seconds, RATE), RATE)
        return path

    return write


async def whole(sound: FileSound) -> Samples:
    async with sound.open() as blocks:
        return np.concatenate([block.samples async for block in blocks])


@pytest.fixture(autouse=True)
def no_file_is_slow() -> Iterator[None]:
    """On a busy machine any file may take the time from which on it counts as slow to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mouthpiece.audio.decoders.SLOW", 60.0)
        yield


async def kill_all() -> None:
    """As the kernel does when memory runs out; returns when it has been noticed."""
    killed = decoder_processes()
    for process in killed:
        process.kill()
    await ended(*killed)
    await asyncio.sleep(0.05)


async def ended(*processes: psutil.Process) -> None:
    """Returns when they are no children any more; a test's time-out says that they stay."""
    while {process.pid for process in processes} & {child.pid for child in psutil.Process().children()}:  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.01)


async def test_eight_sounds_at_once_come_whole_from_two_processes(
    decoders: Decoders, wav: Callable[[float], Path]
) -> None:
    lengths = [1.0 + number / 4 for number in range(8)]
    sounds = await asyncio.gather(*(FileSound.probe(wav(length), decoders) for length in lengths))
    read = await asyncio.gather(*(whole(sound) for sound in sounds))
    for length, samples in zip(lengths, read, strict=True):
        assert np.array_equal(samples, chirp(length, RATE))
    assert 1 <= len(decoder_processes("playing")) <= 2
    assert 1 <= len(decoder_processes("probing")) <= 2
    assert decoder_processes("slow") == []


async def test_killed_between_two_blocks_the_sound_goes_on_in_another_process(
    decoders: Decoders, wav: Callable[[float], Path]
) -> None:
    sound = await FileSound.probe(wav(6.0), decoders)
    read = []
    async with sound.open() as blocks:
        async for block in blocks:
            read.append(block.samples)
            if len(read) in (2, 4):
                await kill_all()
    assert np.array_equal(np.concatenate(read), chirp(6.0, RATE))


async def test_a_sound_that_hangs_its_decoder_is_damaged_and_the_next_one_plays(
    decoders: Decoders, wav: Callable[[float], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await FileSound.probe(wav(2.0), decoders)
    (process,) = decoder_processes("probing")
    slow = tmp_path / "slow.flac"
    await asyncio.to_thread(soundfile.write, slow, chirp(120, RATE), RATE)
    monkeypatch.setattr("mouthpiece.audio.decoder_process.ANSWER_TIMEOUT", 0.0)  # no process is as quick as that
    with pytest.raises(DamagedAudio, match="crashed or got stuck"):
        await FileSound.probe(slow, decoders)
    monkeypatch.undo()
    assert np.array_equal(await whole(good), chirp(2.0, RATE))
    await FileSound.probe(slow, decoders)
    await ended(process)


async def test_a_sound_that_was_not_begun_is_not_blamed_for_a_process_that_hangs_or_ends(
    decoders: Decoders, wav: Callable[[float], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mouthpiece.audio.decoder_process.BEGIN_TIMEOUT", 0.5)
    await FileSound.probe(wav(1.0), decoders)
    (process,) = decoder_processes("probing")
    process.suspend()
    assert (await FileSound.probe(wav(3.0), decoders)).info.duration == 3.0
    await ended(process)
    (process,) = decoder_processes("probing")
    process.suspend()
    asking = asyncio.create_task(FileSound.probe(wav(2.0), decoders))
    await asyncio.sleep(0.05)
    process.kill()
    assert (await asking).info.duration == 2.0


async def test_what_plays_waits_for_no_probe_and_for_no_file_that_takes_long(
    decoders: Decoders, wav: Callable[[float], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probing processes hang; the ones that play go on. A file that took long plays in another process."""
    quick, other = await FileSound.probe(wav(3.0), decoders), await FileSound.probe(wav(2.5), decoders)
    monkeypatch.setattr("mouthpiece.audio.decoders.SLOW", 0.0)
    heavy = await FileSound.probe(wav(2.0), decoders)
    monkeypatch.undo()
    async with quick.open() as blocks, heavy.open() as heavy_blocks:
        await anext(blocks)
        await anext(heavy_blocks)
        (slow,), (probing,) = decoder_processes("slow"), decoder_processes("probing")
        slow.suspend()
        probing.suspend()
        waiting = asyncio.create_task(FileSound.probe(wav(1.0), decoders))
        rest = [block.samples async for block in blocks]
        assert sum(map(len, rest)) == round((3.0 - FIRST_BLOCK) * RATE)
        assert len(await whole(other)) == 2.5 * RATE
        slow.resume()
        probing.resume()
        await waiting


async def test_one_caller_keeps_no_other_waiting(
    decoders: Decoders, wav: Callable[[float], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key's probes come one after another, and what is too much of them is refused, to be sent again."""
    await FileSound.probe(wav(1.0), decoders)
    (probing,) = decoder_processes("probing")
    probing.suspend()
    monkeypatch.setattr("mouthpiece.audio.decoders.MOST_WAITING", 2)
    attacker = [asyncio.create_task(FileSound.probe(wav(1.0), decoders, "attacker")) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert (await FileSound.probe(wav(2.0), decoders, "other")).info.duration == 2.0
    assert len(decoder_processes("probing")) == 2
    probing.resume()
    done = await asyncio.gather(*attacker, return_exceptions=True)
    busy = [error for error in done if isinstance(error, DecodersBusy)]
    assert len(busy) == 2
    assert busy[0].retryable


async def test_a_request_does_not_wait_for_a_process_that_starts_while_another_one_is_free(
    tmp_path: Path, wav: Callable[[float], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wav(1.0)
    never = tmp_path / "never"
    never.write_text("#!/bin/sh\nexec sleep 60\n")
    never.chmod(0o755)
    async with Decoders() as decoders:
        await decoders.probe(path)
        monkeypatch.setattr("mouthpiece.audio.decoder_process.sys.executable", str(never))
        (probing,) = decoder_processes("probing")
        probing.suspend()
        asked = [asyncio.create_task(decoders.probe(path, holder)) for holder in ("one", "two")]
        while not any("sleep" in child.name() for child in psutil.Process().children()):  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0.01)
        probing.resume()
        async with asyncio.timeout(10):
            await asyncio.gather(*asked)


async def test_where_no_process_starts_the_refusal_says_to_try_again(
    wav: Callable[[float], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mouthpiece.audio.decoder_process.sys.executable", "/bin/false")
    async with Decoders() as decoders:
        with pytest.raises(DecodersBusy, match="try again"):
            await FileSound.probe(wav(1.0), decoders)


async def test_a_process_that_ends_by_itself_while_they_are_closed_leaves_nothing_open(
    wav: Callable[[float], Path],
) -> None:
    """Its end has begun when the one who closes them cancels it."""
    path = wav(1.0)
    started = asyncio.all_tasks()
    async with Decoders() as decoders:
        await FileSound.probe(path, decoders)
        (decoder,) = decoder_processes("probing")
        decoder.kill()
        while not any(task.get_name() == "end of a decoder process" for task in asyncio.all_tasks()):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0)
    assert not decoder.is_running()
    assert asyncio.all_tasks() == started


async def test_a_sound_is_decoded_as_it_is_asked_for(decoders: Decoders, wav: Callable[[float], Path]) -> None:
    """An hour that nobody asks for is not decoded: the decoder's processor time stays where it was."""
    sound = await FileSound.probe(wav(300.0), decoders)
    async with sound.open() as blocks:
        await anext(blocks)
        (process,) = decoder_processes("playing")
        before = process.io_counters().read_chars
        await anext(blocks)
        assert process.io_counters().read_chars - before < 4 * BLOCK * RATE * 2


async def test_left_in_the_middle_nothing_stays_open(decoders: Decoders, wav: Callable[[float], Path]) -> None:
    sound = await FileSound.probe(wav(5.0), decoders)
    for _ in range(20):
        async with sound.open(1.0) as blocks:
            await anext(blocks)
    await FileSound.probe(wav(1.0), decoders)
    files = [{Path(file.path).name for file in process.open_files()} for process in decoder_processes()]
    assert files == [{"statm"}, {"statm"}]  # where it reads what memory it takes


async def test_a_cancelled_reader_leaves_the_others_alone(decoders: Decoders, wav: Callable[[float], Path]) -> None:
    sound = await FileSound.probe(wav(4.0), decoders)
    for turns in range(0, 30, 3):
        tasks = [asyncio.create_task(whole(sound)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results[1:]:
            assert np.array_equal(result, chirp(4.0, RATE))  # type: ignore[arg-type]


async def test_nothing_runs_once_they_are_closed_whatever_was_open(wav: Callable[[float], Path]) -> None:
    path = wav(5.0)
    async with Decoders(processes=3) as decoders:
        sound = await FileSound.probe(path, decoders)
        opened = sound.open()
        await anext(await opened.__aenter__())
    await opened.__aexit__(None, None, None)
    assert decoder_processes() == []
    with pytest.raises(RuntimeError, match="not open"):
        await FileSound.probe(path, decoders)


async def test_what_a_decoder_holds_of_a_long_sound_is_bounded(decoders: Decoders, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    noise = np.random.default_rng(1).integers(-9000, 9000, (48_000 * 120, 2), dtype=np.int16)
    await asyncio.to_thread(soundfile.write, path, noise, 48_000)
    sound = await FileSound.probe(path, decoders)
    async with sound.open() as blocks:
        await anext(blocks)
    (process,) = decoder_processes("playing")
    before = process.memory_info().rss
    frames = 0
    async with sound.open() as blocks:
        async for block in blocks:
            assert block.frames <= BLOCK * 48_000
            frames += block.frames
    assert frames == len(noise)
    assert process.memory_info().rss - before < 8e6


def test_a_decoder_ends_with_its_parent_and_does_not_hear_ctrl_c(tmp_path: Path) -> None:
    """As a command that is interrupted, then killed: what it started has no say on the terminal and does not stay."""
    program = """
import asyncio, os, sys
from mouthpiece.audio.decoders import Decoders
from pathlib import Path
async def main():
    async with Decoders() as decoders:
        try:
            await decoders.probe(Path("/nowhere"))
        except Exception:
            pass
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        children = psutil.Process(parent.pid).children()
        assert len(children) == 2
        for decoder in children:
            assert os.getpgid(decoder.pid) != os.getpgid(parent.pid)
            os.kill(decoder.pid, 0)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert parent.stdout is not None
        parent.stdout.close()
    assert psutil.wait_procs(children, timeout=5)[1] == []


def test_a_decoder_has_limits_and_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET", "very secret")

    async def look() -> tuple[dict[str, str], dict[int, tuple[int, int]]]:
        async with Decoders() as decoders:
            with pytest.raises(Exception, match="cannot be read"):
                await decoders.probe(tmp_path / "nothing")
            process, _ = decoder_processes()
            limits = (psutil.RLIMIT_AS, psutil.RLIMIT_CORE, psutil.RLIMIT_FSIZE, psutil.RLIMIT_CPU)
            return process.environ(), {limit: process.rlimit(limit) for limit in limits}

    environment, limits = asyncio.run(look())
    assert "LIVEKIT_API_SECRET" not in environment
    assert limits[psutil.RLIMIT_AS][0] <= 1 << 30
    assert limits[psutil.RLIMIT_CORE][0] == 0
    assert limits[psutil.RLIMIT_FSIZE][0] == 0
    assert 0 < limits[psutil.RLIMIT_CPU][0] < 60


def test_a_confined_process_reaches_nothing(tmp_path: Path) -> None:
    """What a decoder that was taken over would try: our secrets, the data folder, the network, another program."""
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    program = f"""
import os, socket, subprocess
from mouthpiece.audio.confinement import confine
parent = os.getppid()
lacking = confine()
tries = [
    lambda: open({str(secret)!r}), lambda: open(f"/proc/{{parent}}/environ"), lambda: open(f"/proc/{{parent}}/mem"),
    lambda: open("/proc/self/environ"), lambda: os.listdir({str(tmp_path)!r}), lambda: os.listdir("/proc"),
    lambda: open({str(tmp_path / "new")!r}, "w"), lambda: os.unlink({str(secret)!r}),
    lambda: socket.create_connection(("127.0.0.1", 9)), lambda: socket.socket(socket.AF_UNIX),
    lambda: os.execv("/bin/true", ["true"]), lambda: os.kill(parent, 0),
]
for number, attempt in enumerate(tries):
    try:
        attempt()
    except PermissionError:
        continue
    print("it could", number)
print("tried all, lacking", lacking)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "tried all, lacking []\n", done.stdout + done.stderr
    assert secret.read_text() == "a secret"


async def test_each_decoder_is_confined_before_it_reads(decoders: Decoders, wav: Callable[[float], Path]) -> None:
    """As the kernel says it: no privileges to gain, and a filter of system calls (proc_pid_status(5))."""
    await whole(await FileSound.probe(wav(1.0), decoders))
    running = decoder_processes()
    assert {process.cmdline()[-1] for process in running} == {"probing", "playing"}
    for process in running:
        lines = (await asyncio.to_thread(Path(f"/proc/{process.pid}/status").read_text)).splitlines()
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


async def test_a_decoder_starts_where_no_project_is(decoders: Decoders, wav: Callable[[float], Path]) -> None:
    sound = await FileSound.probe(wav(1.0), decoders)
    await whole(sound)
    assert {process.cwd() for process in decoder_processes()} == {"/"}
