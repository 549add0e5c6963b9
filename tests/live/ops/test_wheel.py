"""The wheel as a product: built from this checkout, installed into empty environments, one an extra, with this Python
and with the newest one that the machine has. Needs the package index, or a cache of what the extras bring."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from tests.live.chromium import running_chromium
from tests.loopback.serving import address, serve
from tests.product_source import PACKAGES, ROOT

LIVEKIT = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",  # discard: nobody is there
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-secret-of-thirty-two-characters",
}
SUPPORTED = ("3.14", "3.13", "3.12", "3.11")
UV = shutil.which("uv") or str(ROOT / ".cache/tools/bin/uv")


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command in ``folder`` without this environment's packages."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=folder, env=kept, timeout=300)


def pythons() -> list[str]:
    """This interpreter, and the newest other one that is supported and found: on ``PATH``, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in SUPPORTED:
        of_pyenv = sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")), reverse=True)
        on_path = shutil.which(f"python{version}")
        for python in ([on_path] if on_path else []) + of_pyenv:
            asked = subprocess.run([python, "-c", ""], capture_output=True)
            if asked.returncode == 0:  # pyenv's shims are there for versions that are not chosen, too
                same = f"{sys.version_info[0]}.{sys.version_info[1]}" == version
                return [sys.executable] if same else [sys.executable, python]
    return [sys.executable]


def named(python: object) -> str:
    return "this" if python == sys.executable else "newest"


def succeed(*command: str | Path, folder: Path) -> str:
    done = run(*command, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel that was built from it."""
    assert (ROOT / "web/dist/index.html").is_file(), "the page is not built: `make web`"
    folder = tmp_path_factory.mktemp("dist")
    succeed(UV, "build", "--quiet", "--out-dir", folder, folder=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module", params=pythons(), ids=named)
def python_command(request: pytest.FixtureRequest) -> str:
    """The interpreter that the environments are made with."""
    return str(request.param)


def install(wheel: Path, extra: str, folder: Path, python_command: str) -> Path:
    """The interpreter of a new environment with the wheel and the extra; none if it is empty."""
    succeed(UV, "venv", "--quiet", "--python", python_command, folder / "env", folder=folder)
    python = folder / "env/bin/python"
    requirement = f"{wheel}[{extra}]" if extra else str(wheel)
    succeed(UV, "pip", "install", "--quiet", "--python", python, requirement, folder=folder)
    return python


def test_wheel_and_source_distribution_hold_the_page_and_every_module(built: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"mouthpiece_sender/page/index.html", "mouthpiece/py.typed"} <= names
    for package, path in PACKAGES.items():
        modules = {f"{package}/{file.relative_to(path)}" for file in path.rglob("*.py")}
        assert sorted(modules - names) == []
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as sources:
        inside = {name.partition("/")[2] for name in sources.getnames()}
    assert {"web/dist/index.html", "uv.lock", "LICENSE", "tests/conftest.py"} <= inside
    assert not [name for name in inside if name.startswith((".venv", ".cache", "web/node_modules"))]


async def test_the_sender_serves_the_page_that_came_with_it(wheel: Path, tmp_path: Path, python_command: str) -> None:
    python = install(wheel, "sender", tmp_path, python_command)
    command = python.with_name("mouthpiece")
    assert succeed(command, "--version", folder=tmp_path).strip() in wheel.name
    assert "serve" in succeed(command, "--help", folder=tmp_path)
    async with serve(tmp_path, "--port", "0", python=str(python), **LIVEKIT) as serving:
        url = address(await serving.said("listening on"))
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            page = await client.get("/")
            assert page.headers["content-type"].startswith("text/html")
            scripts = re.findall(r'(?:src|href)="[./]*(assets/[^"]+)"', page.text)
            assert scripts
            for script in scripts:
                assert (await client.get(f"/{script}")).status_code == 200
            assert (await client.get("/docs")).status_code == 200
        async with running_chromium() as chromium:
            shown = await chromium.new_page()
            await shown.goto(url)
            await expect(shown.get_by_role("button", name="Join")).to_be_visible()
    done = run(command, "demo", folder=tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    assert "'mouthpiece-livekit[agents,avatar]'" in done.stdout


@pytest.mark.parametrize(("extra", "module"), [("agents", "mouthpiece_agents"), ("avatar", "mouthpiece_avatar")])
def test_a_part_runs_with_its_extra_alone(
    wheel: Path, tmp_path: Path, python_command: str, extra: str, module: str
) -> None:
    python = install(wheel, extra, tmp_path, python_command)
    assert module in succeed(python, "-m", module, "--help", folder=tmp_path)
    done = run(python.with_name("mouthpiece"), "serve", folder=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "'mouthpiece-livekit[sender]'" in done.stderr


def test_without_an_extra_each_part_says_what_it_lacks(wheel: Path, tmp_path: Path, python_command: str) -> None:
    python = install(wheel, "", tmp_path, python_command)
    commands: tuple[tuple[list[str | Path], str], ...] = (
        ([python.with_name("mouthpiece"), "--help"], "sender"),
        ([python.with_name("mouthpiece"), "say", "Hello"], "sender"),
        ([python, "-m", "mouthpiece_agents", "start"], "agents"),
        ([python, "-m", "mouthpiece_avatar"], "avatar"),
    )
    for command, extra in commands:
        done = run(*command, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"'mouthpiece-livekit[{extra}]'" in done.stderr
        assert "Traceback" not in done.stderr
    succeed(
        python, "-c", "import mouthpiece.tts, mouthpiece.audio.decoders, mouthpiece.playback.ledger", folder=tmp_path
    )
