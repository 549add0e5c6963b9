"""How a sound is heard that is sent while it is spoken (``live=true``): when it begins, and whether it has holes.

::

    python bench/live_sound.py [--block 0.02] [--late 0] [--trials 4]

Starts a livekit-server, the local avatar and ``mouthpiece serve``, each in a process of its own; joins as a viewer, and
sends nine seconds of sound, loud from its first sample on, in blocks of ``--block`` seconds, each at most ``--late``
seconds late. For each trial it prints the seconds from the first sample that was spoken to the viewer's first loud
frame of 10 ms, and the silences that the viewer heard within the sound.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import latency, post_latency, services  # noqa: E402

from tests.live.viewer import Viewer, viewer_token  # noqa: E402
from tests.sounds import as_spoken  # noqa: E402

SECONDS = 9.0
TYPE = f"audio/pcm;rate={latency.RATE};channels=1"


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--block", type=float, default=0.02, help="seconds (0.02)")
    parser.add_argument("--late", type=float, default=0.0, help="seconds that a block is late, at most (0)")
    parser.add_argument("--trials", type=int, default=4, help="(4)")
    options, sound = parser.parse_args(), latency.tone(SECONDS)
    async with (
        services.server() as livekit,
        services.avatar(livekit),
        services.service(livekit) as (client, _),
        Viewer(livekit.url, viewer_token(livekit, services.ROOM), identity=services.AVATAR) as viewer,
    ):
        await viewer.ready()
        warm = await client.post(
            f"{post_latency.ROOM}/segments", content=post_latency.sound(1.0), params={"wait": "finished"}
        )
        warm.raise_for_status()
        for _ in range(options.trials):
            await asyncio.sleep(1.0)
            begun = time.monotonic()
            answer = await client.post(
                f"{post_latency.ROOM}/segments",
                content=as_spoken(sound, begun, sample_rate=latency.RATE, block=options.block, late=options.late),
                params={"live": "true"},
                headers={"Content-Type": TYPE},
            )
            answer.raise_for_status()
            onset = await viewer.onset(begun)
            end = await viewer.offset(onset, quiet=1.0)
            holes = " ".join(f"{hole:.2f}" for hole in viewer.gaps(onset, end)) or "none"
            print(
                f"begins after {onset - begun:.2f} s, of {SECONDS:g} s heard {viewer.loud_seconds(onset, end):.2f}, "
                f"silences within: {holes}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
