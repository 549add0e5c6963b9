"""A service outside the agent that makes the avatar of a LiveKit room speak: one page, to copy and to change.

It needs a room's name and LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET (environment or .env.local). It needs
nothing of the agent: no session, no pipeline, no access to its process.

    python examples/external_audio_sender.py ROOM [SECONDS BETWEEN TWO SEGMENTS]
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C during the imports, which take a second, has no traceback

import asyncio
import sys
from pathlib import Path

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender import Speaker

SOUND = Path(__file__).parent.parent / "assets" / "hello_world_16kHz.wav"


async def run(room: str, interval: float = 5.0) -> None:
    """Play ``SOUND`` again and again, with ``interval`` seconds between its end and the next start."""
    async with Speaker(room=room) as speaker:  # waits for the avatar; at the end closes every stream and leaves
        while True:
            segment = await speaker.play(SOUND)
            result = await segment.finished()
            error = f": {result.error.detail}" if result.error else ""
            print(f"{result.state} after {result.position:.1f} s, receipt {result.receipt}{error}", flush=True)
            await asyncio.sleep(interval)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python external_audio_sender.py ROOM [SECONDS BETWEEN TWO SEGMENTS]")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on a Ctrl-C closes the stream and leaves
    try:
        asyncio.run(run(sys.argv[1], float(sys.argv[2]) if len(sys.argv) == 3 else 5.0))
    except KeyboardInterrupt:
        sys.exit(130)
    except MouthpieceError as error:
        sys.exit(str(error))
