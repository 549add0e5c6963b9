"""``python -m mouthpiece_avatar`` as somebody runs it: its help, its refusals, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import httpx
import jwt
import pytest

from mouthpiece import wire
from tests.loopback.avatar.silent_livekit import SilentLiveKit


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BITHUMAN", "LIVEKIT", "MOUTHPIECE"))
    }
    return subprocess.run(
        [sys.executable, "-m", "mouthpiece_avatar", *arguments],
        env=kept | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_its_help_teaches(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    for word in ("start-avatar", "MOUTHPIECE_AVATAR_SECRETS", "LIVEKIT_URL", "healthz", "--port"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("--host", "0.0.0.0"), {}, "MOUTHPIECE_AVATAR_SECRETS"),
        (("--host", "0.0.0.0"), {"MOUTHPIECE_AVATAR_SECRETS": "s" * 32}, "LIVEKIT_URL"),
        (("--host", "0.0.0.0"), {"MOUTHPIECE_AVATAR_SECRETS": f"{'s' * 32},{'t' * 31}"}, "MOUTHPIECE_AVATAR_SECRETS"),
        ((), {"MOUTHPIECE_AVATAR_FACE": "bob"}, "mia, noah"),
        ((), {"MOUTHPIECE_AVATAR_SIZE": "huge"}, "MOUTHPIECE_AVATAR_SIZE"),
        ((), {"MOUTHPIECE_AVATAR_BACKGROUND": "nowhere.png"}, "MOUTHPIECE_AVATAR_BACKGROUND"),
        ((), {"MOUTHPIECE_AVATAR_RUNTIME": "puppet"}, "MOUTHPIECE_AVATAR_RUNTIME"),
        ((), {"MOUTHPIECE_AVATAR_RUNTIME": "bithuman", "BITHUMAN_API_SECRET": "hush-hush"}, "BITHUMAN_MODEL_PATH"),
        ((), {"MOUTHPIECE_AVATAR_RUNTIME": "bithuman", "BITHUMAN_MODEL_PATH": "ann.imx"}, "no file ann.imx"),
        ((), {"MOUTHPIECE_AVATAR_RUNTIME": "bithuman", "BITHUMAN_MODEL_PATH": "ann.imx"}, "BITHUMAN_API_SECRET"),
        ((), {"MOUTHPIECE_AVATAR_PORT": "eighty"}, "MOUTHPIECE_AVATAR_PORT"),
        (("--port", "70000"), {}, "MOUTHPIECE_AVATAR_PORT"),
        ((), {"LIVEKIT_URL": "livekit.example.com"}, "LIVEKIT_URL"),
        ((), {"MOUTHPIECE_AVATAR_LIVEKIT_URLS": "ws://a, b"}, "MOUTHPIECE_AVATAR_LIVEKIT_URLS"),
        ((), {"MOUTHPIECE_AVATAR_MAX_SESSIONS": "0"}, "MOUTHPIECE_AVATAR_MAX_SESSIONS"),
        ((), {"MOUTHPIECE_AVATAR_PROCESSES": "0"}, "MOUTHPIECE_AVATAR_PROCESSES"),
        ((), {"MOUTHPIECE_AVATAR_ALONE": "-1"}, "MOUTHPIECE_AVATAR_ALONE"),
        (("--nonsense",), {}, "--nonsense"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    done = run(tmp_path, *arguments, **environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert "hush-hush" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["server", "processes.child"])
def test_what_is_imported_is_not_collected_while_avatars_speak(tmp_path: Path, module: str) -> None:
    """All of it at once takes some 50 ms, in which no picture is drawn."""
    ours, theirs = socket.socketpair()
    program = (
        "import asyncio, gc, sys\n"
        f"import mouthpiece_avatar.{module} as started\n"
        "asyncio.run = lambda work: (work.close(), print(gc.get_freeze_count(), len(gc.get_objects())))\n"
        "started.main()\n"
    )
    options = ["--port", "0"] if module == "server" else ["--link", str(theirs.fileno())]
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-c", program, *options],
            cwd=tmp_path,
            pass_fds=[theirs.fileno()],
            capture_output=True,
            text=True,
            timeout=60,
        )
    frozen, rest = map(int, done.stdout.split())
    assert frozen > 20_000
    assert rest < 1_000


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    done = run(tmp_path, "--host", "0.0.0.0", MOUTHPIECE_AVATAR_SECRETS="hush-hush", MOUTHPIECE_AVATAR_PORT="x")
    assert done.returncode == 2
    assert "hush-hush" not in done.stderr


def test_settings_are_read_from_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text("MOUTHPIECE_AVATAR_FACE=nobody\n")
    done = run(tmp_path)
    assert done.returncode == 2
    assert "nobody" in done.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(tmp_path, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("processes_start_anew")
@pytest.mark.parametrize("module", ["numpy", "uvicorn", "livekit"])
def test_a_ctrl_c_among_its_imports_leaves_no_traceback(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    )
    done = run(tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


def test_a_sigterm_among_its_imports_stops_it_once_it_runs(tmp_path: Path) -> None:
    program = (
        "import contextlib, os, runpy, signal, sys\n"
        "from mouthpiece import extras\n"
        "imports = extras.imports\n"
        "@contextlib.contextmanager\n"
        "def asked(*names):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    with imports(*names): yield\n"
        "extras.imports = asked\n"
        "sys.argv = ['mouthpiece_avatar', '--port', '0']\n"
        "runpy.run_module('mouthpiece_avatar', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "stopping" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_while_an_avatar_joins_a_livekit_that_never_answers(
    tmp_path: Path, number: signal.Signals
) -> None:
    token = jwt.encode({"sub": "avatar-mia", "kind": "agent", "video": {"room": "lobby"}}, "s" * 32, algorithm="HS256")
    async with SilentLiveKit() as livekit:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mouthpiece_avatar", "--port", "0"),
            cwd=tmp_path,
            env=os.environ | {"LIVEKIT_URL": livekit.url},
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        url = (await process.stderr.readline()).decode().split("listening on ")[1].strip()
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
            body = asdict(wire.StartAvatar(livekit.url, token, "any", "mia"))
            starting = asyncio.create_task(http.post(wire.START_AVATAR_PATH, json=body))
            await livekit.asked.wait()
            before = time.monotonic()
            process.send_signal(number)
            answer = await starting
            _, rest = await process.communicate()
    assert time.monotonic() - before < 10
    assert process.returncode == 0
    assert answer.status_code == 503
    assert "called back before it had joined" in answer.json()["detail"]
    assert b"Traceback" not in rest


@pytest.mark.usefixtures("processes_start_anew")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.0, 1.0])
async def test_it_can_be_stopped_at_any_moment(tmp_path: Path, number: signal.Signals, after: float) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mouthpiece_avatar", "--port", "0", cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        first = await process.stderr.readline()
        assert b"listening on http://127.0.0.1:" in first
        await asyncio.sleep(after)  # while the face is being drawn, and a little later
        process.send_signal(number)
        rest = await process.stderr.read()
        assert await process.wait() == 0
    assert b"Traceback" not in rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_with_a_thousand_callbacks_pending(tmp_path: Path, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, Path(__file__).parents[1] / "flooded.py", "avatar", "--port", "0"),
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        assert b"listening on http://127.0.0.1:" in await process.stderr.readline()
        await asyncio.sleep(0.5)
        process.send_signal(number)
        rest = await process.stderr.read()
        assert await process.wait() == 0
    assert b"Traceback" not in rest
    assert b"Exception ignored" not in rest
