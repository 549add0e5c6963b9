"""The decoder program. It runs in a process of its own: untrusted media may crash it, hang it or use up its memory.

``mouthpiece.audio.decoder_process`` starts it (``python -m mouthpiece.audio.decoder``) and uses its standard input and
output. A request is one line of JSON; its answer is one line of JSON followed by exactly ``bytes`` bytes. Answers come
in the order of the requests. Before the first request it writes ``{"ready": true}``::

    {"op": "probe", "path": p}                  → {"rate", "channels", "frames", "format", "bytes": 0}
    {"op": "open", "id": n, "path": p, "frame": f, "count": k}  → as for "read"
    {"op": "read", "id": n, "count": k}         → {"frames", "bytes"} and s16le, interleaved; no frames: the end
    {"op": "close", "id": n}                    → {"bytes": 0}
    a sound that cannot be used                 → {"error": name of an AudioError, "detail": sentence, "bytes": 0}

It ends with its input, so it does not outlive a parent that is killed.

libsndfile reads WAV, AIFF, FLAC, MP3 and Ogg; WebM, M4A, AAC and an MP3 that does not state its length go through PyAV.
The demuxer is always given: FFmpeg's own guess may be a playlist, which would open other files.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

from mouthpiece.audio.readers import Reader, open_sound, probe
from mouthpiece.errors import AudioError, DamagedAudio, NotAudio

SECONDS_A_REQUEST: Final = 10
"""Seconds, by the clock and of processor time, that one request may take; the process is killed beyond that."""
MEMORY_LIMIT: Final = 1 << 30
"""Bytes of address space; the libraries take about 250 MB of it."""


class Program:
    """The sounds that are open, and the answer to each request."""

    def __init__(self) -> None:
        self._readers: dict[int, Reader] = {}

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Handle ``request``; return the header and the payload of its answer.

        :raises AudioError: the sound cannot be used.
        """
        match request["op"]:
            case "probe":
                return probe(Path(request["path"])), b""
            case "open":
                reader, _ = open_sound(Path(request["path"]))
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

    def _read(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        samples = self._readers[request["id"]].read(request["count"])
        return {"frames": len(samples)}, samples.astype("<i2", copy=False).tobytes()


def limit_resources() -> None:
    """Limit memory, and forbid core files and writing, for the life of the process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # elsewhere a process may reserve far more address space than it uses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def renew_time() -> None:
    """Allow ``SECONDS_A_REQUEST`` from now, by the clock and of processor time; the signals' default action ends the
    process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + SECONDS_A_REQUEST + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, SECONDS_A_REQUEST)


def main() -> None:
    # Standard output belongs to the protocol; anything that a library prints goes to standard error.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_resources()
    program = Program()
    output.write(b'{"ready": true, "bytes": 0}\n')
    output.flush()
    for line in sys.stdin.buffer:
        renew_time()
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
        header["bytes"] = len(payload)
        output.write(json.dumps(header).encode() + b"\n" + payload)
        output.flush()


if __name__ == "__main__":
    main()
