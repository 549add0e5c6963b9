"""``mouthpiece demo`` as a process: its output is read, and it is stopped at many moments."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from mouthpiece_sender.demo import livekit_server
from tests.live.agents.services import AvatarServer
from tests.live.ops.name_lookups import names_looked_up, traced
from tests.loopback.agents.start_avatar_emulator import Answer, emulator

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("livekit")]

ROOT = Path(__file__).parents[3]
MOMENTS = [("livekit-server +ws", signal.SIGTERM), ("sender +http", signal.SIGINT)]
"""Before and after most processes are up; `test_supervisor.py` in the loopback ring tries each with small ones."""
COMMAND = [str(Path(sys.executable).with_name("mouthpiece")), "demo"]


@dataclass
class Demo:
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def says(self, pattern: str) -> str:
        """Wait for a line that matches the pattern and return it; all lines up to it go to ``lines``."""
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        pytest.fail(f"the demo ended without saying {pattern!r}:\n{''.join(self.lines)}")

    async def ends(self) -> int:
        """Wait until the demo has ended; return its exit code. The rest of its output goes to ``lines``."""
        assert self.process.stdout is not None
        async with asyncio.timeout(120):
            self.lines += (await self.process.stdout.read()).decode().splitlines(keepends=True)
            return await self.process.wait()

    @property
    def text(self) -> str:
        return "".join(self.lines)


@asynccontextmanager
async def demo(folder: Path, *arguments: str, before: Sequence[str] = ()) -> AsyncIterator[Demo]:
    """Run it in a folder of its own, without anybody's settings; at the end nothing may be running there.

    :param before: words of the command line that stand before the demo's own, as of a program that watches it.
    """
    await asyncio.to_thread(_furnish, folder)
    process = await asyncio.create_subprocess_exec(
        *before,
        *COMMAND,
        *arguments,
        cwd=folder,
        env=_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Demo(process)
    finally:
        ended = process.returncode is not None
        if not ended:
            process.kill()
            await process.wait()
        left = await asyncio.to_thread(processes_in, folder)
        for process_left in left:
            process_left.kill()
    assert ended, "the test left the demo running"
    assert left == []


def _furnish(folder: Path) -> None:
    for name in ("assets", "web"):
        (folder / name).symlink_to(ROOT / name)


def _environment() -> dict[str, str]:
    ours = ("LIVEKIT_", "MOUTHPIECE_", "AVATAR_", "AVALUMA_", "AGENT_NAME")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def missing(reason: str) -> None:
    """Skip the test, or fail it in CI, where nothing may be skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def processes_in(folder: Path) -> list[psutil.Process]:
    """The running processes with this working folder: the demo, its processes, and their children."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            pass  # another user's, or it has ended
    return found


async def test_the_check_passes(tmp_path: Path) -> None:
    async with demo(tmp_path, "--check") as running:
        code = await running.ends()
    assert code == 0, running.text
    assert "the demo works" in running.text
    assert "BAD" not in running.text


async def test_the_printed_commands_work_when_pasted_and_nothing_looks_up_a_name(tmp_path: Path) -> None:
    for program in ("curl", "strace"):
        if shutil.which(program) is None:
            missing(f"no {program} on PATH")
    trace = tmp_path / "trace"
    async with demo(tmp_path, before=traced(trace)) as running:
        await running.says("Ctrl-C stops everything")
        lines = [line.strip() for line in running.lines if line.strip().startswith("curl ")]
        assert len(lines) == 3
        answers = []
        for line in lines:
            command = [*shlex.split(line), "--fail-with-body", "--silent", "--show-error"]
            done = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            answers.append(json.loads(done.stdout))
        said, stopped, room = answers
        assert said["state"] == "playing"
        assert [segment["id"] for segment in stopped["segments"]] == [said["id"]]
        assert room["playing"] is None
        page = next(line.strip() for line in running.lines if "?room=" in line)
        done = await asyncio.to_thread(
            subprocess.run, ["curl", "--fail", "--silent", page], capture_output=True, text=True
        )
        assert "<title>" in done.stdout
        started = await asyncio.to_thread(processes_in, tmp_path)
        assert len(started) >= 5
        next(process for process in started if process.ppid() == running.process.pid).send_signal(signal.SIGINT)
        assert await running.ends() == 0, running.text
    assert "Traceback" not in running.text
    assert names_looked_up(await asyncio.to_thread(trace.read_text)) == set()


def test_a_name_that_is_looked_up_is_seen(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        missing("no strace on PATH")
    trace = tmp_path / "trace"
    lookup = "import socket\ntry: socket.getaddrinfo('mouthpiece-test.invalid', 443)\nexcept OSError: pass"
    subprocess.run([*traced(trace), sys.executable, "-c", lookup], check=True, timeout=60)
    assert "mouthpiece-test.invalid" in names_looked_up(trace.read_text())


@pytest.mark.parametrize("moment, number", MOMENTS)
async def test_stopped_while_it_starts_it_leaves_nothing(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    async with demo(tmp_path) as running:
        await running.says(moment)
        running.process.send_signal(number)
        assert await running.ends() == 130, running.text
    assert "Traceback" not in running.text


async def test_a_process_that_dies_is_named_and_the_rest_is_stopped(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.says("Ctrl-C stops everything")
        avatar = next(process for process in processes_in(tmp_path) if "mouthpiece_avatar" in process.cmdline())
        avatar.kill()
        assert await running.ends() == 1
    assert re.search(r"avatar ended by itself \(signal SIGKILL\)\. The end of .*avatar\.log", running.text)
    assert "Traceback" not in running.text


async def test_two_demos_run_beside_each_other(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    async with demo(one) as first:
        await first.says("Ctrl-C stops everything")
        async with demo(two) as second:
            await second.says("Ctrl-C stops everything")
            assert _pages(first) != _pages(second)
            second.process.send_signal(signal.SIGINT)
            assert await second.ends() == 0, second.text
        first.process.send_signal(signal.SIGINT)
        assert await first.ends() == 0, first.text


def _pages(running: Demo) -> list[str]:
    return [line.strip() for line in running.lines if "?room=" in line]


async def test_wrong_credentials_for_your_own_livekit_are_named(
    tmp_path: Path, livekit: livekit_server.LiveKit
) -> None:
    settings = f"LIVEKIT_URL={livekit.url}\nLIVEKIT_API_KEY={livekit.api_key}\nLIVEKIT_API_SECRET={'x' * 32}\n"
    await asyncio.to_thread((tmp_path / ".env.local").write_text, settings)
    async with demo(tmp_path) as running:
        assert await running.ends() == 1
    assert "LIVEKIT_API_SECRET" in running.text
    assert "Traceback" not in running.text


async def test_a_livekit_that_is_not_there_is_named_before_anything_starts(tmp_path: Path) -> None:
    settings = f"LIVEKIT_URL=ws://127.0.0.1:{livekit_server.free_port()}\nLIVEKIT_API_KEY=k\nLIVEKIT_API_SECRET=s\n"
    await asyncio.to_thread((tmp_path / ".env.local").write_text, settings)
    async with demo(tmp_path) as running:
        assert await running.ends() == 1
    assert "LIVEKIT_URL" in running.text
    assert "ready after" not in running.text
    assert "Traceback" not in running.text


async def test_the_readmes_placeholders_are_named_where_somebody_pastes_them(tmp_path: Path) -> None:
    pasted = re.findall(r"^export (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    words = [word for line in pasted if "…" in line for word in shlex.split(line, comments=True)]
    assert "LIVEKIT_URL=wss://…" in words
    await asyncio.to_thread((tmp_path / ".env.local").write_text, "\n".join(words))
    async with demo(tmp_path) as running:
        assert await running.ends() == 1
    assert "LIVEKIT_URL: names no host: is it a placeholder still?" in running.text
    assert "ready after" not in running.text
    assert "Traceback" not in running.text


def _with_avaluma(livekit: livekit_server.LiveKit, avatar_server: str) -> str:
    """The settings of somebody with Avaluma's licence, whose avatar server is this one."""
    settings = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "AVATAR_PROVIDER": "avaluma",
        "AVALUMA_LICENSE_KEY": "licence-1",
        "AVATAR_ID": "260218-Avaluma_Avatar_Kadda_v5",
        "AVATAR_SERVER_URL": avatar_server,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


@pytest.mark.alone
async def test_with_avalumas_settings_and_another_server_of_its_protocol_the_avatar_is_heard(
    tmp_path: Path, livekit: livekit_server.LiveKit, avatar_server: AvatarServer
) -> None:
    await asyncio.to_thread((tmp_path / ".env.local").write_text, _with_avaluma(livekit, avatar_server.url))
    async with demo(tmp_path, "--check") as running:
        await running.ends()
    for found in ("sound heard", "segment +finished", "receipt +(heard|confirmed)", "position"):
        assert re.search(f"ok +{found}", running.text), running.text


async def test_a_licence_that_avaluma_refuses_ends_the_demo_at_once_and_in_words(
    tmp_path: Path, livekit: livekit_server.LiveKit
) -> None:
    async with emulator(Answer(401)) as there:
        await asyncio.to_thread((tmp_path / ".env.local").write_text, _with_avaluma(livekit, there.url))
        async with demo(tmp_path) as running:
            await running.says("waiting for the avatar")
            assert await running.ends() == 1
    assert "The worker gave up." in running.text
    assert "refused the licence key (AVALUMA_LICENSE_KEY)" in running.text
    assert "licence-1" not in running.text
    assert "Traceback" not in running.text


async def test_outside_a_checkout_it_says_where_to_run_it(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert "run the demo in a checkout" in output.decode()
