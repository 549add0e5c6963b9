"""The demo's supervisor with real processes, each a small HTTP server."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mouthpiece_sender.demo.failure import DemoFailed
from mouthpiece_sender.demo.livekit_server import free_port
from mouthpiece_sender.demo.processes import DemoProcess
from mouthpiece_sender.demo.supervisor import ProcessFailed, Supervisor

SERVER = """
import http.server, pathlib, signal, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
def stop(*_):
    with open(sys.argv[2], "a") as order:
        order.write(sys.argv[3] + "\\n")
    threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, stop)
print("a line of", sys.argv[3], flush=True)
server.serve_forever()
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.pause()"])
print("child", child.pid, flush=True)
exec(open(sys.argv[4]).read()) if len(sys.argv) > 4 else None
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def server(name: str, tmp_path: Path, code: str = SERVER) -> DemoProcess:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    return DemoProcess(
        name=name,
        command=[sys.executable, "-c", code, str(port), str(tmp_path / "order"), name],
        environment=dict(os.environ),
        address=address,
        health=f"{address}/",
        ready_timeout=30,
        stop_timeout=10,
    )


def running_process(name: str) -> psutil.Process:
    """The process that was started under this name."""
    return next(process for process in psutil.Process().children() if name in process.cmdline())


def running_here(folder: Path) -> list[psutil.Process]:
    """The processes of one test's servers."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and str(folder / "order") in process.cmdline()
    ]


async def test_processes_start_in_order_and_stop_in_reverse(tmp_path: Path, logs: Path) -> None:
    lines: list[str] = []
    async with Supervisor(logs, lines.append) as supervisor:
        await supervisor.start(server("first", tmp_path))
        await supervisor.start(server("second", tmp_path), server("third", tmp_path))
    assert [line.split()[0] for line in lines] == ["first", "second", "third"]
    assert _read(tmp_path / "order").split() == ["third", "second", "first"]
    assert _read(logs / "second.log") == "a line of second\n"


@pytest.mark.parametrize("ready", range(4))
async def test_stopped_while_it_starts_it_leaves_nothing(tmp_path: Path, logs: Path, ready: int) -> None:
    """``ready``: how many processes are ready by then."""
    lines: list[str] = []
    reached = asyncio.Event()

    def report(line: str) -> None:
        lines.append(line)
        if len(lines) == ready:
            reached.set()

    async def start_all() -> None:
        await supervisor.start(server("first", tmp_path))
        await supervisor.start(server("second", tmp_path), server("third", tmp_path))
        await supervisor.start(server("last", tmp_path, "import signal; signal.pause()"))

    async with Supervisor(logs, report) as supervisor:
        starting = asyncio.create_task(start_all())
        while not running_here(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if ready:
            await reached.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert (len(lines), running_here(tmp_path)) == (ready, [])


async def test_a_process_that_ends_while_it_starts_is_named_with_the_end_of_its_log(tmp_path: Path, logs: Path) -> None:
    broken = server("broken", tmp_path, "print('no such setting: X'); raise SystemExit(2)")
    async with Supervisor(logs, lambda line: None) as supervisor:
        with pytest.raises(ProcessFailed, match=r"broken ended by itself \(exit code 2\)[^$]*no such setting: X"):
            await supervisor.start(broken)


async def test_a_process_that_dies_later_cancels_the_work(tmp_path: Path, logs: Path) -> None:
    async with Supervisor(logs, lambda line: None) as supervisor:
        await supervisor.start(server("steady", tmp_path))
        await supervisor.start(server("mortal", tmp_path))
        work = asyncio.create_task(supervisor.unless_one_ends(asyncio.Event().wait()))
        running_process("mortal").kill()
        with pytest.raises(ProcessFailed, match=r"mortal ended by itself \(signal SIGKILL\)"):
            await work


async def test_a_process_that_gives_up_cancels_the_work_that_needs_it_and_says_why(tmp_path: Path, logs: Path) -> None:
    async with Supervisor(logs, lambda line: None) as supervisor:
        await supervisor.start(server("worker", tmp_path))
        with pytest.raises(ProcessFailed, match=r"worker gave up[^$]*a line of worker"):
            await supervisor.explained_by("worker", "a line of", asyncio.Event().wait())


async def test_work_that_fails_is_explained_by_the_log_of_the_process_that_it_needs(tmp_path: Path, logs: Path) -> None:
    async def late() -> None:
        raise DemoFailed("It did not come.")

    async with Supervisor(logs, lambda line: None) as supervisor:
        await supervisor.start(server("worker", tmp_path))
        with pytest.raises(ProcessFailed, match=r"^It did not come\. The end of [^$]*a line of worker"):
            await supervisor.explained_by("worker", "never logged", late())
        assert await supervisor.explained_by("worker", "never logged", asyncio.sleep(0, "done")) == "done"


async def test_a_process_that_dies_while_another_starts_is_the_one_that_is_named(tmp_path: Path, logs: Path) -> None:
    async with Supervisor(logs, lambda line: None) as supervisor:
        await supervisor.start(server("mortal", tmp_path))
        starting = asyncio.create_task(supervisor.start(server("slow", tmp_path, "import signal; signal.pause()")))
        running_process("mortal").kill()
        with pytest.raises(ProcessFailed, match="mortal ended by itself"):
            await starting


async def test_a_process_that_never_gets_ready_is_an_error(tmp_path: Path, logs: Path) -> None:
    silent = replace(
        server("silent", tmp_path, "print('thinking', flush=True); import signal; signal.pause()"), ready_timeout=3
    )
    async with Supervisor(logs, lambda line: None) as supervisor:
        with pytest.raises(ProcessFailed, match=r"silent was not ready within 3 s[^$]*thinking"):
            await supervisor.start(silent)


async def test_a_process_is_ready_once_its_log_holds_the_ready_line(tmp_path: Path, logs: Path) -> None:
    talker = replace(server("talker", tmp_path), ready_line="a line nobody prints", ready_timeout=1)
    async with Supervisor(logs, lambda line: None) as supervisor:
        with pytest.raises(ProcessFailed, match="not ready"):
            await supervisor.start(talker)


async def test_a_process_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path, logs: Path) -> None:
    script = tmp_path / "server.py"
    await asyncio.to_thread(script.write_text, SERVER.replace("signal.signal(signal.SIGTERM, stop)", ""))
    stubborn = server("stubborn", tmp_path, STUBBORN)
    stubborn = replace(stubborn, command=[*stubborn.command, str(script)], stop_timeout=0.2)
    async with Supervisor(logs, lambda line: None) as supervisor:
        await supervisor.start(stubborn)
        leader = running_process("stubborn")
        family = [leader, *leader.children(recursive=True)]
        assert len(family) == 2
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=5)
    assert alive == []


async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path, logs: Path) -> None:
    """``kill -9`` of the demo must leave nothing running (Linux)."""
    script = f"""
import asyncio, dataclasses, pathlib, signal
from mouthpiece_sender.demo.processes import DemoProcess
from mouthpiece_sender.demo.supervisor import Supervisor
async def main():
    async with Supervisor(pathlib.Path({str(logs)!r}), print) as supervisor:
        await supervisor.start(DemoProcess(**{_fields(server("orphan", tmp_path))!r}))
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    while await process.stdout.readline() != b"up\n":
        assert process.returncode is None
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) == 1
    process.kill()
    await process.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=10)
    assert alive == []


def _fields(given: DemoProcess) -> dict[str, object]:
    return {name: getattr(given, name) for name in ("name", "command", "environment", "address", "health")}


def _read(path: Path) -> str:
    return path.read_text()
