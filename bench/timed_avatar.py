"""The avatar server, which writes down when it hands each picture to LiveKit.

``python bench/timed_avatar.py FILE [arguments of the server]`` writes monotonic seconds before and after each call, a
line a picture.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from livekit import rtc

from mouthpiece_avatar import server

AT_ONCE = 250
"""Pictures that are written at once: ten seconds."""


def main() -> int:
    file = Path(sys.argv.pop(1))
    lines: list[str] = []
    capture = rtc.VideoSource.capture_frame

    def timed(self: rtc.VideoSource, *arguments: Any, **options: Any) -> None:
        before = time.monotonic()
        capture(self, *arguments, **options)
        lines.append(f"{before:.5f} {time.monotonic():.5f}\n")
        if len(lines) == AT_ONCE:
            write()

    def write() -> None:
        with file.open("a") as out:
            out.writelines(lines)
        lines.clear()

    rtc.VideoSource.capture_frame = timed  # type: ignore[method-assign]
    try:
        return server.main()
    finally:
        write()


if __name__ == "__main__":
    sys.exit(main())
