"""Run the tests as ``make test`` does, in three parts: most are shared out among processes; after them come those that
are marked ``timed``, which wait for most of their time, two at once; and then those that are marked ``alone``.

::

    python -m tests.run [arguments of pytest]

With ``TEST_RESULTS`` in the environment each part leaves its results there, as JUnit's XML.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROCESSES = 2
"""On two cores: with three, a minute in which all of them computed made one of 4,800 tests miss its moment in each
run."""
TIMED = ("tests/live", "tests/loopback/anam")
"""Where such tests lie: that nothing else is imported to find them saves some ten seconds. The arguments of the caller
may name other places."""
FACES = ("mia", "noah")
NONE_COLLECTED = 5
"""What pytest exits with where no test was left to run."""


def parts(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments of pytest for each part; ``arguments`` come last, so that ``-n 1`` among them has its way. Where
    they name places without a test that is not shared out there is one part."""
    processes = str(PROCESSES)
    options = {
        "shared": ["-m", "not compose and not timed and not alone", "-n", processes],
        "timed": ["-m", "timed and not alone", "-n", processes, "--dist=worksteal"],
        "alone": ["-m", "alone", "-n", "0"],
    }
    folder = os.environ.get("TEST_RESULTS")
    results = {name: [f"--junitxml={folder}/{name}.xml"] if folder else [] for name in options}
    places = [place for argument in arguments if (place := Path(argument.partition("::")[0])).exists()]
    if places and not any(map(holds_timed, places)):
        del options["timed"], options["alone"]
    return [
        [*given, *results[name], *arguments, *(() if places or name == "shared" else TIMED)]
        for name, given in options.items()
    ]


def holds_timed(place: Path) -> bool:
    """Whether a test may lie there that is not shared out."""
    return any(place.is_relative_to(folder) or Path(folder).is_relative_to(place) for folder in TIMED)


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
