"""A process that imports what a module needs, and then forks a process that runs it for each request.

``python -m tests.fork_server MODULE SOCKET IMPORTED…``: :mod:`tests.forked_starts` starts it and asks it over a socket
pair of ``SOCK_SEQPACKET``. It writes ``ready`` there once it has imported all. A request is a JSON object, and
the files of the new process with it; its answer is the number of the process, which is then a child of whoever asked
(who is the child subreaper meanwhile, prctl(2)). It ends when its socket does. In place of a module there may be the
path of a program.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import io
import json
import multiprocessing.forkserver
import multiprocessing.util
import os
import posix
import runpy
import signal
import sys
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket
from typing import Any, Final

from tests.certificates import certificates_read_once

MOST: Final = 1 << 18
"""Bytes of a request."""
MOST_FILES: Final = 16
JOBS_BY_MULTIPROCESSING: Final = ("mouthpiece_agents",)
"""Modules that start processes by multiprocessing's own fork server, which would import all anew."""


def next_process(control: socket) -> tuple[dict[str, Any], list[int]]:
    """Fork a process for each request; return, in each of these, its request and its files.

    :raises SystemExit: nobody can ask any more.
    """
    while True:
        try:
            request, files, _, _ = recv_fds(control, MOST, MOST_FILES)
        except ConnectionResetError:  # it ended before it read that this is ready
            raise SystemExit from None
        if not request:
            raise SystemExit
        reading, writing = os.pipe()
        between = os.fork()
        if not between:
            if os.fork():
                posix._exit(0)  # `os._exit` may be another's, which saves what was traced
            asked: dict[str, Any] = json.loads(request)
            if asked["session"]:
                os.setsid()
            os.write(writing, str(os.getpid()).encode())  # not before it has its session: it may be signalled at once
            os.close(reading)
            os.close(writing)
            return asked, files
        os.close(writing)
        os.waitpid(between, 0)  # from here on the new process is the child of whoever asked
        number = os.read(reading, 32)
        os.close(reading)
        for file in files:
            os.close(file)
        control.send(number)


def take_files(files: list[int], numbers: list[int]) -> None:
    """Give each file its number, and close all others."""
    above = max(*files, *numbers) + 1  # out of the way of each other
    kept = [fcntl.fcntl(file, fcntl.F_DUPFD, above) for file in files]
    os.closerange(0, above)
    for file, number in zip(kept, numbers, strict=True):
        os.dup2(file, number)
    os.closerange(above, max(kept) + 1)


def become(request: dict[str, Any], files: list[int]) -> None:
    """Be as a process that was started with the arguments, environment and folder of ``request``, and ``files``."""
    take_files(files, request["numbers"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    searched = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.path[:1] = [*([os.getcwd()] if request["in_its_folder"] else []), *searched]
    sys.argv = ["-m", *request["arguments"]]
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty(), write_through=at_once)
    # one that came meanwhile ends it without a traceback, as it ends a process that has not begun with its program;
    # the programs choose their own handler
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def begin_multiprocessings_server() -> None:
    """Fork the server by which multiprocessing will start processes, instead of starting a Python for it."""

    def fork(path: bytes, args: Any, passfds: Any) -> int:
        if "multiprocessing.forkserver" not in args[-1]:
            return start(path, args, passfds)
        if new := os.fork():
            return new
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})  # as the worker has it by then
        listening, alive = passfds
        first, last = sorted(passfds)
        os.closerange(3, first)  # the other end of `alive` among them: the server ends with the worker
        os.closerange(first + 1, last)
        os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
        try:
            multiprocessing.forkserver.main(listening, alive, [])
        finally:
            os._exit(0)  # at its end it raises SystemExit

    start = multiprocessing.util.spawnv_passfds
    multiprocessing.util.spawnv_passfds = fork
    multiprocessing.forkserver.ensure_running()
    multiprocessing.util.spawnv_passfds = start


def main(module: str, control: int, imported: list[str]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # one that comes before `become` has ended is kept
    for name in imported:
        importlib.import_module(name)
    with certificates_read_once():
        if httpx := sys.modules.get("httpx"):
            httpx.create_ssl_context()
        gc.freeze()
        with socket(AF_UNIX, SOCK_SEQPACKET, fileno=control) as asked:
            asked.send(b"ready")
            request, files = next_process(asked)
            asked.detach()
        run(module, request, files)


def run(module: str, request: dict[str, Any], files: list[int]) -> None:
    """Run ``module`` as ``request`` asks."""
    become(request, files)
    if module in JOBS_BY_MULTIPROCESSING:
        begin_multiprocessings_server()
    if module.endswith(".py"):
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
