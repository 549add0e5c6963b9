"""The decoder program. It runs in a process of its own: untrusted media may crash it, hang it or use up its memory.

``mouthpiece.audio.decoder_process`` starts it (``python -m mouthpiece.audio.decoder``) and uses its standard input and
output. A request is one line of JSON; its answer is one line of JSON followed by exactly ``bytes`` bytes. Answers come
in the order of the requests. With "probe" and "open" comes the open file, over a Unix socket that the parent passes on
as the file descriptor in its first argument: the process itself can open none. Before the first request it writes
``{"ready": true}``, and before each answer ``{"begun": true}``, so that only a request that was begun is blamed for a
crash. ``seconds`` is the processor time that an answer took::

    {"op": "probe"}                             → {"rate", "channels", "frames", "format", "bytes": 0}
    {"op": "open", "id": n, "frame": f, "count": k}  → as for "read"
    {"op": "read", "id": n, "count": k}         → {"frames", "bytes"} and s16le, mono; no frames: the end
    {"op": "close", "id": n}                    → {"bytes": 0}
    a sound that cannot be used                 → {"error": name of an AudioError, "detail": sentence, "bytes": 0}

It ends with its input, so it does not outlive a parent that is killed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import time
from socket import AF_UNIX, SOCK_STREAM, recv_fds, socket
from typing import IO, Any, Final

from mouthpiece.audio.av_reader import AvReader
from mouthpiece.audio.confinement import confine
from mouthpiece.audio.readers import MonoReader, SndfileReader, open_sound, probe
from mouthpiece.errors import AudioError, DamagedAudio, NotAudio, UnsupportedFormat

SECONDS_A_REQUEST: Final = 10
"""Seconds, by the clock and of processor time, that one request may take; the process is killed beyond that."""
SECONDS_A_LIFE: Final = 3600
"""Seconds of processor time that the process may take in its life; before that it ends itself, after an answer that
says "last", and its parent starts another one."""
MOST_GROWN: Final = 24 << 20
"""Bytes of memory more than at its start from which on it ends itself likewise, once no sound is open in it: the
libraries do not give back all that a damaged file made them take."""
NICE: Final = 5
"""How much those that play go before the others in processor time."""
MEMORY_LIMIT: Final = 1 << 30
"""Bytes of address space; the libraries take about 250 MB of it."""


class Program:
    """The sounds that are open, and the answer to each request.

    :param files: where the parent sends open files.
    """

    def __init__(self, files: socket) -> None:
        self._files = files
        self._readers: dict[int, MonoReader] = {}

    @property
    def idle(self) -> bool:
        """Whether no sound is open."""
        return not self._readers

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Handle ``request``; return the header and the payload of its answer.

        :raises AudioError: the sound cannot be used.
        """
        match request["op"]:
            case "probe":
                return probe(self._file()), b""
            case "open":
                reader, _ = open_sound(self._file())
                self._readers[request["id"]] = reader
                if request["frame"]:
                    reader.seek(request["frame"])
                return self._read(request)
            case "read":
                return self._read(request)
            case "close":
                if request["id"] in self._readers:
                    self._readers.pop(request["id"]).close()
                return {}, b""
            case other:
                raise ValueError(f"unknown request {other!r}")

    def _file(self) -> IO[bytes]:
        _, descriptors, _, _ = recv_fds(self._files, 1, 1)
        return os.fdopen(descriptors[0], "rb", buffering=0)

    def _read(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        samples = self._readers[request["id"]].read(request["count"])
        return {"frames": len(samples)}, samples.astype("<i2", copy=False).tobytes()


def limit_resources() -> None:
    """Limit memory, and forbid core files and writing, for the life of the process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    renew_time()
    signal.setitimer(signal.ITIMER_REAL, 0)
    if sys.platform == "linux":  # elsewhere a process may reserve far more address space than it uses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def load_libraries() -> None:
    """Read a sound with each library: PyAV loads modules as they are needed, and a confined process can load none."""
    silence = b"RIFF\x64\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x40\0\0\0" + bytes(64)
    with contextlib.suppress(UnsupportedFormat):  # PyAV is not installed
        AvReader(io.BytesIO(silence), "WAV", "wav").read(8)
    SndfileReader(io.BytesIO(silence), "WAV").read(8)


class Memory:
    """What this process takes; make it before the process is confined, which can open no file after that."""

    def __init__(self) -> None:
        self._file: int | None = None
        """A descriptor, open for life."""
        with contextlib.suppress(OSError):  # there is none but on Linux
            self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._at_first = self._resident()

    @property
    def grown(self) -> int:
        """Bytes more than at first."""
        return self._resident() - self._at_first

    def _resident(self) -> int:
        if self._file is None:
            return 0
        os.lseek(self._file, 0, os.SEEK_SET)
        return int(os.read(self._file, 200).split()[1]) * resource.getpagesize()


def is_worn(program: Program, memory: Memory) -> bool:
    """Whether the process should be replaced by a new one. While a sound is open it goes on: what it needs is no waste,
    and another process would need it too."""
    return program.idle and memory.grown > MOST_GROWN


def renew_time() -> None:
    """Allow ``SECONDS_A_REQUEST`` from now, by the clock and of processor time; the signals' default action ends the
    process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + SECONDS_A_REQUEST + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(soft, SECONDS_A_LIFE), SECONDS_A_LIFE))
    signal.setitimer(signal.ITIMER_REAL, SECONDS_A_REQUEST)


def main() -> None:
    # Standard output belongs to the protocol; anything that a library prints goes to standard error.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_resources()
    if sys.argv[2] != "playing":
        os.nice(NICE)
    load_libraries()
    memory = Memory()
    lacking = confine()
    program = Program(socket(AF_UNIX, SOCK_STREAM, fileno=int(sys.argv[1])))
    output.write(json.dumps({"ready": True, "lacking": lacking, "bytes": 0}).encode() + b"\n")
    output.flush()
    for line in sys.stdin.buffer:
        renew_time()
        began = time.process_time()
        output.write(b'{"begun": true, "bytes": 0}\n')
        output.flush()
        try:
            header, payload = program.answer(json.loads(line))
        except AudioError as error:
            header, payload = {"error": type(error).__name__, "detail": str(error)}, b""
        except MemoryError:
            detail = "Decoding it needs more memory than it may have."
            header, payload = {"error": DamagedAudio.__name__, "detail": detail}, b""
        except OSError as error:
            header, payload = {"error": NotAudio.__name__, "detail": f"It cannot be read: {error.strerror}."}, b""
        except Exception as error:  # any exception of a library is blamed on the file
            detail = f"The decoder could not make sense of it ({type(error).__name__})."
            header, payload = {"error": DamagedAudio.__name__, "detail": detail}, b""
        signal.setitimer(signal.ITIMER_REAL, 0)
        last = is_worn(program, memory) or time.process_time() > SECONDS_A_LIFE - 2 * SECONDS_A_REQUEST
        header |= {"last": last, "seconds": time.process_time() - began}
        header["bytes"] = len(payload)
        output.write(json.dumps(header).encode() + b"\n" + payload)
        output.flush()
        if last:
            return


if __name__ == "__main__":
    main()
