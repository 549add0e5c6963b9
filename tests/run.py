"""Run the tests as ``make test`` does, in two parts: most are shared out among processes; after them those that are
marked ``alone`` are run one after the other.

::

    python -m tests.run [arguments of pytest]

With ``TEST_RESULTS`` in the environment each part leaves its results there, as JUnit's XML.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

PROCESSES = 2
"""On two cores: with three, a minute in which all of them computed made one of 4,800 tests miss its moment in each
run."""
FACES = ("mia", "noah")
NONE_COLLECTED = 5
"""What pytest exits with where no test was left to run."""


def parts(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments of pytest for each part; ``arguments`` come last, so that ``-n 1`` among them has its way."""
    several = ["-m", "not compose and not alone", "-n", str(PROCESSES)]
    alone = ["-m", "not compose and alone", "-n", "0"]
    if folder := os.environ.get("TEST_RESULTS"):
        several.append(f"--junitxml={folder}/shared.xml")
        alone.append(f"--junitxml={folder}/alone.xml")
    return [[*several, *arguments], [*alone, *arguments]]


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
    return exit_code([subprocess.run([sys.executable, "-m", "pytest", *part]).returncode for part in parts(arguments)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
