"""Run the tests as ``make test`` does, in three parts.

The live ring, and what of loopback plays in real time (tests/conftest.py), mostly waits for sound to be played; then
come the tests that are marked ``alone``, one after the other. The others compute: they run beside both at a low
priority, so that they take only the time in which nothing that is timed could run.

::

    python -m tests.run [arguments of pytest]

With ``TEST_RESULTS`` in the environment each part leaves its results there, as JUnit's XML.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FACES = ("mia", "noah")
NONE_COLLECTED = 5
"""What pytest exits with where no test was left to run."""


@dataclass(frozen=True, slots=True)
class Part:
    """Tests that run under the same conditions."""

    name: str
    marks: str
    folders: tuple[str, ...]
    """Where they lie; the arguments of the caller may name others."""
    processes: int
    """For a machine of two cores. With three or four in the live ring one test in a hundred missed its moment."""
    niceness: int = 0

    def command(self, arguments: Sequence[str]) -> list[str]:
        """``arguments`` come last, so that ``-n 1`` among them has its way."""
        lowered = ["nice", "-n", str(self.niceness)] if self.niceness else []
        pytest = [sys.executable, "-m", "pytest", "-m", self.marks, "-n", str(self.processes)]
        if folder := os.environ.get("TEST_RESULTS"):
            pytest.append(f"--junitxml={folder}/{self.name}.xml")
        folders = () if any(map(is_a_place, arguments)) else self.folders
        return [*lowered, *pytest, *arguments, *folders]


BESIDE = Part("beside", "not compose and not alone and not live", ("tests/loopback", "tests/unit"), 2, niceness=15)
IN_TURN = (
    Part("live", "live and not compose and not alone", ("tests/live", "tests/loopback/anam"), 2),
    Part("alone", "not compose and alone", ("tests/live", "tests/loopback"), 0),
)


def is_a_place(argument: str) -> bool:
    """It names a file, a folder or a test."""
    return Path(argument.partition("::")[0]).exists()


def exit_code(codes: Sequence[int]) -> int:
    """The first that says that something is wrong; no test at all is wrong too."""
    return next((code for code in codes if code not in (0, NONE_COLLECTED)), min(codes))


def draw_faces() -> None:
    """Draw the faces of the live tests' avatars, if they are not kept yet: ten seconds of processor time each, in which
    a test would miss its moment."""
    command = [sys.executable, "-m", "mouthpiece_avatar.draw_faces"]
    drawing = [subprocess.Popen([*command, face], stdout=subprocess.DEVNULL) for face in FACES]
    for process in drawing:
        process.wait()


def main(arguments: Sequence[str]) -> int:
    draw_faces()
    with tempfile.TemporaryFile() as printed:
        beside = subprocess.Popen(BESIDE.command(arguments), stdout=printed, stderr=subprocess.STDOUT)
        try:
            codes = [subprocess.run(part.command(arguments)).returncode for part in IN_TURN]
        except BaseException:
            beside.terminate()
            raise
        finally:
            codes_beside = beside.wait()
            printed.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(printed.read())
            sys.stdout.flush()
    return exit_code([*codes, codes_beside])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
