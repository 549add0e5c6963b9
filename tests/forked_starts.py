"""The commands of the product, as processes of their own that begin with their imports done.

A start of Python and the imports of a command take one to four seconds of a core, and the tests start commands some
hundreds of times. So the first ``python -m`` of a module is what it is everywhere, and those after it are forked from a
process that has imported the same (:mod:`tests.fork_server`). All else is as before: each has its own number, files,
environment, folder, signals and exit code, and is a child of the tests' process. The interpreter's own start is left
out, so a test of that, of signals among the imports, or of modules that stand in for them (``PYTHONPATH``) uses
``processes_start_anew``.
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
RECEIVERS: Final = ROOT / "tests/live/sender"
IMPORTED: Final[Mapping[str, Sequence[str]]] = {
    "mouthpiece.audio.decoder": (
        "mouthpiece.audio.av_reader",
        "mouthpiece.audio.confinement",
        "mouthpiece.audio.readers",
    ),
    "mouthpiece_sender": (
        "anam",
        "mouthpiece_sender.cli.application",
        "mouthpiece_sender.cli.interrupt",
        "mouthpiece_sender.cli.play",
        "mouthpiece_sender.cli.say",
        "mouthpiece_sender.cli.serve",
        "mouthpiece_sender.cli.service_destination",
        "mouthpiece_sender.cli.speaker_destination",
        "mouthpiece_sender.cli.via_anam",
        "mouthpiece_sender.cli.watch",
        "mouthpiece_sender.service",
    ),
    "mouthpiece_avatar": ("mouthpiece_avatar.server",),
    "mouthpiece_agents": (
        "mouthpiece_agents.worker",
        "mouthpiece_agents.job",
        "livekit.agents.ipc._preload",
        "livekit.agents.ipc._preload_freeze",
    ),
    str(RECEIVERS / "stock_receiver.py"): ("livekit.agents.voice.avatar",),
    str(RECEIVERS / "stock_player.py"): ("livekit.agents.voice.avatar", "numpy"),
}
"""What is imported before the fork, by the module or program that is run."""
PLAIN: Final[Sequence[list[str]]] = ([], ["-P"])
"""Options of Python with which a process is forked."""
READ_BY_PYTHON: Final = ("PYTHONHOME", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG")
"""Variables that the interpreter or an import reads: a process that has others than the tests starts anew."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_OF_POPEN = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]


class ForkServer:
    """One process of :mod:`tests.fork_server`, for a module or program."""

    def __init__(self, module: str) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ready = False
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", module, str(theirs.fileno()), *IMPORTED[module]],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a process with threads is not to be forked
                cwd=ROOT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self, timeout: float = 0.0) -> bool:
        """Whether it has imported all, within ``timeout`` seconds."""
        if not self._ready and select.select([self._ours], [], [], timeout)[0]:
            self._ready = self._ours.recv(16) == b"ready"
        return self._ready

    def fork(self, request: Mapping[str, Any], files: Sequence[int]) -> int:
        """Return the number of a new child of this process."""
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(self._ours, [json.dumps(request).encode()], files)
            return int(self._ours.recv(32))
        finally:
            libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def close(self) -> None:
        self._ours.close()
        self._process.communicate()


class ForkedStarts:
    """Takes the place of how :class:`subprocess.Popen` starts a process."""

    def __init__(self) -> None:
        self.off = False
        """Every process starts anew."""
        self.forked = 0
        """Processes so far."""
        self._start_anew: Any = subprocess.Popen._execute_child  # type: ignore[attr-defined]
        self._servers: dict[str, ForkServer] = {}
        self._lock = threading.RLock()

    def start(self, popen: Any, *given: Any, **named: Any) -> None:
        """Start the process of ``popen``, with the arguments of ``Popen._execute_child``."""
        asked = _OF_POPEN.bind(popen, *given, **named).arguments
        with self._lock:
            server = None if self.off else self._server(asked)
            if server is not None:
                self._fork(server, popen, asked)
                return
        self._start_anew(popen, *given, **named)

    def wait(self, timeout: float) -> bool:
        """Whether all servers are ready, within ``timeout`` seconds each."""
        return all(server.ready(timeout) for server in self._servers.values())

    def servers(self) -> list[int]:
        """The numbers of their processes."""
        return [server.pid for server in self._servers.values()]

    def close(self) -> None:
        for server in self._servers.values():
            server.close()

    def _server(self, asked: Mapping[str, Any]) -> ForkServer | None:
        """The server of what is asked for, where one is ready; if there is none yet, one begins."""
        flags, module, _ = _of_python(asked["args"])
        if module not in IMPORTED or flags not in PLAIN or not _is_plain(asked):
            return None
        if module not in self._servers:
            self._servers[module] = ForkServer(module)
            return None
        return self._servers[module] if self._servers[module].ready() else None

    def _fork(self, server: ForkServer, popen: Any, asked: Mapping[str, Any]) -> None:
        flags, _, arguments = _of_python(asked["args"])
        environment = os.environ if asked["env"] is None else asked["env"]
        standard = [asked["p2cread"], asked["c2pwrite"], asked["errwrite"]]
        passed = sorted(asked["pass_fds"])
        files = [own if given == -1 else given for own, given in enumerate(standard)]
        request = {
            "arguments": arguments,
            "environment": {os.fspath(name): os.fspath(value) for name, value in environment.items()},
            "in_its_folder": "-P" not in flags,
            "folder": os.fspath(asked["cwd"] or os.getcwd()),
            "numbers": [0, 1, 2, *passed],
            "session": asked["start_new_session"],
        }
        popen.pid = server.fork(request, [*files, *passed])
        popen._child_created = True
        self.forked += 1
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        popen._close_pipe_fds(*(asked[name] for name in pipes))


def _of_python(arguments: Any) -> tuple[list[str], str, list[str]]:
    """The options, the module or program, and the arguments of ``python …``; no module: it is another command."""
    if not isinstance(arguments, list | tuple) or arguments[0] != sys.executable:
        return [], "", []
    given = [os.fspath(each) for each in arguments[1:]]
    if "-m" not in given[:2]:
        return [], given[0], given[1:]
    place = given.index("-m")
    return given[:place], given[place + 1], given[place + 2 :]


def _is_plain(asked: Mapping[str, Any]) -> bool:
    """Whether nothing is asked for that a forked process does not get."""
    environment = os.environ if asked["env"] is None else asked["env"]
    return (
        asked["preexec_fn"] is None
        and asked["close_fds"]
        and not asked["shell"]
        and asked["executable"] is None
        and asked["process_group"] == -1
        and asked["umask"] < 0
        and (asked["uid"], asked["gid"], asked["gids"]) == (None, None, None)
        and all(environment.get(name) in (None, os.environ.get(name)) for name in READ_BY_PYTHON)
    )


@contextlib.contextmanager
def forked_starts() -> Iterator[ForkedStarts]:
    """Within the block the product's commands are forked."""
    starts = ForkedStarts()
    before = subprocess.Popen._execute_child  # type: ignore[attr-defined]
    subprocess.Popen._execute_child = lambda popen, *given, **named: starts.start(popen, *given, **named)  # type: ignore[attr-defined]
    try:
        yield starts
    finally:
        subprocess.Popen._execute_child = before  # type: ignore[attr-defined]
        starts.close()
